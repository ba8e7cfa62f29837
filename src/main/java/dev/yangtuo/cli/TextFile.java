package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A text to read, as the command line names it: a file, or {@code -} for standard input.
 *
 * @param argument what the command line says
 * @param path the file, null for standard input
 */
record TextFile(String argument, @Nullable Path path) {
    static final TextFile STANDARD_INPUT = new TextFile("-", null);

    static TextFile of(String argument) {
        return argument.equals(STANDARD_INPUT.argument) ? STANDARD_INPUT : new TextFile(argument, Path.of(argument));
    }

    /** What people are told. */
    String name() {
        return path == null ? "standard input" : argument;
    }

    /** @throws YangtuoException if it is plain without opening it that it cannot be read */
    void check() {
        if (path == null) {
            return;
        }
        if (!Files.exists(path)) {
            throw new YangtuoException("%s: there is no such file".formatted(argument));
        }
        if (Files.isDirectory(path)) {
            throw new YangtuoException("%s: is a directory; name the files in it".formatted(argument));
        }
        if (!Files.isReadable(path)) {
            throw new YangtuoException("%s: there is no permission to read it".formatted(argument));
        }
    }

    /** @throws YangtuoException if it is the file that is to be written, which would replace it */
    void requireOther(@Nullable Path output) throws IOException {
        if (path != null && output != null && isRegular() && Files.exists(output) && Files.isSameFile(path, output)) {
            throw new YangtuoException("%s: is read, and would be replaced by what is written; name another output".formatted(argument));
        }
    }

    /** Its length, or {@link ProgressDisplay#UNKNOWN_TOTAL} for what has none, such as a pipe, or is gone. */
    long size() {
        try {
            return path != null && Files.isRegularFile(path) ? Files.size(path) : ProgressDisplay.UNKNOWN_TOTAL;
        } catch (IOException e) {
            return ProgressDisplay.UNKNOWN_TOTAL; // opening it says why
        }
    }

    /** Whether it has a length, and can be read twice. */
    boolean isRegular() {
        return size() != ProgressDisplay.UNKNOWN_TOTAL;
    }

    /** Its bytes. Closing them leaves standard input open. */
    InputStream open() throws IOException {
        if (path != null) {
            return Files.newInputStream(path);
        }
        return new FilterInputStream(System.in) {
            @Override
            public void close() {}
        };
    }
}
