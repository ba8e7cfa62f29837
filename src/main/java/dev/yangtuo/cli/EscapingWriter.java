package dev.yangtuo.cli;

import java.io.IOException;
import java.io.Writer;

/**
 * Passes JSON on, with every character that a terminal might obey as an escape: JSON itself asks for that below U+0020 only. Outside of strings JSON
 * has no such character, so what is read from it stays the same.
 */
final class EscapingWriter extends Writer {
    private final Writer out;
    /** The first half of a character whose second half has not come yet, or 0. */
    private char pending;

    EscapingWriter(Writer out) {
        this.out = out;
    }

    @Override
    public void write(char[] chars, int offset, int length) throws IOException {
        StringBuilder text = new StringBuilder(length + 16);
        for (int i = offset; i < offset + length; i++) {
            char c = chars[i];
            if (pending != 0) {
                char first = pending;
                pending = 0;
                if (Character.isLowSurrogate(c)) {
                    append(text, Character.toCodePoint(first, c));
                    continue;
                }
                append(text, first);
            }
            if (Character.isHighSurrogate(c)) {
                pending = c;
            } else {
                append(text, c);
            }
        }
        out.append(text);
    }

    private static void append(StringBuilder text, int codePoint) {
        if (!TerminalText.mustBeEscaped(codePoint)) {
            text.appendCodePoint(codePoint);
            return;
        }
        for (char c : Character.toChars(codePoint)) {
            text.append("\\u%04x".formatted((int) c));
        }
    }

    @Override
    public void flush() throws IOException {
        out.flush();
    }

    /** Ends the text; the writer that it goes to stays open. */
    @Override
    public void close() throws IOException {
        if (pending != 0) {
            StringBuilder text = new StringBuilder();
            append(text, pending);
            pending = 0;
            out.append(text);
        }
        out.flush();
    }
}
