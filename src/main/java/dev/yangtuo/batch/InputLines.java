package dev.yangtuo.batch;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * The lines of an input, one at a time, of bounded length: what is longer is skipped and said to be too long. A line ends at a line feed, before which one carriage
 * return is dropped; a byte order mark at the beginning of the input is dropped. With quotes, as CSV has them (RFC 4180), a line feed within quotes ends nothing.
 */
final class InputLines implements AutoCloseable {
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final InputStream in;
    private final int limit;
    private final boolean quotes;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int filled;
    private long bytesBefore;

    private byte[] line = new byte[1 << 10];
    private int length;
    private boolean tooLong;
    private long number;
    private long nextNumber = 1;

    /** Where a byte stands in a record of a CSV file. */
    private enum Place {
        FIELD_START, UNQUOTED, QUOTED, AFTER_QUOTE
    }

    /**
     * Begins.
     *
     * @param in is closed with this
     * @param limit bytes of a line at most
     * @param quotes whether line feeds within quotes belong to a line
     */
    InputLines(InputStream in, int limit, boolean quotes) {
        this.in = in;
        this.limit = limit;
        this.quotes = quotes;
    }

    /** Goes to the next line; false at the end. */
    boolean advance() throws IOException {
        length = 0;
        tooLong = false;
        number = nextNumber;
        Place place = Place.FIELD_START;
        boolean any = false;
        while (position < filled || fill()) {
            byte next = buffer[position++];
            any = true;
            if (next == '\n') {
                nextNumber++;
                if (place != Place.QUOTED) {
                    endLine();
                    return true;
                }
            }
            if (quotes) {
                place = after(place, next);
            }
            append(next);
        }
        endLine();
        return any;
    }

    private boolean fill() throws IOException {
        bytesBefore += filled;
        position = 0;
        filled = Math.max(0, in.read(buffer));
        return filled > 0;
    }

    private static Place after(Place place, byte next) {
        return switch (place) {
            case FIELD_START -> next == '"' ? Place.QUOTED : next == ',' ? Place.FIELD_START : Place.UNQUOTED;
            case UNQUOTED -> next == ',' ? Place.FIELD_START : Place.UNQUOTED;
            case QUOTED -> next == '"' ? Place.AFTER_QUOTE : Place.QUOTED;
            case AFTER_QUOTE -> next == '"' ? Place.QUOTED : next == ',' ? Place.FIELD_START : Place.UNQUOTED;
        };
    }

    private void append(byte next) {
        if (length == limit) {
            tooLong = true;
            return;
        }
        if (length == line.length) {
            line = Arrays.copyOf(line, (int) Math.min(limit, length * 2L));
        }
        line[length++] = next;
    }

    private void endLine() {
        if (length > 0 && !tooLong && line[length - 1] == '\r') {
            length--;
        }
        boolean marked = number == 1 && length >= BYTE_ORDER_MARK.length
                && Arrays.equals(line, 0, BYTE_ORDER_MARK.length, BYTE_ORDER_MARK, 0, BYTE_ORDER_MARK.length);
        if (marked) {
            length -= BYTE_ORDER_MARK.length;
            System.arraycopy(line, BYTE_ORDER_MARK.length, line, 0, length);
        }
    }

    /** The bytes of the line, without what ended it; its first ones if it {@linkplain #isTooLong is too long}. */
    byte[] line() {
        return Arrays.copyOf(line, length);
    }

    boolean isTooLong() {
        return tooLong;
    }

    /** Whether nothing but blanks is on the line. */
    boolean isBlank() {
        for (int i = 0; i < length; i++) {
            if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r') {
                return false;
            }
        }
        return true;
    }

    /** The number of the line, or of the first one where line feeds belong to it; the first line of the input is 1. */
    long number() {
        return number;
    }

    /** Bytes of the input up to the end of the line. */
    long position() {
        return bytesBefore + position;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
