package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A file that gets its name when it is complete: until then it is written beside it, and deleted if it never is, also when the program is
 * interrupted. What is there and no regular file (a device) is written directly: replacing it would take it away from everybody.
 */
public final class PendingFile implements AutoCloseable {
    private final Path shown;
    private final Path target;
    /** Null for what is written directly. */
    private final @Nullable Unfinished unfinished;
    private final OutputFile out;

    private PendingFile(Path shown, Path target, @Nullable Unfinished unfinished, OutputFile out) {
        this.shown = shown;
        this.target = target;
        this.unfinished = unfinished;
        this.out = out;
    }

    /**
     * Begins the file.
     *
     * @param bytes that it will have; refused if the disk has fewer left
     * @throws YangtuoException if it cannot be written; what was there before is as it was
     */
    public static PendingFile create(Path path, long bytes) {
        if (Files.isDirectory(path)) {
            throw new YangtuoException("%s: is a directory; name a file in it".formatted(path));
        }
        try {
            // A link goes on pointing to where it points.
            Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
            Path directory = OutputFile.requireParent(path, target);
            if (Files.exists(target) && !Files.isRegularFile(target)) {
                return new PendingFile(path, target, null, new OutputFile(path, target, StandardOpenOption.WRITE));
            }
            if (Files.exists(target) && !Files.isWritable(target)) {
                throw new AccessDeniedException(target.toString());
            }
            OutputFile.requireSpace(path, directory, bytes);
            return create(path, target);
        } catch (IOException e) {
            throw OutputFile.failed(path, e);
        }
    }

    private static PendingFile create(Path path, Path target) throws IOException {
        Unfinished unfinished = Unfinished.beside(target);
        try {
            OutputFile out = unfinished.run(() -> new OutputFile(path, unfinished.path(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
            return new PendingFile(path, target, unfinished, out);
        } catch (IOException | RuntimeException e) {
            unfinished.discard();
            throw e;
        }
    }

    /** What is written into it. */
    public OutputFile out() {
        return out;
    }

    /** Ends the file, on the disk, and gives it its name. */
    public void complete() {
        try {
            out.sync();
            if (unfinished != null) {
                unfinished.finish(() -> Files.move(unfinished.path(), target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING));
            }
        } catch (IOException e) {
            throw OutputFile.failed(shown, e);
        }
    }

    /** Deletes what is not complete. */
    @Override
    public void close() {
        try (out) {
            if (unfinished != null) {
                unfinished.discard();
            }
        }
    }
}
