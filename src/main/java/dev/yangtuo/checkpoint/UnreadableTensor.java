package dev.yangtuo.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * A tensor whose place and size are known and checked, but whose element type this version cannot read.
 *
 * @param name its name in the file, unchanged
 * @param typeName the file format's name of the type, for example {@code I64} or {@code Q4_K}
 * @param shape dimensions, row-major, slowest first; empty for a scalar
 * @param file the file that holds the data
 * @param byteOffset position of the first byte in {@code file}
 * @param byteSize number of bytes
 */
public record UnreadableTensor(String name, String typeName, List<Long> shape, Path file, long byteOffset, long byteSize) {
    /** Copies the shape. */
    public UnreadableTensor {
        shape = List.copyOf(shape);
    }
}
