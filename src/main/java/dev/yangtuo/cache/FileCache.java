package dev.yangtuo.cache;

import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A folder of GGUF files that were made from models and adapters for llama.cpp. Beside each file stands a note of its size, its checksum and what its maker wants to
 * know again. Any number of programs and threads may use it at the same time, also together with a {@link WeightCache}.
 */
public final class FileCache {
    private static final Logger LOGGER = System.getLogger(FileCache.class.getName());
    private static final String FIRST_LINE = "yangtuo gguf 1";
    private static final int MAX_NOTE_BYTES = 16 << 20;

    private final CacheFolder folder;

    private FileCache(CacheFolder folder) {
        this.folder = folder;
    }

    /**
     * Opens a folder; makes it, for this user alone, if it is not there.
     *
     * @param threads that read and hash
     * @throws IOException if it cannot be made, or is not this user's alone to write
     */
    public static FileCache open(Path folder, int threads) throws IOException {
        return new FileCache(CacheFolder.open(folder, Ownership.currentUser(), threads));
    }

    /** What fills a file. */
    @FunctionalInterface
    public interface Filling {
        /**
         * Fills it.
         *
         * @return what {@link Slot#find} will give
         */
        byte[] fill(OutputFile out);
    }

    /**
     * Finds out which file a key belongs to: reads all contents that are not known by their stamps.
     *
     * @param opened {@link WeightCache#now()} before they were opened: what was changed since then may not be what is open, and is read
     * @throws IOException if a file is gone
     */
    public Slot slot(CacheKey key, long opened) throws IOException {
        key.add("format", FIRST_LINE + " " + FileCache.class.getPackage().getImplementationVersion());
        return new Slot(folder.hash(key, opened));
    }

    /** The place of one file. */
    public final class Slot {
        private final CacheFolder.Hashed hashed;
        private final String key;
        private final Path file;
        private final Path noteFile;

        private Slot(CacheFolder.Hashed hashed) {
            this.hashed = hashed;
            this.key = hashed.key();
            this.file = folder.file(key + ".gguf");
            this.noteFile = folder.file(key + ".note");
        }

        /** Where the file is, or would be. */
        public Path file() {
            return file;
        }

        /** What its maker wanted to know again, if the file is there and whole; else null. */
        public byte @Nullable [] find() {
            try {
                folder.requireOwn(file);
                folder.requireOwn(noteFile);
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    throw new IOException("it is no plain file");
                }
                FileStamp stamp = FileStamp.of(file);
                Note note = Note.parse(readNote());
                if (note == null || !note.key.equals(key)) {
                    throw new IOException("its note is damaged, or belongs to another file");
                }
                requireIntact(note, stamp);
                return note.text;
            } catch (NoSuchFileException e) {
                return null;
            } catch (IOException | UncheckedIOException | InternalError e) {
                LOGGER.log(Level.WARNING, "{0}: is not used and will be replaced: {1}", file, e instanceof IOException io ? CacheFolder.reason(io) : e.getMessage());
                return null;
            }
        }

        private String readNote() throws IOException {
            try (InputStream in = Files.newInputStream(noteFile, LinkOption.NOFOLLOW_LINKS)) {
                return new String(in.readNBytes(MAX_NOTE_BYTES), StandardCharsets.UTF_8);
            }
        }

        /** Its contents are read once, and whenever something has happened to it. */
        private void requireIntact(Note note, @Nullable FileStamp stamp) throws IOException {
            long now = FileStamp.now();
            if (Files.size(file) != note.byteSize) {
                throw new IOException("it has %d bytes instead of %d".formatted(Files.size(file), note.byteSize));
            }
            if (folder.isKnown(file, stamp, key)) {
                return;
            }
            if (!contentHash().equals(note.hash)) {
                throw new IOException("its contents are damaged");
            }
            folder.rememberSettled(file, stamp, key, now);
        }

        private String contentHash() throws IOException {
            try (Arena arena = Arena.ofShared(); FileChannel channel = FileChannel.open(file)) {
                MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
                return ContentHash.ofPieces(bytes, folder.threads());
            }
        }

        /**
         * Writes the file, over one that may be there.
         *
         * @param bytes that it will have
         * @throws IOException if it cannot be written, one of the files that the key is of has been changed, or the thread is interrupted; then there is no file
         *     that was not there before
         * @throws YangtuoException likewise
         */
        public void write(long bytes, Filling filling) throws IOException {
            byte[][] text = new byte[1][];
            CacheFolder.write(file, bytes, out -> {
                text[0] = filling.fill(out);
                hashed.requireUnchanged();
            });
            byte[] note = new Note(key, bytes, contentHash(), text[0]).format().getBytes(StandardCharsets.UTF_8);
            CacheFolder.write(noteFile, note.length, out -> out.write(0, MemorySegment.ofArray(note)));
            folder.rememberWritten(file, key);
        }
    }

    /**
     * Four lines, and the hash of all of them as the last.
     *
     * @param hash of the file's contents
     */
    private record Note(String key, long byteSize, String hash, byte[] text) {
        String format() {
            String lines = String.join("\n", FIRST_LINE, key, byteSize + " " + hash, HexFormat.of().formatHex(text), "");
            return lines + ContentHash.sha256(lines) + "\n";
        }

        static @Nullable Note parse(String all) {
            List<String> lines = all.lines().toList();
            int end = all.lastIndexOf('\n', all.length() - 2) + 1;
            if (lines.size() != 5 || !lines.getFirst().equals(FIRST_LINE) || !lines.getLast().equals(ContentHash.sha256(all.substring(0, end)))) {
                return null;
            }
            String[] size = lines.get(2).split(" ");
            return new Note(lines.get(1), Long.parseLong(size[0]), size[1], HexFormat.of().parseHex(lines.get(3)));
        }
    }
}
