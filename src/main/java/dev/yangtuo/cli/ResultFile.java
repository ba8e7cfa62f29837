package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A file that gets its name when it is complete: until then it is written beside it, and removed if it never is. What is there and no
 * regular file (a device, a pipe) is written directly: replacing it would take it away from everybody.
 */
final class ResultFile implements AutoCloseable {
    /** What this program is writing now. */
    private static final Set<Path> IN_THE_MAKING = ConcurrentHashMap.newKeySet();

    private final Path target;
    private final @Nullable Path partial;
    private final OutputStream out;

    private ResultFile(Path target, @Nullable Path partial, OutputStream out) {
        this.target = target;
        this.partial = partial;
        this.out = out;
    }

    /**
     * Begins the file.
     *
     * @throws YangtuoException if it cannot be written, or is being written as another result; what was there before is as it was
     */
    static ResultFile create(Path path) {
        if (Files.isDirectory(path)) {
            throw new YangtuoException("%s: is a directory; name a file in it".formatted(path));
        }
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                // By the name given: what a pipe's link under /dev or /proc points to is no path.
                return new ResultFile(path, null, buffered(path, StandardOpenOption.WRITE));
            }
            // A link goes on pointing to where it points.
            Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
            if (!Files.isDirectory(target.getParent())) {
                throw new YangtuoException("%s: there is no directory %s; make it first".formatted(path, target.getParent()));
            }
            if (Files.exists(target) && !Files.isWritable(target)) {
                throw new AccessDeniedException(target.toString());
            }
            Path partial = target.resolveSibling("%s.%d.partial".formatted(target.getFileName(), ProcessHandle.current().pid()));
            if (!IN_THE_MAKING.add(target)) {
                throw new YangtuoException("%s: two results cannot be written into one file; name another for one of them".formatted(path));
            }
            OutputStream out = begin(target, partial);
            partial.toFile().deleteOnExit(); // an interrupt ends the program without closing anything
            return new ResultFile(target, partial, out);
        } catch (AccessDeniedException e) {
            throw new YangtuoException("%s: there is no permission to write it".formatted(path), e);
        } catch (IOException e) {
            throw notWritten(path, e);
        }
    }

    private static OutputStream begin(Path target, Path partial) throws IOException {
        try {
            return buffered(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            IN_THE_MAKING.remove(target);
            throw e;
        }
    }

    private static OutputStream buffered(Path file, StandardOpenOption... options) throws IOException {
        return new BufferedOutputStream(Files.newOutputStream(file, options));
    }

    /** Appends bytes. */
    void write(byte[] bytes) {
        try {
            out.write(bytes);
        } catch (IOException e) {
            throw notWritten(target, e);
        }
    }

    /** Ends the file and gives it its name. */
    void complete() {
        try {
            out.close();
            if (partial != null) {
                Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw notWritten(target, e);
        }
    }

    private static YangtuoException notWritten(Path file, IOException e) {
        return new YangtuoException("%s: cannot be written: %s".formatted(file, Failures.reason(e)), e);
    }

    /** Removes what is not complete. */
    @Override
    public void close() {
        try (out) {
            if (partial != null) {
                IN_THE_MAKING.remove(target);
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            // Whoever closes an incomplete file is being told of another failure already; a complete one has nothing left to write.
        }
    }
}
