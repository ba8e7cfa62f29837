package dev.yangtuo.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What lengths and similarities of texts are counted in: a character of the scripts that are written without spaces, a word of the others, in lower
 * case. Everything else, punctuation above all, is left out.
 */
final class TextUnits {
    private TextUnits() {}

    static List<String> of(String text) {
        List<String> units = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            i += Character.charCount(codePoint);
            boolean single = standsAlone(codePoint);
            if (!single && (Character.isLetterOrDigit(codePoint) || isMark(codePoint) && !word.isEmpty())) {
                word.appendCodePoint(codePoint);
                continue;
            }
            endWord(units, word);
            if (single) {
                units.add(Character.toString(codePoint));
            }
        }
        endWord(units, word);
        return units;
    }

    private static void endWord(List<String> units, StringBuilder word) {
        if (!word.isEmpty()) {
            units.add(word.toString().toLowerCase(Locale.ROOT));
            word.setLength(0);
        }
    }

    private static boolean isMark(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
    }

    /** Han, Hiragana, Katakana, Thai and the like. */
    private static boolean standsAlone(int codePoint) {
        return Character.isLetter(codePoint) && switch (Character.UnicodeScript.of(codePoint)) {
            case HAN, HIRAGANA, KATAKANA, BOPOMOFO, THAI, LAO, KHMER, MYANMAR, YI -> true;
            default -> false;
        };
    }
}
