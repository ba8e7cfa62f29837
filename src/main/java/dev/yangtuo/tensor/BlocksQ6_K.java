package dev.yangtuo.tensor;

/**
 * Q6_K: blocks of 256 elements in 210 bytes: 128 bytes with the lower four bits, 64 bytes with the upper two, 16 signed bytes, the scales
 * of parts of 16, a binary16 d; value = d * scale * (q - 32). Each half of a block has 64 bytes of lower bits, whose byte l holds the
 * half's element l in its low and element l + 64 in its high nibble, and 32 bytes of upper bits, whose byte l holds, from the lowest
 * two bits on, those of the half's elements l, l + 32, l + 64 and l + 96.
 */
final class BlocksQ6_K extends BlockCodec {
    private static final int ELEMENTS = TensorType.Q6_K.blockElements();
    private static final int PART = 16;
    private static final int PARTS = ELEMENTS / PART;
    private static final int HIGH_BITS = 128;
    private static final int SCALES = 192;
    private static final int SCALE = 208;
    private static final int BYTES = TensorType.Q6_K.blockBytes();

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksQ6_K();

    private BlocksQ6_K() {
        super(TensorType.Q6_K, PART, false, SCALE);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            float d = half(source, from + SCALE);
            for (int part = 0; part < PARTS; part++) {
                scales[block * PARTS + part] = d * source[from + SCALES + part];
            }
            for (int j = 0; j < ELEMENTS; j += 32) {
                int low = from + j / 128 * 64 + j % 64;
                int lowShift = j % 128 / 64 * 4;
                int high = from + HIGH_BITS + j / 128 * 32;
                int highShift = j % 128 / 32 * 2;
                for (int l = 0; l < 32; l++) {
                    q[to + j + l] = (byte) ((source[low + l] >>> lowShift & 15 | (source[high + l] >>> highShift & 3) << 4) - 32);
                }
            }
        }
    }

    /** {@link LinearBlockFit} chooses what is stored. */
    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        LinearBlockFit fit = new LinearBlockFit();
        for (int block = 0; block < blocks; block++) {
            fit.fit(source, sourceOffset + block * ELEMENTS);
            int to = block * BYTES;
            for (int j = 0; j < ELEMENTS; j += 128) {
                for (int l = 0; l < 32; l++) {
                    int a = fit.q[j + l] + 32;
                    int b = fit.q[j + 32 + l] + 32;
                    int c = fit.q[j + 64 + l] + 32;
                    int e = fit.q[j + 96 + l] + 32;
                    target[to + j / 2 + l] = (byte) (a & 15 | c << 4);
                    target[to + j / 2 + 32 + l] = (byte) (b & 15 | e << 4);
                    target[to + HIGH_BITS + j / 4 + l] = (byte) (a >>> 4 | b >>> 4 << 2 | c >>> 4 << 4 | e >>> 4 << 6);
                }
            }
            for (int part = 0; part < PARTS; part++) {
                target[to + SCALES + part] = (byte) fit.scales[part];
            }
            putHalf(target, to + SCALE, fit.d);
        }
    }
}
