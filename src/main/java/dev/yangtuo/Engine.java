package dev.yangtuo;

import java.util.Locale;

/** Whose code computes a model's forward passes. All else (tokenizer, sampling, templates, scheduling) is the same for both. */
public enum Engine {
    /** {@link #YANGTUO} where it can run the model and no device is asked for that only llama.cpp knows, else {@link #LLAMA_CPP}. */
    AUTO,
    /** Yangtuo's own kernels: LLaMA's architecture, on the processor and on CUDA devices ({@link LoadOptions#device}). */
    YANGTUO,
    /** llama.cpp's shared library, which must be on the machine ({@link LlamaCppOptions#library}): every architecture and every device that it knows. */
    LLAMA_CPP;

    /**
     * The engine of this name, in any case: {@code auto}, {@code yangtuo}, {@code llama.cpp}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Engine of(String name) {
        for (Engine engine : values()) {
            if (engine.toString().equalsIgnoreCase(name)) {
                return engine;
            }
        }
        throw new IllegalArgumentException("'%s' is not an engine; there are auto, yangtuo, llama.cpp".formatted(name));
    }

    /** The name that {@link #of} takes. */
    @Override
    public String toString() {
        return this == LLAMA_CPP ? "llama.cpp" : name().toLowerCase(Locale.ROOT);
    }
}
