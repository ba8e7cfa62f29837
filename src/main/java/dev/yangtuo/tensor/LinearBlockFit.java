package dev.yangtuo.tensor;

/**
 * Chooses the scales and integers of a Q6_K block: {@code value = (d * scale) * q}, 16 parts of 16. What is made small is the sum of
 * {@code w * (value - x)^2} with {@code w = x^2 + a tenth of its mean over the part}. GGML's own quantizer weights by x^2 alone; the tenth costs little in that measure
 * and keeps the small values from being neglected.
 *
 * <p>The steps are those of {@link AffineBlockFit}, without minimums; so is what is said there about the order of operations.
 */
final class LinearBlockFit {
    static final int ELEMENTS = 256;
    static final int PART = 16;
    static final int PARTS = ELEMENTS / PART;
    private static final float LEAST = -32f;
    private static final float MOST = 31f;
    private static final int LEAST_SCALE = -128;
    private static final int LARGEST_SCALE = 127;
    /** The value of the largest magnitude becomes -28.4 to -35.6 steps before it is rounded and limited, 0.6 more each time. */
    private static final int DIVISIONS = 13;
    private static final float FIRST_DIVISION = -28.4f;
    private static final float DIVISION_STEP = -0.6f;
    private static final float MEAN_SHARE = 0.1f;
    private static final int ROUNDS = 2;

    private final float[] weights = new float[ELEMENTS];

    /** Of each part, -128 to 127. */
    final int[] scales = new int[PARTS];
    /** Of each element, -32 to 31. */
    final byte[] q = new byte[ELEMENTS];
    /** As stored. */
    float d;

    private float sumQq;
    private float sumQx;

    /** Fits the 256 finite values from {@code from} on. */
    void fit(float[] x, int from) {
        float[] partScales = new float[PARTS];
        float extreme = 0f;
        for (int part = 0; part < PARTS; part++) {
            partScales[part] = partScale(x, from + part * PART, part);
            extreme = Math.abs(partScales[part]) > Math.abs(extreme) ? partScales[part] : extreme;
        }
        d = KQuants.storedScale(extreme / LEAST_SCALE);
        for (int part = 0; part < PARTS; part++) {
            scales[part] = (int) KQuants.nearest(partScales[part] * KQuants.inverse(d), LEAST_SCALE, LARGEST_SCALE);
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (int part = 0; part < PARTS; part++) {
                takeBestNeighbour(x, from + part * PART, part);
            }
            if (round + 1 < ROUNDS) {
                refit(x, from);
            }
        }
        for (int part = 0; part < PARTS; part++) {
            quantize(x, from + part * PART, part);
        }
    }

    private float partScale(float[] x, int from, int part) {
        float squares = 0f;
        float extreme = 0f;
        for (int i = from; i < from + PART; i++) {
            squares += x[i] * x[i];
            extreme = Math.abs(x[i]) > Math.abs(extreme) ? x[i] : extreme;
        }
        float share = MEAN_SHARE * (squares / PART);
        for (int i = 0; i < PART; i++) {
            weights[part * PART + i] = x[from + i] * x[from + i] + share;
        }
        // What stays if sums overflow or vanish, so that values which are too large still show in d.
        float scale = extreme / LEAST;
        float bestGain = 0f;
        for (int division = 0; division <= DIVISIONS; division++) {
            float inverse = division == DIVISIONS ? 1f / scale : (FIRST_DIVISION + DIVISION_STEP * division) / extreme;
            sumUp(x, from, part, inverse);
            float s = sumQx / sumQq;
            // The error is the sum of w * x * x, less this.
            float gain = s * sumQx;
            if (gain > bestGain) {
                bestGain = gain;
                scale = s;
            }
        }
        return scale;
    }

    /** The sums over the integers nearest to {@code x * inverse}. */
    private void sumUp(float[] x, int from, int part, float inverse) {
        float wqq = 0f;
        float wqx = 0f;
        for (int i = 0; i < PART; i++) {
            float integer = KQuants.nearest(x[from + i] * inverse, LEAST, MOST);
            float weighted = weights[part * PART + i] * integer;
            wqq += weighted * integer;
            wqx += weighted * x[from + i];
        }
        sumQq = wqq;
        sumQx = wqx;
    }

    private void takeBestNeighbour(float[] x, int from, int part) {
        int scale = scales[part];
        float best = error(x, from, part, scale);
        for (int step = -1; step <= 1; step += 2) {
            int other = Math.clamp(scale + step, LEAST_SCALE, LARGEST_SCALE);
            float error = error(x, from, part, other);
            if (error < best) {
                best = error;
                scales[part] = other;
            }
        }
    }

    private float error(float[] x, int from, int part, int scale) {
        float step = d * scale;
        float inverse = KQuants.inverse(step);
        float sum = 0f;
        for (int i = 0; i < PART; i++) {
            float difference = step * KQuants.nearest(x[from + i] * inverse, LEAST, MOST) - x[from + i];
            sum += weights[part * PART + i] * (difference * difference);
        }
        return sum;
    }

    /** A new d by least squares, if it is determined. */
    private void refit(float[] x, int from) {
        float ss = 0f;
        float sx = 0f;
        for (int part = 0; part < PARTS; part++) {
            float scale = scales[part];
            sumUp(x, from + part * PART, part, KQuants.inverse(d * scale));
            ss += scale * scale * sumQq;
            sx += scale * sumQx;
        }
        float refitted = sx / ss;
        if (Math.abs(refitted) > 0f) {
            d = KQuants.storedScale(refitted);
        }
    }

    private void quantize(float[] x, int from, int part) {
        float inverse = KQuants.inverse(d * scales[part]);
        for (int i = 0; i < PART; i++) {
            q[part * PART + i] = (byte) KQuants.nearest(x[from + i] * inverse, LEAST, MOST);
        }
    }
}
