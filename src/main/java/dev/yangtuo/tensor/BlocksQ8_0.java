package dev.yangtuo.tensor;

/**
 * Q8_0: blocks of 32 elements in 34 bytes, a binary16 scale d and 32 signed bytes q, value = d * q. d = amax / 127 in float32,
 * q = round(x / d) with halves away from zero, computed with the float32 d before it is rounded to binary16
 * ({@code quantize_row_q8_0_ref} in GGML's {@code ggml-quants.c}).
 */
final class BlocksQ8_0 extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q8_0.blockElements();
    private static final int BYTES = TensorType.Q8_0.blockBytes();
    /** The largest float below one half, see {@link #round}. */
    private static final int BELOW_HALF_BITS = Float.floatToRawIntBits(Math.nextDown(0.5f));

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ8_0();

    private BlocksQ8_0() {
        super(TensorType.Q8_0, ELEMENTS, false, 0);
    }

    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * ELEMENTS;
            int to = block * BYTES;
            float d = maxMagnitude(source, from) / 127f;
            float inverse = KQuants.inverse(d);
            putHalf(target, to, d);
            for (int j = 0; j < ELEMENTS; j++) {
                target[to + 2 + j] = (byte) round(source[from + j] * inverse);
            }
        }
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            scales[block] = half(source, from);
            System.arraycopy(source, from + 2, q, block * ELEMENTS, ELEMENTS);
        }
    }

    /** The largest magnitude of a block. Magnitudes of floats compare like their bits as integers, which the JIT reduces in vectors. */
    static float maxMagnitude(float[] source, int from) {
        int max = 0;
        for (int j = 0; j < ELEMENTS; j++) {
            max = Math.max(max, Float.floatToRawIntBits(source[from + j]) & 0x7fff_ffff);
        }
        return Float.intBitsToFloat(max);
    }

    /**
     * C's {@code roundf} for magnitudes below 2^22, without its branches. Adding 0.5 itself would round the float just below 0.5 up to
     * 1; adding the float just below 0.5 does not, and ties still reach the next integer because the sum rounds to even.
     */
    static int round(float x) {
        int sign = Float.floatToRawIntBits(x) & 0x8000_0000;
        return (int) (x + Float.intBitsToFloat(BELOW_HALF_BITS | sign));
    }
}
