package dev.yangtuo;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The C compiler of the machine. Tests that need it are skipped where there is none. */
public final class CCompiler {
    private CCompiler() {}

    /** Makes a shared library, {@code name} with the ending {@code .so}, of a source, and of what these options link with it. */
    public static Path library(Path folder, String name, String source, String... options) throws IOException, InterruptedException {
        Path code = Files.writeString(folder.resolve(name + ".c"), source + "\n");
        Path library = folder.resolve(name + ".so");
        assumeTrue(compiles(code, library, options), "there is no C compiler");
        return library;
    }

    private static boolean compiles(Path code, Path library, String... options) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-o", library.toString(), code.toString()));
        command.addAll(List.of(options));
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
