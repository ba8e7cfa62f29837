package dev.yangtuo.tensor;

/**
 * Q4_1: blocks of 32 elements in 20 bytes, a binary16 scale d, a binary16 m, and 16 bytes; byte j holds element j in its low and element
 * j + 16 in its high nibble; value = d * q + m. As a minimum, m changes its sign. m is the least
 * element, d = (largest - m) / 15, q = min(15, trunc((x - m) / d + 0.5)), computed with the float32 d and m ({@code quantize_row_q4_1_ref} in
 * GGML's {@code ggml-quants.c}).
 */
final class BlocksQ4_1 extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q4_1.blockElements();
    private static final int HALF = ELEMENTS / 2;
    private static final int QUANTS = 4;
    private static final int BYTES = TensorType.Q4_1.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ4_1();

    private BlocksQ4_1() {
        super(TensorType.Q4_1, ELEMENTS, true, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            scales[block] = half(source, from);
            minimums[block] = -half(source, from + 2);
            for (int j = 0; j < HALF; j++) {
                int nibbles = source[from + QUANTS + j];
                q[to + j] = (byte) (nibbles & 15);
                q[to + HALF + j] = (byte) (nibbles >>> 4 & 15);
            }
        }
    }

    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * ELEMENTS;
            int to = block * BYTES;
            float m = least(source, from);
            float d = (most(source, from) - m) / 15f;
            float inverse = KQuants.inverse(d);
            putHalf(target, to, d);
            putHalf(target, to + 2, m);
            for (int j = 0; j < HALF; j++) {
                int low = Math.clamp((int) ((source[from + j] - m) * inverse + 0.5f), 0, 15);
                int high = Math.clamp((int) ((source[from + HALF + j] - m) * inverse + 0.5f), 0, 15);
                target[to + QUANTS + j] = (byte) (low | high << 4);
            }
        }
    }

    /** The least element of a block; of zeros of either sign the first, as in GGML. */
    static float least(float[] source, int from) {
        float least = source[from];
        for (int j = 1; j < ELEMENTS; j++) {
            least = source[from + j] < least ? source[from + j] : least;
        }
        return least;
    }

    /** The largest element of a block; of zeros of either sign the first, as in GGML. */
    static float most(float[] source, int from) {
        float most = source[from];
        for (int j = 1; j < ELEMENTS; j++) {
            most = source[from + j] > most ? source[from + j] : most;
        }
        return most;
    }
}
