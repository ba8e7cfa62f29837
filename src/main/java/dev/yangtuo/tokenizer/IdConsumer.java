package dev.yangtuo.tokenizer;

/** Takes ids as they are found. */
@FunctionalInterface
public interface IdConsumer {
    /**
     * Takes the next ids.
     *
     * @param ids an array that is used again after the call; what is needed longer must be copied
     * @param count how many of them, from index 0 on; at least 1
     */
    void accept(int[] ids, int count);
}
