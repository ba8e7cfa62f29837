package dev.yangtuo;

/**
 * How well a model predicts a text, or what is known of it so far.
 *
 * @param method which tokens were scored
 * @param context tokens of a window
 * @param windows windows that were computed
 * @param tokens tokens that were scored
 * @param nats sum over them of the negative natural logarithm of the probability that the model gave to the token
 * @param squaredNats sum of the squares of these logarithms
 * @param textTokens tokens of the text read so far, scored or not, without beginning of sequence
 * @param textCharacters Unicode characters of that text
 * @param textBytes bytes of that text in UTF-8
 */
public record Perplexity(
        PerplexityMethod method,
        int context,
        int windows,
        long tokens,
        double nats,
        double squaredNats,
        long textTokens,
        long textCharacters,
        long textBytes) {

    /** The perplexity: e to the mean of the negative logarithms. */
    public double value() {
        return Math.exp(natsPerToken());
    }

    /**
     * Standard error of the perplexity, if the tokens' logarithms were independent: the standard error of their mean, times the perplexity, which is the
     * derivative of its exponential. Says how much the text decides, not how exact the arithmetic is. NaN of a single token.
     */
    public double standardError() {
        double mean = natsPerToken();
        // Rounding can leave a little less than nothing where all are equal.
        double variance = Math.max(0, squaredNats / tokens - mean * mean);
        return value() * Math.sqrt(variance / (tokens - 1));
    }

    /** Mean over the scored tokens. */
    public double natsPerToken() {
        return nats / tokens;
    }

    /** The same in bits. */
    public double bitsPerToken() {
        return natsPerToken() / Math.log(2);
    }

    /**
     * The mean of a token, spread over the bytes that a token of this text has on average: comparable between vocabularies. Where all tokens are scored, it is
     * the sum divided by the bytes of the text.
     */
    public double natsPerByte() {
        return natsPerToken() * textTokens / textBytes;
    }

    /** The same in bits. */
    public double bitsPerByte() {
        return bitsPerToken() * textTokens / textBytes;
    }

    /** As {@link #natsPerByte()}, of a character. */
    public double natsPerCharacter() {
        return natsPerToken() * textTokens / textCharacters;
    }

    /** The same in bits. */
    public double bitsPerCharacter() {
        return bitsPerToken() * textTokens / textCharacters;
    }
}
