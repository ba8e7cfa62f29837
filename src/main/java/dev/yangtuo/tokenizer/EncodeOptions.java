package dev.yangtuo.tokenizer;

/**
 * What is added around the ids of a text.
 *
 * @param bos whether the begin-of-sequence id comes first
 * @param eos whether the end-of-sequence id comes last
 */
public record EncodeOptions(boolean bos, boolean eos) {
    /** The ids of the text and nothing else. */
    public static final EncodeOptions PLAIN = new EncodeOptions(false, false);

    /** The begin-of-sequence id, then the ids of the text: what a prompt needs. */
    public static final EncodeOptions BOS = new EncodeOptions(true, false);

    /**
     * {@return these options with the begin-of-sequence id added or not}
     *
     * @param add whether it is added
     */
    public EncodeOptions withBos(boolean add) {
        return new EncodeOptions(add, eos);
    }

    /**
     * {@return these options with the end-of-sequence id added or not}
     *
     * @param add whether it is added
     */
    public EncodeOptions withEos(boolean add) {
        return new EncodeOptions(bos, add);
    }
}
