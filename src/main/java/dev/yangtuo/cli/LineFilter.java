package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JacksonException;
import dev.yangtuo.exception.YangtuoException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Turns lines of standard input, as {@link LineReader} finds them, into lines of standard output. Output is written whenever the input
 * pauses, so that a program at the other end of both pipes gets its answers.
 */
final class LineFilter {
    private LineFilter() {}

    /** What becomes of a line. */
    interface LineFunction {
        /** @throws IllegalArgumentException if the line is not understood; the message becomes part of one that names the line */
        String apply(byte[] line) throws IOException;
    }

    /** Runs to the end of standard input. */
    static void run(LineFunction function) throws IOException {
        LineReader lines = new LineReader(System.in, "standard input");
        OutputStream out = new BufferedOutputStream(new StandardOutput(), 1 << 16);
        try {
            for (byte[] line = lines.next(); line != null; line = lines.next()) {
                out.write(convert(function, line, lines.number()).getBytes(StandardCharsets.UTF_8));
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
}
