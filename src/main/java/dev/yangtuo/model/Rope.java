package dev.yangtuo.model;

import java.util.List;

/**
 * Rotary position embedding, Su et al., arXiv 2104.09864: the j-th of the d / 2 pairs of a head at position p turns by p f(j), with
 * f(j) = theta^(-2j / d). Scalings change this:
 *
 * <ul>
 *   <li>linear (Chen et al., arXiv 2306.15595): p / factor takes the place of p.
 *   <li>NTK-aware (bloc97, 2023; Peng et al., arXiv 2309.00071, 3.1): theta alpha^(d / (d - 2)) takes the place of theta, so that the lowest
 *       frequency is divided by alpha and the highest is kept.
 *   <li>dynamic NTK (emozilla, 2023; transformers' {@code dynamic}): the same with alpha = factor L / original - (factor - 1) for a text of length
 *       L that is longer than the original context.
 *   <li>YaRN (Peng et al., arXiv 2309.00071, 3.2 to 3.4, with the ramp of its authors' code): f(j) (e + (1 - e) / factor), where e falls from 1 to 0
 *       over the pairs from the one that turns betaFast times within the original context to the one that turns betaSlow times; cosines and sines are
 *       multiplied.
 *   <li>Llama 3.1's (Meta's llama-models, {@code apply_scaling}) and explicit factors: f(j) / factor(j).
 * </ul>
 *
 * <p>Angles are rounded to float32 at each step, as in the PyTorch code that trained the models, so that long positions agree with it; what scaling
 * does to a frequency is computed in double and rounded once. Immutable.
 */
abstract sealed class Rope {
    /**
     * Makes the angles of heads.
     *
     * @param headDim elements of a head, even
     * @param config fits the size, as in any {@link ModelConfig}
     */
    static Rope of(int headDim, RopeConfig config) {
        float theta = config.theta();
        return switch (config.scaling()) {
            case RopeScaling.None _ -> new Fixed(frequencies(headDim, theta), 1, 1);
            case RopeScaling.Linear linear -> new Fixed(frequencies(headDim, theta), linear.factor(), 1);
            case RopeScaling.Ntk ntk -> new Fixed(frequencies(headDim, ntkTheta(theta, headDim, ntk.factor())), 1, 1);
            case RopeScaling.Dynamic dynamic -> new Growing(headDim, theta, dynamic);
            case RopeScaling.Yarn yarn -> new Fixed(yarnFrequencies(headDim, theta, yarn), 1, yarn.attentionFactor());
            case RopeScaling.Llama3 llama3 -> new Fixed(divided(frequencies(headDim, theta), llama3Factors(headDim, theta, llama3)), 1, 1);
            case RopeScaling.Factors factors -> new Fixed(divided(frequencies(headDim, theta), factors.values()), 1, 1);
        };
    }

    /**
     * Writes cosine and sine of each pair's angle at {@code position}: {@code headDim} values from {@code offset} on.
     *
     * @param length of the text, more than {@code position}; only dynamic NTK depends on it
     */
    abstract void fill(int position, int length, float[] target, int offset);

    /** Whether the length counts: then keys of equal tokens differ between texts of different length. */
    boolean dependsOnLength() {
        return this instanceof Growing;
    }

    /** The base that NTK-aware scaling computes with. */
    static float ntkTheta(float theta, int headDim, double alpha) {
        return (float) (theta * StrictMath.pow(alpha, headDim / (headDim - 2.0)));
    }

    /** What Llama 3.1's scaling divides the frequencies by. */
    static List<Float> llama3Factors(int headDim, float theta, RopeScaling.Llama3 scaling) {
        Float[] factors = new Float[headDim / 2];
        for (int j = 0; j < factors.length; j++) {
            // How often the wave fits the original context.
            double waves = scaling.originalContext() * (double) frequency(headDim, theta, j) / (2 * Math.PI);
            double smooth = (waves - scaling.lowFactor()) / (scaling.highFactor() - scaling.lowFactor());
            double kept = Math.clamp(smooth, 0.0, 1.0);
            factors[j] = (float) (1 / ((1 - kept) / scaling.factor() + kept));
        }
        return List.of(factors);
    }

    private static float[] frequencies(int headDim, float theta) {
        float[] frequencies = new float[headDim / 2];
        for (int j = 0; j < frequencies.length; j++) {
            frequencies[j] = frequency(headDim, theta, j);
        }
        return frequencies;
    }

    private static float frequency(int headDim, float theta, int pair) {
        float exponent = (float) (2 * pair) / headDim;
        return 1f / (float) StrictMath.pow(theta, exponent);
    }

    private static float[] divided(float[] frequencies, List<Float> factors) {
        for (int j = 0; j < frequencies.length; j++) {
            frequencies[j] /= factors.get(j);
        }
        return frequencies;
    }

    private static float[] yarnFrequencies(int headDim, float theta, RopeScaling.Yarn yarn) {
        double low = pairThatTurns(yarn.betaFast(), headDim, theta, yarn.originalContext());
        double high = pairThatTurns(yarn.betaSlow(), headDim, theta, yarn.originalContext());
        low = Math.max(yarn.truncate() ? Math.floor(low) : low, 0);
        high = Math.min(yarn.truncate() ? Math.ceil(high) : high, headDim - 1);
        double width = Math.max(0.001, high - low); // a step where there is no room for a ramp
        float[] frequencies = new float[headDim / 2];
        for (int j = 0; j < frequencies.length; j++) {
            double kept = 1 - Math.clamp((j - low) / width, 0.0, 1.0);
            double frequency = frequency(headDim, theta, j);
            frequencies[j] = (float) (frequency * kept + frequency / yarn.factor() * (1 - kept));
        }
        return frequencies;
    }

    /** The pair, not a whole number, that turns so many times within a context. */
    private static double pairThatTurns(double times, int headDim, float theta, int context) {
        return headDim * StrictMath.log(context / (times * 2 * Math.PI)) / (2 * StrictMath.log(theta));
    }

    /** Angles that depend on the position alone. */
    private static final class Fixed extends Rope {
        /** Radians per position, float32 [headDim / 2]. */
        private final float[] frequencies;
        /** Divides positions. */
        private final float scale;
        /** Multiplies cosines and sines. */
        private final float magnitude;

        Fixed(float[] frequencies, float scale, float magnitude) {
            this.frequencies = frequencies;
            this.scale = scale;
            this.magnitude = magnitude;
        }

        @Override
        void fill(int position, int length, float[] target, int offset) {
            float scaled = position / scale;
            for (int j = 0; j < frequencies.length; j++) {
                float angle = scaled * frequencies[j];
                target[offset + 2 * j] = (float) Math.cos(angle) * magnitude;
                target[offset + 2 * j + 1] = (float) Math.sin(angle) * magnitude;
            }
        }
    }

    /** Dynamic NTK. */
    private static final class Growing extends Rope {
        private final int headDim;
        private final float theta;
        private final RopeScaling.Dynamic scaling;
        /** For texts that the original context takes. */
        private final Fixed unscaled;

        Growing(int headDim, float theta, RopeScaling.Dynamic scaling) {
            this.headDim = headDim;
            this.theta = theta;
            this.scaling = scaling;
            this.unscaled = new Fixed(frequencies(headDim, theta), 1, 1);
        }

        @Override
        void fill(int position, int length, float[] target, int offset) {
            if (length <= scaling.originalContext()) {
                unscaled.fill(position, length, target, offset);
                return;
            }
            double factor = scaling.factor();
            // Beyond float32 only for factors that no model has; all frequencies but the first are then nearly 0 anyway.
            float grown = Math.min(Float.MAX_VALUE, ntkTheta(theta, headDim, factor * length / scaling.originalContext() - (factor - 1)));
            for (int j = 0; j < headDim / 2; j++) {
                float angle = position * frequency(headDim, grown, j);
                target[offset + 2 * j] = (float) Math.cos(angle);
                target[offset + 2 * j + 1] = (float) Math.sin(angle);
            }
        }
    }
}
