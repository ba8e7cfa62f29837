package dev.yangtuo;

import dev.yangtuo.model.ExportedModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What was converted and merged.
 *
 * @param model the base model
 * @param layers transformer layers
 * @param dim width of the model
 * @param baseVocabSize vocabulary of the base model
 * @param vocabSize vocabulary after the adapters
 * @param adapters what each adapter did, in the order in which they were merged
 * @param mergeJson the same as a JSON object; docs/formats.md has its keys
 * @param output the file or directory that was written
 * @param weightTypes types of the matrices, the most frequent first
 * @param byteSize bytes of the files with weights
 * @param files how many of these there are
 * @param time how long it took
 */
public record ConvertReport(
        Path model,
        int layers,
        int dim,
        int baseVocabSize,
        int vocabSize,
        List<AdapterReport> adapters,
        String mergeJson,
        Path output,
        List<String> weightTypes,
        long byteSize,
        int files,
        Duration time) {
    /** Copies the lists. */
    public ConvertReport {
        adapters = List.copyOf(adapters);
        weightTypes = List.copyOf(weightTypes);
    }

    static ConvertReport of(ExportedModel exported) {
        return new ConvertReport(
                exported.path(),
                exported.config().nLayers(),
                exported.config().dim(),
                exported.base().vocabSize(),
                exported.config().vocabSize(),
                exported.merge().adapters().stream().map(AdapterReport::of).toList(),
                exported.merge().json(),
                exported.output(),
                exported.weightTypes(),
                exported.byteSize(),
                exported.files(),
                exported.time());
    }

    /** The report as a few lines for a person, without a final line break. */
    public String describe() {
        StringBuilder text = new StringBuilder();
        text.append("model %s: %d layers, dim %d, vocabulary %d%n".formatted(model, layers, dim, baseVocabSize));
        for (AdapterReport adapter : adapters) {
            text.append(adapter.describe()).append(System.lineSeparator());
        }
        text.append(String.format(
                Locale.ROOT,
                "wrote %s in %.2f s: vocabulary %s, weights %s, %,d bytes%s",
                output,
                time.toNanos() / 1e9,
                vocabSize == baseVocabSize ? vocabSize : baseVocabSize + " -> " + vocabSize,
                String.join("+", weightTypes).toLowerCase(Locale.ROOT),
                byteSize,
                files == 1 ? "" : " in %d files".formatted(files)));
        return text.toString();
    }
}
