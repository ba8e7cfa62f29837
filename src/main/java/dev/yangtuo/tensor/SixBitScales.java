package dev.yangtuo.tensor;

/**
 * The scales and minimums of the 8 parts of a Q4_K or Q5_K block, six bits each, in 12 bytes: the first four bytes hold the scales of parts 0 to
 * 3 in their lower six bits, the next four the minimums of these parts; the last four hold the lower four bits of the scales (low nibbles) and
 * minimums (high nibbles) of parts 4 to 7, whose upper two bits are the upper ones of the first and of the second four bytes.
 */
final class SixBitScales {
    static final int BYTES = 12;
    private static final int PARTS = 8;
    private static final int MOST = 63;

    private SixBitScales() {}

    /** Writes {@code d * scale} and {@code dmin * minimum} of each part, from {@code to} on. */
    static void unpack(byte[] source, int from, float d, float dmin, float[] scales, float[] minimums, int to) {
        for (int part = 0; part < PARTS / 2; part++) {
            int first = source[from + part];
            int second = source[from + 4 + part];
            int third = source[from + 8 + part];
            scales[to + part] = d * (first & 63);
            minimums[to + part] = dmin * (second & 63);
            scales[to + 4 + part] = d * (third & 15 | first >>> 2 & 48);
            minimums[to + 4 + part] = dmin * (third >>> 4 & 15 | second >>> 2 & 48);
        }
    }

    /**
     * Rounds scales and minimums to six bits of the largest of each, and writes d, dmin and all of them.
     *
     * @param scales at least 0; on return what is read back
     * @param minimums likewise
     * @param to where d stands; dmin and the packed bytes follow it
     */
    static void pack(float[] scales, float[] minimums, byte[] target, int to) {
        int[] sixBitScales = new int[PARTS];
        int[] sixBitMinimums = new int[PARTS];
        float d = BlockCodec.putHalf(target, to, round(scales, sixBitScales));
        float dmin = BlockCodec.putHalf(target, to + 2, round(minimums, sixBitMinimums));
        int packed = to + 4;
        for (int part = 0; part < PARTS / 2; part++) {
            int scale = sixBitScales[part + 4];
            int minimum = sixBitMinimums[part + 4];
            target[packed + part] = (byte) (sixBitScales[part] | scale >>> 4 << 6);
            target[packed + 4 + part] = (byte) (sixBitMinimums[part] | minimum >>> 4 << 6);
            target[packed + 8 + part] = (byte) (scale & 15 | (minimum & 15) << 4);
        }
        for (int part = 0; part < PARTS; part++) {
            scales[part] = d * sixBitScales[part];
            minimums[part] = dmin * sixBitMinimums[part];
        }
    }

    /** @return what one step of the six bits is worth */
    private static float round(float[] values, int[] sixBits) {
        float largest = 0;
        for (float value : values) {
            largest = value > largest ? value : largest;
        }
        float inverse = largest > 0 ? MOST / largest : 0f;
        for (int part = 0; part < PARTS; part++) {
            sixBits[part] = Rounding.clamped(inverse * values[part], 0, MOST);
        }
        return largest / MOST;
    }

    /** The integers of a part: those nearest to {@code (x + minimum) / scale}; zeros where the scale is 0. */
    static void quantize(float[] source, int from, float scale, float minimum, int largest, byte[] q, int to) {
        for (int i = 0; i < ScaleAndMinimumSearch.ELEMENTS; i++) {
            q[to + i] = scale == 0f ? 0 : (byte) Rounding.clamped((source[from + i] + minimum) / scale, 0, largest);
        }
    }
}
