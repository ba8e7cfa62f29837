package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
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
    public long pageBytes() {
        return YangtuoNative.yt_kv_page_bytes(address());
    }

    @Override
    public void copyPage(int from, int to) {
        NativeStatus.check(YangtuoNative.yt_kv_copy_page(address(), from, to));
    }

    @Override
    public void downloadPage(int page, MemorySegment target) {
        NativeStatus.check(YangtuoNative.yt_kv_download_page(address(), page, target, target.byteSize()));
    }

    @Override
    public void uploadPage(int page, MemorySegment source) {
        NativeStatus.check(YangtuoNative.yt_kv_upload_page(address(), page, source, source.byteSize()));
    }

    @Override
    public void close() {
        handle.close();
    }
}
