package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JacksonException;
import dev.yangtuo.exception.YangtuoException;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Turns lines of standard input into lines of standard output. A line ends at a line feed and nowhere else; a last one without it counts if it
 * is not empty. Output is written whenever the input pauses, so that a program at the other end of both pipes gets its answers.
 */
final class LineFilter {
    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int limit;

    private LineFilter(InputStream in) {
        this.in = in;
    }

    /** What becomes of a line. */
    interface LineFunction {
        /** @throws IllegalArgumentException if the line is not understood; the message becomes part of one that names the line */
        String apply(byte[] line) throws IOException;
    }

    /** Runs to the end of standard input. */
    static void run(LineFunction function) throws IOException {
        LineFilter lines = new LineFilter(System.in);
        OutputStream out = new BufferedOutputStream(new StandardOutput(), 1 << 16);
        try {
            long number = 0;
            for (byte[] line = lines.next(); line != null; line = lines.next()) {
                number++;
                out.write(convert(function, line, number).getBytes(StandardCharsets.UTF_8));
                out.write('\n');
                if (lines.pauses()) {
                    out.flush();
                }
            }
        } finally {
            out.flush();
        }
    }

    private static String convert(LineFunction function, byte[] line, long number) throws IOException {
        try {
            return function.apply(line);
        } catch (JacksonException e) {
            throw new YangtuoException("standard input, line %d: not valid JSON: %s".formatted(number, e.getOriginalMessage()), e);
        } catch (IllegalArgumentException e) {
            throw new YangtuoException("standard input, line %d: %s".formatted(number, e.getMessage()), e);
        }
    }

    /** The next line without its line feed, or null at the end. */
    private byte @Nullable [] next() throws IOException {
        ByteArrayOutputStream line = null;
        while (true) {
            if (position == limit) {
                position = 0;
                limit = Math.max(0, in.read(buffer));
                if (limit == 0) {
                    return line == null ? null : line.toByteArray();
                }
            }
            int end = position;
            while (end < limit && buffer[end] != '\n') {
                end++;
            }
            line = line == null ? new ByteArrayOutputStream(end - position) : line;
            line.write(buffer, position, end - position);
            boolean complete = end < limit;
            position = complete ? end + 1 : end;
            if (complete) {
                return line.toByteArray();
            }
        }
    }

    private boolean pauses() throws IOException {
        return position == limit && in.available() == 0;
    }
}
