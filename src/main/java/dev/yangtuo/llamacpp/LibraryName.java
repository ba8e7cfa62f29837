package dev.yangtuo.llamacpp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The shared libraries that make up llama.cpp. Their files have a version before the ending, behind it, or none: {@code libllama.so.0}, {@code libllama.v0.5.0.so}. */
enum LibraryName {
    /** The library that is bound. */
    LLAMA("llama"),
    /** Devices, which it needs. */
    GGML("ggml"),
    /** Tensors, which both need. */
    GGML_BASE("ggml-base");

    private static final String VERSION = "(\\.v?\\d+)*";

    private final String base;
    private final Pattern file;

    LibraryName(String base) {
        this.base = base;
        this.file = Pattern.compile("(lib)?" + Pattern.quote(base) + VERSION + "\\.(so|dylib|dll)" + VERSION);
    }

    boolean matches(Path path) {
        return file.matcher(path.getFileName().toString()).matches();
    }

    /** The files of this library in a folder, the one with the shortest name first: the others are usually what it links to. Empty if it is no folder. */
    List<Path> filesIn(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(path -> matches(path) && Files.isRegularFile(path))
                    .sorted(Comparator.comparingInt((Path path) -> path.toString().length()).thenComparing(Comparator.naturalOrder()))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            return List.of();
        }
    }

    /** The name of its file on this system, without a version. */
    @Override
    public String toString() {
        return System.mapLibraryName(base);
    }
}
