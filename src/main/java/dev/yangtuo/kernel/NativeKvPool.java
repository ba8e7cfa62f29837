package dev.yangtuo.kernel;

import java.lang.foreign.MemorySegment;

/** Key/value pages of the native library. */
final class NativeKvPool implements KvPool {
    private final NativeHandle handle;
    private final KvShape shape;

    NativeKvPool(NativeHandle handle, KvShape shape) {
        this.handle = handle;
        this.shape = shape;
    }

    MemorySegment address() {
        return handle.address();
    }

    @Override
    public KvShape shape() {
        return shape;
    }

    @Override
    public void close() {
        handle.close();
    }
}
