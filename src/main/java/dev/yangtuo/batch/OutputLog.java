package dev.yangtuo.batch;

import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The output of a batch, and beside it a journal ({@code OUTPUT.journal}) from which a run that was killed is taken up.
 *
 * <p>The journal has a line that says which batch it is of, then an entry for each record: where it ends in the output, and its checksum. An entry is written before its
 * record. So whatever moment the process ends at, the output holds the records of the first entries and perhaps a part of the next one's, never a record that the journal
 * does not know. {@link #resume} reads both, cuts the output behind the last whole record and the journal behind its entry, and knows then exactly which records of the
 * input are done.
 *
 * <p>What was written is with the operating system at once, which keeps it when the process dies. Every five seconds, and at the end, it is forced onto the disk, and the
 * journal notes that; after a power failure, what was written since may be generated again. A record before such a note that does not match its checksum was changed by
 * somebody else: then nothing is cut, and resuming is refused.
 */
final class OutputLog implements RecordSink {
    static final String SUFFIX = ".journal";

    private static final int FULL_BYTES = 1 << 16;
    private static final long SYNC_NANOS = 5_000_000_000L;
    /** A header has some options and file names. */
    private static final int MAX_HEADER_BYTES = 1 << 20;

    private final Path output;
    private final Path journal;
    /** Not channels: those are closed when their thread is interrupted. */
    private final RandomAccessFile journalFile;
    private final RandomAccessFile outputFile;
    private JournalHeader header;
    private long end;
    private long syncedNanos = System.nanoTime();
    private final ByteArrayOutputStream pendingEntries = new ByteArrayOutputStream();
    private final ByteArrayOutputStream pendingRecords = new ByteArrayOutputStream();

    private final DoneRecords done = new DoneRecords();
    private final Tally taken = new Tally();

    private OutputLog(Path output, RandomAccessFile journalFile, RandomAccessFile outputFile, JournalHeader header) {
        this.output = output;
        this.journal = journal(output);
        this.journalFile = journalFile;
        this.outputFile = outputFile;
        this.header = header;
    }

    /** Where the journal of an output is. */
    static Path journal(Path output) {
        return output.resolveSibling(output.getFileName() + SUFFIX);
    }

    /** What files are begun with. */
    record Beginning(JournalHeader header, byte[] preamble) {}

    /**
     * Begins a batch; what was in the files is gone.
     *
     * @throws YangtuoException if they cannot be written, or another program is writing them
     */
    static OutputLog create(Path output, Beginning beginning) {
        requireFile(output);
        return open(output, beginning.header(), log -> log.replace(beginning));
    }

    /**
     * Takes a batch up where it was left, or begins it if it never was.
     *
     * @throws YangtuoException if the files are of another batch, were changed by somebody else, or cannot be read or written
     */
    static OutputLog resume(Path output, Beginning beginning) {
        requireFile(output);
        boolean known = Files.exists(journal(output));
        if (!known && Files.exists(output)) {
            throw new YangtuoException("%s: there is no journal %s beside it, so nobody can tell what is done; begin anew and overwrite it, or name another output"
                    .formatted(output, journal(output).getFileName()));
        }
        return open(output, beginning.header(), log -> log.takeUp(beginning));
    }

    /** The first thing that is done with open files. */
    private interface FirstStep {
        void run(OutputLog log) throws IOException;
    }

    private static OutputLog open(Path output, JournalHeader header, FirstStep step) {
        RandomAccessFile journalFile = null;
        RandomAccessFile outputFile = null;
        try {
            journalFile = new RandomAccessFile(journal(output).toFile(), "rw");
            if (!lock(journalFile)) {
                throw new YangtuoException("%s: another batch is writing it; wait for its end".formatted(output));
            }
            outputFile = new RandomAccessFile(output.toFile(), "rw");
            OutputLog log = new OutputLog(output, journalFile, outputFile, header);
            step.run(log);
            return log;
        } catch (IOException e) {
            close(journalFile, outputFile);
            throw failed(output, e);
        } catch (RuntimeException e) {
            close(journalFile, outputFile);
            throw e;
        }
    }

    /** Until the file is closed; false if another program has it, or another batch of this one. */
    private static boolean lock(RandomAccessFile file) throws IOException {
        try {
            return file.getChannel().tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static void requireFile(Path output) {
        if (Files.isDirectory(output)) {
            throw new YangtuoException("%s: is a directory; name a file in it".formatted(output));
        }
        Path parent = output.toAbsolutePath().getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new YangtuoException("%s: there is no directory %s; make it first".formatted(output, parent));
        }
        if (Files.exists(output) && !Files.isRegularFile(output)) {
            throw new YangtuoException("%s: is no regular file, so that a run that was killed could not be resumed; write to standard output".formatted(output));
        }
    }

    private void replace(Beginning beginning) throws IOException {
        headerLine(); // what is no journal is somebody's file
        begin(beginning);
    }

    private void begin(Beginning beginning) throws IOException {
        journalFile.setLength(0); // first of all: then the output belongs to nobody
        outputFile.setLength(0);
        journalFile.write(beginning.header().toLine());
        header = beginning.header();
        end = 0;
        if (beginning.preamble().length > 0) {
            pendingEntries.writeBytes(JournalEntry.preamble(beginning.preamble()).toBytes());
            pendingRecords.writeBytes(beginning.preamble());
            end = beginning.preamble().length;
            commit();
        }
    }

    private void takeUp(Beginning beginning) throws IOException {
        byte[] line = headerLine();
        if (line == null) {
            begin(beginning);
            return;
        }
        JournalHeader before = JournalHeader.read(journal, line);
        before.requireSame(output, beginning.header().settings());
        header = before;
        JournalHeader.Completion completion = before.completion();
        if (completion != null) {
            if (outputFile.length() != completion.outputBytes()) {
                throw changed(Math.min(outputFile.length(), completion.outputBytes()));
            }
            return;
        }
        JournalReplay replay = new JournalReplay(journal, output, line.length + 1, entry -> {
            if (!done.add(entry.place())) {
                throw new YangtuoException("%s: is damaged, record %d is in it twice; begin the batch anew".formatted(journal, entry.place()));
            }
            taken.add(entry.counted());
        });
        replay.run();
        if (replay.changedAt() >= 0) {
            throw changed(replay.changedAt());
        }
        if (replay.outputEnd() == 0) {
            begin(new Beginning(before, beginning.preamble()));
            return;
        }
        end = replay.outputEnd();
        outputFile.setLength(end);
        outputFile.seek(end);
        journalFile.setLength(replay.journalEnd());
        journalFile.seek(replay.journalEnd());
    }

    /** The first line of the journal; null if the process was killed before it was written. */
    private byte @Nullable [] headerLine() throws IOException {
        byte[] head = new byte[(int) Math.min(MAX_HEADER_BYTES, journalFile.length())];
        journalFile.seek(0);
        journalFile.readFully(head);
        byte[] magic = JournalHeader.MAGIC.getBytes(StandardCharsets.US_ASCII);
        int same = Arrays.mismatch(head, magic);
        if (same >= 0 && same < Math.min(head.length, magic.length)) {
            throw new YangtuoException("%s: is not the journal of a batch; name another output".formatted(journal));
        }
        for (int i = 0; i < head.length; i++) {
            if (head[i] == '\n') {
                return Arrays.copyOf(head, i);
            }
        }
        if (head.length == MAX_HEADER_BYTES) {
            throw new YangtuoException("%s: is not the journal of a batch; name another output".formatted(journal));
        }
        return null;
    }

    private YangtuoException changed(long at) {
        return new YangtuoException("%s: was changed since it was written, at or behind byte %d, so that it cannot be taken up; begin anew and overwrite it, or name another output"
                .formatted(output, at));
    }

    /** Which records of the input are done. */
    DoneRecords done() {
        return done;
    }

    /** What came of them. */
    Tally taken() {
        return taken;
    }

    /** When the batch was begun, seconds since 1970. */
    long created() {
        return header.created();
    }

    /** The summary of a batch that an earlier run has completed; else null. */
    @Nullable BatchSummary completed() {
        JournalHeader.Completion completion = header.completion();
        return completion == null ? null : BatchSummary.of(completion.tally());
    }

    @Override
    public void add(Finished finished, byte[] bytes) {
        end += bytes.length;
        pendingEntries.writeBytes(JournalEntry.of(finished, end, bytes).toBytes());
        pendingRecords.writeBytes(bytes);
    }

    @Override
    public boolean isFull() {
        return pendingRecords.size() >= FULL_BYTES;
    }

    @Override
    public void commit() {
        try {
            // In this order: see above.
            journalFile.write(pendingEntries.toByteArray());
            outputFile.write(pendingRecords.toByteArray());
            pendingEntries.reset();
            pendingRecords.reset();
            if (System.nanoTime() - syncedNanos > SYNC_NANOS) {
                sync();
                journalFile.write(JournalEntry.sync(end).toBytes());
            }
        } catch (IOException e) {
            throw failed(output, e);
        }
    }

    private void sync() throws IOException {
        journalFile.getFD().sync();
        outputFile.getFD().sync();
        syncedNanos = System.nanoTime();
    }

    /** Ends the batch: the output is on the disk, and the journal is a line that says so. */
    void complete(BatchSummary summary) {
        commit();
        try {
            sync();
            leaveWord(journal, header.complete(end, summary.toTree()));
        } catch (IOException e) {
            throw failed(journal, e);
        }
    }

    /**
     * Leaves word that an output is complete, which was written in another way.
     *
     * @throws YangtuoException if that cannot be written
     */
    static void markComplete(Path output, JournalHeader header, BatchSummary summary) {
        try {
            leaveWord(journal(output), header.complete(Files.size(output), summary.toTree()));
        } catch (IOException e) {
            throw failed(journal(output), e);
        }
    }

    private static void leaveWord(Path journal, JournalHeader header) throws IOException {
        Path complete = journal.resolveSibling(journal.getFileName() + ".complete");
        Files.write(complete, header.toLine());
        Files.move(complete, journal, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static YangtuoException failed(Path file, IOException e) {
        return new YangtuoException("%s: cannot be written: %s".formatted(file, e.getMessage()), e);
    }

    @Override
    public void close() {
        close(journalFile, outputFile);
    }

    private static void close(@Nullable RandomAccessFile journalFile, @Nullable RandomAccessFile outputFile) {
        try (journalFile; outputFile) {
            // Closing is all.
        } catch (IOException e) {
            System.getLogger(OutputLog.class.getName()).log(System.Logger.Level.WARNING, "a file of a batch could not be closed: {0}", e.getMessage());
        }
    }
}
