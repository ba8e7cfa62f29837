package dev.yangtuo;

/** Receives the logits of one token after the other. */
@FunctionalInterface
public interface LogitsConsumer {
    /**
     * @param position index of the token, from 0
     * @param logits holds the logits of the token that follows; reused, so to be copied if they are kept
     * @param offset index of the first of {@code vocabSize} values
     */
    void accept(int position, float[] logits, int offset);
}
