package dev.yangtuo.kernel;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.bindings.YangtuoNative;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;

/**
 * What a machine can do at most with so many threads. NaN, with an empty name, is what this processor has no instruction for that is measured.
 *
 * @param readGbps bytes read from memory, in 10^9 a second
 * @param int8Tops multiplications and additions of bytes in registers, each counted as one, in 10^12 a second
 * @param int8Instruction the instruction that did them
 * @param fmaTflops the same of float32
 * @param fmaInstruction the instruction that did them
 */
public record Ceilings(double readGbps, double int8Tops, String int8Instruction, double fmaTflops, String fmaInstruction) {
    /** Far more than any processor's caches. */
    private static final long READ_BYTES = 1L << 30;
    /** On a small machine: of its memory. */
    private static final int MEMORY_SHARE = 8;
    private static final long LEAST_BYTES_PER_THREAD = 2L << 20;
    private static final int READ_PASSES = 6;
    private static final double PEAK_SECONDS = 0.3;

    private record Peak(double teraPerSecond, String instruction) {}

    /**
     * Measures it, which takes about a second, a gigabyte of memory for that time, and so many processors.
     *
     * @param threads the calling one included, 1 to 256
     * @throws dev.yangtuo.exception.NativeLibraryException if the native library cannot be loaded
     */
    public static Ceilings measure(int threads) {
        try (NativeBackend backend = NativeBackend.open(threads); Arena arena = Arena.ofConfined()) {
            OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long bytes = Math.max(threads * LEAST_BYTES_PER_THREAD, Math.min(READ_BYTES, system.getTotalMemorySize() / MEMORY_SHARE));
            MemorySegment rate = arena.allocate(ValueLayout.JAVA_DOUBLE);
            NativeStatus.check(YangtuoNative.yt_measure_read(backend.context(), bytes, READ_PASSES, rate));
            Peak int8 = peak(backend, YangtuoNative.YT_PEAK_INT8(), arena);
            Peak fma = peak(backend, YangtuoNative.YT_PEAK_FMA(), arena);
            return new Ceilings(rate.get(ValueLayout.JAVA_DOUBLE, 0), int8.teraPerSecond, int8.instruction, fma.teraPerSecond, fma.instruction);
        }
    }

    private static Peak peak(NativeBackend backend, int kind, Arena arena) {
        MemorySegment rate = arena.allocate(ValueLayout.JAVA_DOUBLE);
        MemorySegment name = arena.allocate(ValueLayout.ADDRESS);
        int status = YangtuoNative.yt_measure_peak(backend.context(), kind, PEAK_SECONDS, rate, name);
        if (status == YangtuoNative.YT_ERR_UNSUPPORTED()) {
            return new Peak(Double.NaN, "");
        }
        NativeStatus.check(status);
        return new Peak(rate.get(ValueLayout.JAVA_DOUBLE, 0), name.get(YangtuoNative.C_POINTER, 0).getString(0));
    }

    /** The higher of each of two measurements: what slowed one of them down was something else. */
    public Ceilings orHigher(Ceilings other) {
        return new Ceilings(Math.max(readGbps, other.readGbps), Math.max(int8Tops, other.int8Tops), int8Instruction,
                Math.max(fmaTflops, other.fmaTflops), fmaInstruction);
    }
}
