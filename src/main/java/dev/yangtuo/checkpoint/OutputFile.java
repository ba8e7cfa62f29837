package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/** A file that is written at positions, by several threads at the same time. Whoever created it closes it. */
public final class OutputFile implements AutoCloseable {
    private final Path shown;
    private final FileChannel channel;

    /** @param shown the name that the user gave, for messages */
    OutputFile(Path shown, Path file, OpenOption... options) throws IOException {
        this.shown = shown;
        this.channel = FileChannel.open(file, options);
    }

    /**
     * Writes bytes; thread-safe, for ranges that do not overlap.
     *
     * @param bytes at most 2 GiB
     * @throws YangtuoException if they cannot be written, or the thread was interrupted
     */
    public void write(long byteOffset, MemorySegment bytes) {
        ByteBuffer buffer = bytes.asByteBuffer();
        long at = byteOffset;
        try {
            while (buffer.hasRemaining()) {
                at += channel.write(buffer, at);
            }
        } catch (IOException e) {
            throw failed(shown, e);
        }
    }

    /**
     * Locks the file until it is closed, so that other programs can tell it from one whose writer was killed.
     *
     * @throws IOException if the file system has no locks, or another program holds one
     */
    public void lock() throws IOException {
        if (channel.tryLock() == null) {
            throw new IOException(shown + ": is locked by another program");
        }
    }

    /** Sees to it that everything that was written is on the disk. */
    public void force() {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw failed(shown, e);
        }
    }

    /** Sees to it that everything is on the disk, then closes it. */
    void sync() throws IOException {
        try (channel) {
            // A device has nothing to be forced onto.
            if (Files.isRegularFile(shown) || !Files.exists(shown)) {
                channel.force(true);
            }
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(shown, e);
        }
    }

    /** Why a file could not be written; the JDK's messages are often its name alone. */
    static YangtuoException failed(Path file, IOException e) {
        String reason = switch (e) {
            case ClosedByInterruptException _ -> "the writing was interrupted";
            case AccessDeniedException _ -> "there is no permission to write it";
            case NoSuchFileException _ -> "a directory on the way to it does not exist (any more)";
            case FileSystemException system -> system.getReason() == null ? system.getClass().getSimpleName() : system.getReason();
            default -> String.valueOf(e.getMessage());
        };
        return new YangtuoException("%s: cannot be written: %s".formatted(file, reason), e);
    }

    /**
     * Refuses what the disk has no room for, before the long part begins.
     *
     * @param directory that will hold them
     */
    static void requireSpace(Path shown, Path directory, long bytes) throws IOException {
        long usable = Files.getFileStore(directory).getUsableSpace();
        if (usable < bytes) {
            throw new YangtuoException("%s: %,d bytes are needed, but the disk has %,d left; free some space, or name a place on another disk"
                    .formatted(shown, bytes, usable));
        }
    }

    /** The directory that is to hold a result. */
    static Path requireParent(Path shown, Path target) {
        Path parent = target.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new YangtuoException("%s: there is no directory %s; make it first".formatted(shown, parent));
        }
        return parent;
    }
}
