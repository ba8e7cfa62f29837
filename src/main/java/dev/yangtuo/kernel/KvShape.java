package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;
import java.util.List;

/**
 * The size of a {@link KvPool}.
 *
 * @param type one of {@link #TYPES}
 * @param pagePositions positions that a page holds, a positive multiple of 16
 * @param pages number of pages
 * @param layers number of layers; a page holds its positions for all of them
 * @param kvHeads key/value heads of a layer
 * @param headDim elements of a head, even, 2 to 1024
 */
public record KvShape(TensorType type, int pagePositions, int pages, int layers, int kvHeads, int headDim) {
    /** The types that keys and values can have. */
    public static final List<TensorType> TYPES = List.of(TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0, TensorType.Q4_0);

    /** Checks the ranges. */
    public KvShape {
        if (!TYPES.contains(type)) {
            throw new IllegalArgumentException("keys and values can be kept as one of %s, not %s".formatted(TYPES, type));
        }
        require(pagePositions > 0 && pagePositions % 16 == 0, "pagePositions", pagePositions, "a positive multiple of 16");
        require(pages > 0, "pages", pages, "at least 1");
        require(layers > 0, "layers", layers, "at least 1");
        require(kvHeads > 0, "kvHeads", kvHeads, "at least 1");
        require(headDim > 0 && headDim % 2 == 0 && headDim <= 1024, "headDim", headDim, "even, 2 to 1024");
        double bytes = (double) positionBytes(type, headDim) * pagePositions * pages * layers * kvHeads;
        if (bytes > Long.MAX_VALUE / 2) {
            throw new IllegalArgumentException("keys and values of %.3g bytes are not possible".formatted(bytes));
        }
    }

    private static void require(boolean holds, String name, int value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("%s is %d, must be %s".formatted(name, value, expected));
        }
    }

    /** Bytes of a key and a value of one head in the native pool; {@code docs/kernels.md} has the layout. */
    public static long positionBytes(TensorType type, int headDim) {
        // Of sixteen positions, keys or values: a binary16 for each block, padded to 64 bytes.
        int scales = Math.ceilDiv(Math.ceilDiv(headDim, 32) * 32, 64) * 64 / 16;
        return switch (type) {
            case Q8_0 -> 2L * scales + roundUp(headDim, 4) + roundUp(headDim, 16);
            case Q4_0 -> 2L * scales + roundUp(headDim, 8) / 2 + roundUp(headDim, 32) / 2;
            default -> (long) type.blockBytes() * (headDim + roundUp(headDim, 16));
        };
    }

    private static long roundUp(int value, int unit) {
        return (long) Math.ceilDiv(value, unit) * unit;
    }

    /** The same for another number of layers. */
    public KvShape withLayers(int count) {
        return new KvShape(type, pagePositions, pages, count, kvHeads, headDim);
    }

    /** Bytes of the whole pool. */
    public long byteSize() {
        return positionBytes(type, headDim) * pagePositions * layers * kvHeads * pages;
    }
}
