package dev.yangtuo.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * How the elements of a tensor are stored. Quantized types store blocks of consecutive elements of a row; all are little-endian.
 * The layouts are GGML's; each block type's is described at its {@link BlockCodec}.
 */
public enum TensorType {
    /** IEEE 754 binary32. */
    F32(1, 4),
    /** IEEE 754 binary16. */
    F16(1, 2),
    /** The upper half of a binary32. */
    BF16(1, 2),
    /** Four bits, a scale for 32. */
    Q4_0(32, 18),
    /** Four bits, a scale and a minimum for 32. */
    Q4_1(32, 20),
    /** Five bits, a scale for 32. */
    Q5_0(32, 22),
    /** Five bits, a scale and a minimum for 32. */
    Q5_1(32, 24),
    /** Eight bits, a scale for 32. */
    Q8_0(32, 34),
    /** Two bits, four-bit scales and minimums for 16. */
    Q2_K(256, 84),
    /** Three bits, six-bit scales for 16. */
    Q3_K(256, 110),
    /** Four bits, six-bit scales and minimums for 32. */
    Q4_K(256, 144),
    /** Five bits, six-bit scales and minimums for 32. */
    Q5_K(256, 176),
    /** Six bits, eight-bit scales for 16. */
    Q6_K(256, 210),
    /** Four bits that index a table of sixteen values, a scale for 32. */
    IQ4_NL(32, 18),
    /** Four bits that index a table of sixteen values, six-bit scales for 32. */
    IQ4_XS(256, 136),
    /** Four-bit floating point (E2M1), a power of two as the scale for 32 (OCP Microscaling Formats). */
    MXFP4(32, 17);

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

    /** Whether elements are small integers with scales. */
    public boolean isQuantized() {
        return blockElements > 1;
    }

    /** Whether float32 values can be stored as this type; every type can be read. */
    public boolean canEncode() {
        return switch (this) {
            case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> true;
            case Q2_K, Q3_K, IQ4_NL, IQ4_XS, MXFP4 -> false;
        };
    }

    /**
     * Refuses types that are only read.
     *
     * @throws IllegalArgumentException if values cannot be stored as this type
     */
    public void requireWritable() {
        if (!canEncode()) {
            throw new IllegalArgumentException("%s can be read, but not written; types that can be: %s"
                    .formatted(this, Arrays.stream(values()).filter(TensorType::canEncode).map(TensorType::name).collect(Collectors.joining(", "))));
        }
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
