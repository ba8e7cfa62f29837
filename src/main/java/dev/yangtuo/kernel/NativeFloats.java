package dev.yangtuo.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.yangtuo.bindings.YangtuoNative;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Float32 memory of the native library; copies go through off-heap memory of at most one piece. */
final class NativeFloats implements DeviceFloats {
    private static final int PIECE = 1 << 16;

    private final NativeHandle handle;
    private final long count;
    private final MemorySegment staging;

    NativeFloats(NativeHandle handle, long count) {
        this.handle = handle;
        this.count = count;
        this.staging = Arena.ofAuto().allocate(JAVA_FLOAT, Math.min(PIECE, count));
    }

    MemorySegment address() {
        return handle.address();
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public void upload(long firstElement, float[] source, int sourceOffset, int count) {
        ScalarFloats.requireRange(firstElement, count, this.count);
        for (int done = 0; done < count; done += PIECE) {
            int piece = Math.min(PIECE, count - done);
            MemorySegment.copy(source, sourceOffset + done, staging, JAVA_FLOAT, 0, piece);
            NativeStatus.check(YangtuoNative.yt_buffer_upload(
                    address(), (firstElement + done) * Float.BYTES, staging, (long) piece * Float.BYTES));
        }
    }

    @Override
    public void download(long firstElement, float[] target, int targetOffset, int count) {
        ScalarFloats.requireRange(firstElement, count, this.count);
        for (int done = 0; done < count; done += PIECE) {
            int piece = Math.min(PIECE, count - done);
            NativeStatus.check(YangtuoNative.yt_buffer_download(
                    address(), (firstElement + done) * Float.BYTES, staging, (long) piece * Float.BYTES));
            MemorySegment.copy(staging, JAVA_FLOAT, 0, target, targetOffset + done, piece);
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
