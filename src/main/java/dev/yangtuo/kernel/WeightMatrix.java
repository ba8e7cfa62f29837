package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/** A weight matrix {@code [rows][columns]} in the layout of its backend. */
public sealed interface WeightMatrix extends AutoCloseable permits NativeMatrix, ScalarMatrix {
    /** How the elements are stored. */
    TensorType type();

    /** Number of rows: the width of the product. */
    long rows();

    /** Number of columns: the width of the input. */
    int columns();

    /** Bytes of device memory. */
    long byteSize();

    /**
     * Packs whole rows. Different rows may be uploaded by different threads at the same time.
     *
     * @param blocks off-heap memory: the rows one after the other, stored as {@link #type()} says; exactly {@code rowCount} rows
     */
    void upload(long firstRow, long rowCount, MemorySegment blocks);

    /**
     * Copies packed bytes, in whatever layout the backend keeps them.
     *
     * @param target off-heap memory, filled with the bytes from {@code byteOffset} on
     */
    void download(long byteOffset, MemorySegment target);

    /** Frees the memory; closing twice is harmless. */
    @Override
    void close();
}
