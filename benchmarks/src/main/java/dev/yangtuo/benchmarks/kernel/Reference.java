package dev.yangtuo.benchmarks.kernel;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Kernels give the bits of the scalar backend ({@code docs/kernels.md}), or nothing is timed. */
final class Reference {
    private Reference() {}

    /**
     * Compares bits.
     *
     * @param what was computed, by which kernels
     * @throws IllegalStateException if any differs
     */
    static void requireSame(String what, float[] actual, float[] expected) {
        int at = Arrays.mismatch(bits(actual), bits(expected));
        if (at >= 0) {
            throw new IllegalStateException("%s: element %d of %d is %s, the reference has %s; expected the same bits, nothing is timed"
                    .formatted(what, at, expected.length, at < actual.length ? actual[at] : "missing", at < expected.length ? expected[at] : "none"));
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }

    /** {@return at most so many of the numbers 0 to {@code count - 1}, ascending, the first and the last among them (if {@code most > 1})} */
    static int[] sample(int count, int most) {
        return count <= most ? IntStream.range(0, count).toArray()
                : IntStream.range(0, most).map(i -> (int) ((long) i * (count - 1) / (most - 1))).toArray();
    }
}
