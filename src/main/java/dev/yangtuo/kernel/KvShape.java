package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;

/**
 * The size of a {@link KvPool}.
 *
 * @param type {@link TensorType#F16} or {@link TensorType#F32}
 * @param pagePositions positions that a page holds, a positive multiple of 16
 * @param pages number of pages
 * @param layers number of layers; a page holds its positions for all of them
 * @param kvHeads key/value heads of a layer
 * @param headDim elements of a head, even, 2 to 1024
 */
public record KvShape(TensorType type, int pagePositions, int pages, int layers, int kvHeads, int headDim) {
    /** Checks the ranges. */
    public KvShape {
        if (type != TensorType.F16 && type != TensorType.F32) {
            throw new IllegalArgumentException("keys and values can be kept as F16 or F32, not " + type);
        }
        require(pagePositions > 0 && pagePositions % 16 == 0, "pagePositions", pagePositions, "a positive multiple of 16");
        require(pages > 0, "pages", pages, "at least 1");
        require(layers > 0, "layers", layers, "at least 1");
        require(kvHeads > 0, "kvHeads", kvHeads, "at least 1");
        require(headDim > 0 && headDim % 2 == 0 && headDim <= 1024, "headDim", headDim, "even, 2 to 1024");
        double bytes = 2.0 * pagePositions * pages * layers * kvHeads * headDim * type.blockBytes();
        if (bytes > Long.MAX_VALUE / 2) {
            throw new IllegalArgumentException("keys and values of %.3g bytes are not possible".formatted(bytes));
        }
    }

    private static void require(boolean holds, String name, int value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("%s is %d, must be %s".formatted(name, value, expected));
        }
    }

    /** Elements of a page: keys and values of all its positions, layers and heads. */
    long pageElements() {
        return 2L * pagePositions * layers * kvHeads * headDim;
    }

    /** Bytes of the whole pool. */
    public long byteSize() {
        return pageElements() * type.blockBytes() * pages;
    }
}
