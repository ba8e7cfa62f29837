package dev.yangtuo.cache;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A folder of packed weights. Any number of programs and threads may use it at the same time. What is wrong with it becomes a warning in the log.
 */
public final class WeightCache {
    private static final Logger LOGGER = System.getLogger(WeightCache.class.getName());

    private final CacheFolder folder;
    private final int layoutVersion;

    private WeightCache(CacheFolder folder, int layoutVersion) {
        this.folder = folder;
        this.layoutVersion = layoutVersion;
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
        return new WeightCache(CacheFolder.open(folder, userId, threads), layoutVersion);
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
        return new Slot(folder.hash(key, opened));
    }

    /** The place of one model with its adapters. */
    public final class Slot {
        private final CacheFolder.Hashed hashed;
        private final String key;
        private final Path file;

        private Slot(CacheFolder.Hashed hashed) {
            this.hashed = hashed;
            this.key = hashed.key();
            this.file = folder.file(key + ".yangtuo");
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
                folder.requireOwn(file);
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
            if (folder.isKnown(file, stamp, key)) {
                return;
            }
            long now = now();
            if (!found.isIntact(folder.threads())) {
                throw new CacheHeader.Damaged("its contents are damaged");
            }
            folder.rememberSettled(file, stamp, key, now);
        }

        /**
         * Writes the file, over one that may be there.
         *
         * @param note what {@link CacheFile#note()} will give
         * @return whether it was written
         */
        public boolean write(List<PackedParameter> parameters, byte[] note) {
            try {
                hashed.requireUnchanged();
                CacheWriter.write(file, layoutVersion, key, parameters, note);
                folder.rememberWritten(file, key);
                return true;
            } catch (IOException | YangtuoException e) {
                LOGGER.log(Level.WARNING, "the weights are not kept in the cache: {0}", CacheFolder.reason(e));
                return false;
            }
        }

        private void warn(Exception e) {
            LOGGER.log(Level.WARNING, "{0}: is not used and will be replaced: {1}", file, CacheFolder.reason(e));
        }
    }
}
