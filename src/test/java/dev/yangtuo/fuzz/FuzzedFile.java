package dev.yangtuo.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a target puts the bytes that it is given: readers map files, so there must be one. In memory, where the system has such a folder. */
final class FuzzedFile {
    private static final Path MEMORY = Path.of("/dev/shm");

    private FuzzedFile() {}

    /** A directory of this process; its files are removed when it ends. */
    static Path directory() {
        try {
            Path directory = Files.createTempDirectory(Files.isWritable(MEMORY) ? MEMORY : Path.of(System.getProperty("java.io.tmpdir")), "yangtuo-fuzz");
            directory.toFile().deleteOnExit();
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a file, replacing what was there. */
    static Path write(Path file, byte[] data) {
        try {
            file.toFile().deleteOnExit();
            return Files.write(file, data);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
