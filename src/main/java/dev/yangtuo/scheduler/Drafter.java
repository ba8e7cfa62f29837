package dev.yangtuo.scheduler;

/**
 * Guesses how a text goes on, for speculative decoding: guesses are computed in one pass with the next token, and those that the sampler would have chosen are kept. So
 * the text is the same as without, token for token; only its speed depends on the guesses. Used for one text, by the scheduler's thread.
 */
public interface Drafter extends AutoCloseable {
    /** Guesses nothing. */
    Drafter NONE = new Drafter() {
        @Override
        public int draft(int[] tokens, int count, int[] target, int most) {
            return 0;
        }

        @Override
        public void close() {}
    };

    /**
     * Guesses the tokens that follow.
     *
     * @param tokens the text so far, prompt included: the first {@code count}
     * @param target receives the guesses from 0 on
     * @param most how many are useful at most, at least 1
     * @return how many there are, 0 to {@code most}
     */
    int draft(int[] tokens, int count, int[] target, int most);

    /** The text has ended. */
    @Override
    void close();
}
