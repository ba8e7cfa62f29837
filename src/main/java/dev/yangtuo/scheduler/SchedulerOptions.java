package dev.yangtuo.scheduler;

import java.time.Duration;

/**
 * How texts share a model.
 *
 * @param pause how long streams may have to wait for the prompts of others, roughly: as many tokens of prompts are computed beside them as take this long. Longer
 *     is better for the throughput, shorter for the flow of every text
 * @param draftTokens guesses for each text at most
 * @param remembersPrefixes whether what was computed serves later texts with the same beginning
 * @param aging a text that has waited as long counts as one higher in priority
 */
public record SchedulerOptions(Duration pause, int draftTokens, boolean remembersPrefixes, Duration aging) {
    /** For texts that somebody reads. */
    public static final SchedulerOptions DEFAULT = new SchedulerOptions(Duration.ofMillis(300), 16, true, Duration.ofSeconds(10));
}
