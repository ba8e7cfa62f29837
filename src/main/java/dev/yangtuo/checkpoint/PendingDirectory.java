package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A directory of files, without others in it, that gets its name when it is complete: until then it is written beside it, and deleted if it
 * never is, also when the program is interrupted.
 */
public final class PendingDirectory implements AutoCloseable {
    /** What a directory must have for being taken for a model, which may be replaced. */
    private static final String MODEL_FILE = "config.json";

    private final Path shown;
    private final Path target;
    private final Unfinished unfinished;

    private PendingDirectory(Path shown, Path target, Unfinished unfinished) {
        this.shown = shown;
        this.target = target;
        this.unfinished = unfinished;
    }

    /**
     * Begins the directory.
     *
     * @param replace whether a model that is there is replaced: a directory with a {@code config.json} and without directories in it
     * @param bytes that its files will have; refused if the disk has fewer left
     * @throws YangtuoException if it cannot be written, or something is there that is not replaced; it is as it was
     */
    public static PendingDirectory create(Path path, boolean replace, long bytes) {
        try {
            Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
            Path parent = OutputFile.requireParent(path, target);
            if (Files.exists(target)) {
                requireReplaceable(path, target, replace);
            }
            if (!Files.isWritable(parent)) {
                throw new AccessDeniedException(parent.toString());
            }
            OutputFile.requireSpace(path, parent, bytes);
            return create(path, target);
        } catch (IOException e) {
            throw OutputFile.failed(path, e);
        }
    }

    private static PendingDirectory create(Path path, Path target) throws IOException {
        Unfinished unfinished = Unfinished.beside(target);
        try {
            unfinished.run(() -> Files.createDirectory(unfinished.path()));
            return new PendingDirectory(path, target, unfinished);
        } catch (IOException | RuntimeException e) {
            unfinished.discard();
            throw e;
        }
    }

    private static void requireReplaceable(Path path, Path target, boolean replace) throws IOException {
        if (!Files.isDirectory(target)) {
            throw new YangtuoException("%s: is a file; name a directory, or a file that ends in .gguf".formatted(path));
        }
        List<Path> files = Unfinished.list(target);
        if (files.isEmpty()) {
            return;
        }
        if (!replace) {
            throw new YangtuoException("%s: the directory is not empty; name a new one, or have the model in it replaced (--force)".formatted(path));
        }
        // A slip of the hand must not cost a home directory.
        if (!Files.isRegularFile(target.resolve(MODEL_FILE))) {
            throw new YangtuoException("%s: there is no %s in it, so it holds no model; only a model is replaced. Delete it yourself, or name a new one"
                    .formatted(path, MODEL_FILE));
        }
        for (Path file : files) {
            if (Files.isDirectory(file)) {
                throw new YangtuoException("%s: there is a directory in it, %s; only a directory without others is replaced. Delete it yourself, or name a new one"
                        .formatted(path, file.getFileName()));
            }
        }
    }

    /**
     * Begins a file in it.
     *
     * @return owned by the caller; to be ended by {@link #end}
     */
    public OutputFile create(String name) {
        try {
            return unfinished.run(() ->
                    new OutputFile(shown.resolve(name), unfinished.path().resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw OutputFile.failed(shown.resolve(name), e);
        }
    }

    /** Sees to it that a file is on the disk, and closes it. */
    public void end(OutputFile file) {
        try {
            file.sync();
        } catch (IOException e) {
            throw OutputFile.failed(shown, e);
        }
    }

    /** Writes a small file. */
    public void write(String name, byte[] bytes) {
        try (OutputFile file = create(name)) {
            file.write(0, MemorySegment.ofArray(bytes));
            end(file);
        }
    }

    /** Gives the directory its name. */
    public void complete() {
        try {
            unfinished.finish(() -> {
                if (!Files.exists(target)) {
                    return Files.move(unfinished.path(), target, StandardCopyOption.ATOMIC_MOVE);
                }
                return replace();
            });
        } catch (IOException e) {
            throw OutputFile.failed(shown, e);
        }
    }

    private Path replace() throws IOException {
        Path old = Unfinished.sibling(target, "old");
        Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        try {
            Files.move(unfinished.path(), target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            throw e;
        }
        Unfinished.deleteFlat(old);
        return target;
    }

    /** Deletes what is not complete. */
    @Override
    public void close() {
        unfinished.discard();
    }
}
