package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.benchmarks.Facts;
import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.llamacpp.LlamaCppLibrary;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a call from Java into native code costs (Foreign Function &amp; Memory API): a function without arguments that only returns a number. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Benchmark)
public class ForeignCallBenchmark {
    /** What llama.cpp says unless it was built otherwise. */
    private static final int MOST_SEQUENCES = 256;

    /** Whose function: yangtuo or llama.cpp. */
    @Param("yangtuo")
    public String engine;

    private boolean isLlamaCpp;

    /** Loads the library, and checks what its function returns. */
    @Setup(Level.Trial)
    public void load() {
        switch (EngineName.of(engine)) {
            case YANGTUO -> {
                Facts.note("backend", "yt_abi_version, " + String.join(" ", NativeBackend.kernelNames()));
                require("yt_abi_version", YangtuoNative::yt_abi_version, YangtuoNative.YT_ABI_VERSION());
            }
            case LLAMA_CPP -> {
                isLlamaCpp = true;
                try {
                    Facts.note("backend", "llama_max_parallel_sequences, llama.cpp " + LlamaCppLibrary.load(null).version());
                } catch (NativeLibraryException e) {
                    throw new IllegalStateException(e.getMessage(), e);
                }
                require("llama_max_parallel_sequences", () -> (int) LlamaCpp.llama_max_parallel_sequences(), MOST_SEQUENCES);
            }
            case JLAMA -> throw new IllegalStateException("Jlama's native library has no function that does nothing");
        }
    }

    private static void require(String function, IntSupplier call, int expected) {
        int actual = call.getAsInt();
        if (actual != expected) {
            throw new IllegalStateException("%s() is %d, must be %d".formatted(function, actual, expected));
        }
        Facts.note("check", "%s() is %d".formatted(function, actual));
    }

    /** The call. Whose it is is looked at each time, which takes a fraction of a nanosecond; a call through a variable would cost more. */
    @Benchmark
    public long call() {
        return isLlamaCpp ? LlamaCpp.llama_max_parallel_sequences() : YangtuoNative.yt_abi_version();
    }
}
