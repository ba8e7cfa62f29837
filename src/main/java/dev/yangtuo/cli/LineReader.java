package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The lines of an input, one at a time. A line ends at a line feed and nowhere else; a last one without it counts if it is not empty.
 */
final class LineReader {
    /** Larger ones would not fit into arrays of chars that have room for a prefix. */
    private static final int MAX_LINE_BYTES = 1 << 30;

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final InputStream in;
    private final String name;
    private final int maxLineBytes;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int limit;
    private long number;

    /**
     * Begins with what is left of the input.
     *
     * @param in whoever opened it closes it
     * @param name what messages call it
     */
    LineReader(InputStream in, String name) {
        this(in, name, MAX_LINE_BYTES);
    }

    LineReader(InputStream in, String name, int maxLineBytes) {
        this.in = in;
        this.name = name;
        this.maxLineBytes = maxLineBytes;
    }

    /**
     * The next line without its line feed, or null at the end.
     *
     * @throws YangtuoException if it is too long to be kept in memory
     */
    byte @Nullable [] next() throws IOException {
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
            if (line == null) {
                line = new ByteArrayOutputStream(end - position);
                number++;
            }
            if (end - position > maxLineBytes - line.size()) {
                throw new YangtuoException("%s, line %d: is longer than %d bytes; break it into lines".formatted(name, number, maxLineBytes));
            }
            line.write(buffer, position, end - position);
            boolean complete = end < limit;
            position = complete ? end + 1 : end;
            if (complete) {
                return line.toByteArray();
            }
        }
    }

    /**
     * The next line as text, the first one without a byte order mark, or null at the end.
     *
     * @throws YangtuoException if it is too long to be kept in memory, or not UTF-8
     */
    @Nullable String nextText() throws IOException {
        byte[] line = next();
        if (line == null) {
            return null;
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
            return number == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
        } catch (CharacterCodingException e) {
            throw new YangtuoException("%s, line %d: is not UTF-8; convert the file, such as with iconv -f GB18030 -t UTF-8".formatted(name, number), e);
        }
    }

    /** The number of the line that {@link #next} returned last; the first is 1. */
    long number() {
        return number;
    }

    /** Whether nothing more can be read now without waiting. */
    boolean pauses() throws IOException {
        return position == limit && in.available() == 0;
    }
}
