package dev.yangtuo.sampling;

/**
 * How the next token is chosen.
 *
 * @param temperature divides the logits; 0 takes the most probable token (after the penalty)
 * @param topK keeps this many most probable tokens; 0 keeps all
 * @param topP keeps the smallest set of most probable tokens whose probability reaches this (Holtzman et al., arXiv 1904.09751); 1 keeps all
 * @param minP keeps tokens at least this share as probable as the most probable one (Nguyen et al., arXiv 2407.01082); 0 keeps all
 * @param repeatPenalty divides positive and multiplies negative logits of tokens that were already there, prompt included
 *     (Keskar et al., arXiv 1909.05858); 1 changes nothing
 */
public record SamplingOptions(float temperature, int topK, float topP, float minP, float repeatPenalty) {
    /** What this model family is usually run with. */
    public static final SamplingOptions DEFAULT = new SamplingOptions(0.2f, 40, 0.9f, 0f, 1.1f);

    /** Always the most probable token, no penalty; the first of equals. */
    public static final SamplingOptions GREEDY = new SamplingOptions(0f, 0, 1f, 0f, 1f);

    /** Checks the ranges. */
    public SamplingOptions {
        require(Float.isFinite(temperature) && temperature >= 0, "temperature", temperature, "0 or more");
        require(topK >= 0, "top-k", topK, "0 (off) or more");
        require(topP > 0 && topP <= 1, "top-p", topP, "more than 0 and at most 1");
        require(minP >= 0 && minP <= 1, "min-p", minP, "0 to 1");
        require(Float.isFinite(repeatPenalty) && repeatPenalty > 0, "the repetition penalty", repeatPenalty, "more than 0 (1 is off)");
    }

    private static void require(boolean holds, String name, Number value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("%s is %s, must be %s".formatted(name, value, expected));
        }
    }

    /** The same with another temperature. */
    public SamplingOptions withTemperature(float value) {
        return new SamplingOptions(value, topK, topP, minP, repeatPenalty);
    }

    /** The same with another top-k. */
    public SamplingOptions withTopK(int value) {
        return new SamplingOptions(temperature, value, topP, minP, repeatPenalty);
    }

    /** The same with another top-p. */
    public SamplingOptions withTopP(float value) {
        return new SamplingOptions(temperature, topK, value, minP, repeatPenalty);
    }

    /** The same with another min-p. */
    public SamplingOptions withMinP(float value) {
        return new SamplingOptions(temperature, topK, topP, value, repeatPenalty);
    }

    /** The same with another repetition penalty. */
    public SamplingOptions withRepeatPenalty(float value) {
        return new SamplingOptions(temperature, topK, topP, minP, value);
    }
}
