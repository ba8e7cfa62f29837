package dev.yangtuo.tensor;

/**
 * Q5_0: blocks of 32 elements in 22 bytes, a binary16 scale d, 4 bytes with the fifth bits (bit j of the little-endian word is element
 * j's), and 16 bytes with the others; byte j holds element j in its low and element j + 16 in its high nibble; value = d * (q - 16). With m
 * the first element of the largest magnitude, sign kept, d = m / -16, q = min(31, trunc(x / d + 16.5)), computed with the float32 d
 * ({@code quantize_row_q5_0_ref} in GGML's {@code ggml-quants.c}).
 */
final class BlocksQ5_0 extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q5_0.blockElements();
    private static final int HALF = ELEMENTS / 2;
    private static final int HIGH_BITS = 2;
    private static final int QUANTS = 6;
    private static final int BYTES = TensorType.Q5_0.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ5_0();

    private BlocksQ5_0() {
        super(TensorType.Q5_0, ELEMENTS, false, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            scales[block] = half(source, from);
            int high = word(source, from + HIGH_BITS);
            for (int j = 0; j < HALF; j++) {
                int nibbles = source[from + QUANTS + j];
                q[to + j] = (byte) ((nibbles & 15 | (high >>> j & 1) << 4) - 16);
                q[to + HALF + j] = (byte) ((nibbles >>> 4 & 15 | (high >>> HALF + j & 1) << 4) - 16);
            }
        }
    }

    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * ELEMENTS;
            int to = block * BYTES;
            float d = BlocksQ4_0.extreme(source, from) / -16f;
            float inverse = KQuants.inverse(d);
            putHalf(target, to, d);
            int highBits = 0;
            for (int j = 0; j < HALF; j++) {
                int low = Math.clamp((int) (source[from + j] * inverse + 16.5f), 0, 31);
                int high = Math.clamp((int) (source[from + HALF + j] * inverse + 16.5f), 0, 31);
                target[to + QUANTS + j] = (byte) (low & 15 | high << 4);
                highBits |= low >>> 4 << j | high >>> 4 << HALF + j;
            }
            putWord(target, to + HIGH_BITS, highBits);
        }
    }
}
