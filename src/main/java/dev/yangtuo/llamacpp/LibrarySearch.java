package dev.yangtuo.llamacpp;

import dev.yangtuo.exception.NativeLibraryException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where llama.cpp's shared library is. Nothing is loaded. What is named must be there: only where nothing is named, the usual places are looked through.
 *
 * @param origin what named it, for messages: an option, a property, a variable; null for the usual places
 * @param places files and folders to look at, the first that has the library counts
 */
record LibrarySearch(@Nullable String origin, List<Path> places) {
    /** System property: the library's file, or a folder that holds it. */
    static final String PROPERTY = "yangtuo.llama.cpp.path";
    /** Environment variable: the same, where the property is not set. */
    static final String VARIABLE = "YANGTUO_LLAMA_CPP_PATH";

    /** The end of every message about a library that is missing or does not fit. */
    static final String REMEDY = "docs/llama-cpp.md says how to get one that fits";

    /** Where a folder that is named may hold the library: it may be an installation, a build, an unpacked package of npm. */
    private static final List<String> SUBFOLDERS = List.of("", "lib", "lib64", "build/bin");
    /** npm's packages keep it in a folder that is named like the package. */
    private static final String NPM_SUBFOLDER = "bins";
    /** Beside java.library.path, which has LD_LIBRARY_PATH and the linker's standard folders: where packages of distributions and own installations put it. */
    private static final List<String> SYSTEM_FOLDERS = List.of(
            "/usr/local/lib", "/usr/local/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/opt/homebrew/lib", "/home/linuxbrew/.linuxbrew/lib");

    /** The search that a path, else the property, else the variable asks for. */
    static LibrarySearch of(@Nullable Path named) {
        return of(named, System.getProperty(PROPERTY, ""), System.getenv().getOrDefault(VARIABLE, ""), System.getProperty("java.library.path", ""));
    }

    static LibrarySearch of(@Nullable Path named, String property, String variable, String libraryPath) {
        if (named != null) {
            return new LibrarySearch("the path that is given", List.of(named.toAbsolutePath()));
        } else if (!property.isEmpty()) {
            return named("the system property " + PROPERTY, property);
        } else if (!variable.isEmpty()) {
            return named("the environment variable " + VARIABLE, variable);
        }
        Stream<String> folders = Stream.concat(Stream.of(libraryPath.split(File.pathSeparator)), SYSTEM_FOLDERS.stream());
        // A folder that is relative to where the program was started must be named to be trusted.
        return new LibrarySearch(null, folders.filter(folder -> !folder.isEmpty()).map(Path::of).filter(Path::isAbsolute).distinct().toList());
    }

    private static LibrarySearch named(String origin, String path) {
        try {
            return new LibrarySearch(origin, List.of(Path.of(path).toAbsolutePath()));
        } catch (InvalidPathException e) {
            throw new NativeLibraryException("%s: is no path, %s must name llama.cpp's shared library or its folder".formatted(path, origin), e);
        }
    }

    /** The library's file; empty if it is at none of the places. */
    Optional<Path> find() {
        return places.stream().flatMap(place -> candidates(place).stream()).findFirst();
    }

    /** The library's file, or an exception that says where it was looked for. */
    Path require() {
        return find().orElseThrow(() -> {
            if (origin == null) {
                return new NativeLibraryException(
                        "llama.cpp's shared library (%s) is not in the usual places (%s). Name its file or folder with --engine-path, LlamaCppOptions.library, the system property %s or the environment variable %s; %s"
                                .formatted(LibraryName.LLAMA, String.join(", ", places.stream().map(Path::toString).toList()), PROPERTY, VARIABLE, REMEDY),
                        null);
            }
            Path place = places.getFirst();
            String found = !Files.exists(place) ? "no such file or folder" : Files.isDirectory(place)
                    ? "no shared library of llama.cpp (%s) in this folder or its %s".formatted(LibraryName.LLAMA, "lib, build/bin or bins/*")
                    : "is not llama.cpp's shared library (%s) by its name".formatted(LibraryName.LLAMA);
            return new NativeLibraryException("%s: %s; %s must name llama.cpp's shared library or its folder; %s".formatted(place, found, origin, REMEDY), null);
        });
    }

    private static List<Path> candidates(Path place) {
        if (Files.isRegularFile(place)) {
            return LibraryName.LLAMA.matches(place) ? List.of(place) : List.of();
        }
        List<Path> files = new ArrayList<>();
        for (String folder : SUBFOLDERS) {
            files.addAll(LibraryName.LLAMA.filesIn(place.resolve(folder)));
        }
        for (Path folder : Folder.entries(place.resolve(NPM_SUBFOLDER))) {
            files.addAll(LibraryName.LLAMA.filesIn(folder));
        }
        return files;
    }
}
