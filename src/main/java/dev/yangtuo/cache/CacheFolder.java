package dev.yangtuo.cache;

import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PendingFile;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A folder that is this user's alone to write, with what is remembered of files' contents. */
final class CacheFolder {
    private final Path folder;
    private final long userId;
    private final int threads;
    private final HashIndex index;

    private CacheFolder(Path folder, long userId, int threads) {
        this.folder = folder;
        this.userId = userId;
        this.threads = threads;
        this.index = HashIndex.read(folder.resolve("index"), userId);
    }

    /**
     * Opens a folder; makes it, for this user alone, if it is not there.
     *
     * @param threads that read and hash
     * @throws IOException if it cannot be made, or is not this user's alone to write
     */
    static CacheFolder open(Path folder, long userId, int threads) throws IOException {
        Path absolute = folder.toAbsolutePath().normalize();
        try {
            return new CacheFolder(Ownership.requirePrivateFolder(absolute, userId), userId, threads);
        } catch (UnsupportedOperationException e) {
            throw new IOException(absolute + ": its file system knows no owners of files", e);
        }
    }

    int threads() {
        return threads;
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    void requireOwn(Path file) throws IOException {
        Ownership.requireOwn(file, userId);
    }

    /**
     * A key with the contents that went into it.
     *
     * @param stamps of the files, as they were when they were hashed
     */
    record Hashed(String key, Map<Path, @Nullable FileStamp> stamps) {
        /** @throws IOException if a file has been changed since */
        void requireUnchanged() throws IOException {
            for (Map.Entry<Path, @Nullable FileStamp> model : stamps.entrySet()) {
                FileStamp stamp = model.getValue();
                if (stamp != null && !stamp.equals(FileStamp.of(model.getKey()))) {
                    throw new IOException(model.getKey() + ": has been changed while it was loaded");
                }
            }
        }
    }

    /**
     * Hashes a key: reads all contents that are not known by their stamps.
     *
     * @param opened when the contents were about to be opened: what was changed since then may not be what is open, and is read
     * @throws IOException if a file is gone
     */
    Hashed hash(CacheKey key, long opened) throws IOException {
        Map<Path, @Nullable FileStamp> stamps = new HashMap<>();
        Map<Path, FileStamp> fresh = new HashMap<>();
        Map<Path, String> freshHashes = new HashMap<>();
        List<String> hashes = new ArrayList<>();
        for (CacheKey.Content content : key.contents()) {
            Path path = content.path().toRealPath();
            FileStamp stamp = FileStamp.of(path);
            boolean settled = stamp != null && stamp.isSettledAt(opened) && stamp.size() == content.bytes().byteSize();
            String hash = settled ? index.find(path, stamp) : null;
            if (hash == null) {
                hash = ContentHash.ofPieces(content.bytes(), threads);
                if (settled && stamp.equals(FileStamp.of(path))) {
                    fresh.put(path, stamp);
                    freshHashes.put(path, hash);
                }
            }
            stamps.put(path, stamp);
            hashes.add(hash);
        }
        if (!fresh.isEmpty()) {
            index.remember(fresh, freshHashes);
        }
        return new Hashed(key.hash(hashes), stamps);
    }

    /** Whether a file is known to be whole, and nothing has happened to it since. */
    boolean isKnown(Path file, @Nullable FileStamp stamp, String key) {
        return stamp != null && key.equals(index.find(file, stamp));
    }

    /** Remembers that a file was found to be whole; not one that may have been changed since then without another stamp. */
    void rememberSettled(Path file, @Nullable FileStamp stamp, String key, long checkedFrom) {
        if (stamp != null && stamp.isSettledAt(checkedFrom)) {
            index.remember(Map.of(file, stamp), Map.of(file, key));
        }
    }

    /** Remembers that a file is whole that was just written: no need to read it again. */
    void rememberWritten(Path file, String key) throws IOException {
        FileStamp stamp = FileStamp.of(file);
        if (stamp != null) {
            index.remember(Map.of(file, stamp), Map.of(file, key));
        }
    }

    /** What fills a file. */
    interface Filling {
        void fill(OutputFile out) throws IOException;
    }

    /**
     * Writes a file of the folder. It gets its name when all of it is on the disk; other programs may write the same one at the same time.
     *
     * @param bytes that it will have
     * @throws IOException if it cannot be written, or the thread is interrupted; then there is no file that was not there before
     * @throws YangtuoException likewise
     */
    static void write(Path file, long bytes, Filling filling) throws IOException {
        try (PendingFile pending = begin(file, bytes)) {
            filling.fill(pending.out());
            pending.out().force();
            // Its lock ends before it is renamed: nobody may look for leftovers between the two.
            FolderLock.holding(file.getParent(), () -> {
                pending.complete();
                return pending;
            });
        }
    }

    private static PendingFile begin(Path file, long bytes) throws IOException {
        return FolderLock.holding(file.getParent(), () -> {
            FolderLock.removeLeftovers(file.getParent());
            PendingFile pending = PendingFile.create(file, bytes);
            try {
                pending.out().lock();
                return pending;
            } catch (IOException | RuntimeException e) {
                pending.close();
                throw e;
            }
        });
    }

    /** Why something failed; the JDK's messages are often a file's name alone. */
    static String reason(Exception e) {
        boolean says = e instanceof YangtuoException || e instanceof CacheHeader.Damaged || e.getMessage() != null && e.getMessage().contains(" ");
        return says ? e.getMessage() : e.toString();
    }
}
