package dev.yangtuo;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How llama.cpp loads and computes a model, beside what {@link LoadOptions} says for both engines. Immutable: each method returns a changed copy.
 *
 * {@snippet :
 * LoadOptions options = LoadOptions.defaults().engine(Engine.LLAMA_CPP)
 *         .llamaCpp(LlamaCppOptions.defaults().library(Path.of("/opt/llama.cpp/lib")).gpuLayers(20));
 * }
 */
public final class LlamaCppOptions {
    private static final LlamaCppOptions DEFAULTS = new LlamaCppOptions();

    // Assigned only to a fresh copy before it is handed out.
    private @Nullable Path library;
    private int gpuLayers = -1;
    private List<String> devices = List.of();
    private FlashAttention flashAttention = FlashAttention.AUTO;
    private boolean sharedMemory = true;
    private boolean mapped = true;

    /** When attention is computed in one kernel, without a matrix of scores. */
    public enum FlashAttention {
        /** Where the device has a kernel for it. */
        AUTO,
        /** Always; loading fails where that is not possible. */
        ON,
        /** Never; keys and values must then be of a type without blocks (f32, f16, bf16). */
        OFF;

        /**
         * The one of this name, in any case.
         *
         * @throws IllegalArgumentException if there is none
         */
        public static FlashAttention of(String name) {
            for (FlashAttention when : values()) {
                if (when.name().equalsIgnoreCase(name)) {
                    return when;
                }
            }
            throw new IllegalArgumentException("'%s' is not when flash attention is used; there are auto, on, off".formatted(name));
        }
    }

    private LlamaCppOptions() {}

    private LlamaCppOptions copy() {
        LlamaCppOptions copy = new LlamaCppOptions();
        copy.library = library;
        copy.gpuLayers = gpuLayers;
        copy.devices = devices;
        copy.flashAttention = flashAttention;
        copy.sharedMemory = sharedMemory;
        copy.mapped = mapped;
        return copy;
    }

    /** The library where it is usually found, all devices, all layers on them, flash attention where it is possible. */
    public static LlamaCppOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Where the shared library is: the file ({@code libllama.so}) or the folder that holds it. Without it the system property {@code yangtuo.llama.cpp.path}, then the
     * environment variable {@code YANGTUO_LLAMA_CPP_PATH} says so, then the usual places of the system are looked through. A process has one llama.cpp: what was
     * loaded first.
     */
    public LlamaCppOptions library(Path path) {
        LlamaCppOptions copy = copy();
        copy.library = path;
        return copy;
    }

    /** Where the library is; empty for the usual places. */
    public Optional<Path> library() {
        return Optional.ofNullable(library);
    }

    /** Layers that are kept on GPUs, from the last one on, 0 for none; unless set, all. Without a GPU it has no effect. */
    public LlamaCppOptions gpuLayers(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("gpuLayers is %d, must be at least 0".formatted(count));
        }
        LlamaCppOptions copy = copy();
        copy.gpuLayers = count;
        return copy;
    }

    /** Layers on GPUs; empty for all. */
    public OptionalInt gpuLayers() {
        return gpuLayers < 0 ? OptionalInt.empty() : OptionalInt.of(gpuLayers);
    }

    /** Names of the devices that compute, as {@code yangtuo doctor} lists them ({@code CUDA0}, {@code Vulkan1}, {@code CPU}); unless set, all GPUs, else the processor. */
    public LlamaCppOptions devices(List<String> names) {
        LlamaCppOptions copy = copy();
        copy.devices = List.copyOf(names);
        return copy;
    }

    /** Names of the devices; empty for all. */
    public List<String> devices() {
        return devices;
    }

    /** When flash attention is used; AUTO unless set. */
    public LlamaCppOptions flashAttention(FlashAttention when) {
        LlamaCppOptions copy = copy();
        copy.flashAttention = when;
        return copy;
    }

    /** When flash attention is used. */
    public FlashAttention flashAttention() {
        return flashAttention;
    }

    /**
     * Whether all texts share one memory for keys and values, as with Yangtuo's own engine: what texts have in common at the beginning is then kept and computed once, and
     * a text takes only what it needs. Without it each text has a memory of a whole context of its own, which llama.cpp computes many different texts faster with. True
     * unless set.
     */
    public LlamaCppOptions sharedMemory(boolean shared) {
        LlamaCppOptions copy = copy();
        copy.sharedMemory = shared;
        return copy;
    }

    /** Whether all texts share one memory for keys and values. */
    public boolean sharedMemory() {
        return sharedMemory;
    }

    /** Whether the file of the model is mapped rather than read; true unless set. A mapped file that another program shortens ends the process. */
    public LlamaCppOptions mapped(boolean map) {
        LlamaCppOptions copy = copy();
        copy.mapped = map;
        return copy;
    }

    /** Whether the file of the model is mapped. */
    public boolean mapped() {
        return mapped;
    }
}
