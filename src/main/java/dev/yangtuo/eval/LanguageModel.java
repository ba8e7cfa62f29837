package dev.yangtuo.eval;

import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import java.util.List;
import java.util.function.Predicate;

/**
 * What an evaluation asks: a {@link Llama}, or whatever stands in for it. Called by many threads at the same time; the same question has the same answer.
 */
public interface LanguageModel {
    /**
     * A loaded model, which stays the caller's and must be open while it is asked. What is asked at the same time is computed together, what its prompts have in common
     * once.
     */
    static LanguageModel of(Llama llama) {
        return new LlamaModel(llama);
    }

    /** Tokens that a prompt and what follows it can have together. */
    int contextLength();

    /** Tokens of a prompt, a beginning of sequence included. */
    int countTokens(String prompt);

    /**
     * Whether words come next, as letters that name answers do.
     *
     * @param words not empty
     * @return for each of the words, in their order, the sum of two natural logarithms of probabilities of a token behind the prompt: that of the word's first piece where it
     *     begins a text, and of its last piece where it follows a full-width colon. A vocabulary can have both ("▁A" and "A"). The evaluation script of Chinese-LLaMA-Alpaca
     *     adds the same two logits, which differ from these by a number that all words share
     * @throws dev.yangtuo.exception.ContextLengthException if the prompt is longer than the context
     */
    double[] scoreNext(String prompt, List<String> words);

    /**
     * How probable continuations are after a prompt; {@link Llama#score(String, List)} says what is scored.
     *
     * @throws dev.yangtuo.exception.ContextLengthException if the prompt and a continuation are longer than the context
     */
    List<Score> score(String prompt, List<String> continuations);

    /**
     * Writes on, greedily.
     *
     * @param maxTokens at least 1; the context may end the text before
     * @param enough is shown the text as it grows, and ends it with true
     * @throws dev.yangtuo.exception.ContextLengthException if the prompt is longer than the context
     */
    String generate(String prompt, int maxTokens, Predicate<String> enough);
}
