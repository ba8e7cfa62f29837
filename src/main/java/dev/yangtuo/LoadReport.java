package dev.yangtuo;

import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What was loaded and merged.
 *
 * @param model the base model
 * @param layers transformer layers
 * @param dim width of the model
 * @param baseVocabSize vocabulary of the base model
 * @param vocabSize vocabulary after the adapters
 * @param adapters what each adapter did, in the order in which they were merged
 * @param mergeJson the same as a JSON object; docs/formats.md has its keys
 * @param weightTypes types of the matrices, the most frequent first
 * @param weightBytes bytes of the packed matrices
 * @param context tokens that a text can have
 * @param backend what computes
 * @param cache what the cache of packed weights did ({@link LoadOptions#cache})
 * @param time how long loading and merging took
 */
public record LoadReport(
        Path model,
        int layers,
        int dim,
        int baseVocabSize,
        int vocabSize,
        List<AdapterReport> adapters,
        String mergeJson,
        List<String> weightTypes,
        long weightBytes,
        int context,
        String backend,
        Cache cache,
        Duration time) {
    /** What the cache of packed weights did. */
    public enum Cache {
        /** Nothing: none was asked for, or it could not be used, for a reason that was logged. */
        NONE,
        /** The weights were mapped from it. */
        READ,
        /** The weights were written into it, for the next time. */
        WRITTEN
    }

    /** Copies the lists. */
    public LoadReport {
        adapters = List.copyOf(adapters);
        weightTypes = List.copyOf(weightTypes);
    }

    static LoadReport of(LoadedModel loaded) {
        Model model = loaded.model();
        return new LoadReport(
                loaded.path(),
                model.layers(),
                model.dim(),
                loaded.baseVocabSize(),
                model.vocabSize(),
                loaded.merge().adapters().stream().map(AdapterReport::of).toList(),
                loaded.merge().json(),
                loaded.weightTypes(),
                model.weightBytes(),
                model.contextLength(),
                model.backendName(),
                Cache.valueOf(loaded.cache().name()),
                loaded.time());
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
                "loaded in %.2f s%s: vocabulary %s, weights %s %.1f MB, context %d, %s",
                time.toNanos() / 1e9,
                switch (cache) {
                    case NONE -> "";
                    case READ -> " from the cache";
                    case WRITTEN -> ", written to the cache";
                },
                vocabSize == baseVocabSize ? vocabSize : baseVocabSize + " -> " + vocabSize,
                String.join("+", weightTypes).toLowerCase(Locale.ROOT),
                weightBytes / 1e6,
                context,
                backend));
        return text.toString();
    }
}
