package dev.yangtuo.scheduler;

/**
 * A text that is read and not continued: what the model computes at its positions is wanted.
 *
 * @param tokens ids, at least one, at most the context; not copied
 * @param from the first position of which something is wanted; what is before it may have been computed for an earlier text
 * @param wanted what is
 * @param priority of two texts that wait, or that want the last memory, the one with the higher number goes first
 * @param listener is told of every position from {@code from} to the last
 */
public record ReadingTask(int[] tokens, int from, Wanted wanted, int priority, ReadingListener listener) implements Task {
    /** What can be had of a position. */
    public enum Wanted {
        /** The logits of the token that follows: {@code vocabSize} values. */
        LOGITS,
        /** The residual stream after the last norm: {@code dim} values. */
        STATES
    }

    /** Checks that there is something to read. */
    public ReadingTask {
        if (from < 0 || from >= tokens.length) {
            throw new IllegalArgumentException("a text of %d tokens cannot be read from token %d on".formatted(tokens.length, from));
        }
    }
}
