package dev.yangtuo.tensor;

/**
 * Scale and minimum of 32 elements that make the squared error smallest when each error counts by the element's magnitude and the part's root mean square together: some
 * scales around the one that spans the elements are tried, each followed by the line that fits best through the integers that it gives
 * ({@code make_qkx2_quants} in GGML's {@code ggml-quants.c}, same operations in the same order). For one thread.
 */
final class ScaleAndMinimumSearch {
    static final int ELEMENTS = 32;

    private final int largest;
    private final float first;
    private final int steps;
    private final float[] weights = new float[ELEMENTS];
    private final byte[] integers = new byte[ELEMENTS];
    private float scale;
    private float minimum;

    /**
     * @param largest integers go from 0 to this
     * @param first what is added to {@code largest} for the first scale that is tried; each further one has 0.1 more
     * @param steps further ones
     */
    ScaleAndMinimumSearch(int largest, float first, int steps) {
        this.largest = largest;
        this.first = first;
        this.steps = steps;
    }

    /** The scale that was found, at least 0. */
    float scale() {
        return scale;
    }

    /** What is to be subtracted, at least 0. */
    float minimum() {
        return minimum;
    }

    /** Searches for the 32 elements from {@code from} on. */
    void search(float[] x, int from) {
        weigh(x, from);
        float least = x[from];
        float most = x[from];
        float sumW = weights[0];
        float sumX = sumW * x[from];
        for (int i = 1; i < ELEMENTS; i++) {
            float value = x[from + i];
            least = value < least ? value : least;
            most = value > most ? value : most;
            sumW += weights[i];
            sumX += weights[i] * value;
        }
        least = least > 0 ? 0 : least;
        if (most == least) {
            scale = 0;
            minimum = -least;
            return;
        }
        float range = most - least;
        float inverse = largest / range;
        float bestScale = 1 / inverse;
        float bestMinimum = least;
        quantize(x, from, inverse, least);
        float bestError = error(x, from, bestScale, least);
        for (int step = 0; step <= steps; step++) {
            quantize(x, from, (first + 0.1f * step + largest) / range, least);
            float sumQ = 0;
            float sumQq = 0;
            float sumXq = 0;
            for (int i = 0; i < ELEMENTS; i++) {
                float weighted = weights[i] * integers[i];
                sumQ += weighted;
                sumQq += weighted * integers[i];
                sumXq += weighted * x[from + i];
            }
            float determinant = sumW * sumQq - sumQ * sumQ;
            if (determinant > 0) {
                float thisScale = (sumW * sumXq - sumX * sumQ) / determinant;
                float thisMinimum = (sumQq * sumX - sumQ * sumXq) / determinant;
                if (thisMinimum > 0) {
                    thisMinimum = 0;
                    thisScale = sumXq / sumQq;
                }
                float error = error(x, from, thisScale, thisMinimum);
                if (error < bestError) {
                    bestError = error;
                    bestScale = thisScale;
                    bestMinimum = thisMinimum;
                }
            }
        }
        scale = bestScale;
        minimum = -bestMinimum;
    }

    private void weigh(float[] x, int from) {
        float squares = 0;
        for (int i = 0; i < ELEMENTS; i++) {
            squares += x[from + i] * x[from + i];
        }
        float mean = (float) Math.sqrt(squares / ELEMENTS);
        for (int i = 0; i < ELEMENTS; i++) {
            weights[i] = mean + Math.abs(x[from + i]);
        }
    }

    private void quantize(float[] x, int from, float inverse, float least) {
        for (int i = 0; i < ELEMENTS; i++) {
            integers[i] = (byte) Rounding.clamped(inverse * (x[from + i] - least), 0, largest);
        }
    }

    private float error(float[] x, int from, float candidate, float least) {
        float error = 0;
        for (int i = 0; i < ELEMENTS; i++) {
            float difference = candidate * integers[i] + least - x[from + i];
            error += weights[i] * (difference * difference);
        }
        return error;
    }
}
