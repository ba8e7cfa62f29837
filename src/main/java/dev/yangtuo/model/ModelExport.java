package dev.yangtuo.model;

import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PendingFile;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes a model with its adapters as a file or a directory that is a model of its own. Tensors are read, merged, rounded once and written some
 * rows at a time, so that none is ever whole in memory; places and sizes of all are known before the first is read.
 */
public final class ModelExport {
    private static final String GGUF_ENDING = ".gguf";

    private final MergedModel model;
    private final Path output;
    private final ExportSettings settings;
    /** Rounds what is not written as it is stored. */
    private final Backend backend;

    private ModelExport(MergedModel model, Path output, ExportSettings settings, Backend backend) {
        this.model = model;
        this.backend = backend;
        this.output = output;
        this.settings = settings;
    }

    /**
     * Writes a model.
     *
     * @param path a model of any kind that can be read
     * @param output a GGUF file if it ends in {@code .gguf}, else a Hugging Face directory
     * @throws IllegalArgumentException if the output cannot have the types that are asked for
     */
    public static ExportedModel run(Path path, Path output, ExportSettings settings) {
        return run(() -> ModelSource.open(path), output, settings);
    }

    static ExportedModel run(Supplier<ModelSource> source, Path output, ExportSettings settings) {
        long start = System.nanoTime();
        boolean gguf = output.toString().toLowerCase(Locale.ROOT).endsWith(GGUF_ENDING);
        if (!gguf) {
            requirePlain(output, settings.load().types());
        }
        LoadSettings load = settings.load();
        try (MergedModel model = MergedModel.open(source.get(), load.lora(), load.rope()); Backend backend = load.backend().get()) {
            ModelExport export = new ModelExport(model, output, settings, backend);
            export.refuseSources();
            model.tokenizer();
            Written written = gguf ? export.writeGguf() : new HuggingFaceExport(export).write();
            Duration time = Duration.ofNanos(System.nanoTime() - start);
            return new ExportedModel(model.path(), model.baseConfig(), model.config(), output, written.byteSize(), written.files(), written.merge(),
                    typesByFrequency(written.types()), time);
        }
    }

    private Written writeGguf() {
        GgufExport gguf = new GgufExport(model, settings.load());
        try (PendingFile file = PendingFile.create(output, gguf.byteSize())) {
            MergeReport merge = gguf.write(file.out(), backend);
            file.complete();
            return new Written(gguf.byteSize(), 1, gguf.types(), merge);
        }
    }

    private static void requirePlain(Path output, @Nullable TypeMix types) {
        if (types != null && types.base().isQuantized()) {
            throw new IllegalArgumentException(("%s: a Hugging Face directory cannot have the type %s, only f32, f16 and bf16;"
                    + " name a file that ends in %s, or another type").formatted(output, types.base().name().toLowerCase(Locale.ROOT), GGUF_ENDING));
        }
    }

    /**
     * What was written.
     *
     * @param byteSize of the files with tensors
     * @param files how many of these there are
     * @param types how many matrices are of each type
     */
    record Written(long byteSize, int files, Map<TensorType, Integer> types, MergeReport merge) {}

    /** Names of the types, the most frequent first. */
    static List<String> typesByFrequency(Map<TensorType, Integer> counts) {
        return counts.entrySet().stream()
                .sorted(Map.Entry.<TensorType, Integer>comparingByValue().reversed())
                .map(entry -> entry.getKey().name())
                .toList();
    }

    MergedModel model() {
        return model;
    }

    Path output() {
        return output;
    }

    ExportSettings settings() {
        return settings;
    }

    ParameterEncoder newEncoder(EncodeProgress progress) {
        return new ParameterEncoder(backend, model.path(), settings.load().threads(), progress::bytes);
    }

    /** Writes the rows of a parameter, the first one at that place. */
    static void writeRows(
            ParameterEncoder encoder, MergedParameter parameter, TensorType type, ParameterEncoder.Order order, OutputFile out, long byteOffset) {
        long rowBytes = type.rowBytes(parameter.rows().columns());
        encoder.encode(parameter, type, order, (firstRow, rowCount, blocks) -> out.write(byteOffset + firstRow * rowBytes, blocks));
    }

    /** How many matrices are of each type. */
    static void count(Map<TensorType, Integer> counts, MergedParameter parameter, TensorType type) {
        if (!parameter.isVector()) {
            counts.merge(type, 1, Integer::sum);
        }
    }

    static Map<TensorType, Integer> newCounts() {
        return new EnumMap<>(TensorType.class);
    }

    /** Nothing is written where something is read from: a slip that would cost the original. */
    private void refuseSources() {
        Set<Path> sources = new HashSet<>(model.adapterPaths());
        sources.add(model.path());
        for (TensorInfo tensor : model.source().checkpoint().tensors()) {
            sources.add(tensor.file());
        }
        try {
            if (!Files.exists(output)) {
                return;
            }
            Path real = output.toRealPath();
            for (Path source : sources) {
                // A directory that holds a source would lose it when it is replaced. A made-up model has no file.
                if (Files.exists(source) && source.toRealPath().startsWith(real)) {
                    throw new YangtuoException("%s: the model is read from there (%s); name another output".formatted(output, source));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot be looked at: %s".formatted(output, e.getMessage()), e);
        }
    }
}
