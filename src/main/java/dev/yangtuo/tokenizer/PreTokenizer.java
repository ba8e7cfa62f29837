package dev.yangtuo.tokenizer;

/**
 * Cuts text into words, the first step of byte-level encoding: nothing is ever merged across the end of a word. The models define their
 * words by regular expressions; these are scanners that find the same ones, in time linear in the text, without recursion, and able to
 * say when the end of a word depends on what comes after the text at hand. Where an expression is a row of steps, each cutting what the
 * steps before left whole, one scanner does all of them. Immutable and thread-safe.
 */
sealed interface PreTokenizer permits Gpt2PreTokenizer, Llama3PreTokenizer, DeepSeekPreTokenizer, DeepSeekV3PreTokenizer {
    /** The word's end depends on what comes behind the text at hand. */
    int UNDECIDED = -1;

    /** What a part of an expression returns that does not match. */
    int NO_MATCH = 0;

    /**
     * {@return where the first word ends, or {@link #UNDECIDED}} A scanner begins anew at every word, so text may be handed on word by
     * word.
     *
     * @param text UTF-16 without half surrogate pairs in {@code [from, to)}
     * @param from the end of another word, or the text's beginning; less than {@code to}
     * @param last whether the text ends at {@code to}; then the answer is never UNDECIDED
     */
    int wordEnd(char[] text, int from, int to, boolean last);

    /** {@return the scanner of a type} */
    static PreTokenizer of(PreTokenizerType type) {
        return switch (type) {
            case GPT_2 -> new Gpt2PreTokenizer(false);
            case SMOLLM -> new Gpt2PreTokenizer(true);
            case LLAMA_BPE, CHATGLM_BPE -> new Llama3PreTokenizer(3, false);
            case QWEN2 -> new Llama3PreTokenizer(1, false);
            case QWEN35 -> new Llama3PreTokenizer(1, true);
            case DEEPSEEK_LLM -> DeepSeekPreTokenizer.llm();
            case DEEPSEEK_CODER -> DeepSeekPreTokenizer.coder();
            case DEEPSEEK_V3 -> new DeepSeekV3PreTokenizer();
        };
    }

    /**
     * {@return where {@code 's|'t|'re|'ve|'m|'ll|'d} ends, {@link #NO_MATCH} or {@link #UNDECIDED}}
     *
     * @param from where an apostrophe stands
     * @param ignoreCase {@code (?i:...)}
     */
    static int contractionEnd(char[] text, int from, int to, boolean last, boolean ignoreCase) {
        if (from + 1 == to) {
            return last ? NO_MATCH : UNDECIDED;
        }
        char first = ignoreCase ? folded(text[from + 1]) : text[from + 1];
        switch (first) {
            case 's', 't', 'm', 'd':
                return from + 2;
            case 'r', 'v', 'l':
                if (from + 2 == to) {
                    return last ? NO_MATCH : UNDECIDED;
                }
                char second = ignoreCase ? folded(text[from + 2]) : text[from + 2];
                return second == (first == 'l' ? 'l' : 'e') ? from + 3 : NO_MATCH;
            default:
                return NO_MATCH;
        }
    }

    /** Simple case folding, as far as it leads to a letter of a contraction: U+017F, the long s, folds to s. */
    private static char folded(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c == '\u017F' ? 's' : c;
    }
}
