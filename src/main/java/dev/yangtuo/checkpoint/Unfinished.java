package dev.yangtuo.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A file, or a directory of files, that is still being written beside the name that it will have. It is deleted when it is discarded, and
 * when the program ends before that, by Ctrl-C for example.
 */
final class Unfinished {
    private final Path path;
    private final Thread hook = new Thread(this::delete, "yangtuo-discard");
    /** Nothing is created or moved any more: it is in place, or deleted. Guarded by this. */
    private boolean ended;

    /** What touches the file system. */
    interface Step<T> {
        T run() throws IOException;
    }

    private Unfinished(Path path) {
        this.path = path;
    }

    /**
     * Begins one; what {@code create} makes is deleted unless it is finished.
     *
     * @param target the name that it will have
     */
    static Unfinished beside(Path target) {
        Unfinished unfinished = new Unfinished(sibling(target, "partial"));
        Runtime.getRuntime().addShutdownHook(unfinished.hook);
        return unfinished;
    }

    /** A name that nothing has. */
    static Path sibling(Path target, String purpose) {
        return target.resolveSibling("%s.%d-%08x.%s".formatted(
                target.getFileName(), ProcessHandle.current().pid(), ThreadLocalRandom.current().nextInt(), purpose));
    }

    Path path() {
        return path;
    }

    /** Does something that the deletion must not meet half done. */
    synchronized <T> T run(Step<T> step) throws IOException {
        if (ended) {
            throw new IOException("the program is ending");
        }
        return step.run();
    }

    /** Does the last thing, after which there is nothing to delete. */
    synchronized void finish(Step<?> step) throws IOException {
        run(step);
        ended = true;
        removeHook();
    }

    /** Deletes it, unless it is finished. */
    void discard() {
        delete();
        removeHook();
    }

    private synchronized void delete() {
        if (!ended) {
            ended = true;
            deleteFlat(path);
        }
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is ending; the hook finds nothing left to do.
        }
    }

    /** Deletes a file, or a directory with its files, as far as that is possible: whoever calls has nothing better to do. */
    static void deleteFlat(Path path) {
        try {
            if (Files.isDirectory(path)) {
                for (Path file : list(path)) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            System.getLogger(Unfinished.class.getName()).log(System.Logger.Level.WARNING, "{0} could not be deleted: {1}", path, e.getMessage());
        }
    }

    static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }
}
