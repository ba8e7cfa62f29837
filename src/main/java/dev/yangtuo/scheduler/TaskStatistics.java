package dev.yangtuo.scheduler;

/**
 * What a text took.
 *
 * @param queueNanos from its submission to its first forward pass
 * @param promptNanos from there to its first token
 * @param generationNanos from there to its last token
 * @param reusedTokens tokens of the prompt whose keys and values were there already
 * @param preemptions how often it gave its memory to others and was computed again
 * @param drafted tokens that were guessed
 * @param accepted guessed tokens that were right
 */
public record TaskStatistics(
        long queueNanos, long promptNanos, long generationNanos, int reusedTokens, int preemptions, int drafted, int accepted) {}
