package dev.yangtuo.tokenizer;

/**
 * Counts the tokens of texts that are given one after the other, and keeps none of them. For one thread at a time; counters of several
 * threads can share a tokenizer, and their statistics be {@linkplain TokenStatistics#plus added}.
 *
 * <pre>{@code
 * TokenCounter counter = new TokenCounter(tokenizer);
 * try (Stream<String> lines = Files.lines(path)) {
 *     lines.forEach(counter::add);
 * }
 * System.out.println(counter.statistics().charactersPerToken());
 * }</pre>
 */
public final class TokenCounter {
    private final Tokenizer tokenizer;
    private final EncodeOptions options;
    private long texts;
    private long characters;
    private long bytes;
    private long malformed;
    private long tokens;
    private long byteTokens;
    private long unknownTokens;

    /**
     * Makes a counter of the ids of the texts alone.
     *
     * @param tokenizer what makes the ids
     */
    public TokenCounter(Tokenizer tokenizer) {
        this(tokenizer, EncodeOptions.PLAIN);
    }

    /**
     * Makes a counter.
     *
     * @param tokenizer what makes the ids
     * @param options what is added around each text, and counted
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public TokenCounter(Tokenizer tokenizer, EncodeOptions options) {
        this.tokenizer = tokenizer;
        this.options = options;
        tokenizer.encode("", options); // fails here rather than at the first text
    }

    /**
     * Counts a text.
     *
     * @param utf8 the text in UTF-8; every byte that is not part of a valid character counts as U+FFFD
     */
    public void add(byte[] utf8) {
        countTokens(tokenizer.encode(utf8, options));
        for (int i = 0; i < utf8.length; ) {
            int length = Utf8.characterLength(utf8, i, utf8.length);
            if (length <= 0) {
                malformed++;
                length = 1;
            }
            characters++;
            i += length;
        }
        bytes += utf8.length;
    }

    /**
     * Counts a text.
     *
     * @param text any; a half surrogate pair counts as U+FFFD, three bytes
     */
    public void add(CharSequence text) {
        String string = text.toString();
        countTokens(tokenizer.encode(string, options));
        for (int i = 0; i < string.length(); ) {
            int codePoint = string.codePointAt(i);
            if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
                malformed++;
            }
            characters++;
            bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
            i += Character.charCount(codePoint);
        }
    }

    private void countTokens(int[] ids) {
        for (int id : ids) {
            switch (tokenizer.type(id)) {
                case BYTE -> byteTokens++;
                case UNKNOWN -> unknownTokens++;
                default -> { }
            }
        }
        tokens += ids.length;
        texts++;
    }

    /** {@return the statistics of the texts so far} */
    public TokenStatistics statistics() {
        return new TokenStatistics(texts, characters, bytes, malformed, tokens, byteTokens, unknownTokens);
    }
}
