package dev.yangtuo;

import java.util.List;

/**
 * How probable a continuation is after a prompt.
 *
 * @param tokens of the continuation, at least one
 */
public record Score(List<ScoredToken> tokens) {
    /** Copies the list. */
    public Score {
        tokens = List.copyOf(tokens);
    }

    /** The continuation's ids. */
    public List<Integer> ids() {
        return tokens.stream().map(ScoredToken::id).toList();
    }

    /** Natural logarithm of the continuation's probability: the sum over its tokens, in their order. */
    public double sum() {
        double sum = 0;
        for (ScoredToken token : tokens) {
            sum += token.logProbability();
        }
        return sum;
    }

    /** {@link #sum()} divided by the number of tokens, to compare continuations of different lengths. */
    public double perToken() {
        return sum() / tokens.size();
    }

    /** Whether greedy generation would have written this continuation. */
    public boolean isGreedy() {
        return tokens.stream().allMatch(ScoredToken::greedy);
    }
}
