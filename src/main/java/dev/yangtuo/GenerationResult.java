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
 * @param timeToFirstToken from the start of the computation to the first token
 * @param timeAfterFirstToken from the first token to the last
 * @param seed the seed that was used; the same seed gives the same text
 */
public record GenerationResult(
        String text,
        List<Integer> ids,
        FinishReason finishReason,
        int promptTokens,
        int generatedTokens,
        Duration timeToFirstToken,
        Duration timeAfterFirstToken,
        long seed) {
    /** Copies the ids. */
    public GenerationResult {
        ids = List.copyOf(ids);
    }

    /** Tokens per second after the first one; 0 if there were fewer than two. */
    public double tokensPerSecond() {
        return generatedTokens < 2 ? 0 : (generatedTokens - 1) / (timeAfterFirstToken.toNanos() / 1e9);
    }
}
