package dev.yangtuo;

/**
 * How probable a token is.
 *
 * @param id of the token
 * @param logProbability natural logarithm of its probability, 0 or less
 */
public record TokenLogProbability(int id, double logProbability) {}
