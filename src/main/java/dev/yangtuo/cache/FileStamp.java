package dev.yangtuo.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * By what a file is known to be unchanged without reading it. The time of the last change of the inode is what cannot be set back: writing, renaming and setting
 * the other time all move it.
 *
 * @param size bytes
 * @param modifiedNanos of its contents, since 1970
 * @param changedNanos of its inode, since 1970
 * @param inode its number
 * @param device where that number counts
 */
record FileStamp(long size, long modifiedNanos, long changedNanos, long inode, long device) {
    /** Two changes that are less than this apart may carry the same time: on FAT, two seconds. */
    static final long GRANULARITY_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** That of a file, links followed; null where the file system has no inodes. */
    static @Nullable FileStamp of(Path file) throws IOException {
        try {
            Map<String, Object> facts = Files.readAttributes(file, "unix:size,lastModifiedTime,ctime,ino,dev");
            return new FileStamp(
                    (Long) facts.get("size"),
                    ((FileTime) facts.get("lastModifiedTime")).to(TimeUnit.NANOSECONDS),
                    ((FileTime) facts.get("ctime")).to(TimeUnit.NANOSECONDS),
                    ((Number) facts.get("ino")).longValue(),
                    ((Number) facts.get("dev")).longValue());
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return null;
        }
    }

    /** Whether the last change was so long before a moment that a later one has another stamp. */
    boolean isSettledAt(long nanosSince1970) {
        return Math.max(modifiedNanos, changedNanos) < nanosSince1970 - GRANULARITY_NANOS;
    }

    /** The moment of now, as stamps count it. */
    static long now() {
        return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    }
}
