package dev.yangtuo.sampling;

/**
 * Which candidates are left to draw from, in the order of the steps.
 *
 * @param topNSigma keeps logits that are at most this many standard deviations (of all logits that are not minus infinity) below the largest one (Tang et al.,
 *     arXiv 2411.07641); 0 keeps all
 * @param topK keeps this many most probable tokens; 0 keeps all
 * @param typicalP keeps the tokens whose surprise is closest to the expected one, until their probability is more than this (Meister et al., arXiv 2202.00666); 1 keeps all
 * @param topP keeps the smallest set of most probable tokens whose probability reaches this (Holtzman et al., arXiv 1904.09751); 1 keeps all
 * @param minP keeps tokens at least this share as probable as the most probable one (Nguyen et al., arXiv 2407.01082); 0 keeps all
 */
public record Truncation(float topNSigma, int topK, float typicalP, float topP, float minP) {
    /** Keeps all. */
    public static final Truncation OFF = new Truncation(0f, 0, 1f, 1f, 0f);

    /** Checks the ranges. */
    public Truncation {
        Ranges.require(Float.isFinite(topNSigma) && topNSigma >= 0, "top-n-sigma", topNSigma, "0 (off) or more");
        Ranges.require(topK >= 0, "top-k", topK, "0 (off) or more");
        Ranges.require(typicalP > 0 && typicalP <= 1, "typical-p", typicalP, "more than 0 and at most 1 (off)");
        Ranges.require(topP > 0 && topP <= 1, "top-p", topP, "more than 0 and at most 1");
        Ranges.require(minP >= 0 && minP <= 1, "min-p", minP, "0 to 1");
    }

    /** The same with another top-n-sigma. */
    public Truncation withTopNSigma(float value) {
        return new Truncation(value, topK, typicalP, topP, minP);
    }

    /** The same with another top-k. */
    public Truncation withTopK(int value) {
        return new Truncation(topNSigma, value, typicalP, topP, minP);
    }

    /** The same with another typical-p. */
    public Truncation withTypicalP(float value) {
        return new Truncation(topNSigma, topK, value, topP, minP);
    }

    /** The same with another top-p. */
    public Truncation withTopP(float value) {
        return new Truncation(topNSigma, topK, typicalP, value, minP);
    }

    /** The same with another min-p. */
    public Truncation withMinP(float value) {
        return new Truncation(topNSigma, topK, typicalP, topP, value);
    }
}
