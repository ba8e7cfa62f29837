package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Builds of llama.cpp for many machines (GGML_BACKEND_DL) have the code for each kind of device, and for each generation of processors, in a module of its own, which is
 * loaded while the program runs. Other builds have all of it in the library, or in libraries that it is linked with.
 */
final class BackendModules {
    /** On macOS as well they end in {@code .so}. Versions are for libraries that others are linked with, which modules are not. */
    private static final Pattern MODULE = Pattern.compile("(?:lib)?ggml-([a-z0-9]+)(?:-\\w+)?\\.(?:so|dll)");
    private static final String PROCESSOR = "cpu";
    private static final String BASE = "base";
    /** Environment variable of llama.cpp: a module that it loads beside those of the folder. */
    private static final String OUTSIDE = "GGML_BACKEND_PATH";

    private BackendModules() {}

    /**
     * Loads the modules of this library if the code for devices is not in it: of the processor's the one that suits it best, and all others.
     *
     * @return which could not be loaded, and why; usually because the driver is not there
     */
    static List<String> load(Path library, LlamaCppLog log) {
        if (LlamaCpp.ggml_backend_reg_count() > 0) {
            return List.of();
        }
        Path folder = folders(library)
                .filter(each -> !modules(each, true).isEmpty())
                .findFirst()
                .orElseThrow(() -> LlamaCppLibrary.problem(library, "has no code for the processor: there is no libggml-cpu* beside it"));
        LibraryLoader.requireCompleteParts(folder);
        Optional.ofNullable(System.getenv(OUTSIDE)).map(Path::of).ifPresent(LibraryLoader::requireNotCutOff);
        List<String> problems = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            try (LlamaCppLog.Capture errors = log.capture()) {
                LlamaCpp.ggml_backend_load_all_from_path(arena.allocateFrom(folder.toString()));
                errors.text().lines().forEach(problems::add);
            }
            // Release builds do not say why they skip a module, unless it is named.
            for (Path module : modules(folder, false)) {
                try (LlamaCppLog.Capture errors = log.capture()) {
                    if (LlamaCpp.ggml_backend_load(arena.allocateFrom(module.toString())).equals(MemorySegment.NULL)) {
                        problems.add("%s cannot be used: %s".formatted(module.getFileName(), errors.text()));
                    }
                }
            }
        }
        // llama_backend_init would search the program's folder and the current one, which nobody has named.
        if (LlamaCpp.ggml_backend_reg_count() == 0) {
            throw LlamaCppLibrary.problem(library, "has no code for this processor in %s: %s".formatted(folder, String.join("; ", problems)));
        }
        return List.copyOf(problems);
    }

    /** Where modules may be: beside the library or what it is a link to, and where distributions and Homebrew put them, relative to that. */
    private static Stream<Path> folders(Path library) {
        Stream<Path> ggml = LibraryName.GGML.filesIn(library.getParent()).stream();
        return Stream.concat(Stream.of(library), ggml)
                .flatMap(file -> Stream.of(file.getParent(), LoadedLibrary.real(file).getParent()))
                .distinct()
                .flatMap(folder -> Stream.concat(Stream.of(folder, folder.resolve("../libexec").normalize()), subfolders(folder.resolve("ggml"))));
    }

    private static Stream<Path> subfolders(Path folder) {
        return Stream.concat(Stream.of(folder), Folder.entries(folder).stream().filter(Files::isDirectory));
    }

    private static List<Path> modules(Path folder, boolean forProcessor) {
        return Folder.entries(folder).stream().filter(path -> {
            Matcher matcher = MODULE.matcher(path.getFileName().toString());
            return matcher.matches() && !matcher.group(1).equals(BASE) && matcher.group(1).equals(PROCESSOR) == forProcessor && Files.isRegularFile(path);
        }).toList();
    }
}
