package dev.yangtuo.tokenizer;

/**
 * How text is prepared before it is cut into pieces; SentencePiece's {@code NormalizerSpec}.
 *
 * @param name name of the rule set, such as {@code identity} or {@code nmt_nfkc}; for people only
 * @param precompiledCharsmap the compiled character map, empty for identity; not copied, must not be changed afterwards
 * @param addDummyPrefix whether one space is put before the text (after it where whitespace is a suffix)
 * @param removeExtraWhitespaces whether leading, trailing and repeated spaces are dropped
 * @param escapeWhitespaces whether a space becomes U+2581, as pieces write it
 */
public record NormalizerSpec(
        String name,
        byte[] precompiledCharsmap,
        boolean addDummyPrefix,
        boolean removeExtraWhitespaces,
        boolean escapeWhitespaces) {

    /**
     * {@return the rules of LLaMA-family models: characters as they are, no space removed, spaces written as U+2581}
     *
     * @param addDummyPrefix whether one space is put before the text; GGUF's {@code tokenizer.ggml.add_space_prefix}
     */
    public static NormalizerSpec identity(boolean addDummyPrefix) {
        return new NormalizerSpec("identity", new byte[0], addDummyPrefix, false, true);
    }
}
