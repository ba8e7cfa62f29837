package dev.yangtuo.tensor;

import java.util.Arrays;

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
    /** Below this all scales count as zero. */
    private static final float NOTHING = 1e-15f;
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

    /** Scales by {@link ScaleSearch}, rounded to eight bits; then each element to the nearest integer for these. */
    @Override
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        ScaleSearch search = new ScaleSearch();
        float[] scales = new float[PARTS];
        byte[] q = new byte[ELEMENTS];
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * ELEMENTS;
            int to = block * BYTES;
            float extreme = 0;
            for (int part = 0; part < PARTS; part++) {
                scales[part] = search.find(source, from + part * PART);
                extreme = Math.abs(scales[part]) > Math.abs(extreme) ? scales[part] : extreme;
            }
            if (Math.abs(extreme) < NOTHING) {
                Arrays.fill(target, to, to + BYTES, (byte) 0);
                continue;
            }
            float inverse = -128f / extreme;
            float d = putHalf(target, to + SCALE, 1 / inverse);
            for (int part = 0; part < PARTS; part++) {
                byte scale = (byte) Rounding.clamped(inverse * scales[part], -128, 127);
                target[to + SCALES + part] = scale;
                quantize(source, from + part * PART, d * scale, q, part * PART);
            }
            pack(q, target, to);
        }
    }

    private static void quantize(float[] source, int from, float scale, byte[] q, int to) {
        for (int i = 0; i < PART; i++) {
            q[to + i] = scale == 0f ? 32 : (byte) (Rounding.clamped(source[from + i] / scale, -32, 31) + 32);
        }
    }

    private static void pack(byte[] q, byte[] target, int to) {
        for (int half = 0; half < 2; half++) {
            int at = half * 128;
            for (int l = 0; l < 64; l++) {
                target[to + half * 64 + l] = (byte) (q[at + l] & 15 | (q[at + 64 + l] & 15) << 4);
            }
            for (int l = 0; l < 32; l++) {
                target[to + HIGH_BITS + half * 32 + l] =
                        (byte) (q[at + l] >>> 4 | q[at + 32 + l] >>> 4 << 2 | q[at + 64 + l] >>> 4 << 4 | q[at + 96 + l] >>> 4 << 6);
            }
        }
    }
}
