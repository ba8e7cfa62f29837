package dev.yangtuo.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** One writer at a time begins or ends a file of a folder, in this program and in others. */
final class FolderLock {
    /** What {@link dev.yangtuo.checkpoint.PendingFile} calls a file that is still being written. */
    private static final Pattern UNFINISHED = Pattern.compile("[0-9a-f]{64}\\.(?:yangtuo|gguf|note)\\.(\\d+)-[0-9a-f]{8}\\.partial");
    private static final Pattern TEMPORARY = Pattern.compile("index\\.\\d+-[0-9a-f]{8}\\.tmp");
    /** An index is written within milliseconds. */
    private static final Duration OLD = Duration.ofMinutes(1);
    /** Locks of files belong to the whole program, so its threads exclude each other by this. */
    private static final Object IN_THIS_PROGRAM = new Object();

    private FolderLock() {}

    /** What is done meanwhile. */
    interface Step<T> {
        T run() throws IOException;
    }

    /**
     * Does something when no other does.
     *
     * @throws IOException if the file system has no locks, or the thread is interrupted
     */
    static <T> T holding(Path folder, Step<T> step) throws IOException {
        synchronized (IN_THIS_PROGRAM) {
            try (FileChannel channel = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE); FileLock _ = channel.lock()) {
                return step.run();
            }
        }
    }

    /** Deletes what killed programs left; to be called with the folder locked, so that a file that has no lock yet is not taken for one. */
    static void removeLeftovers(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            Matcher unfinished = UNFINISHED.matcher(name);
            // A file of this program is in work. To open and close it would end its lock.
            boolean left = unfinished.matches() && !unfinished.group(1).equals(Long.toString(ProcessHandle.current().pid())) && isUnlocked(file);
            if (left || (TEMPORARY.matcher(name).matches() && isOld(file))) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static boolean isOld(Path file) throws IOException {
        try {
            return Files.getLastModifiedTime(file).compareTo(FileTime.from(Instant.now().minus(OLD))) < 0;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static boolean isUnlocked(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE); FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (OverlappingFileLockException | NoSuchFileException e) {
            return false;
        }
    }
}
