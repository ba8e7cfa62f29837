package dev.yangtuo.cli;

/**
 * Text out of files as it may stand on a terminal: what could command the terminal, break a line or turn the direction of writing is written as an
 * escape, and what is long is cut.
 */
final class TerminalText {
    private TerminalText() {}

    /** The text whole, escaped. */
    static String escaped(String text) {
        return escaped(text, Integer.MAX_VALUE);
    }

    /**
     * The text, escaped.
     *
     * @param columns how many a terminal should need for it at most; what is cut off becomes {@code …}
     */
    static String escaped(String text, int columns) {
        StringBuilder out = new StringBuilder();
        int used = 0;
        for (int i = 0; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            String shown = mustBeEscaped(codePoint) ? escape(codePoint) : Character.toString(codePoint);
            int width = TextTable.columns(shown);
            boolean last = i + Character.charCount(codePoint) == text.length();
            // Unless it is the last one, the mark of the cut must fit behind it.
            if (width > columns - used - (last ? 0 : 1)) {
                return out.append('…').toString();
            }
            out.append(shown);
            used += width;
            i += Character.charCount(codePoint);
        }
        return out.toString();
    }

    /**
     * Whether a character does something other than stand there: controls, line separators, those that turn the direction of writing or are
     * invisible, halves of characters.
     */
    static boolean mustBeEscaped(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> true;
            default -> false;
        };
    }

    private static String escape(int codePoint) {
        return switch (codePoint) {
            case '\n' -> "\\n";
            case '\t' -> "\\t";
            case '\r' -> "\\r";
            default -> codePoint > 0xFFFF ? "\\U%08x".formatted(codePoint) : "\\u%04x".formatted(codePoint);
        };
    }
}
