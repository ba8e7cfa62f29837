package dev.yangtuo.checkpoint;

/**
 * How the elements of a tensor are stored. Quantized types store blocks of consecutive elements of a row; all are little-endian.
 * The layouts are GGML's.
 */
public enum TensorType {
    /** IEEE 754 binary32. */
    F32(1, 4),
    /** IEEE 754 binary16. */
    F16(1, 2),
    /** The upper half of a binary32. */
    BF16(1, 2),
    /** 32 elements: binary16 scale d, 32 signed bytes q; value = d * q. */
    Q8_0(32, 34),
    /** 32 elements: binary16 scale d, 16 bytes; byte j holds element j in its low and j + 16 in its high nibble; value = d * (q - 8). */
    Q4_0(32, 18);

    private final int blockElements;
    private final int blockBytes;

    TensorType(int blockElements, int blockBytes) {
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** Elements of a block; 1 for the unquantized types. */
    public int blockElements() {
        return blockElements;
    }

    /** Bytes of a block. */
    public int blockBytes() {
        return blockBytes;
    }

    /**
     * Bytes of a row.
     *
     * @throws IllegalArgumentException if {@code columns} is negative or not a multiple of {@link #blockElements()}
     * @throws ArithmeticException if the size overflows a long
     */
    public long rowBytes(long columns) {
        if (columns < 0 || columns % blockElements != 0) {
            throw new IllegalArgumentException(
                    "a row of %d elements cannot be stored as %s: not a multiple of %d".formatted(columns, this, blockElements));
        }
        return Math.multiplyExact(columns / blockElements, (long) blockBytes);
    }
}
