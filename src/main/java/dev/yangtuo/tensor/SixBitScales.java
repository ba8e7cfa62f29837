package dev.yangtuo.tensor;

/**
 * The scales and minimums of the 8 parts of a Q4_K or Q5_K block, six bits each, in 12 bytes: the first four bytes hold the scales of parts 0 to
 * 3 in their lower six bits, the next four the minimums of these parts; the last four hold the lower four bits of the scales (low nibbles) and
 * minimums (high nibbles) of parts 4 to 7, whose upper two bits are the upper ones of the first and of the second four bytes.
 */
final class SixBitScales {
    private static final int PARTS = 8;

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

    /** The inverse for scales and minimums from 0 to 63. */
    static void pack(int[] scales, int[] minimums, byte[] target, int to) {
        for (int part = 0; part < PARTS / 2; part++) {
            int scale = scales[part + 4];
            int minimum = minimums[part + 4];
            target[to + part] = (byte) (scales[part] | scale >>> 4 << 6);
            target[to + 4 + part] = (byte) (minimums[part] | minimum >>> 4 << 6);
            target[to + 8 + part] = (byte) (scale & 15 | minimum << 4);
        }
    }
}
