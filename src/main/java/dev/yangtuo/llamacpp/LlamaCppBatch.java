package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.llama_batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The columns of a call of {@code llama_decode}: each is one token of one sequence. Not thread-safe. */
final class LlamaCppBatch {
    private final int capacity;
    private final MemorySegment struct;
    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment sequences;
    private final MemorySegment wanted;
    private int count;

    /** @param capacity columns at most, at least 1 */
    LlamaCppBatch(Arena arena, int capacity) {
        this.capacity = capacity;
        tokens = arena.allocate(ValueLayout.JAVA_INT, capacity);
        positions = arena.allocate(ValueLayout.JAVA_INT, capacity);
        sequences = arena.allocate(ValueLayout.JAVA_INT, capacity);
        wanted = arena.allocate(ValueLayout.JAVA_BYTE, capacity);
        MemorySegment sequenceCounts = arena.allocate(ValueLayout.JAVA_INT, capacity);
        MemorySegment sequencePointers = arena.allocate(ValueLayout.ADDRESS, capacity);
        for (int i = 0; i < capacity; i++) {
            sequenceCounts.setAtIndex(ValueLayout.JAVA_INT, i, 1);
            sequencePointers.setAtIndex(ValueLayout.ADDRESS, i, sequences.asSlice((long) i * Integer.BYTES, Integer.BYTES));
        }
        struct = llama_batch.allocate(arena);
        llama_batch.token(struct, tokens);
        llama_batch.embd(struct, MemorySegment.NULL);
        llama_batch.pos(struct, positions);
        llama_batch.n_seq_id(struct, sequenceCounts);
        llama_batch.seq_id(struct, sequencePointers);
        llama_batch.logits(struct, wanted);
    }

    int capacity() {
        return capacity;
    }

    void clear() {
        count = 0;
    }

    int count() {
        return count;
    }

    /** @param wantsOutput whether logits, and states where the context gives them, are wanted */
    void add(int token, int position, int sequence, boolean wantsOutput) {
        tokens.setAtIndex(ValueLayout.JAVA_INT, count, token);
        positions.setAtIndex(ValueLayout.JAVA_INT, count, position);
        sequences.setAtIndex(ValueLayout.JAVA_INT, count, sequence);
        wanted.set(ValueLayout.JAVA_BYTE, count, (byte) (wantsOutput ? 1 : 0));
        count++;
    }

    /** The struct, to be passed by value. */
    MemorySegment struct() {
        llama_batch.n_tokens(struct, count);
        return struct;
    }
}
