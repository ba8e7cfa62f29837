package dev.yangtuo.tensor;

/**
 * IQ4_XS: blocks of 256 elements in 136 bytes: a binary16 d, a 16-bit word with the upper two bits of the scales of 8 parts (those of part
 * p from bit 2 p on), 4 bytes with the lower four bits (part 2 i in the low nibble of byte i, part 2 i + 1 in its high one), and for each
 * part 16 bytes of indexes as in {@link BlocksIQ4_NL}; value = d * (scale - 32) * table[index].
 */
final class BlocksIQ4_XS extends BlockCodec {
    private static final int ELEMENTS = TensorType.IQ4_XS.blockElements();
    private static final int PART = 32;
    private static final int PARTS = ELEMENTS / PART;
    private static final int SCALES_HIGH = 2;
    private static final int SCALES_LOW = 4;
    private static final int QUANTS = 8;
    private static final int BYTES = TensorType.IQ4_XS.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksIQ4_XS();

    private BlocksIQ4_XS() {
        super(TensorType.IQ4_XS, PART, false, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            float d = half(source, from);
            for (int part = 0; part < PARTS; part++) {
                int low = source[from + SCALES_LOW + part / 2] >>> part % 2 * 4 & 15;
                int high = source[from + SCALES_HIGH + part / 4] >>> part % 4 * 2 & 3;
                scales[block * PARTS + part] = d * ((low | high << 4) - 32);
                BlocksIQ4_NL.lookUp(source, from + QUANTS + part * PART / 2, q, to + part * PART);
            }
        }
    }
}
