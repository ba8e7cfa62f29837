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
    public void prepare() {
        YangtuoNative.yt_matrix_map$handle();
        YangtuoNative.yt_matrix_bytes$handle();
        YangtuoNative.yt_matrix_destroy$handle();
        try (DeviceFloats floats = backend.createFloats(1)) {
            floats.upload(0, new float[1], 0, 1);
        }
    }

    @Override
    public WeightMatrix map(TensorType type, long rows, int columns, Path file, long byteOffset) {
        return backend.mapMatrix(type, rows, columns, file, byteOffset);
    }
}
