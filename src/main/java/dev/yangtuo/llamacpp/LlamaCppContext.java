package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** llama.cpp's model and context, and the memory that calls on them need. Freed in the order that llama.cpp wants: the context, then the model with its adapters. */
final class LlamaCppContext implements AutoCloseable {
    private final Arena arena;
    private final MemorySegment model;
    private final MemorySegment context;
    private final MemorySegment memory;
    private final int columns;
    private final int outputs;
    private final int sequences;
    private boolean closed;

    /**
     * Takes ownership of all of them.
     *
     * @param arena shared; freed at the end
     * @param columns of a call of {@code llama_decode}
     * @param outputs of such a call
     * @param sequences that the context has
     */
    LlamaCppContext(Arena arena, MemorySegment model, MemorySegment context, int columns, int outputs, int sequences) {
        this.arena = arena;
        this.model = model;
        this.context = context;
        this.memory = LlamaCpp.llama_get_memory(context);
        this.columns = columns;
        this.outputs = outputs;
        this.sequences = sequences;
    }

    /** {@code llama_context}. */
    MemorySegment address() {
        return context;
    }

    /** {@code llama_memory_t}. */
    MemorySegment memory() {
        return memory;
    }

    /** What is allocated here lives as long as the context. */
    Arena arena() {
        return arena;
    }

    int columns() {
        return columns;
    }

    int outputs() {
        return outputs;
    }

    int sequences() {
        return sequences;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            LlamaCpp.llama_free(context);
            LlamaCpp.llama_model_free(model);
            arena.close();
        }
    }
}
