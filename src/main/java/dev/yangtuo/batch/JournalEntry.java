package dev.yangtuo.batch;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a journal: what is about to be written to the output, 40 bytes, numbers with their highest byte first.
 *
 * @param place of the record in the input, from 1; 0 for what is no record
 * @param end bytes of the output with it
 * @param crc CRC-32 of its bytes
 * @param code {@link Outcome#code}, or {@link #SYNC} or {@link #PREAMBLE}
 */
record JournalEntry(long place, long end, int crc, int promptTokens, int completionTokens, int reusedTokens, int code) {
    static final int BYTES = 40;
    /** Says that the output was on the disk up to {@code end}. */
    static final int SYNC = 1000;
    /** What stands before the first record, such as the header of a CSV file. */
    static final int PREAMBLE = 1001;

    private static final int CHECKED_BYTES = BYTES - Integer.BYTES;

    static JournalEntry of(Finished finished, long end, byte[] record) {
        Tally.Counted counted = Tally.Counted.of(finished.result());
        return new JournalEntry(finished.place(), end, crc(record, record.length), counted.promptTokens(), counted.completionTokens(), counted.reusedTokens(),
                counted.outcome().code());
    }

    static JournalEntry sync(long end) {
        return new JournalEntry(0, end, 0, 0, 0, 0, SYNC);
    }

    static JournalEntry preamble(byte[] bytes) {
        return new JournalEntry(0, bytes.length, crc(bytes, bytes.length), 0, 0, 0, PREAMBLE);
    }

    static int crc(byte[] bytes, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    byte[] toBytes() {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        bytes.putLong(place).putLong(end).putInt(crc).putInt(promptTokens).putInt(completionTokens).putInt(reusedTokens).putInt(code);
        bytes.putInt(crc(bytes.array(), CHECKED_BYTES));
        return bytes.array();
    }

    /** The entry, or null if the bytes are none: half written, or changed. */
    static @Nullable JournalEntry read(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length != BYTES || in.getInt(CHECKED_BYTES) != crc(bytes, CHECKED_BYTES)) {
            return null;
        }
        return new JournalEntry(in.getLong(), in.getLong(), in.getInt(), in.getInt(), in.getInt(), in.getInt(), in.getInt());
    }

    Tally.Counted counted() {
        return new Tally.Counted(Outcome.of(code), promptTokens, completionTokens, reusedTokens);
    }
}
