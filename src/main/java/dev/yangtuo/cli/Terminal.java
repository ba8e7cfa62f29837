package dev.yangtuo.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which of the standard streams are terminals. Java's console alone cannot say that: it is one if standard input and output both are. */
final class Terminal {
    private static final int OUTPUT = 1;
    private static final int ERRORS = 2;

    private Terminal() {}

    /** Whether a person sees standard output. */
    static boolean isOutput() {
        return is(OUTPUT);
    }

    /** Whether a person sees standard error. */
    static boolean isErrors() {
        return is(ERRORS);
    }

    private static boolean is(int descriptor) {
        try {
            // Linux. A pipe is called pipe:[1234] here, a file by its name.
            String name = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return name.startsWith("/dev/pts/") || name.startsWith("/dev/tty") || name.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            Console console = System.console();
            return console != null && console.isTerminal();
        }
    }
}
