package dev.yangtuo.scheduler;

/**
 * What a scheduler has done since it was made.
 *
 * @param texts that have ended
 * @param passes forward passes
 * @param columns tokens that were computed
 * @param generatedTokens tokens that were chosen
 * @param promptTokens tokens of prompts that were begun
 * @param reusedTokens of these, those whose keys and values were there already
 * @param preemptions how often a text had to give its memory to others
 * @param draftedTokens tokens that were guessed
 * @param acceptedTokens guessed tokens that were right
 * @param passNanos time in forward passes
 * @param busyNanos time in which there was something to do
 */
public record SchedulerStatistics(
        long texts, long passes, long columns, long generatedTokens, long promptTokens, long reusedTokens, long preemptions, long draftedTokens, long acceptedTokens,
        long passNanos, long busyNanos) {
    /** Share of the time that was not spent in forward passes, 0 to 1. */
    public double overhead() {
        return busyNanos == 0 ? 0 : 1 - (double) passNanos / busyNanos;
    }
}
