package dev.yangtuo.cache;

import dev.yangtuo.tensor.TensorType;

/**
 * A parameter of a cache file.
 *
 * @param name its name
 * @param type what its elements are stored as
 * @param rows of the matrix; 0 for a vector
 * @param columns of the matrix; elements of a vector
 */
public record CachedParameter(String name, TensorType type, long rows, int columns) {
    /** Elements of a vector are float32. */
    static CachedParameter vector(String name, int size) {
        return new CachedParameter(name, TensorType.F32, 0, size);
    }

    boolean isVector() {
        return rows == 0;
    }
}
