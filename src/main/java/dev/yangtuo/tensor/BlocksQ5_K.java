package dev.yangtuo.tensor;

/**
 * Q5_K: blocks of 256 elements in 176 bytes: binary16 d and dmin, {@link SixBitScales} of 8 parts, 32 bytes with the fifth bits, 128 bytes
 * with the others; value = d * scale * q - dmin * minimum. The lower bits stand as in Q4_K; bit i of byte l of the fifth bits is that of
 * element 32 i + l.
 */
final class BlocksQ5_K extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q5_K.blockElements();
    private static final int PART = 32;
    private static final int PARTS = ELEMENTS / PART;
    private static final int SCALES = 4;
    private static final int HIGH_BITS = 16;
    private static final int QUANTS = 48;
    private static final int BYTES = TensorType.Q5_K.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ5_K();

    private BlocksQ5_K() {
        super(TensorType.Q5_K, PART, true, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            SixBitScales.unpack(source, from + SCALES, half(source, from), half(source, from + 2), scales, minimums, block * PARTS);
            for (int j = 0; j < ELEMENTS; j += PART) {
                int at = from + QUANTS + j / 64 * 32;
                int shift = j % 64 / 32 * 4;
                int highBit = j / PART;
                for (int l = 0; l < PART; l++) {
                    int high = source[from + HIGH_BITS + l] >>> highBit & 1;
                    q[to + j + l] = (byte) (source[at + l] >>> shift & 15 | high << 4);
                }
            }
        }
    }

    /** {@link AffineBlockFit} chooses what is stored. */
    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        AffineBlockFit fit = new AffineBlockFit(31);
        for (int block = 0; block < blocks; block++) {
            fit.fit(source, sourceOffset + block * ELEMENTS);
            int to = block * BYTES;
            putHalf(target, to, fit.d);
            putHalf(target, to + 2, fit.dmin);
            SixBitScales.pack(fit.scales, fit.minimums, target, to + SCALES);
            for (int l = 0; l < PART; l++) {
                int highBits = 0;
                for (int part = 0; part < PARTS; part++) {
                    highBits |= fit.q[part * PART + l] >>> 4 << part;
                }
                target[to + HIGH_BITS + l] = (byte) highBits;
            }
            for (int j = 0; j < ELEMENTS; j += 64) {
                for (int l = 0; l < PART; l++) {
                    target[to + QUANTS + j / 2 + l] = (byte) (fit.q[j + l] & 15 | fit.q[j + PART + l] << 4);
                }
            }
        }
    }
}
