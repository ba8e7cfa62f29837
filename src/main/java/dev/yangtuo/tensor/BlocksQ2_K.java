package dev.yangtuo.tensor;

/**
 * Q2_K: blocks of 256 elements in 84 bytes: 16 bytes, one for each part of 16, with its scale in the low and its minimum in the high
 * nibble; 64 bytes of quants; binary16 d and dmin; value = d * scale * q - dmin * minimum. Each half of a block has 32 bytes of quants;
 * byte l of them holds, from the lowest two bits on, the half's elements l, l + 32, l + 64 and l + 96.
 */
final class BlocksQ2_K extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q2_K.blockElements();
    private static final int PART = 16;
    private static final int PARTS = ELEMENTS / PART;
    private static final int QUANTS = 16;
    private static final int SCALE = 80;
    private static final int BYTES = TensorType.Q2_K.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ2_K();

    private BlocksQ2_K() {
        super(TensorType.Q2_K, PART, true, SCALE);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            float d = half(source, from + SCALE);
            float dmin = half(source, from + SCALE + 2);
            for (int part = 0; part < PARTS; part++) {
                int packed = source[from + part];
                scales[block * PARTS + part] = d * (packed & 15);
                minimums[block * PARTS + part] = dmin * (packed >>> 4 & 15);
            }
            for (int j = 0; j < ELEMENTS; j += 32) {
                int at = from + QUANTS + j / 128 * 32;
                int shift = j % 128 / 32 * 2;
                for (int l = 0; l < 32; l++) {
                    q[to + j + l] = (byte) (source[at + l] >>> shift & 3);
                }
            }
        }
    }
}
