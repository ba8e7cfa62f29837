package dev.yangtuo.scheduler;

import dev.yangtuo.sampling.Sampler;

/**
 * A text to be generated.
 *
 * @param prompt ids, at least one, at most the context; not copied
 * @param sampler chooses the tokens; it has not seen the prompt yet, and belongs to the scheduler until the text ends
 * @param priority of two texts that wait, or that want the last memory, the one with the higher number goes first
 * @param drafter guesses tokens that are computed together with the next one; {@link Drafter#NONE} for none
 * @param logProbabilities best log-probabilities that the listener is told with each token, 0 for that of the token alone; {@link #NONE} for none
 * @param listener is told of every token
 */
public record TextTask(int[] prompt, Sampler sampler, int priority, Drafter drafter, int logProbabilities, TokenListener listener) implements Task {
    /** No log-probabilities. */
    public static final int NONE = -1;

    /** Checks that there is a prompt. */
    public TextTask {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("a text needs a token to begin with");
        }
    }

    /** Without log-probabilities. */
    public TextTask(int[] prompt, Sampler sampler, int priority, Drafter drafter, TokenListener listener) {
        this(prompt, sampler, priority, drafter, NONE, listener);
    }

    @Override
    public int[] tokens() {
        return prompt;
    }
}
