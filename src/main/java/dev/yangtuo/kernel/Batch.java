package dev.yangtuo.kernel;

import java.util.Objects;

/**
 * The inputs of one forward pass: its columns (tokens with their positions), the page table of their sequences, the angles of RoPE and the
 * columns whose logits are wanted. Filled on the host, then sent to the device by {@link #upload()}, once for all stages. Reused from pass
 * to pass without allocation. Not thread-safe.
 */
public abstract sealed class Batch implements AutoCloseable permits NativeBatch, ScalarBatch {
    private final BatchCapacity capacity;
    /** int32 [columns]. */
    final int[] tokens;
    /** int32 [columns]. */
    final int[] positions;
    /** int32 [columns], row of the page table. */
    final int[] sequences;
    /** int32 [sequences][pagesPerSequence]. */
    final int[] pageTable;
    /** int32 [sequences]: valid entries of each row of the page table. */
    final int[] pageCounts;
    /** float32 [columns][headDim / 2][2]: cosine, sine. */
    final float[] rope;
    /** int32 [outputs]: columns whose logits are wanted. */
    final int[] outputs;

    private int columnCount;
    private int sequenceCount;
    private int outputCount;

    Batch(BatchCapacity capacity) {
        this.capacity = capacity;
        tokens = new int[capacity.columns()];
        positions = new int[capacity.columns()];
        sequences = new int[capacity.columns()];
        pageTable = new int[Math.multiplyExact(capacity.sequences(), capacity.pagesPerSequence())];
        pageCounts = new int[capacity.sequences()];
        rope = new float[Math.multiplyExact(capacity.columns(), capacity.headDim())];
        outputs = new int[capacity.columns()];
    }

    /** How much it can hold. */
    public final BatchCapacity capacity() {
        return capacity;
    }

    /** Columns added since {@link #clear()}. */
    public final int columnCount() {
        return columnCount;
    }

    /** Sequences added since {@link #clear()}. */
    public final int sequenceCount() {
        return sequenceCount;
    }

    /** Columns whose logits are wanted. */
    public final int outputCount() {
        return outputCount;
    }

    /** Forgets all columns and sequences. */
    public final void clear() {
        columnCount = 0;
        sequenceCount = 0;
        outputCount = 0;
    }

    /**
     * Adds a sequence.
     *
     * @param pages its pages in the KV pool, in the order of its positions
     * @param pageCount how many of them are valid
     * @return its number in this batch, for {@link #addColumn}
     */
    public final int addSequence(int[] pages, int pageCount) {
        if (sequenceCount == capacity.sequences() || pageCount > capacity.pagesPerSequence()) {
            throw new IllegalArgumentException("sequence %d with %d pages does not fit into %s".formatted(sequenceCount, pageCount, capacity));
        }
        System.arraycopy(pages, 0, pageTable, sequenceCount * capacity.pagesPerSequence(), pageCount);
        pageCounts[sequenceCount] = pageCount;
        return sequenceCount++;
    }

    /**
     * Adds a column. Columns of one sequence are added in ascending order of position.
     *
     * @param token id of the token
     * @param position its position in the sequence
     * @param sequence what {@link #addSequence} returned
     * @param wantsLogits whether its logits are wanted
     * @return the number of the column; the caller then fills {@link #rope()} from {@code column * headDim} on
     */
    public final int addColumn(int token, int position, int sequence, boolean wantsLogits) {
        if (columnCount == capacity.columns() || sequence < 0 || sequence >= sequenceCount || position < 0) {
            throw new IllegalArgumentException("column %d at position %d of sequence %d does not fit into %s with %d sequences"
                    .formatted(columnCount, position, sequence, capacity, sequenceCount));
        }
        tokens[columnCount] = token;
        positions[columnCount] = position;
        sequences[columnCount] = sequence;
        if (wantsLogits) {
            outputs[outputCount++] = columnCount;
        }
        return columnCount++;
    }

    /**
     * Wants the logits of some columns that follow each other, instead of those that were wanted; to be uploaded again.
     *
     * @param first number of the first
     * @param count how many, at least 0
     */
    public final void wantLogits(int first, int count) {
        Objects.checkFromIndexSize(first, count, columnCount);
        for (int i = 0; i < count; i++) {
            outputs[i] = first + i;
        }
        outputCount = count;
    }

    /**
     * Becomes the same as another batch, which computes on another device, but for what was uploaded.
     *
     * @param other of the same capacity
     */
    public final void copyFrom(Batch other) {
        if (!capacity.equals(other.capacity)) {
            throw new IllegalArgumentException("a batch of %s cannot become one of %s".formatted(capacity, other.capacity));
        }
        columnCount = other.columnCount;
        sequenceCount = other.sequenceCount;
        outputCount = other.outputCount;
        System.arraycopy(other.tokens, 0, tokens, 0, columnCount);
        System.arraycopy(other.positions, 0, positions, 0, columnCount);
        System.arraycopy(other.sequences, 0, sequences, 0, columnCount);
        System.arraycopy(other.pageTable, 0, pageTable, 0, sequenceCount * capacity.pagesPerSequence());
        System.arraycopy(other.pageCounts, 0, pageCounts, 0, sequenceCount);
        System.arraycopy(other.rope, 0, rope, 0, columnCount * capacity.headDim());
        System.arraycopy(other.outputs, 0, outputs, 0, outputCount);
    }

    /** Float32 {@code [columns][headDim / 2][2]}: cosine and sine of each pair's angle, to be filled for every column that is added. */
    public final float[] rope() {
        return rope;
    }

    /** Sends the inputs to the device. To be called after the last column was added and before the first stage. */
    public abstract void upload();

    /** Frees the device's side; closing twice is harmless. */
    @Override
    public abstract void close();
}
