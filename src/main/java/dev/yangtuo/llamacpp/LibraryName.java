package dev.yangtuo.llamacpp;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/** The shared libraries that make up llama.cpp. Their files have a version before the ending, behind it, or none: {@code libllama.so.0}, {@code libllama.v0.5.0.so}. */
enum LibraryName {
    /** The library that is bound. */
    LLAMA("llama"),
    /** Devices, which it needs. */
    GGML("ggml"),
    /** Tensors, which both need. */
    GGML_BASE("ggml-base");

    /** Versions and the like: {@code .v0.5.0}, {@code .b8390}, {@code .vulkan.v0.5.0} before the ending, {@code .0.5.0} behind it. */
    private static final String SUFFIX = "(\\.\\w+)*";

    private final String base;
    private final Pattern file;

    LibraryName(String base) {
        this.base = base;
        this.file = Pattern.compile("(lib)?" + Pattern.quote(base) + SUFFIX + "\\.(so|dylib|dll)(\\.\\d+)*");
    }

    boolean matches(Path path) {
        return file.matcher(path.getFileName().toString()).matches();
    }

    /** The files of this library in a folder, the one with the shortest name first: the others are usually what it links to. Empty if it is no folder. */
    List<Path> filesIn(Path folder) {
        return Folder.entries(folder).stream()
                .filter(path -> matches(path) && Files.isRegularFile(path))
                .sorted(Comparator.comparingInt(path -> path.toString().length()))
                .toList();
    }

    /** The name of its file on this system, without a version. */
    @Override
    public String toString() {
        return System.mapLibraryName(base);
    }
}
