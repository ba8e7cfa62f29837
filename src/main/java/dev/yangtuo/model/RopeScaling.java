package dev.yangtuo.model;

import java.util.List;

/**
 * How RoPE reaches texts longer than those that a model was first trained with. {@link Rope} has the formulas. Values that make no sense are an
 * {@link IllegalArgumentException} that says which value and what is possible.
 */
public sealed interface RopeScaling {
    /** No scaling. */
    RopeScaling NONE = new None();

    /** The name of the kind, as configurations have it. */
    String name();

    /**
     * Positions that the scaling is made for.
     *
     * @param contextLength what the model says; of a scaling that does not know the context before it, this counts as that
     */
    int reach(int contextLength);

    /** Angles as trained. */
    record None() implements RopeScaling {
        @Override
        public String name() {
            return "none";
        }

        @Override
        public int reach(int contextLength) {
            return contextLength;
        }
    }

    /** A scaling by a factor: how many times longer texts may be. */
    sealed interface ByFactor extends RopeScaling {
        /** The factor. */
        float factor();

        /** The same with another factor. */
        ByFactor withFactor(float factor);

        @Override
        default int reach(int contextLength) {
            return scaled(contextLength, factor());
        }
    }

    /** One that depends on the context before it. */
    sealed interface FromContext extends ByFactor {
        /** Positions that the model was trained for before it was scaled. */
        int originalContext();

        @Override
        default int reach(int contextLength) {
            return Math.max(contextLength, scaled(originalContext(), factor()));
        }
    }

    /**
     * Positions are divided.
     *
     * @param factor by this, finite and positive
     */
    record Linear(float factor) implements ByFactor {
        /** Checks the factor. */
        public Linear {
            requirePositive("the factor of the RoPE scaling linear", factor);
        }

        @Override
        public String name() {
            return "linear";
        }

        @Override
        public Linear withFactor(float other) {
            return new Linear(other);
        }
    }

    /**
     * NTK-aware: a larger base, the same for texts of any length.
     *
     * @param factor called alpha, too; finite, at least 1
     */
    record Ntk(float factor) implements ByFactor {
        /** Checks the factor. */
        public Ntk {
            requireFactor("ntk", factor);
        }

        @Override
        public String name() {
            return "ntk";
        }

        @Override
        public Ntk withFactor(float other) {
            return new Ntk(other);
        }
    }

    /**
     * Dynamic NTK: a base that grows with the text beyond the original context.
     *
     * @param factor finite, at least 1
     * @param originalContext positions up to which nothing is scaled, at least 1
     */
    record Dynamic(float factor, int originalContext) implements FromContext {
        /** Checks both. */
        public Dynamic {
            requireFactor("dynamic", factor);
            requireContext("dynamic", originalContext);
        }

        @Override
        public String name() {
            return "dynamic";
        }

        @Override
        public Dynamic withFactor(float other) {
            return new Dynamic(other, originalContext);
        }
    }

    /**
     * YaRN: low frequencies are divided, high ones kept, and cosines and sines multiplied.
     *
     * @param factor finite, at least 1
     * @param originalContext positions that the model was trained for before it was scaled, at least 1
     * @param attentionFactor multiplies cosines and sines, so that logits of attention are multiplied by its square; finite and positive
     * @param betaFast turns within the original context from which on a frequency is kept
     * @param betaSlow turns up to which a frequency is divided; positive, less than {@code betaFast}
     * @param truncate whether the two borders are moved outwards to whole pairs, as usual
     */
    record Yarn(float factor, int originalContext, float attentionFactor, float betaFast, float betaSlow, boolean truncate) implements FromContext {
        /** The paper's. */
        static final float BETA_FAST = 32;
        /** The paper's. */
        static final float BETA_SLOW = 1;

        /** Checks all of them. */
        public Yarn {
            requireFactor("yarn", factor);
            requireContext("yarn", originalContext);
            requirePositive("the attention factor of the RoPE scaling yarn", attentionFactor);
            requirePositive("beta_slow of the RoPE scaling yarn", betaSlow);
            requirePositive("beta_fast of the RoPE scaling yarn", betaFast);
            require(betaFast > betaSlow,
                    "beta_fast of the RoPE scaling yarn is %s, must be greater than beta_slow, %s".formatted(betaFast, betaSlow));
        }

        /** As the paper recommends. */
        static Yarn of(float factor, int originalContext) {
            return new Yarn(factor, originalContext, attentionFactor(factor), BETA_FAST, BETA_SLOW, true);
        }

        /** What the paper recommends for a factor: {@code 0.1 ln(factor) + 1}. */
        static float attentionFactor(float factor) {
            return (float) (0.1 * StrictMath.log(factor) + 1);
        }

        /** Whether cosines and sines are multiplied as the paper recommends. */
        boolean hasUsualAttentionFactor() {
            return attentionFactor == attentionFactor(factor);
        }

        @Override
        public String name() {
            return "yarn";
        }

        /** An attention factor that is not the recommended one is kept. */
        @Override
        public Yarn withFactor(float other) {
            float attention = hasUsualAttentionFactor() ? attentionFactor(other) : attentionFactor;
            return new Yarn(other, originalContext, attention, betaFast, betaSlow, truncate);
        }
    }

    /**
     * That of Llama 3.1 and later: long waves are stretched, short ones kept, those between in part.
     *
     * @param factor finite, at least 1
     * @param lowFactor waves longer than {@code originalContext / lowFactor} are stretched by the factor; positive
     * @param highFactor waves shorter than {@code originalContext / highFactor} are kept; greater than {@code lowFactor}
     * @param originalContext positions that the model was trained for before it was scaled, at least 1
     */
    record Llama3(float factor, float lowFactor, float highFactor, int originalContext) implements FromContext {
        /** Those of all published models. */
        static final float LOW_FACTOR = 1;
        /** Those of all published models. */
        static final float HIGH_FACTOR = 4;
        /** Those of all published models. */
        static final int ORIGINAL_CONTEXT = 8192;

        /** Checks all of them. */
        public Llama3 {
            requireFactor("llama3", factor);
            requireContext("llama3", originalContext);
            requirePositive("low_freq_factor of the RoPE scaling llama3", lowFactor);
            requirePositive("high_freq_factor of the RoPE scaling llama3", highFactor);
            require(highFactor > lowFactor, "high_freq_factor of the RoPE scaling llama3 is %s, must be greater than low_freq_factor, %s"
                    .formatted(highFactor, lowFactor));
        }

        @Override
        public String name() {
            return "llama3";
        }

        @Override
        public Llama3 withFactor(float other) {
            return new Llama3(other, lowFactor, highFactor, originalContext);
        }
    }

    /**
     * Each frequency is divided by a factor of its own. The context before it is not known.
     *
     * @param values as many as pairs of a head, finite and positive
     */
    record Factors(List<Float> values) implements RopeScaling {
        /** Checks them. */
        public Factors {
            values = List.copyOf(values);
            for (int j = 0; j < values.size(); j++) {
                requirePositive("RoPE frequency factor %d of %s".formatted(j, GgufRope.FACTORS), values.get(j));
            }
        }

        @Override
        public String name() {
            return "factors";
        }

        @Override
        public int reach(int contextLength) {
            return contextLength;
        }
    }

    private static int scaled(int context, float factor) {
        return (int) Math.min(Integer.MAX_VALUE, (double) context * factor);
    }

    private static void requireFactor(String scaling, float factor) {
        require(Float.isFinite(factor) && factor >= 1,
                "the factor of the RoPE scaling %s is %s, must be finite and at least 1".formatted(scaling, factor));
    }

    private static void requireContext(String scaling, int context) {
        require(context >= 1, "the original context of the RoPE scaling %s is %d, must be at least 1".formatted(scaling, context));
    }

    /** Refuses what is not finite and positive. */
    static void requirePositive(String name, float value) {
        require(Float.isFinite(value) && value > 0, "%s is %s, must be finite and positive".formatted(name, value));
    }

    /** Refuses what does not hold. */
    static void require(boolean holds, String problem) {
        if (!holds) {
            throw new IllegalArgumentException(problem);
        }
    }
}
