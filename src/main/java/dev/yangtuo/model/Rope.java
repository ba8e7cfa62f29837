package dev.yangtuo.model;

/**
 * Rotary position embedding, Su et al., arXiv 2104.09864: the j-th pair of a head at position p turns by {@code p / scale * theta^(-2j / headDim)}.
 * Angles are rounded to float32 at each step, as in the PyTorch code that trained the models, so that long positions agree with it.
 * Immutable.
 */
final class Rope {
    /** Radians per position, float32 [headDim / 2]. */
    private final float[] frequencies;

    private final float scale;

    /**
     * @param headDim elements of a head, even
     * @param theta base of the frequencies
     * @param scale divides positions (linear scaling); 1 for none
     */
    Rope(int headDim, float theta, float scale) {
        this.scale = scale;
        frequencies = new float[headDim / 2];
        for (int j = 0; j < frequencies.length; j++) {
            float exponent = (float) (2 * j) / headDim;
            frequencies[j] = 1f / (float) StrictMath.pow(theta, exponent);
        }
    }

    /** Writes cosine and sine of each pair's angle at {@code position}: {@code headDim} values from {@code offset} on. */
    void fill(int position, float[] target, int offset) {
        float scaled = position / scale;
        for (int j = 0; j < frequencies.length; j++) {
            float angle = scaled * frequencies[j];
            target[offset + 2 * j] = (float) Math.cos(angle);
            target[offset + 2 * j + 1] = (float) Math.sin(angle);
        }
    }
}
