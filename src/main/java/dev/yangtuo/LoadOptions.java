package dev.yangtuo;

import dev.yangtuo.model.LoadSettings;
import dev.yangtuo.model.TypeMix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a model is loaded. Immutable: each method returns a changed copy.
 *
 * {@snippet :
 * LoadOptions options = LoadOptions.defaults().lora(Path.of("chinese-lora")).quantize(WeightType.Q8_0);
 * }
 */
public final class LoadOptions {
    private static final LoadOptions DEFAULTS = new LoadOptions();

    // Assigned only to a fresh copy before it is handed out.
    private List<Path> adapters = List.of();
    private @Nullable TypeMix types;
    private KvType kvType = KvType.F16;
    private BackendType backend = BackendType.AUTO;
    private int threads = Math.min(256, Runtime.getRuntime().availableProcessors());
    private int context;
    private int maxSequences = 4;
    private Consumer<? super LoadProgress> progressListener = progress -> {};

    private LoadOptions() {}

    private LoadOptions copy() {
        LoadOptions copy = new LoadOptions();
        copy.adapters = adapters;
        copy.types = types;
        copy.kvType = kvType;
        copy.backend = backend;
        copy.threads = threads;
        copy.context = context;
        copy.maxSequences = maxSequences;
        copy.progressListener = progressListener;
        return copy;
    }

    /** No adapters, weights as the file stores them, f16 keys and values, all processors, the context length of the model. */
    public static LoadOptions defaults() {
        return DEFAULTS;
    }

    /** Adds an adapter, a directory in PEFT's format, after those that are already there. Merged in this order. */
    public LoadOptions lora(Path directory) {
        List<Path> longer = new ArrayList<>(adapters);
        longer.add(directory);
        LoadOptions copy = copy();
        copy.adapters = List.copyOf(longer);
        return copy;
    }

    /** Keeps the matrices as this type, or mix of types. Without it each keeps the type that it has in the file. */
    public LoadOptions quantize(WeightType type) {
        LoadOptions copy = copy();
        copy.types = type.mix(false);
        return copy;
    }

    /** The same, but every matrix as the one type that gives the mix its name, the output matrix, too ({@code q4_0:pure}). */
    public LoadOptions quantizePure(WeightType type) {
        LoadOptions copy = copy();
        copy.types = type.mix(true);
        return copy;
    }

    /** How keys and values are kept; f16 unless set. */
    public LoadOptions kvType(KvType type) {
        LoadOptions copy = copy();
        copy.kvType = Objects.requireNonNull(type);
        return copy;
    }

    /** What computes; {@link BackendType#AUTO} unless set. */
    public LoadOptions backend(BackendType type) {
        LoadOptions copy = copy();
        copy.backend = Objects.requireNonNull(type);
        return copy;
    }

    /** Threads that compute, the calling one included, 1 to 256; as many as there are processors unless set. */
    public LoadOptions threads(int count) {
        requireRange("threads", count, 256);
        LoadOptions copy = copy();
        copy.threads = count;
        return copy;
    }

    /** Tokens that a text can have, prompt included, at least 1; the model's own context length unless set. */
    public LoadOptions context(int tokens) {
        requireRange("context", tokens, Integer.MAX_VALUE);
        LoadOptions copy = copy();
        copy.context = tokens;
        return copy;
    }

    /** Texts that can be in the making at the same time, 1 to 1024; 4 unless set. Each reserves address space, not memory, for a whole context. */
    public LoadOptions maxSequences(int count) {
        requireRange("maxSequences", count, 1024);
        LoadOptions copy = copy();
        copy.maxSequences = count;
        return copy;
    }

    /** Is told by the loading thread how far it has come, at least once for each parameter. */
    public LoadOptions onProgress(Consumer<? super LoadProgress> listener) {
        LoadOptions copy = copy();
        copy.progressListener = Objects.requireNonNull(listener);
        return copy;
    }

    private static void requireRange(String name, int value, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException("%s is %d, must be 1 to %d".formatted(name, value, most));
        }
    }

    LoadSettings settings() {
        return new LoadSettings(
                adapters,
                types,
                kvType.tensorType(),
                () -> backend.open(threads),
                threads,
                context,
                maxSequences,
                (name, done, count, bytesDone, byteCount) ->
                        progressListener.accept(new LoadProgress(name, done, count, bytesDone, byteCount)));
    }
}
