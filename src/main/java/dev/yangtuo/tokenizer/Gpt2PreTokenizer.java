package dev.yangtuo.tokenizer;

import static dev.yangtuo.tokenizer.CharacterClasses.LETTER;
import static dev.yangtuo.tokenizer.CharacterClasses.NUMBER;
import static dev.yangtuo.tokenizer.CharacterClasses.SPACE;

/**
 * GPT-2's words: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}. With isolated digits a step before
 * makes each {@code \p{N}} a word, so that what is before a digit ends as a text does.
 */
final class Gpt2PreTokenizer implements PreTokenizer {
    private static final int KINDS = LETTER | NUMBER | SPACE;

    private final CharacterClasses classes = CharacterClasses.UNICODE;
    private final boolean isolatesDigits;

    Gpt2PreTokenizer(boolean isolatesDigits) {
        this.isolatesDigits = isolatesDigits;
    }

    @Override
    public int wordEnd(char[] text, int from, int to, boolean last) {
        if (text[from] == '\'') {
            int end = PreTokenizer.contractionEnd(text, from, to, last, false);
            if (end != NO_MATCH) {
                return end;
            }
        }
        int start = from;
        if (text[from] == ' ') {
            start++;
            if (start == to) {
                return last ? to : UNDECIDED;
            }
        }
        int kind = classes.of(text, start) & KINDS;
        if (kind == SPACE) {
            return spacesEnd(text, from, to, last);
        }
        if (kind == NUMBER && isolatesDigits) {
            return start > from ? start : CharacterClasses.after(text, start);
        }
        int end = classes.runEnd(text, start, to, KINDS, kind);
        return end == to && !last ? UNDECIDED : end;
    }

    /** {@code \s+(?!\S)|\s+}: the last space stays with the word behind it. */
    private int spacesEnd(char[] text, int from, int to, boolean last) {
        int end = classes.runEnd(text, from, to, SPACE, SPACE);
        if (end == to) {
            return last ? to : UNDECIDED;
        }
        boolean atDigit = isolatesDigits && (classes.of(text, end) & NUMBER) != 0;
        return atDigit || end - from == 1 ? end : end - 1;
    }
}
