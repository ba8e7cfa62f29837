package dev.yangtuo.tensor;

/**
 * Q5_1: blocks of 32 elements in 24 bytes, a binary16 scale d, a binary16 m, 4 bytes with the fifth bits (bit j of the little-endian word
 * is element j's), and 16 bytes with the others; byte j holds element j in its low and element j + 16 in its high nibble;
 * value = d * q + m. As a minimum, m changes its sign. m is the least element, d = (largest - m) / 31, q = trunc((x - m) / d + 0.5), computed
 * with the float32 d and m ({@code quantize_row_q5_1_ref} in GGML's {@code ggml-quants.c}).
 */
final class BlocksQ5_1 extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q5_1.blockElements();
    private static final int HALF = ELEMENTS / 2;
    private static final int HIGH_BITS = 4;
    private static final int QUANTS = 8;
    private static final int BYTES = TensorType.Q5_1.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ5_1();

    private BlocksQ5_1() {
        super(TensorType.Q5_1, ELEMENTS, true, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            scales[block] = half(source, from);
            minimums[block] = -half(source, from + 2);
            int high = word(source, from + HIGH_BITS);
            for (int j = 0; j < HALF; j++) {
                int nibbles = source[from + QUANTS + j];
                q[to + j] = (byte) (nibbles & 15 | (high >>> j & 1) << 4);
                q[to + HALF + j] = (byte) (nibbles >>> 4 & 15 | (high >>> HALF + j & 1) << 4);
            }
        }
    }

    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * ELEMENTS;
            int to = block * BYTES;
            float m = BlocksQ4_1.least(source, from);
            float d = (BlocksQ4_1.most(source, from) - m) / 31f;
            float inverse = KQuants.inverse(d);
            putHalf(target, to, d);
            putHalf(target, to + 2, m);
            int highBits = 0;
            for (int j = 0; j < HALF; j++) {
                int low = Math.clamp((int) ((source[from + j] - m) * inverse + 0.5f), 0, 31);
                int high = Math.clamp((int) ((source[from + HALF + j] - m) * inverse + 0.5f), 0, 31);
                target[to + QUANTS + j] = (byte) (low & 15 | high << 4);
                highBits |= low >>> 4 << j | high >>> 4 << HALF + j;
            }
            putWord(target, to + HIGH_BITS, highBits);
        }
    }
}
