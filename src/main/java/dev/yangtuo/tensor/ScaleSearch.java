package dev.yangtuo.tensor;

/**
 * The scale of 16 elements, and no minimum, that makes their squared error smallest when each error counts by the element's square: nineteen
 * scales around the one that fits the largest element are tried, each followed by the best scale for the integers that it gives
 * ({@code make_qx_quants} in GGML's {@code ggml-quants.c}, same operations in the same order). For one thread.
 */
final class ScaleSearch {
    static final int ELEMENTS = 16;

    /** Integers go from -32 to 31. */
    private static final int LARGEST = 32;
    private static final int TRIES = 9;
    private static final float STEP = 0.1f;
    /** Below this all elements count as zero. */
    private static final float NOTHING = 1e-15f;

    private final float[] squares = new float[ELEMENTS];
    private float products;
    private float integers;

    /** The best scale of the 16 elements from {@code from} on; 0 if they are all (nearly) zero. */
    float find(float[] x, int from) {
        float extreme = 0;
        float magnitude = 0;
        for (int i = 0; i < ELEMENTS; i++) {
            float value = x[from + i];
            squares[i] = value * value;
            if (Math.abs(value) > magnitude) {
                magnitude = Math.abs(value);
                extreme = value;
            }
        }
        if (magnitude < NOTHING) {
            return 0;
        }
        sum(x, from, -LARGEST / extreme);
        float scale = integers != 0 ? products / integers : 0;
        float best = scale * products;
        for (int step = -TRIES; step <= TRIES; step++) {
            if (step == 0) {
                continue;
            }
            sum(x, from, -(LARGEST + STEP * step) / extreme);
            if (integers > 0 && products * products > best * integers) {
                scale = products / integers;
                best = scale * products;
            }
        }
        return scale;
    }

    /** Weighted sums of x times q and of q times q. */
    private void sum(float[] x, int from, float inverse) {
        float xq = 0;
        float qq = 0;
        for (int i = 0; i < ELEMENTS; i++) {
            int q = Rounding.clamped(inverse * x[from + i], -LARGEST, LARGEST - 1);
            xq += squares[i] * x[from + i] * q;
            qq += squares[i] * q * q;
        }
        products = xq;
        integers = qq;
    }
}
