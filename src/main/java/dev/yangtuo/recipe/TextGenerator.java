package dev.yangtuo.recipe;

/** Writes what follows a prompt. Called by many threads at a time. */
@FunctionalInterface
public interface TextGenerator {
    /**
     * Writes a text.
     *
     * @param seed the same prompt and seed give the same text
     * @throws dev.yangtuo.exception.ContextLengthException if the prompt is too long
     */
    Completion generate(String prompt, long seed);

    /** Tokens that can follow a prompt; negative if it does not fit at all. As many as one likes unless this is overridden. */
    default int room(String prompt) {
        return Integer.MAX_VALUE;
    }

    /**
     * Makes the texts that are in the making end soon, with {@link dev.yangtuo.FinishReason#CANCELLED}; later ones are not affected. Does nothing
     * unless this is overridden.
     */
    default void cancel() {}
}
