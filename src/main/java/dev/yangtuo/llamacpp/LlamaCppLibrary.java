package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.exception.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * llama.cpp's shared library: found, loaded and checked once in the life of the process, which has one llama.cpp only. The generated bindings may be called only after
 * {@link #load}. It is never unloaded: threads of its own, and objects that Java has not freed yet, may need it until the process ends. Thread-safe.
 */
public final class LlamaCppLibrary {
    /** The end of the names of the methods that the bindings have for the address of each function. */
    private static final String ADDRESS_SUFFIX = "$address";
    private static final int NAMED_FUNCTIONS = 5;

    private final Path path;
    private final String version;
    private final LlamaCppLog log;
    private final List<String> problems;

    private LlamaCppLibrary(Path path, String version, LlamaCppLog log, List<String> problems) {
        this.path = path;
        this.version = version;
        this.log = log;
        this.problems = problems;
    }

    /**
     * Loads the library, if that has not been done: the one that is named, else the one of the system property {@code yangtuo.llama.cpp.path}, else of the environment
     * variable {@code YANGTUO_LLAMA_CPP_PATH}, else the first in the usual places of the system.
     *
     * @param named the library's file, or a folder that holds it: its own, an installation, a build, an unpacked package of npm
     * @throws NativeLibraryException if it is not there, cannot be loaded, does not fit the bindings, or the process has loaded another one before
     */
    public static LlamaCppLibrary load(@Nullable Path named) {
        return LoadedLibrary.of(LibrarySearch.of(named).require());
    }

    /** Whether a path, the system property or the environment variable says where the library is, so that it should be there. */
    public static boolean isNamed(@Nullable Path named) {
        return LibrarySearch.of(named).origin() != null;
    }

    /** The file that {@link #load} would take, without loading anything; empty if there is none. */
    public static Optional<Path> find(@Nullable Path named) {
        return LibrarySearch.of(named).find();
    }

    /** Loads, checks and initialises the library of this file. */
    static LlamaCppLibrary open(Path file) {
        new LibraryLoader(file).load();
        String version = requireVersion(file);
        requireSymbols(file);
        requireLayouts(file);
        LlamaCppLog log = new LlamaCppLog();
        log.install();
        List<String> problems = BackendModules.load(file, log);
        problems.forEach(log::error);
        LlamaCpp.llama_backend_init();
        return new LlamaCppLibrary(file, version, log, problems);
    }

    private static String requireVersion(Path file) {
        if (SymbolLookup.loaderLookup().find("llama_version").isEmpty()) {
            throw problem(file, "has no llama_version: it is older than 0.4.0, or is not llama.cpp's library");
        }
        String version = text(LlamaCpp.llama_version());
        if (!LlamaCppVersion.isSupported(version)) {
            throw problem(file, "is version %s".formatted(version));
        }
        return version;
    }

    private static void requireLayouts(Path file) {
        List<String> differences = StructLayouts.differences();
        if (!differences.isEmpty()) {
            throw problem(file, "was built from other sources than its version says: %s".formatted(String.join("; ", differences)));
        }
    }

    /** What is wrong with a library, and which ones fit. */
    static NativeLibraryException problem(Path file, String what) {
        return new NativeLibraryException(
                "%s: %s; this program fits llama.cpp %s; %s".formatted(file, what, String.join(", ", LlamaCppVersion.SUPPORTED), LibrarySearch.REMEDY), null);
    }

    /** Asked for by name first: a binding whose function is missing fails with an error that tells nobody anything. */
    private static void requireSymbols(Path file) {
        SymbolLookup lookup = SymbolLookup.loaderLookup();
        List<String> missing = Stream.of(LlamaCpp.class.getMethods())
                .map(Method::getName)
                .filter(name -> name.endsWith(ADDRESS_SUFFIX))
                .map(name -> name.substring(0, name.length() - ADDRESS_SUFFIX.length()))
                .filter(name -> lookup.find(name).isEmpty())
                .sorted()
                .toList();
        if (!missing.isEmpty()) {
            String first = String.join(", ", missing.subList(0, Math.min(missing.size(), NAMED_FUNCTIONS)));
            throw problem(file, "lacks %d of the functions that are needed, such as %s".formatted(missing.size(), first));
        }
    }

    /** The file of {@code libllama} that was loaded. */
    public Path path() {
        return path;
    }

    /** The version that the library says it is, such as {@code 0.5.0}, or {@code 0.5.0-dev} where it was not built for a release. */
    public String version() {
        return version;
    }

    /** What llama.cpp writes. */
    public LlamaCppLog log() {
        return log;
    }

    /** Which of its parts for devices could not be loaded, and why: usually, a driver is missing. Empty if all is well. */
    public List<String> problems() {
        return problems;
    }

    /** The devices, in llama.cpp's order, with the memory that is free now. */
    public List<Device> devices() {
        List<Device> devices = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            for (long i = 0; i < LlamaCpp.ggml_backend_dev_count(); i++) {
                MemorySegment device = LlamaCpp.ggml_backend_dev_get(i);
                LlamaCpp.ggml_backend_dev_memory(device, free, total);
                devices.add(new Device(
                        text(LlamaCpp.ggml_backend_dev_name(device)),
                        text(LlamaCpp.ggml_backend_dev_description(device)),
                        kind(LlamaCpp.ggml_backend_dev_type(device)),
                        text(LlamaCpp.ggml_backend_reg_name(LlamaCpp.ggml_backend_dev_backend_reg(device))),
                        free.get(ValueLayout.JAVA_LONG, 0),
                        total.get(ValueLayout.JAVA_LONG, 0),
                        device));
            }
        }
        return List.copyOf(devices);
    }

    private static Device.Kind kind(int type) {
        if (type == LlamaCpp.GGML_BACKEND_DEVICE_TYPE_CPU()) {
            return Device.Kind.CPU;
        } else if (type == LlamaCpp.GGML_BACKEND_DEVICE_TYPE_GPU()) {
            return Device.Kind.GPU;
        }
        return type == LlamaCpp.GGML_BACKEND_DEVICE_TYPE_IGPU() ? Device.Kind.IGPU : Device.Kind.ACCEL;
    }

    private static String text(MemorySegment pointer) {
        return pointer.equals(MemorySegment.NULL) ? "" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }
}
