package dev.yangtuo.recipe;

import dev.yangtuo.FinishReason;

/**
 * What was written after a prompt.
 *
 * @param text without the prompt
 * @param finishReason why it ended
 * @param tokens of the text, without the one that ended it; 0 or more
 * @param logProbability natural logarithm of the probability of the tokens, as the model computed it before penalties and temperature: their sum;
 *     NaN if nobody knows
 * @param seed with which it was written
 */
public record Completion(String text, FinishReason finishReason, int tokens, double logProbability, long seed) {
    /** Whether the text came to an end of its own, by an end of text or a stop text. */
    public boolean isFinished() {
        return finishReason == FinishReason.END_OF_TEXT || finishReason == FinishReason.STOP_TEXT;
    }

    /** Log-probability per token; NaN for an empty text. */
    public double meanLogProbability() {
        return tokens == 0 ? Double.NaN : logProbability / tokens;
    }
}
