package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;

/**
 * A whole file, mapped read-only.
 *
 * @param path the file
 * @param bytes its contents, never empty; valid until the arena that it was mapped with is closed
 */
record MappedFile(Path path, MemorySegment bytes) {
    /**
     * Maps a file.
     *
     * @param expected what the file should be, for messages: "a GGUF file"
     * @param arena owns the mapping
     * @throws CheckpointFormatException if there is no such file, it is not a plain file, cannot be read, or is empty
     * @throws UncheckedIOException if the operating system fails otherwise
     */
    static MappedFile map(Path path, String expected, Arena arena) {
        if (Files.isDirectory(path)) {
            throw new CheckpointFormatException(path, "is a directory; expected " + expected);
        }
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            // Opening a named pipe would wait for ever.
            throw new CheckpointFormatException(path, "is not a plain file; expected " + expected);
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size == 0) {
                throw new CheckpointFormatException(path, "is empty (0 bytes); expected %s. Download it again".formatted(expected));
            }
            return new MappedFile(path, channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena));
        } catch (NoSuchFileException e) {
            throw new CheckpointFormatException(path, "there is no such file; expected %s. Check the path".formatted(expected), e);
        } catch (AccessDeniedException e) {
            throw new CheckpointFormatException(path, "cannot be read: permission denied. Give this user the right to read it", e);
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot be read as %s: %s".formatted(path, expected, e.getMessage()), e);
        }
    }

    long size() {
        return bytes.byteSize();
    }

    /** Runs a reader of this mapping; a file that shrinks meanwhile gives an exception of ours. */
    <T> T reading(String what, Supplier<T> reader) {
        try {
            return reader.get();
        } catch (InternalError e) {
            throw lostPages(path, what, e);
        }
    }

    /**
     * The JVM turns the operating system's fault on a page that is gone into an {@link InternalError}.
     *
     * @return the exception to throw instead
     */
    static CheckpointFormatException lostPages(Path path, String what, InternalError cause) {
        return new CheckpointFormatException(path, ("%s could not be read: the file has become shorter since it was opened, or its disk"
                + " failed. Leave model files unchanged while they are loaded").formatted(what), cause);
    }
}
