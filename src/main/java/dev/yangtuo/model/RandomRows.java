package dev.yangtuo.model;

import dev.yangtuo.tensor.FloatRows;
import java.util.Objects;

/**
 * A matrix of random values, the same at every reading: each row has a generator of its own. A value is the sum of four random bytes, which is
 * distributed almost as a normal variable (Irwin and Hall) and needs no logarithm.
 *
 * @param seed of this matrix
 * @param deviation standard deviation of the values; their mean is 0
 */
record RandomRows(long rows, int columns, long seed, double deviation) implements FloatRows {
    private static final int BYTES = 4;
    private static final float MEAN = BYTES * 255 / 2f;
    /** Of the sum: a byte has the variance (256^2 - 1) / 12. */
    private static final double SUM_DEVIATION = Math.sqrt(BYTES * 65535 / 12.0);

    private static final long GAMMA = 0x9E3779B97F4A7C15L;
    private static final long EVERY_OTHER_BYTE = 0x00FF00FF00FF00FFL;

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        Objects.checkFromIndexSize(firstRow, rowCount, rows);
        Objects.checkFromIndexSize(targetOffset, Math.multiplyExact(rowCount, columns), target.length);
        float scale = (float) (deviation / SUM_DEVIATION);
        for (int row = 0; row < rowCount; row++) {
            fill(mix(seed + GAMMA * (firstRow + row + 1)), scale, target, targetOffset + row * columns, columns);
        }
    }

    private static void fill(long start, float scale, float[] target, int offset, int count) {
        long state = start;
        for (int i = 0; i < count; i += 2) {
            state += GAMMA;
            long random = mix(state);
            long pairs = (random & EVERY_OTHER_BYTE) + (random >>> 8 & EVERY_OTHER_BYTE);
            long sums = pairs + (pairs >>> 16);
            target[offset + i] = ((int) (sums & 0xFFFF) - MEAN) * scale;
            if (i + 1 < count) {
                target[offset + i + 1] = ((int) (sums >>> 32 & 0xFFFF) - MEAN) * scale;
            }
        }
    }

    /** The finalizer of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014). */
    static long mix(long value) {
        long mixed = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}
