package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;

/** Packed matrices in files, as the native library maps them. */
record NativePackedFiles(NativeBackend backend) implements PackedFiles {
    @Override
    public int layoutVersion() {
        return YangtuoNative.yt_layout_version();
    }

    @Override
    public long userId() {
        return YangtuoNative.yt_user_id();
    }

    @Override
    public WeightMatrix map(TensorType type, long rows, int columns, Path file, long byteOffset) {
        return backend.mapMatrix(type, rows, columns, file, byteOffset);
    }
}
