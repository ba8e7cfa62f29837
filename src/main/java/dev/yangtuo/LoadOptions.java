package dev.yangtuo;

import dev.yangtuo.kernel.NativeLibrary;
import dev.yangtuo.lora.LoraRequest;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.model.DeviceChoice;
import dev.yangtuo.model.LoadSettings;
import dev.yangtuo.model.RopeOverride;
import dev.yangtuo.model.TypeMix;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
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
    private LoraStack lora = LoraStack.NONE;
    private @Nullable TypeMix types;
    private KvType kvType = KvType.F16;
    private BackendType backend = BackendType.AUTO;
    private int threads = Math.min(256, Runtime.getRuntime().availableProcessors());
    private int context;
    private int maxSequences;
    private long kvMemory;
    private Consumer<? super LoadProgress> progressListener = progress -> {};
    private @Nullable Path cache;
    private RopeOverride rope = RopeOverride.NONE;
    private Engine engine = Engine.AUTO;
    private LlamaCppOptions llamaCpp = LlamaCppOptions.defaults();
    private List<String> devices = List.of();
    private int gpuLayers = DeviceChoice.ALL_LAYERS;

    private LoadOptions() {}

    private LoadOptions copy() {
        LoadOptions copy = new LoadOptions();
        copy.lora = lora;
        copy.types = types;
        copy.kvType = kvType;
        copy.backend = backend;
        copy.threads = threads;
        copy.context = context;
        copy.maxSequences = maxSequences;
        copy.kvMemory = kvMemory;
        copy.progressListener = progressListener;
        copy.cache = cache;
        copy.rope = rope;
        copy.engine = engine;
        copy.llamaCpp = llamaCpp;
        copy.devices = devices;
        copy.gpuLayers = gpuLayers;
        return copy;
    }

    /** No adapters, weights as the file stores them, f16 keys and values, all processors, the context length of the model. */
    public static LoadOptions defaults() {
        return DEFAULTS;
    }

    /** Adds an adapter, a directory in PEFT's format or a GGUF file, after those that are already there. Merged in this order. */
    public LoadOptions lora(Path adapter) {
        return lora(adapter, 1);
    }

    /**
     * Adds an adapter and multiplies its deltas beside their own scale: LoRA's products, also inside DoRA's norms, and the biases beside them. What the
     * adapter brings whole (matrices, trained biases, rows) is not scaled.
     *
     * @param scale finite; 0 leaves the deltas out, 1 changes nothing
     * @throws IllegalArgumentException if the scale is not finite
     */
    public LoadOptions lora(Path adapter, double scale) {
        LoadOptions copy = copy();
        copy.lora = lora.with(new LoraRequest(adapter, scale));
        return copy;
    }

    /**
     * Rounds to float16 after each adapter, and the base before the first, as merging with PEFT on a float16 base does. Without it everything is
     * float32, rounded once at the end, which is more exact.
     */
    public LoadOptions loraFloat16(boolean float16) {
        LoadOptions copy = copy();
        copy.lora = new LoraStack(lora.adapters(), float16);
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

    /** How keys and values of past tokens are kept, see {@link KvType}; F16 unless set. */
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

    /**
     * Tokens that a text can have, prompt included, at least 1; the model's own context length unless set. A longer one is possible; it is logged as
     * a warning unless RoPE is scaled for it.
     */
    public LoadOptions context(int tokens) {
        requireRange("context", tokens, Integer.MAX_VALUE);
        LoadOptions copy = copy();
        copy.context = tokens;
        return copy;
    }

    /**
     * Scales RoPE in this way, whatever the model says. All but {@link RopeScalingType#NONE} need a {@link #ropeFactor factor}, unless the model is
     * scaled in the same way already. What else a scaling depends on is the model's, else what is usual; the original context is that of the model's
     * scaling, else the model's context length. The context does not become longer by itself: {@link #context} says how long.
     */
    public LoadOptions ropeScaling(RopeScalingType type) {
        LoadOptions copy = copy();
        copy.rope = new RopeOverride(type.kind(), rope.factor(), rope.theta());
        return copy;
    }

    /**
     * How many times longer than those of the training texts may be, for the scaling that is set or that the model has; of
     * {@link RopeScalingType#NTK} it is alpha.
     *
     * @param factor finite and positive; at least 1 for all scalings but {@link RopeScalingType#LINEAR}
     */
    public LoadOptions ropeFactor(double factor) {
        LoadOptions copy = copy();
        copy.rope = new RopeOverride(rope.scaling(), (float) factor, rope.theta());
        return copy;
    }

    /** Base of RoPE's frequencies, finite and positive; the model's unless set. */
    public LoadOptions ropeBase(double base) {
        LoadOptions copy = copy();
        copy.rope = new RopeOverride(rope.scaling(), rope.factor(), (float) base);
        return copy;
    }

    /**
     * Texts that are computed at the same time, 1 to 1024; others wait. 32 unless set. Where {@link #kvMemory} is not set, memory for keys and values is reserved for as
     * many whole contexts, or, if this is not set either, for four, as far as a quarter of the machine's memory allows; what is reserved is used only as texts grow.
     */
    public LoadOptions maxSequences(int count) {
        requireRange("maxSequences", count, 1024);
        LoadOptions copy = copy();
        copy.maxSequences = count;
        return copy;
    }

    /**
     * Memory for the keys and values of all texts together, in bytes: enough for one whole context at least. Texts wait for it, and take turns when it runs out.
     */
    public LoadOptions kvMemory(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("kvMemory is %d, must be at least 1".formatted(bytes));
        }
        LoadOptions copy = copy();
        copy.kvMemory = bytes;
        return copy;
    }

    /** Is told by the loading thread how far it has come, at least once for each parameter. */
    public LoadOptions onProgress(Consumer<? super LoadProgress> listener) {
        LoadOptions copy = copy();
        copy.progressListener = Objects.requireNonNull(listener);
        return copy;
    }

    /**
     * Keeps the weights, merged and packed, in a file of this folder, and maps them from there when the same model is loaded again with the same adapters,
     * scales and types: within a fraction of a second, however large it is. Contents count, not names: where any file of them has changed, they are loaded and
     * kept anew. The folder is made for this user alone if it is not there. Any number of programs may share it. It is never emptied: delete it, or files in
     * it, when nothing is being loaded from it.
     *
     * <p>What goes wrong with it is logged as a warning, and the model is loaded without it. The scalar backend has none.
     */
    public LoadOptions cache(Path folder) {
        LoadOptions copy = copy();
        copy.cache = Objects.requireNonNull(folder);
        return copy;
    }

    /** Whose code computes; {@link Engine#AUTO} unless set. */
    public LoadOptions engine(Engine which) {
        LoadOptions copy = copy();
        copy.engine = Objects.requireNonNull(which);
        return copy;
    }

    /** Whose code computes. */
    public Engine engine() {
        return engine;
    }

    /** How llama.cpp loads and computes the model, where it is the engine. */
    public LoadOptions llamaCpp(LlamaCppOptions options) {
        LoadOptions copy = copy();
        copy.llamaCpp = Objects.requireNonNull(options);
        return copy;
    }

    /** How llama.cpp loads and computes the model. */
    public LlamaCppOptions llamaCpp() {
        return llamaCpp;
    }

    /**
     * Which devices compute. {@code cpu}, the processor, unless set: the kernels for CUDA devices have been tested without such a device only.
     *
     * <ul>
     *   <li>{@code cuda}: the CUDA device with the most free memory.
     *   <li>{@code cuda:0}, {@code cuda:1} and so on, one or several: these; the layers are divided among them in proportion to their free memory, in the order in which
     *       the devices are named.
     *   <li>{@code auto}: the one that {@code cuda} names, with as many layers as fit, if there is one that can compute the model; else the processor. Why is logged at the
     *       level DEBUG.
     * </ul>
     *
     * With a device that is named, loading fails where there is no such device, its driver is too old, the layers do not fit into its memory, or it cannot compute with the
     * type of the weights or of keys and values. Of a device's memory, 15 of 16 parts of what is free are used at most; keys and values of all texts are taken there at
     * once, and a context that is not set becomes as short as 4096 tokens before fewer layers fit.
     *
     * <p>The same names choose llama.cpp's devices where that is the engine; names that only it knows are set with {@link LlamaCppOptions#devices}.
     *
     * @throws IllegalArgumentException if one of the names is none of these
     */
    public LoadOptions device(String... names) {
        DeviceChoice.of(List.of(names));
        LoadOptions copy = copy();
        copy.devices = List.of(names);
        return copy;
    }

    /** Names of the devices that compute; empty unless set. */
    public List<String> devices() {
        return devices;
    }

    /**
     * Layers, counted from the last one, that lie on the devices that {@link #device} names, the output matrix with them; the others lie on the processor, the embedding with
     * them. 0 for none; all unless set.
     */
    public LoadOptions gpuLayers(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("gpuLayers is %d, must be at least 0".formatted(count));
        }
        LoadOptions copy = copy();
        copy.gpuLayers = count;
        return copy;
    }

    /** Layers on devices; empty for all. */
    public OptionalInt gpuLayers() {
        return gpuLayers == DeviceChoice.ALL_LAYERS ? OptionalInt.empty() : OptionalInt.of(gpuLayers);
    }

    /**
     * The folder that is used unless another is named: {@code weights} in {@code $YANGTUO_CACHE}, in {@code $XDG_CACHE_HOME/yangtuo} or in
     * {@code ~/.cache/yangtuo}, the first of these that there is a place for; empty without any.
     */
    public static Optional<Path> defaultCache() {
        return Optional.ofNullable(NativeLibrary.cacheFolder()).map(folder -> folder.resolve("weights"));
    }

    private static void requireRange(String name, int value, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException("%s is %d, must be 1 to %d".formatted(name, value, most));
        }
    }

    /** The same for the packages of this module, from which alone the result can be used. */
    public LoadSettings settings() {
        return new LoadSettings(
                lora,
                types,
                kvType.tensorType(),
                () -> backend.open(threads),
                threads,
                context,
                maxSequences,
                kvMemory,
                (name, done, count, bytesDone, byteCount) ->
                        progressListener.accept(new LoadProgress(name, done, count, bytesDone, byteCount)),
                cache,
                rope,
                devices.isEmpty() ? DeviceChoice.PROCESSOR : DeviceChoice.of(devices).withLayers(gpuLayers));
    }
}
