package dev.yangtuo.tensor;

/**
 * Q4_0: blocks of 32 elements in 18 bytes, a binary16 scale d and 16 bytes; byte j holds element j in its low and element j + 16 in its
 * high nibble; value = d * (q - 8). With m the element of the largest magnitude (the first of equals), sign kept, d = m / -8, so that m
 * itself becomes q = 0; q = min(15, trunc(x / d + 8.5)), computed with the float32 d ({@code quantize_row_q4_0_ref} in GGML's
 * {@code ggml-quants.c}).
 */
final class BlocksQ4_0 extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q4_0.blockElements();
    private static final int HALF = ELEMENTS / 2;
    private static final int BYTES = TensorType.Q4_0.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ4_0();

    private BlocksQ4_0() {
        super(TensorType.Q4_0, ELEMENTS, false, 0);
    }

    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * ELEMENTS;
            int to = block * BYTES;
            float d = extreme(source, from) / -8f;
            float inverse = KQuants.inverse(d);
            putHalf(target, to, d);
            for (int j = 0; j < HALF; j++) {
                int low = (int) (source[from + j] * inverse + 8.5f);
                int high = (int) (source[from + HALF + j] * inverse + 8.5f);
                // The sum is never below 0 for finite input: the quotient is at least -8 less one rounding.
                low = Math.clamp(low, 0, 15);
                high = Math.clamp(high, 0, 15);
                target[to + 2 + j] = (byte) (low | high << 4);
            }
        }
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            scales[block] = half(source, from);
            for (int j = 0; j < HALF; j++) {
                int nibbles = source[from + 2 + j];
                q[to + j] = (byte) ((nibbles & 15) - 8);
                q[to + HALF + j] = (byte) ((nibbles >>> 4 & 15) - 8);
            }
        }
    }

    /** The first element of the largest magnitude, with its sign; +0 for a block of zeros of either sign, as in GGML. */
    static float extreme(float[] source, int from) {
        float magnitude = BlocksQ8_0.maxMagnitude(source, from);
        if (magnitude == 0f) {
            return 0f;
        }
        for (int j = 0; j < ELEMENTS; j++) {
            if (Math.abs(source[from + j]) == magnitude) {
                return source[from + j];
            }
        }
        return magnitude;
    }
}
