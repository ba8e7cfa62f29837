package dev.yangtuo.tokenizer;

import java.util.function.IntUnaryOperator;

/**
 * What kind of character each one is, for pre-tokenizers: a byte of flags for each below U+10000, computed for the few above. General
 * categories are those of the Unicode version that the JDK has. Immutable and thread-safe.
 */
final class CharacterClasses {
    /** {@code \p{L}}. */
    static final int LETTER = 1;
    /** {@code \p{N}}. */
    static final int NUMBER = 2;
    /** {@code \s}: Unicode's White_Space, line ends among them. All below U+10000. */
    static final int SPACE = 4;
    /** {@code \p{M}}. */
    static final int MARK = 8;
    /** {@code \p{P}}. */
    static final int PUNCTUATION = 16;
    /** {@code \p{S}}. */
    static final int SYMBOL = 32;
    /** {@code [\r\n]}. */
    static final int NEWLINE = 64;
    /** What the model at hand keeps apart beside that: ideographs and some of their neighbours. */
    static final int IDEOGRAPH = 128;

    /** Unicode's categories, nothing else. */
    static final CharacterClasses UNICODE = new CharacterClasses(CharacterClasses::category);

    private final IntUnaryOperator flags;
    /** Flags of each character below U+10000, uint8, [65536]. */
    private final byte[] bmp = new byte[0x10000];

    /** @param flags from a code point to its flags; asked again for those above U+FFFF */
    CharacterClasses(IntUnaryOperator flags) {
        this.flags = flags;
        for (int codePoint = 0; codePoint < bmp.length; codePoint++) {
            bmp[codePoint] = (byte) flags.applyAsInt(codePoint);
        }
    }

    /** {@return the flags of the character that begins there} */
    int of(char[] text, int at) {
        char first = text[at];
        return Character.isHighSurrogate(first) ? flags.applyAsInt(Character.toCodePoint(first, text[at + 1])) : bmp[first] & 0xFF;
    }

    /** {@return where the character ends that begins there} */
    static int after(char[] text, int at) {
        return Character.isHighSurrogate(text[at]) ? at + 2 : at + 1;
    }

    /** {@return where the run of characters ends whose flags within the mask are those, beginning at a character boundary} */
    int runEnd(char[] text, int from, int to, int mask, int wanted) {
        int at = from;
        while (at < to && (of(text, at) & mask) == wanted) {
            at = after(text, at);
        }
        return at;
    }

    /** The flags that follow from a code point's general category and White_Space. */
    static int category(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.TITLECASE_LETTER, Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER -> LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK -> MARK;
            case Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION, Character.START_PUNCTUATION, Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION, Character.OTHER_PUNCTUATION -> PUNCTUATION;
            case Character.MATH_SYMBOL, Character.CURRENCY_SYMBOL, Character.MODIFIER_SYMBOL, Character.OTHER_SYMBOL -> SYMBOL;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            case Character.CONTROL -> switch (codePoint) {
                case '\r', '\n' -> SPACE | NEWLINE;
                case '\t', 0x0B, '\f', 0x85 -> SPACE;
                default -> 0;
            };
            default -> 0;
        };
    }
}
