package dev.yangtuo;

import dev.yangtuo.scheduler.SchedulerStatistics;
import java.time.Duration;

/**
 * What the texts of a model have taken together since it was loaded. Counts of texts that are in the making may be those of the forward pass before.
 *
 * @param texts that have ended
 * @param forwardPasses in which they were computed, several texts in each
 * @param promptTokens tokens of prompts that were begun
 * @param reusedTokens of these, those that an earlier text with the same beginning had computed
 * @param generatedTokens tokens that were generated
 * @param draftedTokens tokens that were guessed, see {@link GenerateOptions#promptLookup}
 * @param acceptedTokens guessed tokens that became part of a text
 * @param preemptions how often a text gave its memory for keys and values to others, and was computed again
 * @param computing time in forward passes
 * @param busy time in which there was something to do
 */
public record TextStatistics(
        long texts, long forwardPasses, long promptTokens, long reusedTokens, long generatedTokens, long draftedTokens, long acceptedTokens, long preemptions,
        Duration computing, Duration busy) {
    static TextStatistics of(SchedulerStatistics s) {
        return new TextStatistics(s.texts(), s.passes(), s.promptTokens(), s.reusedTokens(), s.generatedTokens(), s.draftedTokens(), s.acceptedTokens(), s.preemptions(),
                Duration.ofNanos(s.passNanos()), Duration.ofNanos(s.busyNanos()));
    }

    /** Share of the prompts' tokens that did not have to be computed, 0 to 1. */
    public double hitRate() {
        return promptTokens == 0 ? 0 : (double) reusedTokens / promptTokens;
    }

    /** Share of the guesses that were right, 0 to 1. */
    public double acceptanceRate() {
        return draftedTokens == 0 ? 0 : (double) acceptedTokens / draftedTokens;
    }
}
