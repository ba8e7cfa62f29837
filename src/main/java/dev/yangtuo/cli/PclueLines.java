package dev.yangtuo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the lines of a file say, one after the other; blank lines say nothing.
 *
 * @param <T> what a line says
 */
final class PclueLines<T> implements Iterator<T> {
    /** The longest tasks of pCLUE have some kilobytes. */
    private static final int MAX_LINE_BYTES = 16 << 20;

    private final LineReader reader;
    private final String name;
    private final BiFunction<String, String, T> parse;
    private @Nullable T next;

    /**
     * @param in whoever opened it closes it
     * @param name what messages call the file
     * @param parse what a line says; its second argument is what messages call the line
     */
    PclueLines(InputStream in, String name, BiFunction<String, String, T> parse) {
        this.reader = new LineReader(in, name, MAX_LINE_BYTES);
        this.name = name;
        this.parse = parse;
    }

    @Override
    public boolean hasNext() {
        while (next == null) {
            String line = read();
            if (line == null) {
                return false;
            }
            if (!line.isBlank()) {
                next = parse.apply(line, "%s, line %d".formatted(name, reader.number()));
            }
        }
        return true;
    }

    private @Nullable String read() {
        try {
            return reader.nextText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @throws UncheckedIOException if the file cannot be read */
    @Override
    public T next() {
        T result = hasNext() ? next : null;
        if (result == null) {
            throw new NoSuchElementException();
        }
        next = null;
        return result;
    }
}
