package dev.yangtuo.eval;

import java.util.stream.DoubleStream;

/**
 * Scores of pCLUE's tasks by type, each 0 to 1, NaN for a type without tasks.
 *
 * @param classify accuracy of classification, resolved pronouns included
 * @param nli accuracy of inference
 * @param generate ROUGE-L of generated texts
 * @param exactMatch share of text comprehension that is answered exactly
 * @param f1 of text comprehension
 * @param classifyCount tasks of the first type
 * @param nliCount of the second
 * @param generateCount of the third
 * @param mrcCount of text comprehension
 */
public record PclueResult(
        double classify, double nli, double generate, double exactMatch, double f1, long classifyCount, long nliCount, long generateCount, long mrcCount) {
    /** Text comprehension: the mean of exact match and F1. */
    public double mrc() {
        return (exactMatch + f1) / 2;
    }

    /** pCLUE's score: the mean of the four types. Types without tasks do not count, where the reference computes no number; NaN if none has any. */
    public double score() {
        return DoubleStream.of(classify, nli, generate, mrc()).filter(score -> !Double.isNaN(score)).average().orElse(Double.NaN);
    }

    /** Tasks that were scored. */
    public long count() {
        return classifyCount + nliCount + generateCount + mrcCount;
    }
}
