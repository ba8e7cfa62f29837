package dev.yangtuo.tensor;

/**
 * IQ4_NL: blocks of 32 elements in 18 bytes, a binary16 scale d and 16 bytes; byte j holds element j's index in its low and element
 * j + 16's in its high nibble; value = d * table[index]. The table's steps grow with the distance from zero, where weights are rarer
 * ({@code kvalues_iq4nl} in GGML's {@code ggml-common.h}).
 */
final class BlocksIQ4_NL extends BlockCodec {
    private static final int ELEMENTS = TensorType.IQ4_NL.blockElements();
    private static final int HALF = ELEMENTS / 2;
    private static final int BYTES = TensorType.IQ4_NL.blockBytes();
    private static final byte[] TABLE = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksIQ4_NL();

    private BlocksIQ4_NL() {
        super(TensorType.IQ4_NL, ELEMENTS, false, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            scales[block] = half(source, from);
            lookUp(source, from + 2, q, to);
        }
    }

    /** The table's values of 32 elements whose indexes are the nibbles of 16 bytes. */
    static void lookUp(byte[] source, int from, byte[] q, int to) {
        for (int j = 0; j < HALF; j++) {
            int nibbles = source[from + j];
            q[to + j] = TABLE[nibbles & 15];
            q[to + HALF + j] = TABLE[nibbles >>> 4 & 15];
        }
    }
}
