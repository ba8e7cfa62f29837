package dev.yangtuo.benchmarks.latency;

import java.util.SplittableRandom;

/** Prompts of random ids: what they take does not depend on what they say. The same numbers give the same ids. */
final class RandomPrompts {
    /** LLaMA's vocabularies begin with these special and byte pieces, which a text seldom has. */
    private static final int FIRST_WORD = 259;

    private RandomPrompts() {}

    /**
     * {@return ids of whole words}
     *
     * @param number of the prompt: prompts of different numbers begin differently, so none finds its keys and values computed by another
     * @param vocabSize pieces of the vocabulary, 260 or more
     */
    static int[] prompt(int number, int tokens, int vocabSize) {
        int words = vocabSize - FIRST_WORD;
        int[] prompt = new SplittableRandom(number).ints(tokens, FIRST_WORD, vocabSize).toArray();
        prompt[0] = FIRST_WORD + number % words;
        if (tokens > 1) {
            prompt[1] = FIRST_WORD + number / words % words;
        }
        return prompt;
    }
}
