package dev.yangtuo.tokenizer;

/**
 * What is added around the ids of a text, and how the text is read.
 *
 * @param bos whether the begin-of-sequence id comes first
 * @param eos whether the end-of-sequence id comes last
 * @param reverse whether the ids of the text come in reverse order; begin and end of sequence stay where they are
 * @param parseSpecial whether control and unknown pieces that are written in the text, such as {@code </s>} or a marker of a chat, become their ids,
 *     the longest first; what stands between them is encoded as texts of their own. Only for text that is trusted: off, no text can produce them
 */
public record EncodeOptions(boolean bos, boolean eos, boolean reverse, boolean parseSpecial) {
    /** The ids of the text and nothing else. */
    public static final EncodeOptions PLAIN = new EncodeOptions(false, false);

    /** The begin-of-sequence id, then the ids of the text: what a prompt needs. */
    public static final EncodeOptions BOS = new EncodeOptions(true, false);

    /**
     * Options that read a text as it is.
     *
     * @param bos whether the begin-of-sequence id comes first
     * @param eos whether the end-of-sequence id comes last
     */
    public EncodeOptions(boolean bos, boolean eos) {
        this(bos, eos, false, false);
    }

    /**
     * {@return these options with the begin-of-sequence id added or not}
     *
     * @param add whether it is added
     */
    public EncodeOptions withBos(boolean add) {
        return new EncodeOptions(add, eos, reverse, parseSpecial);
    }

    /**
     * {@return these options with the end-of-sequence id added or not}
     *
     * @param add whether it is added
     */
    public EncodeOptions withEos(boolean add) {
        return new EncodeOptions(bos, add, reverse, parseSpecial);
    }

    /**
     * {@return these options with the ids of the text reversed or not}
     *
     * @param reversed whether they are
     */
    public EncodeOptions withReverse(boolean reversed) {
        return new EncodeOptions(bos, eos, reversed, parseSpecial);
    }

    /**
     * {@return these options with special tokens in the text recognized or not}
     *
     * @param parse whether they are
     */
    public EncodeOptions withParseSpecial(boolean parse) {
        return new EncodeOptions(bos, eos, reverse, parse);
    }
}
