package dev.yangtuo;

/**
 * A token of a given text, as the model sees it.
 *
 * @param id of the token
 * @param piece as the tokenizer writes it; see {@link dev.yangtuo.tokenizer.Tokenizer#piece}
 * @param logProbability natural logarithm of the probability that the model gives it after all that is before it
 * @param greedy whether it is the most probable token there, of equal ones the one with the smallest id
 */
public record ScoredToken(int id, String piece, double logProbability, boolean greedy) {}
