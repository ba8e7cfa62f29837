package dev.yangtuo.eval;

import dev.yangtuo.Score;
import dev.yangtuo.ScoredToken;
import dev.yangtuo.exception.ContextLengthException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleBiFunction;

/**
 * Stands in for a model: a character is a token, and what it answers is given.
 *
 * @param contextLength tokens of prompt and answer
 * @param scores of a word, or a continuation, behind a prompt
 * @param written what is written behind a prompt
 */
record FakeModel(int contextLength, ToDoubleBiFunction<String, String> scores, Function<String, String> written) implements LanguageModel {
    static FakeModel scoring(ToDoubleBiFunction<String, String> scores) {
        return new FakeModel(100_000, scores, prompt -> "");
    }

    static FakeModel writing(Function<String, String> written) {
        return new FakeModel(100_000, (prompt, word) -> 0, written);
    }

    FakeModel withContext(int tokens) {
        return new FakeModel(tokens, scores, written);
    }

    @Override
    public int countTokens(String prompt) {
        return prompt.codePointCount(0, prompt.length()) + 1;
    }

    private void requireRoom(String prompt) {
        if (countTokens(prompt) > contextLength) {
            throw new ContextLengthException(countTokens(prompt), contextLength);
        }
    }

    @Override
    public double[] scoreNext(String prompt, List<String> words) {
        requireRoom(prompt);
        return words.stream().mapToDouble(word -> scores.applyAsDouble(prompt, word)).toArray();
    }

    @Override
    public List<Score> score(String prompt, List<String> continuations) {
        return continuations.stream().map(continuation -> {
            requireRoom(prompt + continuation.substring(1));
            ScoredToken[] tokens = new ScoredToken[continuation.length()];
            Arrays.setAll(tokens, i -> new ScoredToken(i, continuation.substring(i, i + 1), scores.applyAsDouble(prompt, continuation) / tokens.length, false));
            return new Score(List.of(tokens));
        }).toList();
    }

    @Override
    public String generate(String prompt, int maxTokens, Predicate<String> enough) {
        requireRoom(prompt);
        String all = written.apply(prompt);
        for (int length = 1; length <= Math.min(maxTokens, all.length()); length++) {
            if (enough.test(all.substring(0, length))) {
                return all.substring(0, length);
            }
        }
        return all.substring(0, Math.min(maxTokens, all.length()));
    }
}
