package dev.yangtuo.jinja;

/**
 * A word of a template.
 *
 * @param text of a string its value, of anything else what is written
 * @param line that it begins in; the first is 1
 */
record Lexeme(Kind kind, String text, int line) {
    /** What a word is. */
    enum Kind { DATA, STATEMENT_BEGIN, STATEMENT_END, OUTPUT_BEGIN, OUTPUT_END, NAME, STRING, INTEGER, FLOAT, OPERATOR, END }

    boolean is(Kind other) {
        return kind == other;
    }

    boolean is(Kind other, String words) {
        return kind == other && text.equals(words);
    }

    boolean isOperator(String words) {
        return is(Kind.OPERATOR, words);
    }

    boolean isName(String words) {
        return is(Kind.NAME, words);
    }

    /** For messages. */
    String shown() {
        return kind == Kind.END ? "the end of the template" : "'" + text + "'";
    }
}
