package dev.yangtuo.tensor;

/**
 * Q4_K: blocks of 256 elements in 144 bytes: binary16 d and dmin, {@link SixBitScales} of 8 parts, 128 bytes of quants;
 * value = d * scale * q - dmin * minimum. Each quarter of a block has 32 bytes of quants; byte l of them holds the quarter's element l in
 * its low and element l + 32 in its high nibble.
 */
final class BlocksQ4_K extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q4_K.blockElements();
    private static final int PART = 32;
    private static final int PARTS = ELEMENTS / PART;
    private static final int SCALES = 4;
    private static final int QUANTS = 16;
    private static final int BYTES = TensorType.Q4_K.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ4_K();

    private BlocksQ4_K() {
        super(TensorType.Q4_K, PART, true, 0);
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
                for (int l = 0; l < PART; l++) {
                    q[to + j + l] = (byte) (source[at + l] >>> shift & 15);
                }
            }
        }
    }

    /** {@link AffineBlockFit} chooses what is stored. */
    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        AffineBlockFit fit = new AffineBlockFit(15);
        for (int block = 0; block < blocks; block++) {
            fit.fit(source, sourceOffset + block * ELEMENTS);
            int to = block * BYTES;
            putHalf(target, to, fit.d);
            putHalf(target, to + 2, fit.dmin);
            SixBitScales.pack(fit.scales, fit.minimums, target, to + SCALES);
            for (int j = 0; j < ELEMENTS; j += 64) {
                for (int l = 0; l < PART; l++) {
                    target[to + QUANTS + j / 2 + l] = (byte) (fit.q[j + l] | fit.q[j + PART + l] << 4);
                }
            }
        }
    }
}
