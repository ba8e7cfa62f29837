package dev.yangtuo.batch;

import java.time.Duration;

/**
 * How far a batch has come.
 *
 * @param requests that are done, the failed ones and those of earlier runs included
 * @param failed of these
 * @param resumedRequests of these, those that earlier runs had done
 * @param inputBytes of the input that belong to them; 0 for requests in memory
 * @param resumedInputBytes of these, those of earlier runs
 * @param inputSize bytes of the input, or -1 where nobody knows
 * @param generatedTokens that the model has generated since the run began, for this batch and for others
 * @param elapsed since the run began
 */
public record BatchProgress(
        long requests, long failed, long resumedRequests, long inputBytes, long resumedInputBytes, long inputSize, long generatedTokens, Duration elapsed) {
    /** Generated tokens per second; 0 at the very beginning. */
    public double tokensPerSecond() {
        return elapsed.isZero() ? 0 : generatedTokens / (elapsed.toNanos() / 1e9);
    }
}
