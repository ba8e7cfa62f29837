package dev.yangtuo.cli;

import java.util.List;
import java.util.Set;

/** Rows of cells, aligned by the columns of a terminal. */
final class TextTable {
    private static final String GAP = "  ";

    private TextTable() {}

    /**
     * Appends the rows, each with its line feed.
     *
     * @param rows at least one, all of as many cells
     * @param leftAligned the columns whose cells begin together; those of the others end together
     */
    static void append(StringBuilder out, List<List<String>> rows, Set<Integer> leftAligned) {
        int[] widths = new int[rows.getFirst().size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], columns(row.get(i)));
            }
        }
        for (List<String> row : rows) {
            int lineStart = out.length();
            for (int i = 0; i < widths.length; i++) {
                String padding = " ".repeat(widths[i] - columns(row.get(i)));
                out.append(GAP).append(leftAligned.contains(i) ? row.get(i) + padding : padding + row.get(i));
            }
            while (out.length() > lineStart && out.charAt(out.length() - 1) == ' ') {
                out.setLength(out.length() - 1);
            }
            out.append('\n');
        }
    }

    /** Columns that a terminal takes for a text: two for a character of East Asian scripts, none for a combining one. */
    static int columns(String text) {
        return text.codePoints().map(TextTable::columns).sum();
    }

    private static int columns(int codePoint) {
        int type = Character.getType(codePoint);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        // The ranges that Unicode's EastAsianWidth.txt calls wide or full width, but for scattered symbols.
        boolean wide = codePoint >= 0x1100 && codePoint <= 0x115F
                || codePoint >= 0x2E80 && codePoint <= 0xA4CF
                || codePoint >= 0xAC00 && codePoint <= 0xD7A3
                || codePoint >= 0xF900 && codePoint <= 0xFAFF
                || codePoint >= 0xFE30 && codePoint <= 0xFE6F
                || codePoint >= 0xFF00 && codePoint <= 0xFF60
                || codePoint >= 0xFFE0 && codePoint <= 0xFFE6
                || codePoint >= 0x1F300 && codePoint <= 0x1FAFF
                || codePoint >= 0x20000 && codePoint <= 0x3FFFD;
        return wide ? 2 : 1;
    }
}
