package dev.yangtuo.scheduler;

import dev.yangtuo.sampling.LogProbabilities;

/** Follows one text that is generated. */
public interface TokenListener extends TaskListener {
    /**
     * The next token of the text.
     *
     * @return whether the text goes on; false ends it with this token
     */
    boolean accept(int id);

    /**
     * The same of a text whose task asks for log-probabilities.
     *
     * @param logProbabilities of the token and of the best ones
     */
    default boolean accept(int id, LogProbabilities logProbabilities) {
        return accept(id);
    }

    /**
     * Another part of the prompt is computed; the last part is told before the first token.
     *
     * @param tokensDone tokens of the prompt that are computed, or that were known already
     */
    default void promptProgressed(int tokensDone) {}
}
