package dev.yangtuo.sampling;

/**
 * What is added to the logit of a token.
 *
 * @param token which one
 * @param bias finite; or minus infinity, so that the token never comes
 */
public record TokenBias(TokenName token, float bias) {
    /** Never. */
    public static final float BAN = Float.NEGATIVE_INFINITY;

    /** Checks the range. */
    public TokenBias {
        Ranges.require(Float.isFinite(bias) || bias == BAN, "a logit bias", bias, "finite, or minus infinity to ban the token");
    }
}
