package dev.yangtuo.tensor;

/**
 * Chooses the scales, minimums and integers of a Q4_K or Q5_K block: {@code value = (d * scale) * q - (dmin * minimum)}, 8 parts of 32. What is
 * made small is the sum of {@code w * (value - x)^2} with {@code w = rms of the part + |x|}, the error that GGML's own quantizer of these
 * types makes small.
 *
 * <p>First each part alone, with real scale and minimum: from some divisions of its range into steps, and once more from the best of
 * them, integers follow, and from these by least squares scale and minimum. Then d and dmin are the largest of them divided by 63; the
 * others are rounded to multiples, and their neighbours tried, each with the error that decoding will really have. Least squares over the
 * whole block then give d and dmin once more, and the neighbours are tried again.
 *
 * <p>The order of all operations is fixed and nothing is fused, because native code does the same in sixteen lanes, a part in each
 * (docs/kernels.md).
 */
final class AffineBlockFit {
    static final int ELEMENTS = 256;
    static final int PART = 32;
    static final int PARTS = ELEMENTS / PART;
    private static final int LARGEST_SCALE = 63;
    /** Divisions of the range that are tried: largest q - 2.4 steps, 0.4 more each time. */
    private static final int DIVISIONS = 9;
    private static final float FIRST_DIVISION = -2.4f;
    private static final float DIVISION_STEP = 0.4f;
    /** Below this part of its terms, a determinant is made of rounding errors. */
    private static final float SINGULAR = 1e-5f;
    private static final int ROUNDS = 2;
    /** Neighbours of scale and minimum. They mostly go together: a larger scale with a larger minimum keeps the upper end. */
    private static final int[][] NEIGHBOURS = {{-1, -1}, {-1, 0}, {0, -1}, {0, 1}, {1, 0}, {1, 1}};

    private final float largest;
    private final float[] weights = new float[ELEMENTS];
    /** Of each part: the sums of the weights, and of the weights times x. */
    private final float[] sumW = new float[PARTS];
    private final float[] sumX = new float[PARTS];

    /** Of each part, 0 to 63. */
    final int[] scales = new int[PARTS];
    final int[] minimums = new int[PARTS];
    /** Of each element, 0 to the largest. */
    final byte[] q = new byte[ELEMENTS];
    /** As stored. */
    float d;
    float dmin;

    // The last part fitted, and the sums over the last integers.
    private float partScale;
    private float partMinimum;
    private float sumQ;
    private float sumQq;
    private float sumQx;

    /** @param largest the largest q, 15 or 31 */
    AffineBlockFit(int largest) {
        this.largest = largest;
    }

    /** Fits the 256 finite values from {@code from} on. */
    void fit(float[] x, int from) {
        float[] partScales = new float[PARTS];
        float[] partMinimums = new float[PARTS];
        float largestScale = 0f;
        float largestMinimum = 0f;
        for (int part = 0; part < PARTS; part++) {
            fitPart(x, from + part * PART, part);
            partScales[part] = partScale;
            partMinimums[part] = partMinimum;
            largestScale = partScale > largestScale ? partScale : largestScale;
            largestMinimum = partMinimum > largestMinimum ? partMinimum : largestMinimum;
        }
        d = KQuants.storedScale(largestScale / LARGEST_SCALE);
        dmin = KQuants.storedScale(largestMinimum / LARGEST_SCALE);
        for (int part = 0; part < PARTS; part++) {
            scales[part] = (int) KQuants.nearest(partScales[part] / d, 0f, LARGEST_SCALE);
            minimums[part] = (int) KQuants.nearest(partMinimums[part] / dmin, 0f, LARGEST_SCALE);
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

    private void fitPart(float[] x, int from, int part) {
        float squares = 0f;
        float low = 0f;
        float high = -Float.MAX_VALUE;
        for (int i = from; i < from + PART; i++) {
            squares += x[i] * x[i];
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
        }
        float rms = (float) Math.sqrt(squares / PART);
        float w = 0f;
        float wx = 0f;
        float wy = 0f;
        for (int i = 0; i < PART; i++) {
            float value = x[from + i];
            float weight = rms + Math.abs(value);
            weights[part * PART + i] = weight;
            w += weight;
            wx += weight * value;
            wy += weight * (value - low);
        }
        sumW[part] = w;
        sumX[part] = wx;
        // With y = x - low, which begins at 0: y is near offset + scale * q, and the minimum is -(low + offset).
        float bestGain = 0f;
        float scale = (high - low) / largest; // What stays if sums overflow or vanish, so that values which are too large still show in d.
        float offset = 0f;
        for (int division = 0; division <= DIVISIONS; division++) {
            boolean again = division == DIVISIONS;
            float inverse = again ? 1f / scale : (largest + FIRST_DIVISION + DIVISION_STEP * division) / (high - low);
            sumUp(x, from, part, low, again ? offset : 0f, inverse);
            float determinant = w * sumQq - sumQ * sumQ;
            float b = determinant > SINGULAR * (w * sumQq) ? (sumQq * wy - sumQ * sumQx) / determinant : 0f;
            b = b < -low ? b : -low; // The minimum is not negative.
            float rest = sumQx - b * sumQ;
            float s = rest / sumQq;
            // The error is the sum of w * y * y, less this.
            float gain = b * (2f * wy - b * w) + s * rest;
            if (gain > bestGain) {
                bestGain = gain;
                scale = s;
                offset = b;
            }
        }
        partScale = scale;
        partMinimum = -(low + offset);
    }

    /** The sums over the integers nearest to {@code (x - low - offset) * inverse}; that of x over {@code x - low}. */
    private void sumUp(float[] x, int from, int part, float low, float offset, float inverse) {
        float wq = 0f;
        float wqq = 0f;
        float wqy = 0f;
        for (int i = 0; i < PART; i++) {
            float y = x[from + i] - low;
            float integer = KQuants.nearest((y - offset) * inverse, 0f, largest);
            float weighted = weights[part * PART + i] * integer;
            wq += weighted;
            wqq += weighted * integer;
            wqy += weighted * y;
        }
        sumQ = wq;
        sumQq = wqq;
        sumQx = wqy;
    }

    private void takeBestNeighbour(float[] x, int from, int part) {
        int scale = scales[part];
        int minimum = minimums[part];
        float best = error(x, from, part, scale, minimum);
        for (int[] step : NEIGHBOURS) {
            int otherScale = Math.clamp(scale + step[0], 0, LARGEST_SCALE);
            int otherMinimum = Math.clamp(minimum + step[1], 0, LARGEST_SCALE);
            float error = error(x, from, part, otherScale, otherMinimum);
            if (error < best) {
                best = error;
                scales[part] = otherScale;
                minimums[part] = otherMinimum;
            }
        }
    }

    private float error(float[] x, int from, int part, int scale, int minimum) {
        float step = d * scale;
        float below = dmin * minimum;
        float inverse = KQuants.inverse(step);
        float sum = 0f;
        for (int i = 0; i < PART; i++) {
            float value = x[from + i];
            float integer = KQuants.nearest((value + below) * inverse, 0f, largest);
            float difference = step * integer - below - value;
            sum += weights[part * PART + i] * (difference * difference);
        }
        return sum;
    }

    /** New d and dmin by least squares, if they are determined. */
    private void refit(float[] x, int from) {
        float ss = 0f;
        float sm = 0f;
        float mm = 0f;
        float sx = 0f;
        float mx = 0f;
        for (int part = 0; part < PARTS; part++) {
            float scale = scales[part];
            float minimum = minimums[part];
            sumUp(x, from + part * PART, part, 0f, -(dmin * minimum), KQuants.inverse(d * scale));
            ss += scale * scale * sumQq;
            sm += scale * minimum * sumQ;
            mm += minimum * minimum * sumW[part];
            sx += scale * sumQx;
            mx += minimum * sumX[part];
        }
        float determinant = ss * mm - sm * sm;
        if (determinant > SINGULAR * (ss * mm)) {
            float newD = (sx * mm - sm * mx) / determinant;
            float newDmin = (sx * sm - ss * mx) / determinant;
            if (newD > 0f && newDmin > 0f) {
                d = KQuants.storedScale(newD);
                dmin = KQuants.storedScale(newDmin);
            }
        } else if (mm == 0f && sx > 0f) {
            d = KQuants.storedScale(sx / ss);
        }
    }

    private void quantize(float[] x, int from, int part) {
        float below = dmin * minimums[part];
        float inverse = KQuants.inverse(d * scales[part]);
        for (int i = 0; i < PART; i++) {
            q[part * PART + i] = (byte) KQuants.nearest((x[from + i] + below) * inverse, 0f, largest);
        }
    }
}
