package dev.yangtuo.tokenizer;

import static dev.yangtuo.tokenizer.CharacterClasses.IDEOGRAPH;
import static dev.yangtuo.tokenizer.CharacterClasses.LETTER;
import static dev.yangtuo.tokenizer.CharacterClasses.MARK;
import static dev.yangtuo.tokenizer.CharacterClasses.NEWLINE;
import static dev.yangtuo.tokenizer.CharacterClasses.NUMBER;
import static dev.yangtuo.tokenizer.CharacterClasses.PUNCTUATION;
import static dev.yangtuo.tokenizer.CharacterClasses.SPACE;
import static dev.yangtuo.tokenizer.CharacterClasses.SYMBOL;

/**
 * DeepSeek V3's words, in three steps: {@code \p{N}{1,3}}, then U+4E00 to U+9FA5 with the kana, then
 * {@code [!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+} within what is
 * left whole. So text ends, for the third step, where digits begin and where ideographs begin or end. What no alternative matches, such
 * as control characters, is a word until one does.
 */
final class DeepSeekV3PreTokenizer implements PreTokenizer {
    private static final int LETTERS = LETTER | MARK;
    private static final int SIGNS = PUNCTUATION | SYMBOL;

    private final CharacterClasses classes = new CharacterClasses(
            codePoint -> CharacterClasses.category(codePoint) | (isIdeograph(codePoint) ? IDEOGRAPH : 0));

    private static boolean isIdeograph(int codePoint) {
        return codePoint >= 0x4E00 && codePoint <= 0x9FA5 || codePoint >= 0x3040 && codePoint <= 0x30FF;
    }

    @Override
    public int wordEnd(char[] text, int from, int to, boolean last) {
        int end = end(text, from, to, last);
        return end == to && !last ? UNDECIDED : end;
    }

    /** As if the text ended at {@code to}, but UNDECIDED where a word that ends before it could become longer. */
    private int end(char[] text, int from, int to, boolean last) {
        int flags = classes.of(text, from);
        int next = CharacterClasses.after(text, from);
        if ((flags & NUMBER) != 0) {
            for (int count = 1; count < 3 && next < to && (classes.of(text, next) & NUMBER) != 0; count++) {
                next = CharacterClasses.after(text, next);
            }
            return next;
        }
        int part = flags & IDEOGRAPH;
        int nextFlags = flagsWithin(text, next, to, part);
        if (isAsciiSign(text[from]) && next < to && isAsciiLetter(text[next])) {
            int at = next;
            while (at < to && isAsciiLetter(text[at])) {
                at++;
            }
            return at;
        }
        if ((flags & LETTERS) != 0 || (flags & (NEWLINE | SIGNS)) == 0 && (nextFlags & LETTERS) != 0) {
            return runWithin(text, next, to, part, LETTERS);
        }
        if ((flags & SIGNS) != 0 || text[from] == ' ' && (nextFlags & SIGNS) != 0) {
            return runWithin(text, runWithin(text, next, to, part, SIGNS), to, part, NEWLINE);
        }
        if ((flags & SPACE) != 0) {
            return spacesEnd(text, from, to, last, part);
        }
        return unmatchedEnd(text, next, to, part);
    }

    /** {@return the flags of a character, 0 where the part ends before it} */
    private int flagsWithin(char[] text, int at, int to, int part) {
        if (at == to) {
            return 0;
        }
        int flags = classes.of(text, at);
        return (flags & IDEOGRAPH) == part && (flags & NUMBER) == 0 ? flags : 0;
    }

    private int runWithin(char[] text, int from, int to, int part, int mask) {
        int at = from;
        while ((flagsWithin(text, at, to, part) & mask) != 0) {
            at = CharacterClasses.after(text, at);
        }
        return at;
    }

    /** {@code \s*[\r\n]+|\s+(?!\S)|\s+}. */
    private int spacesEnd(char[] text, int from, int to, boolean last, int part) {
        int end = runWithin(text, from, to, part, SPACE);
        if (end == to && !last) {
            return UNDECIDED;
        }
        for (int at = end; at > from; at--) {
            if (text[at - 1] == '\n' || text[at - 1] == '\r') {
                return at;
            }
        }
        boolean partEnds = end == to || partEndsAt(text, end, part);
        return partEnds || end - from == 1 ? end : end - 1;
    }

    private boolean partEndsAt(char[] text, int at, int part) {
        int flags = classes.of(text, at);
        return (flags & IDEOGRAPH) != part || (flags & NUMBER) != 0;
    }

    /** Up to where a match begins: with the last one of these characters if letters follow. */
    private int unmatchedEnd(char[] text, int from, int to, int part) {
        int at = from;
        while (at < to && !partEndsAt(text, at, part) && (classes.of(text, at) & (LETTERS | SIGNS | SPACE)) == 0) {
            int next = CharacterClasses.after(text, at);
            if ((flagsWithin(text, next, to, part) & LETTERS) != 0) {
                break;
            }
            at = next;
        }
        return at;
    }

    private static boolean isAsciiSign(char c) {
        return c > ' ' && c < 0x7F && !isAsciiLetter(c) && !(c >= '0' && c <= '9');
    }

    private static boolean isAsciiLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }
}
