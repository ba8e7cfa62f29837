package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the native library and loads it, once in the life of the program. The generated bindings may be called only after {@link #load()}.
 *
 * <p>The system property {@value #PATH_PROPERTY} names a file to load. Without it, the library in the jar is unpacked into the cache folder:
 * {@code $YANGTUO_CACHE} if that is set, else {@code $XDG_CACHE_HOME/yangtuo} if that is, else {@code ~/.cache/yangtuo}. Where that folder
 * cannot be written, or programs may not be loaded from it, a fresh one among the temporary files serves, deleted as soon as the library is
 * loaded. Thread-safe.
 */
public final class NativeLibrary {
    /** System property: path of the library to load instead of the one in the jar. */
    public static final String PATH_PROPERTY = "yangtuo.library.path";

    private NativeLibrary() {}

    /**
     * Loads the library, if that has not been done.
     *
     * @throws NativeLibraryException if it cannot be loaded; it is not tried again, every call throws, with the reason of the first
     */
    public static void load() {
        path();
    }

    /**
     * Loads the library, if that has not been done, and says which file it came from. That file may no longer be there.
     *
     * @throws NativeLibraryException as {@link #load()}
     */
    public static Path path() {
        return switch (Once.OUTCOME) {
            case Loaded(Path file) -> file;
            // A fresh exception: its stack trace belongs to this call.
            case Failed(NativeLibraryException reason) -> throw new NativeLibraryException(reason.getMessage(), reason);
        };
    }

    /** What came of the one attempt. */
    private sealed interface Outcome {}

    private record Loaded(Path file) implements Outcome {}

    private record Failed(NativeLibraryException reason) implements Outcome {}

    /** Class initialisation makes the attempt happen once, and every other thread wait for it. */
    private static final class Once {
        static final Outcome OUTCOME = attempt();

        private static Outcome attempt() {
            try {
                Path file = locateAndLoad();
                requireAbi(file);
                return new Loaded(file);
            } catch (NativeLibraryException e) {
                return new Failed(e);
            }
        }
    }

    private static Path locateAndLoad() {
        String forced = System.getProperty(PATH_PROPERTY, "");
        if (!forced.isEmpty()) {
            return loadForced(forced);
        }
        return unpackAndLoad(PackagedLibrary.find(NativePlatform.current()), NativeLibrary::loadFile, PATH_PROPERTY);
    }

    /** Has the system load a file. */
    interface Loader {
        /** @throws UnsatisfiedLinkError if it cannot be loaded, at least from where it is */
        void load(Path file);
    }

    /**
     * Loads what a jar holds, from the cache, or else from a folder that is deleted afterwards.
     *
     * @param property of the system that names another file, for messages
     * @return the file, which may no longer be there
     * @throws NativeLibraryException if it cannot be unpacked or loaded
     */
    static Path unpackAndLoad(PackagedLibrary library, Loader loader, String property) {
        List<String> failures = new ArrayList<>();
        Path cache = cacheFolder();
        if (cache != null) {
            try {
                Path file = library.unpackBelow(cache);
                loader.load(file);
                return file;
            } catch (IOException | UnsatisfiedLinkError e) {
                failures.add(cache + ": " + reason(e));
            }
        }
        return loadFromTemporaryFolder(library, loader, property, failures);
    }

    private static Path loadForced(String forced) {
        try {
            Path file = Path.of(forced).toAbsolutePath();
            if (!Files.isRegularFile(file)) {
                throw new NativeLibraryException(
                        "%s: no such file; the system property %s must name a library file".formatted(file, PATH_PROPERTY), null);
            }
            loadFile(file);
            return file;
        } catch (InvalidPathException | UnsatisfiedLinkError e) {
            throw new NativeLibraryException(
                    "%s: cannot be loaded as the system property %s asks: %s".formatted(forced, PATH_PROPERTY, reason(e)), e);
        }
    }

    private static Path loadFromTemporaryFolder(PackagedLibrary library, Loader loader, String property, List<String> failures) {
        Path folder = null;
        try {
            // Readable by its owner only, so that nobody else can put another file in the library's place.
            folder = Files.createTempDirectory("yangtuo-");
            Path file = library.unpackBelow(folder);
            loader.load(file);
            return file;
        } catch (IOException | UnsatisfiedLinkError e) {
            failures.add((folder == null ? System.getProperty("java.io.tmpdir") : folder) + ": " + reason(e));
            throw new NativeLibraryException(
                    "the native library %s cannot be unpacked and loaded: %s. Set YANGTUO_CACHE to a folder that can be written and whose file system"
                            .formatted(library.fileName(), String.join("; ", failures))
                            + " is not mounted noexec, or name a library with -D%s=FILE".formatted(property),
                    e);
        } finally {
            if (folder != null) {
                deleteTree(folder);
            }
        }
    }

    /** The folder for what is made once and used again; null if neither a variable nor the home folder names a place. It need not exist. */
    public static @Nullable Path cacheFolder() {
        return cacheFolder(System.getenv(), System.getProperty("user.home", ""));
    }

    /** Where the unpacked library is kept, null if neither a variable nor the home folder names a place. */
    static @Nullable Path cacheFolder(Map<String, String> environment, String home) {
        try {
            String own = environment.getOrDefault("YANGTUO_CACHE", "");
            if (!own.isEmpty()) {
                return Path.of(own).toAbsolutePath();
            }
            // The XDG specification: a relative path there is invalid and to be ignored.
            String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
            if (!xdg.isEmpty() && Path.of(xdg).isAbsolute()) {
                return Path.of(xdg, "yangtuo");
            }
            // The JDK gives "?" for a user without a home.
            return Path.of(home).isAbsolute() ? Path.of(home, ".cache", "yangtuo") : null;
        } catch (InvalidPathException e) {
            return null;
        }
    }

    private static void loadFile(Path file) {
        try {
            System.load(file.toString());
        } catch (IllegalCallerException e) {
            throw new NativeLibraryException(
                    "%s: native code is forbidden in this program (%s); start java with --enable-native-access=ALL-UNNAMED, or =dev.yangtuo on the module path"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /** Struct layouts and signatures are compiled into the bindings: a library of another version would corrupt memory. */
    private static void requireAbi(Path file) {
        String remedy = "use the library that was built together with this jar";
        // Asked for by name first: a binding whose function is missing fails with an error that tells nobody anything.
        if (SymbolLookup.loaderLookup().find("yt_abi_version").isEmpty()) {
            throw new NativeLibraryException("%s: is not Yangtuo's native library, it has no yt_abi_version; %s".formatted(file, remedy), null);
        }
        int expected = YangtuoNative.YT_ABI_VERSION();
        int actual = YangtuoNative.yt_abi_version();
        if (actual != expected) {
            throw new NativeLibraryException(
                    "%s: has ABI version %d, this program needs %d; %s".formatted(file, actual, expected, remedy), null);
        }
    }

    private static String reason(Throwable e) {
        return e instanceof UnsatisfiedLinkError ? String.valueOf(e.getMessage()) : e.toString();
    }

    /** Best effort: Linux and macOS let a loaded library's file go, Windows does not. */
    private static void deleteTree(Path folder) {
        try (var files = Files.walk(folder)) {
            for (Path file : files.toList().reversed()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.getLogger(NativeLibrary.class.getName()).log(System.Logger.Level.DEBUG, "temporary files are left", e);
        }
    }
}
