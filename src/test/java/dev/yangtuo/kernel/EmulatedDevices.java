package dev.yangtuo.kernel;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The library for CUDA devices as the tests build it: the same kernels and the same host code, compiled for the processor, on an emulated runtime whose devices tests set
 * (native/test/cuda/runtime.h). Closing gives it one device again that works. Tests that use it are skipped where it was not built.
 */
public final class EmulatedDevices implements AutoCloseable {
    /** CUDA's number of a device that is gone. */
    public static final int DEVICE_LOST = 719;

    private static final Path LIBRARY = Path.of("target/native-emulated/libyangtuo-cuda-emulated.so").toAbsolutePath();
    private static final long MEMORY = 8L << 30;

    private final SymbolLookup symbols;

    private EmulatedDevices(SymbolLookup symbols) {
        this.symbols = symbols;
    }

    /** Has so many devices, of 8 GB each; the test that asks is skipped where the library is not. */
    public static EmulatedDevices assumed(int count) {
        assumeTrue(Files.isRegularFile(LIBRARY), "the emulated library for CUDA devices was not built: %s (it needs a C++ compiler)".formatted(LIBRARY));
        System.setProperty(DeviceLibrary.PATH_PROPERTY, LIBRARY.toString());
        EmulatedDevices devices = new EmulatedDevices(SymbolLookup.libraryLookup(DeviceLibrary.open(), Arena.global()));
        devices.call("yt_emulated_set_devices", count);
        return devices;
    }

    private long call(String name, Object... arguments) {
        ValueLayout[] layouts = new ValueLayout[arguments.length];
        for (int i = 0; i < layouts.length; i++) {
            layouts[i] = arguments[i] instanceof Long ? ValueLayout.JAVA_LONG : arguments[i] instanceof Integer ? ValueLayout.JAVA_INT : ValueLayout.ADDRESS;
        }
        // What returns nothing leaves something in the register, which nobody looks at.
        MethodHandle handle = Linker.nativeLinker().downcallHandle(symbols.find(name).orElseThrow(), FunctionDescriptor.of(ValueLayout.JAVA_LONG, layouts));
        try {
            return (long) handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
    }

    /** Memory of each device. */
    public EmulatedDevices memory(long bytes) {
        call("yt_emulated_set_memory", bytes);
        return this;
    }

    /** Version of the driver, 1000 * major + 10 * minor; 0: there is none. */
    public EmulatedDevices driver(int version) {
        call("yt_emulated_set_driver", version);
        return this;
    }

    public EmulatedDevices capability(int major, int minor) {
        call("yt_emulated_set_capability", major, minor);
        return this;
    }

    /** The call of the runtime that comes so many calls after the last one fails. */
    public void failAt(long call, int error, boolean forever) {
        call("yt_emulated_fail", call, error, forever ? 1 : 0);
    }

    /** Calls of the runtime so far. */
    public long calls() {
        return call("yt_emulated_calls");
    }

    /** Memory, streams, events and graphs that nobody has released. */
    public long alive() {
        return call("yt_emulated_alive", MemorySegment.NULL);
    }

    /** Bytes in use on all devices. */
    public long used() {
        return call("yt_emulated_used");
    }

    /** Kernels and graphs that have run. */
    public long launches() {
        return call("yt_emulated_kernel_launches") + call("yt_emulated_graph_launches");
    }

    @Override
    public void close() {
        failAt(0, 0, false);
        memory(MEMORY).driver(13_000).capability(8, 0);
        call("yt_emulated_set_devices", 1);
    }
}
