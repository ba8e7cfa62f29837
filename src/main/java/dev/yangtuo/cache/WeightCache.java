package dev.yangtuo.cache;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A folder of packed weights. Any number of programs and threads may use it at the same time. What is wrong with it becomes a warning in the log.
 */
public final class WeightCache {
    private static final Logger LOGGER = System.getLogger(WeightCache.class.getName());

    private final Path folder;
    private final int layoutVersion;
    private final long userId;
    private final int threads;
    private final HashIndex index;

    private WeightCache(Path folder, int layoutVersion, long userId, int threads) {
        this.folder = folder;
        this.layoutVersion = layoutVersion;
        this.userId = userId;
        this.threads = threads;
        this.index = HashIndex.read(folder.resolve("index"), userId);
    }

    /**
     * Opens a folder; makes it, for this user alone, if it is not there.
     *
     * @param layoutVersion of the packed matrices
     * @param userId of this process
     * @param threads that read and hash
     * @throws IOException if it cannot be made, or is not this user's alone to write
     */
    public static WeightCache open(Path folder, int layoutVersion, long userId, int threads) throws IOException {
        Path absolute = folder.toAbsolutePath().normalize();
        try {
            return new WeightCache(Ownership.requirePrivateFolder(absolute, userId), layoutVersion, userId, threads);
        } catch (UnsupportedOperationException e) {
            throw new IOException(absolute + ": its file system knows no owners of files", e);
        }
    }

    /** A moment, to be taken before the files of a model are opened. */
    public static long now() {
        return FileStamp.now();
    }

    /**
     * Finds out which file a key belongs to: reads all contents that are not known by their stamps.
     *
     * @param opened {@link #now()} before they were opened: what was changed since then may not be what is open, and is read
     * @throws IOException if a file is gone
     */
    public Slot slot(CacheKey key, long opened) throws IOException {
        key.add("format", CacheHeader.FORMAT_VERSION + " " + layoutVersion + " " + WeightCache.class.getPackage().getImplementationVersion());
        Map<Path, FileStamp> stamps = new HashMap<>();
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
        return new Slot(key.hash(hashes), stamps);
    }

    /** The place of one model with its adapters. */
    public final class Slot {
        private final String key;
        private final Path file;
        private final Map<Path, FileStamp> stamps;

        private Slot(String key, Map<Path, FileStamp> stamps) {
            this.key = key;
            this.file = folder.resolve(key + ".yangtuo");
            this.stamps = stamps;
        }

        /** Where its file is, or would be. */
        public Path file() {
            return file;
        }

        /**
         * The file, if it is there and whole.
         *
         * @param parameters that it must have, in this order
         */
        public @Nullable CacheFile find(List<CachedParameter> parameters) {
            try {
                Ownership.requireOwn(file, userId);
                if (!Files.isRegularFile(file)) {
                    throw new CacheHeader.Damaged("it is no plain file");
                }
                FileStamp stamp = FileStamp.of(file);
                CacheFile found = CacheFile.open(file, layoutVersion);
                if (!found.header().key().equals(key) || !found.parameters().equals(parameters)) {
                    throw new CacheHeader.Damaged("it belongs to another model");
                }
                requireIntact(found, stamp);
                return found;
            } catch (NoSuchFileException e) {
                return null;
            } catch (IOException | CacheHeader.Damaged e) {
                warn(e);
                return null;
            }
        }

        /** Once, and whenever something has happened to it. */
        private void requireIntact(CacheFile found, @Nullable FileStamp stamp) throws IOException, CacheHeader.Damaged {
            if (stamp != null && key.equals(index.find(file, stamp))) {
                return;
            }
            long now = now();
            if (!found.isIntact(threads)) {
                throw new CacheHeader.Damaged("its contents are damaged");
            }
            if (stamp != null && stamp.isSettledAt(now)) {
                index.remember(Map.of(file, stamp), Map.of(file, key));
            }
        }

        /**
         * Writes the file, over one that may be there.
         *
         * @param note what {@link CacheFile#note()} will give
         * @return whether it was written
         */
        public boolean write(List<PackedParameter> parameters, byte[] note) {
            try {
                for (Map.Entry<Path, FileStamp> model : stamps.entrySet()) {
                    FileStamp stamp = model.getValue();
                    if (stamp != null && !stamp.equals(FileStamp.of(model.getKey()))) {
                        throw new IOException(model.getKey() + ": has been changed while it was loaded");
                    }
                }
                CacheWriter.write(file, layoutVersion, key, parameters, note);
                FileStamp stamp = FileStamp.of(file);
                if (stamp != null) {
                    index.remember(Map.of(file, stamp), Map.of(file, key)); // just written: no need to read it again
                }
                return true;
            } catch (IOException | YangtuoException e) {
                LOGGER.log(Level.WARNING, "the weights are not kept in the cache: {0}", reason(e));
                return false;
            }
        }

        private void warn(Exception e) {
            LOGGER.log(Level.WARNING, "{0}: is not used and will be replaced: {1}", file, reason(e));
        }
    }

    private static String reason(Exception e) {
        return e instanceof YangtuoException || e instanceof CacheHeader.Damaged || e.getMessage() != null && e.getMessage().contains(" ") ? e.getMessage() : e.toString();
    }
}
