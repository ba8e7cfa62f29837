package dev.yangtuo.benchmarks.latency;

/**
 * A model and what computes it, as the benchmarks of latency use them: token ids go in, the most probable token comes out, nothing ends a text early. Used by one thread
 * at a time.
 */
interface LatencyEngine extends AutoCloseable {
    /**
     * Tokens that a text takes behind those that it was begun for: texts that are begun first are some ahead, and must not end while the last one is measured.
     */
    int AHEAD = 64;

    /** {@return what computes, with its version, for people} */
    String description();

    /** {@return ids of the vocabulary are below this} */
    int vocabSize();

    /** {@return the first token behind a prompt, whose beginning must not be known from an earlier call} */
    int firstToken(int[] prompt);

    /**
     * {@return the logits of the token that follows each of the ids, or their natural logarithms of probabilities: float32 [ids.length][vocabSize]}
     */
    float[][] logits(int[] ids);

    /**
     * Begins texts.
     *
     * @param prompts of each
     * @param tokens that can be asked of each; they may take {@link #AHEAD} more
     */
    Texts begin(int[][] prompts, int tokens);

    /**
     * {@return prompts for {@link #begin}, of random ids, no two with a common beginning}
     *
     * @param tokens that each text is to give
     */
    int[][] prompts(int count, int promptTokens, int tokens);

    @Override
    void close();

    /** Texts that are computed together. */
    interface Texts extends AutoCloseable {
        /** Waits until each of them has its next token. */
        void step();

        @Override
        void close();
    }
}
