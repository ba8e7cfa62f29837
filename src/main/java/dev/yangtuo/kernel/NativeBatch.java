package dev.yangtuo.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.bindings.yt_batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The inputs of a forward pass in device buffers, sent once per pass. */
final class NativeBatch extends Batch {
    private final NativeHandle tokensBuffer;
    private final NativeHandle positionsBuffer;
    private final NativeHandle sequencesBuffer;
    private final NativeHandle pageTableBuffer;
    private final NativeHandle ropeBuffer;
    private final NativeHandle outputsBuffer;
    private final MemorySegment struct;
    /** Large enough for the longest of the arrays. */
    private final MemorySegment staging;

    NativeBatch(NativeBackend backend, BatchCapacity capacity) {
        super(capacity);
        Arena arena = Arena.ofAuto();
        staging = arena.allocate(JAVA_INT, Math.max(rope.length, pageTable.length));
        tokensBuffer = backend.createBuffer((long) tokens.length * Integer.BYTES);
        positionsBuffer = backend.createBuffer((long) positions.length * Integer.BYTES);
        sequencesBuffer = backend.createBuffer((long) sequences.length * Integer.BYTES);
        pageTableBuffer = backend.createBuffer((long) pageTable.length * Integer.BYTES);
        ropeBuffer = backend.createBuffer((long) rope.length * Float.BYTES);
        outputsBuffer = backend.createBuffer((long) outputs.length * Integer.BYTES); // what was made before one that fails is freed with the backend
        struct = yt_batch.allocate(arena);
        yt_batch.max_pages(struct, capacity.pagesPerSequence());
        yt_batch.tokens(struct, tokensBuffer.address());
        yt_batch.positions(struct, positionsBuffer.address());
        yt_batch.sequences(struct, sequencesBuffer.address());
        yt_batch.page_table(struct, pageTableBuffer.address());
        yt_batch.rope(struct, ropeBuffer.address());
    }

    @Override
    public void upload() {
        yt_batch.n_columns(struct, columnCount());
        yt_batch.n_sequences(struct, sequenceCount());
        send(tokensBuffer, tokens, 0, columnCount());
        send(positionsBuffer, positions, 0, columnCount());
        send(sequencesBuffer, sequences, 0, columnCount());
        for (int sequence = 0; sequence < sequenceCount(); sequence++) {
            send(pageTableBuffer, pageTable, sequence * capacity().pagesPerSequence(), pageCounts[sequence]);
        }
        send(outputsBuffer, outputs, 0, outputCount());
        int angles = columnCount() * capacity().headDim();
        MemorySegment.copy(rope, 0, staging, JAVA_FLOAT, 0, angles);
        NativeStatus.check(YangtuoNative.yt_buffer_upload(ropeBuffer.address(), 0, staging, (long) angles * Float.BYTES));
    }

    /** Sends {@code count} values to the same place that they have in the array. */
    private void send(NativeHandle buffer, int[] values, int first, int count) {
        if (count == 0) {
            return;
        }
        MemorySegment.copy(values, first, staging, JAVA_INT, 0, count);
        NativeStatus.check(YangtuoNative.yt_buffer_upload(
                buffer.address(), (long) first * Integer.BYTES, staging, (long) count * Integer.BYTES));
    }

    /** @throws IllegalStateException if the batch is closed */
    MemorySegment checkedStruct() {
        tokensBuffer.address();
        return struct;
    }

    MemorySegment outputColumns() {
        return outputsBuffer.address();
    }

    @Override
    public void close() {
        tokensBuffer.close();
        positionsBuffer.close();
        sequencesBuffer.close();
        pageTableBuffer.close();
        ropeBuffer.close();
        outputsBuffer.close();
    }
}
