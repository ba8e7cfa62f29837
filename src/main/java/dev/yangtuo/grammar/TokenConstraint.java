package dev.yangtuo.grammar;

/**
 * What may come next in one text: a grammar, for one. The sampler takes what is forbidden out of the logits before all its other steps. Tokens of the prompt are not
 * shown to it, those that were chosen are, in their order. Used by one thread at a time; belongs to one text.
 */
public interface TokenConstraint {
    /**
     * Which tokens may come next: token {@code id} if bit {@code id % 64} of word {@code id / 64} is set. Ids beyond the last word may not come, bits beyond the vocabulary
     * mean nothing. Tokens that end the text are in it where the text may end. At least one token must be.
     *
     * @return not changed by the caller; valid until the next {@link #accept}
     */
    long[] allowed();

    /**
     * The text goes on with this token.
     *
     * @param id one that {@link #allowed()} has
     */
    void accept(int id);
}
