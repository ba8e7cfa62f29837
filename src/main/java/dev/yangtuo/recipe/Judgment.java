package dev.yangtuo.recipe;

import java.util.List;

/**
 * A verdict and where it is from.
 *
 * @param verdict what was said
 * @param logProbabilities of A, B and C, natural logarithms, if the verdict is the most probable of them; else empty
 * @param text what the judge wrote, or why there is no verdict; may be empty
 */
public record Judgment(Verdict verdict, List<Double> logProbabilities, String text) {
    /** Copies the list. */
    public Judgment {
        logProbabilities = List.copyOf(logProbabilities);
    }

    /** A verdict without any more. */
    public static Judgment of(Verdict verdict) {
        return new Judgment(verdict, List.of(), "");
    }
}
