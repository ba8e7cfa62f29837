package dev.yangtuo.tensor;

/**
 * Q3_K: blocks of 256 elements in 110 bytes: 32 bytes with the third bits, 64 bytes with the lower two, 12 bytes with six-bit scales of
 * 16 parts, a binary16 d; value = d * (scale - 32) * (q - 4). The lower bits stand as in Q2_K; bit i of byte l of the third bits is that
 * of element 32 i + l. The scales' lower four bits are the low nibbles of the first 8 bytes, then their high ones; the upper two bits of
 * scale s are bits 2 (s / 4) on of byte 8 + s % 4.
 */
final class BlocksQ3_K extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q3_K.blockElements();
    private static final int PART = 16;
    private static final int PARTS = ELEMENTS / PART;
    private static final int QUANTS = 32;
    private static final int SCALES = 96;
    private static final int SCALE = 108;
    private static final int BYTES = TensorType.Q3_K.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ3_K();

    private BlocksQ3_K() {
        super(TensorType.Q3_K, PART, false, SCALE);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            float d = half(source, from + SCALE);
            for (int part = 0; part < PARTS; part++) {
                int low = source[from + SCALES + part % 8] >>> part / 8 * 4 & 15;
                int high = source[from + SCALES + 8 + part % 4] >>> part / 4 * 2 & 3;
                scales[block * PARTS + part] = d * ((low | high << 4) - 32);
            }
            for (int j = 0; j < ELEMENTS; j += 32) {
                int at = from + QUANTS + j / 128 * 32;
                int shift = j % 128 / 32 * 2;
                int highBit = j / 32;
                for (int l = 0; l < 32; l++) {
                    q[to + j + l] = (byte) ((source[at + l] >>> shift & 3 | (source[from + l] >>> highBit & 1) << 2) - 4);
                }
            }
        }
    }
}
