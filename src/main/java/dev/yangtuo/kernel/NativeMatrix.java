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
            case Q4_0 -> YangtuoNative.YT_Q4_0();
            case Q4_1 -> YangtuoNative.YT_Q4_1();
            case Q5_0 -> YangtuoNative.YT_Q5_0();
            case Q5_1 -> YangtuoNative.YT_Q5_1();
            case Q8_0 -> YangtuoNative.YT_Q8_0();
            case Q2_K -> YangtuoNative.YT_Q2_K();
            case Q3_K -> YangtuoNative.YT_Q3_K();
            case Q4_K -> YangtuoNative.YT_Q4_K();
            case Q5_K -> YangtuoNative.YT_Q5_K();
            case Q6_K -> YangtuoNative.YT_Q6_K();
            case IQ4_NL -> YangtuoNative.YT_IQ4_NL();
            case IQ4_XS -> YangtuoNative.YT_IQ4_XS();
            case MXFP4 -> YangtuoNative.YT_MXFP4();
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
    public void download(long byteOffset, MemorySegment target) {
        NativeStatus.check(YangtuoNative.yt_matrix_download(address(), byteOffset, target, target.byteSize()));
    }

    @Override
    public void close() {
        handle.close();
    }
}
