package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.TensorType;
import java.util.List;

/**
 * A tensor that a file is to have.
 *
 * @param name its name in the file
 * @param type how its elements are stored
 * @param shape dimensions, row-major, slowest first; at least one
 */
public record PlannedTensor(String name, TensorType type, List<Long> shape) {
    /** Copies the shape. */
    public PlannedTensor {
        shape = List.copyOf(shape);
        if (shape.isEmpty()) {
            throw new IllegalArgumentException("tensor '%s' has no dimensions".formatted(name));
        }
    }

    /** Bytes that it takes. */
    public long byteSize() {
        long rows = 1;
        for (long dimension : shape.subList(0, shape.size() - 1)) {
            rows = Math.multiplyExact(rows, dimension);
        }
        return Math.multiplyExact(rows, type.rowBytes(shape.getLast()));
    }
}
