package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;

/** A place in a text that is parsed, character by character. */
final class Cursor {
    static final int END = -1;

    /** Digits of a count; more than any limit has. */
    private static final int MAX_DIGITS = 9;

    private final String name;
    private final String text;
    private int at;

    /** @param name what the text is, for messages: "the grammar" */
    Cursor(String name, String text) {
        this.name = name;
        this.text = text;
    }

    int at() {
        return at;
    }

    /** The next character, or {@link #END}. */
    int peek() {
        return at == text.length() ? END : text.codePointAt(at);
    }

    /** Takes the next character, which is there. */
    int next() {
        int c = peek();
        if (c == END) {
            throw error("it ends where more is expected");
        }
        at += Character.charCount(c);
        return c;
    }

    boolean startsWith(String expected) {
        return text.startsWith(expected, at);
    }

    /** Whether that is all there is left. */
    boolean endsWith(String expected) {
        return startsWith(expected) && at + expected.length() == text.length();
    }

    /** Takes it if it is next. */
    boolean take(String expected) {
        if (!startsWith(expected)) {
            return false;
        }
        at += expected.length();
        return true;
    }

    /** Takes what must be next. */
    void expect(String expected) {
        if (!take(expected)) {
            throw error("expected '%s', found %s".formatted(expected, found()));
        }
    }

    /** The text from an earlier place to here. */
    String since(int start) {
        return text.substring(start, at);
    }

    /** Takes a number of that many hexadecimal digits: a code point. */
    int hex(int digits) {
        int start = at;
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = peek() < 0x80 ? Character.digit(peek(), 16) : -1;
            if (digit < 0) {
                throw error("expected %d hexadecimal digits, found %s".formatted(digits, found()));
            }
            value = value * 16 + digit;
            at++;
        }
        if (value > Character.MAX_CODE_POINT || value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE) {
            throw error("%s is no character of Unicode".formatted(since(start)));
        }
        return (int) value;
    }

    boolean atDigit() {
        return peek() >= '0' && peek() <= '9';
    }

    /**
     * Takes a decimal number.
     *
     * @param what it counts, for messages
     * @param most the largest value that is supported
     */
    int number(String what, int most) {
        int start = at;
        while (atDigit()) {
            at++;
        }
        if (at == start) {
            throw error("expected a number, found " + found());
        }
        String digits = since(start).replaceFirst("^0+(?=.)", "");
        if (digits.length() > MAX_DIGITS || Integer.parseInt(digits) > most) {
            throw error("%s of %s is more than the %,d that are supported".formatted(what, digits, most));
        }
        return Integer.parseInt(digits);
    }

    /** What is next, for messages. */
    String found() {
        int c = peek();
        if (c == END) {
            return "the end";
        }
        return Character.isISOControl(c) ? "U+%04X".formatted(c) : "'%s'".formatted(Character.toString(c));
    }

    /** What is wrong here. */
    GrammarException error(String problem) {
        return error(at, problem);
    }

    /** What is wrong at an earlier place. */
    GrammarException error(int place, String problem) {
        int line = 1 + (int) text.substring(0, place).chars().filter(c -> c == '\n').count();
        int column = text.codePointCount(text.lastIndexOf('\n', place - 1) + 1, place) + 1;
        return new GrammarException("%s, line %d, column %d: %s".formatted(name, line, column, problem));
    }
}
