package dev.yangtuo.llamacpp;

import dev.yangtuo.exception.NativeLibraryException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Loads a shared library and what it needs from its own folder. That cannot be left to the dynamic linker: an installation has no search path in its files, and the
 * linker would take another version from the system's folders, or none.
 */
final class LibraryLoader {
    /** How the linkers of glibc, musl and macOS say which library is missing. */
    private static final Pattern MISSING = Pattern.compile(
            "([^\\s:/]+): cannot open shared object file|Error loading shared library ([^\\s:/]+):|Library not loaded: (?:\\S*/)?([^\\s/]+)");

    /** Libraries and modules that the dynamic linker, or llama.cpp itself, takes from the folder. */
    private static final Pattern PART = Pattern.compile("(lib)?ggml[\\w.-]*\\.so[\\w.]*");

    private final Path file;
    private final Path folder;
    private final Set<Path> loaded = new HashSet<>();

    /** @param file the shared library {@code libllama} */
    LibraryLoader(Path file) {
        this.file = file;
        this.folder = file.getParent();
    }

    /** Loads it. What it needs from its folder is loaded before. */
    void load() {
        for (LibraryName name : new LibraryName[] {LibraryName.GGML_BASE, LibraryName.GGML}) {
            name.filesIn(folder).stream().limit(1).forEach(this::load);
        }
        load(file);
    }

    private void load(Path library) {
        if (!loaded.add(library)) {
            return;
        }
        requireLoadable(library);
        while (true) {
            try {
                System.load(library.toString());
                return;
            } catch (UnsatisfiedLinkError e) {
                loadMissing(library, e);
            } catch (IllegalCallerException e) {
                throw new NativeLibraryException(
                        "%s: native code is forbidden in this program (%s); start java with --enable-native-access=ALL-UNNAMED, or =dev.yangtuo on the module path"
                                .formatted(library, e.getMessage()),
                        e);
            }
        }
    }

    /** Loads what the linker misses, if that is in the folder and has not been loaded before. */
    private void loadMissing(Path library, UnsatisfiedLinkError error) {
        Matcher missing = MISSING.matcher(String.valueOf(error.getMessage()));
        if (missing.find()) {
            String name = missing.group(1) != null ? missing.group(1) : missing.group(2) != null ? missing.group(2) : missing.group(3);
            Path neighbour = folder.resolve(name);
            if (Files.isRegularFile(neighbour) && !loaded.contains(neighbour)) {
                load(neighbour);
                return;
            }
        }
        throw new NativeLibraryException(
                "%s: cannot be loaded: %s. A library that it needs may be missing, such as a GPU's driver; %s".formatted(library, error.getMessage(), LibrarySearch.REMEDY),
                error);
    }

    /** Throws if the dynamic linker should not be given this file. Nothing has been loaded then. */
    static void requireLoadable(Path library) {
        if (!Files.isReadable(library)) {
            throw new NativeLibraryException("%s: cannot be read; see its permissions".formatted(library), null);
        }
        if (System.getProperty("os.name").equals("Linux")) {
            ElfFile.require(library, System.getProperty("os.arch"));
        }
    }

    /** Throws if a part of llama.cpp in this folder is cut off: whoever loads it, that would end the process. */
    static void requireCompleteParts(Path folder) {
        Folder.entries(folder).stream().filter(part -> PART.matcher(part.getFileName().toString()).matches()).forEach(LibraryLoader::requireNotCutOff);
    }

    /** Throws if this shared library is cut off. That nothing is there, or something else, the dynamic linker says itself. */
    static void requireNotCutOff(Path library) {
        if (System.getProperty("os.name").equals("Linux")) {
            ElfFile.requireNotCutOff(library, System.getProperty("os.arch"));
        }
    }
}
