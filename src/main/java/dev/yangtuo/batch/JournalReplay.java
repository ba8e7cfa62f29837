package dev.yangtuo.batch;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/** Reads a journal and its output side by side, as far as they agree. */
final class JournalReplay {
    private final Path journal;
    private final Path output;
    private final long headerBytes;
    private final Consumer<JournalEntry> listener;
    private final byte[] buffer = new byte[1 << 16];

    private long journalEnd;
    private long outputEnd;
    private long changedAt = -1;

    /** @param listener is told of each record that is whole */
    JournalReplay(Path journal, Path output, long headerBytes, Consumer<JournalEntry> listener) {
        this.journal = journal;
        this.output = output;
        this.headerBytes = headerBytes;
        this.listener = listener;
    }

    void run() throws IOException {
        try (InputStream entries = new BufferedInputStream(Files.newInputStream(journal), 1 << 16); InputStream records = Files.newInputStream(output)) {
            entries.skipNBytes(headerBytes);
            journalEnd = headerBytes;
            for (byte[] bytes = next(entries); bytes.length == JournalEntry.BYTES; bytes = next(entries)) {
                JournalEntry entry = JournalEntry.read(bytes);
                if (entry == null) {
                    findSyncBehind(entries);
                    return;
                }
                if (entry.code() != JournalEntry.SYNC) {
                    if (!matches(entry, records)) {
                        findSyncBehind(entries);
                        return;
                    }
                    if (entry.place() > 0) {
                        listener.accept(entry);
                    }
                    outputEnd = entry.end();
                }
                journalEnd += JournalEntry.BYTES;
            }
        }
    }

    /** The bytes of the next entry; fewer at the end. */
    private static byte[] next(InputStream entries) throws IOException {
        return entries.readNBytes(JournalEntry.BYTES);
    }

    /** Whether the output goes on with the record of an entry. */
    private boolean matches(JournalEntry entry, InputStream records) throws IOException {
        CRC32 crc = new CRC32();
        long left = entry.end() - outputEnd;
        while (left > 0) {
            int read = records.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (read < 0) {
                return false;
            }
            crc.update(buffer, 0, read);
            left -= read;
        }
        return left == 0 && (int) crc.getValue() == entry.crc();
    }

    /** What was on the disk is there as long as nobody changes it. */
    private void findSyncBehind(InputStream entries) throws IOException {
        for (byte[] bytes = next(entries); bytes.length == JournalEntry.BYTES; bytes = next(entries)) {
            JournalEntry entry = JournalEntry.read(bytes);
            if (entry != null && entry.code() == JournalEntry.SYNC && entry.end() > outputEnd) {
                changedAt = outputEnd;
                return;
            }
        }
    }

    /** Bytes of the journal that hold. */
    long journalEnd() {
        return journalEnd;
    }

    /** Bytes of the output that hold: whole records. */
    long outputEnd() {
        return outputEnd;
    }

    /** Where the output, or what the journal has of it, is not what was on the disk once; -1 if it is. */
    long changedAt() {
        return changedAt;
    }
}
