package dev.yangtuo.model;

/**
 * What the angles of RoPE follow from.
 *
 * @param theta base of the frequencies
 * @param scaling what is done to them for texts longer than those of the training
 */
public record RopeConfig(float theta, RopeScaling scaling) {
    /** Checks the base. */
    public RopeConfig {
        RopeScaling.requirePositive("rope_theta", theta);
    }

    /** Without scaling. */
    public static RopeConfig plain(float theta) {
        return new RopeConfig(theta, RopeScaling.NONE);
    }

    /**
     * Makes sure that the scaling can be computed for heads of this size.
     *
     * @throws IllegalArgumentException if not; it says which value and what is possible
     */
    void requireFitting(int headDim) {
        switch (scaling) {
            case RopeScaling.Ntk ntk -> {
                requireTwoPairs(headDim);
                RopeScaling.require(Float.isFinite(Rope.ntkTheta(theta, headDim, ntk.factor())),
                        "the NTK factor %s makes rope_theta %s too large for float32".formatted(ntk.factor(), theta));
            }
            case RopeScaling.Dynamic _ -> requireTwoPairs(headDim);
            case RopeScaling.Yarn _ ->
                RopeScaling.require(theta > 1, "rope_theta is %s, must be greater than 1 for the RoPE scaling yarn".formatted(theta));
            case RopeScaling.Factors factors -> RopeScaling.require(factors.values().size() == headDim / 2,
                    "there are %d RoPE frequency factors, must be %d, one for each pair of a head".formatted(factors.values().size(), headDim / 2));
            case RopeScaling.None _, RopeScaling.Linear _, RopeScaling.Llama3 _ -> { }
        }
    }

    /** The exponent {@code d / (d - 2)} has no value for heads of one pair. */
    private static void requireTwoPairs(int headDim) {
        RopeScaling.require(headDim >= 4, "head_dim is %d, must be at least 4 for NTK-aware RoPE scaling".formatted(headDim));
    }
}
