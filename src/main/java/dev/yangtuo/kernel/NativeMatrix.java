package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/** A matrix packed by the native library. */
final class NativeMatrix implements WeightMatrix {
    private final NativeHandle handle;
    private final TensorType type;
    private final long rows;
    private final int columns;

    NativeMatrix(NativeHandle handle, TensorType type, long rows, int columns) {
        this.handle = handle;
        this.type = type;
        this.rows = rows;
        this.columns = columns;
    }

    /** The library's number of a storage type. */
    static int typeNumber(TensorType type) {
        return switch (type) {
            case F32 -> YangtuoNative.YT_F32();
            case F16 -> YangtuoNative.YT_F16();
            case BF16 -> YangtuoNative.YT_BF16();
            case Q8_0 -> YangtuoNative.YT_Q8_0();
            case Q4_0 -> YangtuoNative.YT_Q4_0();
            default -> throw new IllegalArgumentException("there is no kernel for " + type);
        };
    }

    MemorySegment address() {
        return handle.address();
    }

    @Override
    public TensorType type() {
        return type;
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public long byteSize() {
        return YangtuoNative.yt_matrix_bytes(address());
    }

    @Override
    public void upload(long firstRow, long rowCount, MemorySegment blocks) {
        NativeStatus.check(YangtuoNative.yt_matrix_upload(address(), firstRow, rowCount, blocks, blocks.byteSize()));
    }

    @Override
    public void close() {
        handle.close();
    }
}
