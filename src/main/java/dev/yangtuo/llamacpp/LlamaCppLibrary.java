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
    private static final String ADDRESS_SUFFIX = "$address";

    private final Path path;
    private final String version;
    private final LlamaCppLog log;

    private LlamaCppLibrary(Path path, String version, LlamaCppLog log) {
        this.path = path;
        this.version = version;
        this.log = log;
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

    /** The file that {@link #load} would take, without loading anything; empty if there is none. */
    public static Optional<Path> find(@Nullable Path named) {
        return LibrarySearch.of(named).find();
    }

    /** Loads, checks and initialises the library of this file. */
    static LlamaCppLibrary open(Path file) {
        new LibraryLoader(file).load();
        requireSymbols(file);
        String version = text(LlamaCpp.llama_version());
        LlamaCppLog log = new LlamaCppLog();
        log.install();
        loadBackends(file);
        LlamaCpp.llama_backend_init();
        return new LlamaCppLibrary(file, version, log);
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
            throw new NativeLibraryException("%s: has no %s".formatted(file, String.join(", ", missing)), null);
        }
    }

    /** Some builds have the code for devices in libraries of their own, which are chosen while the program runs. */
    private static void loadBackends(Path file) {
        if (LlamaCpp.ggml_backend_reg_count() > 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            LlamaCpp.ggml_backend_load_all_from_path(arena.allocateFrom(file.getParent().toString()));
        }
        // Without this, llama_backend_init would search the current folder, which nobody has named.
        if (LlamaCpp.ggml_backend_reg_count() == 0) {
            throw new NativeLibraryException("%s: has no code for the processor (libggml-cpu*) beside it".formatted(file), null);
        }
    }

    /** The file of {@code libllama} that was loaded. */
    public Path path() {
        return path;
    }

    /** The version that the library says it is, such as {@code 0.5.0}. */
    public String version() {
        return version;
    }

    /** What llama.cpp writes. */
    public LlamaCppLog log() {
        return log;
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
