package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.List;

/**
 * Where one tensor is and what it holds.
 *
 * @param name its name in the file, unchanged
 * @param type how its elements are stored
 * @param shape dimensions, row-major, slowest first (as in PyTorch and safetensors; GGUF's are reversed when read); empty for a scalar
 * @param file the file that holds the data (one of the shards)
 * @param byteOffset position of the first byte in {@code file}
 * @param byteSize number of bytes from the first to the last
 */
public record TensorInfo(String name, TensorType type, List<Long> shape, Path file, long byteOffset, long byteSize) {
    /** Copies the shape. */
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** Number of elements. */
    public long elementCount() {
        long count = 1;
        for (long dimension : shape) {
            count = Math.multiplyExact(count, dimension);
        }
        return count;
    }
}
