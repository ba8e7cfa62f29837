package dev.yangtuo.tokenizer;

/**
 * How many tokens texts became, and of which kind. {@link TokenCounter} counts them one text at a time; {@link #of} counts one text.
 *
 * <pre>{@code
 * double ratio = (double) TokenStatistics.of(chinese, text).tokens() / TokenStatistics.of(llama, text).tokens();
 * }</pre>
 *
 * <p>A rate of nothing, such as characters per token where there is no token, is NaN or infinite, as the division of doubles is.
 *
 * @param texts the texts; where each line of a file is one, its lines
 * @param characters their Unicode characters (code points), before normalization; whatever is {@code malformed} counts one each, U+FFFD
 * @param bytes their length in UTF-8
 * @param malformed bytes that are not part of a valid character; in texts that came as UTF-16, halves of surrogate pairs
 * @param tokens their ids, begin and end of sequence included where they were asked for
 * @param byteTokens those of them of type {@link PieceType#BYTE}: parts of characters that have no piece
 * @param unknownTokens those of them of type {@link PieceType#UNKNOWN}: runs of characters that are lost
 */
public record TokenStatistics(
        long texts, long characters, long bytes, long malformed, long tokens, long byteTokens, long unknownTokens) {
    /** The statistics of no text. */
    public static final TokenStatistics NONE = new TokenStatistics(0, 0, 0, 0, 0, 0, 0);

    /**
     * {@return the statistics of one text, nothing added to its ids}
     *
     * @param tokenizer what makes the ids
     * @param text any; a half surrogate pair counts as U+FFFD
     */
    public static TokenStatistics of(Tokenizer tokenizer, CharSequence text) {
        TokenCounter counter = new TokenCounter(tokenizer);
        counter.add(text);
        return counter.statistics();
    }

    /**
     * {@return the statistics of these texts and others together}
     *
     * @param other statistics of other texts with the same tokenizer
     */
    public TokenStatistics plus(TokenStatistics other) {
        return new TokenStatistics(
                texts + other.texts,
                characters + other.characters,
                bytes + other.bytes,
                malformed + other.malformed,
                tokens + other.tokens,
                byteTokens + other.byteTokens,
                unknownTokens + other.unknownTokens);
    }

    /** {@return characters that a token stands for in the mean} */
    public double charactersPerToken() {
        return (double) characters / tokens;
    }

    /** {@return bytes of UTF-8 that a token stands for in the mean} */
    public double bytesPerToken() {
        return (double) bytes / tokens;
    }

    /** {@return the share of the tokens that are single bytes, 0 to 1} */
    public double byteTokenShare() {
        return (double) byteTokens / tokens;
    }
}
