package dev.yangtuo.tokenizer;

import static dev.yangtuo.tokenizer.CharacterClasses.LETTER;
import static dev.yangtuo.tokenizer.CharacterClasses.MARK;
import static dev.yangtuo.tokenizer.CharacterClasses.NEWLINE;
import static dev.yangtuo.tokenizer.CharacterClasses.NUMBER;
import static dev.yangtuo.tokenizer.CharacterClasses.SPACE;

/**
 * The words of Llama 3 and of those that vary its expression:
 * {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}.
 * Qwen 2 has {@code \p{N}} for {@code \p{N}{1,3}}; Qwen 3.5 also {@code [\p{L}\p{M}]+} for {@code \p{L}+}, and no marks among the other
 * characters.
 */
final class Llama3PreTokenizer implements PreTokenizer {
    private final CharacterClasses classes = CharacterClasses.UNICODE;
    private final int maxDigits;
    private final int letters;

    Llama3PreTokenizer(int maxDigits, boolean marksAreLetters) {
        this.maxDigits = maxDigits;
        this.letters = marksAreLetters ? LETTER | MARK : LETTER;
    }

    @Override
    public int wordEnd(char[] text, int from, int to, boolean last) {
        if (text[from] == '\'') {
            int end = PreTokenizer.contractionEnd(text, from, to, last, true);
            if (end != NO_MATCH) {
                return end;
            }
        }
        int flags = classes.of(text, from);
        int next = CharacterClasses.after(text, from);
        if ((flags & letters) != 0) {
            return lettersEnd(text, next, to, last);
        }
        if ((flags & NUMBER) != 0) {
            return digitsEnd(text, next, to, last);
        }
        if (next == to) {
            return last ? to : UNDECIDED;
        }
        int nextFlags = classes.of(text, next);
        if ((flags & NEWLINE) == 0 && (nextFlags & letters) != 0) {
            return lettersEnd(text, next, to, last);
        }
        int ordinary = SPACE | NUMBER | letters;
        if ((flags & SPACE) == 0 || text[from] == ' ' && (nextFlags & ordinary) == 0) {
            return othersEnd(text, next, to, last);
        }
        return spacesEnd(text, from, to, last);
    }

    private int lettersEnd(char[] text, int from, int to, boolean last) {
        int at = from;
        while (at < to && (classes.of(text, at) & letters) != 0) {
            at = CharacterClasses.after(text, at);
        }
        return at == to && !last ? UNDECIDED : at;
    }

    private int digitsEnd(char[] text, int from, int to, boolean last) {
        int at = from;
        for (int count = 1; count < maxDigits; count++) {
            if (at == to) {
                return last ? to : UNDECIDED;
            }
            if ((classes.of(text, at) & NUMBER) == 0) {
                break;
            }
            at = CharacterClasses.after(text, at);
        }
        return at;
    }

    /** {@code [^\s\p{L}\p{N}]*[\r\n]*}, the first one being found already. */
    private int othersEnd(char[] text, int from, int to, boolean last) {
        int at = classes.runEnd(text, from, to, SPACE | NUMBER | letters, 0);
        at = classes.runEnd(text, at, to, NEWLINE, NEWLINE);
        return at == to && !last ? UNDECIDED : at;
    }

    /** {@code \s*[\r\n]+|\s+(?!\S)|\s+}: up to the last line end; else the last space stays with the word behind it. */
    private int spacesEnd(char[] text, int from, int to, boolean last) {
        int end = classes.runEnd(text, from, to, SPACE, SPACE);
        if (end == to && !last) {
            return UNDECIDED;
        }
        for (int at = end; at > from; at--) {
            if (text[at - 1] == '\n' || text[at - 1] == '\r') {
                return at;
            }
        }
        return end == to || end - from == 1 ? end : end - 1;
    }
}
