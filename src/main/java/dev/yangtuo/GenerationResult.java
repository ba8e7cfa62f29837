package dev.yangtuo;

import java.time.Duration;
import java.util.List;

/**
 * What a generation gave.
 *
 * @param text the generated text, without the prompt and without the stop text
 * @param ids the generated ids, without the one that ended the text; with a stop text they may reach beyond {@code text}
 * @param finishReason why it ended
 * @param promptTokens tokens of the prompt, with the beginning-of-sequence token
 * @param generatedTokens tokens computed after the prompt, the one that ended the text included
 * @param timeToFirstToken from the moment at which the text was asked for to the first token
 * @param timeAfterFirstToken from the first token to the last
 * @param seed the seed that was used; the same seed gives the same text
 * @param queueTime how long it waited for other texts before it was begun; part of {@code timeToFirstToken}
 * @param reusedTokens tokens of the prompt that an earlier text with the same beginning had computed
 * @param draftedTokens tokens that were guessed, see {@link GenerateOptions#promptLookup}
 * @param acceptedTokens guessed tokens that became part of the text
 * @param logProbabilities of each of the {@code ids}, if {@link GenerateOptions#logProbabilities} asks for them; else empty
 */
public record GenerationResult(
        String text,
        List<Integer> ids,
        FinishReason finishReason,
        int promptTokens,
        int generatedTokens,
        Duration timeToFirstToken,
        Duration timeAfterFirstToken,
        long seed,
        Duration queueTime,
        int reusedTokens,
        int draftedTokens,
        int acceptedTokens,
        List<TokenLogProbabilities> logProbabilities) {
    /** Copies the lists. */
    public GenerationResult {
        ids = List.copyOf(ids);
        logProbabilities = List.copyOf(logProbabilities);
    }

    /** Tokens per second after the first one; 0 if there were fewer than two, or their time is not known: of a text that was cancelled while it was computed. */
    public double tokensPerSecond() {
        return generatedTokens < 2 || timeAfterFirstToken.isZero() ? 0 : (generatedTokens - 1) / (timeAfterFirstToken.toNanos() / 1e9);
    }

    /** From the first forward pass of the text to its first token: what its prompt took. */
    public Duration promptTime() {
        return timeToFirstToken.minus(queueTime);
    }

    /** The mean time of a token after the first one; zero if there were fewer than two. */
    public Duration timePerToken() {
        return generatedTokens < 2 ? Duration.ZERO : timeAfterFirstToken.dividedBy(generatedTokens - 1);
    }
}
