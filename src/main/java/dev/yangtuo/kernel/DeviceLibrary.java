package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.bindings.yt_device_info;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.exception.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/**
 * The library of kernels for CUDA devices, {@code libyangtuo-cuda}, which the native library opens when a device is first asked for, and the devices. It is the file that
 * the system property {@value #PATH_PROPERTY}, else the environment variable {@value #PATH_VARIABLE} names; else it is looked for beside the native library, then in the
 * jars of the class path and the module path, from where it is unpacked as {@link NativeLibrary} is. Thread-safe.
 */
public final class DeviceLibrary {
    /** System property: path of the library. */
    public static final String PATH_PROPERTY = "yangtuo.cuda.path";
    /** Environment variable: the same, where the property is not set. */
    public static final String PATH_VARIABLE = "YANGTUO_CUDA_PATH";

    private static final String BASE_NAME = "yangtuo-cuda";
    /** A process has one: what was opened first. */
    private static final AtomicReference<Path> OPENED = new AtomicReference<>();

    private DeviceLibrary() {}

    /**
     * Versions as NVIDIA writes them, 12.4.
     *
     * @param driver newest CUDA that the driver knows; empty if there is no driver
     * @param runtime CUDA that the library was built with
     */
    public record Versions(String driver, String runtime) {
        private static String text(int version) {
            return version == 0 ? "" : version / 1000 + "." + version % 1000 / 10;
        }
    }

    /**
     * Opens the library, if that has not been done. It can be opened on a machine without a driver.
     *
     * @return the file that it came from, which may no longer be there
     * @throws NativeLibraryException if there is none, or it cannot be opened
     */
    public static Path open() {
        NativeLibrary.load();
        synchronized (OPENED) {
            Path opened = OPENED.get();
            if (opened == null) {
                opened = locateAndOpen();
                OPENED.set(opened);
            }
            return opened;
        }
    }

    /** @throws NativeLibraryException as {@link #open} */
    public static Versions versions() {
        open();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment driver = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment runtime = arena.allocate(ValueLayout.JAVA_INT);
            NativeStatus.check(YangtuoNative.yt_device_versions(driver, runtime));
            return new Versions(Versions.text(driver.get(ValueLayout.JAVA_INT, 0)), Versions.text(runtime.get(ValueLayout.JAVA_INT, 0)));
        }
    }

    /**
     * How many devices this machine has, those included that cannot be used; may be none.
     *
     * @throws NativeLibraryException as {@link #open}
     * @throws KernelException if the driver is missing or too old
     */
    public static int count() {
        open();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            NativeStatus.check(YangtuoNative.yt_device_count(count));
            return count.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /**
     * One of them. To ask takes memory of the device, some hundred megabytes as a rule, as long as the process lives: ask for those only that may compute.
     *
     * @param number from 0 to {@link #count} - 1
     * @throws NativeLibraryException as {@link #open}
     * @throws KernelException if the driver is missing or too old
     * @throws IllegalArgumentException if there is no such device
     */
    public static Device device(int number) {
        open();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = yt_device_info.allocate(arena);
            NativeStatus.check(YangtuoNative.yt_device_describe(number, info));
            String problem = yt_device_info.problem(info).getString(0);
            return new Device(
                    number,
                    yt_device_info.name(info).getString(0),
                    yt_device_info.compute_capability(info),
                    yt_device_info.multiprocessors(info),
                    yt_device_info.total_bytes(info),
                    yt_device_info.free_bytes(info),
                    yt_device_info.is_usable(info) == 1 ? "" : problem.isEmpty() ? "it cannot be used" : problem);
        }
    }

    /**
     * All of them, in the order of their numbers; {@link #device} says what that takes.
     *
     * @throws NativeLibraryException as {@link #open}
     * @throws KernelException if the driver is missing or too old
     */
    public static List<Device> devices() {
        return IntStream.range(0, count()).mapToObj(DeviceLibrary::device).toList();
    }

    private static Path locateAndOpen() {
        String property = System.getProperty(PATH_PROPERTY, "");
        if (!property.isEmpty()) {
            return openNamed(property, "the system property " + PATH_PROPERTY);
        }
        String variable = System.getenv().getOrDefault(PATH_VARIABLE, "");
        if (!variable.isEmpty()) {
            return openNamed(variable, "the environment variable " + PATH_VARIABLE);
        }
        NativePlatform platform = NativePlatform.current();
        Path beside = NativeLibrary.path().resolveSibling(platform.fileName(BASE_NAME));
        if (Files.isRegularFile(beside)) {
            return openNamed(beside.toString(), "its place beside the native library");
        }
        PackagedLibrary packaged = PackagedLibrary.find(platform, BASE_NAME);
        if (packaged == null) {
            throw new NativeLibraryException(("%s: there is no library for CUDA devices beside %s or in a jar on the class path; build Yangtuo where nvcc is, add the artifact"
                    + " dev.yangtuo:yangtuo with the classifier natives-%s-cuda, or name the file with -D%s=FILE or the environment variable %s").formatted(
                            platform.fileName(BASE_NAME), NativeLibrary.path(), platform, PATH_PROPERTY, PATH_VARIABLE), null);
        }
        return NativeLibrary.unpackAndLoad(packaged, DeviceLibrary::openFile, PATH_PROPERTY);
    }

    private static Path openNamed(String name, String source) {
        try {
            Path file = Path.of(name).toAbsolutePath();
            if (!Files.isRegularFile(file)) {
                throw new NativeLibraryException("%s: no such file; %s must name libyangtuo-cuda".formatted(file, source), null);
            }
            openFile(file);
            return file;
        } catch (InvalidPathException | UnsatisfiedLinkError e) {
            throw new NativeLibraryException("%s: cannot be opened as the library for CUDA devices, as %s asks: %s".formatted(name, source, e.getMessage()), e);
        }
    }

    /** @throws UnsatisfiedLinkError if it cannot be opened */
    private static void openFile(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            NativeStatus.check(YangtuoNative.yt_device_library_open(arena.allocateFrom(file.toString(), NativeBackend.FILE_NAMES)));
        } catch (KernelException e) {
            throw (UnsatisfiedLinkError) new UnsatisfiedLinkError(e.getMessage()).initCause(e);
        }
    }
}
