package dev.yangtuo.benchmarks.latency;

import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** From files in the page cache to a model that is ready, in a JVM that has loaded it before. Closing is not timed. */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Benchmark)
public class LoadBenchmark {
    /** Who computes: yangtuo, llama.cpp or jlama. */
    @Param("yangtuo")
    public String engine;

    /** What is computed: {@code demo:TYPE} or a GGUF file. */
    @Param({"demo:f16", "demo:q4_0"})
    public String model;

    /**
     * What is loaded: the {@code file} as it is; or of the demonstration model the {@code base} and the {@code adapter}: the base as it was published, without and with
     * the adapter that is merged into it, both encoded in the model's type.
     */
    @Param("file")
    public String from;

    /** Threads that compute; 0 stands for one per processor. */
    @Param("0")
    public int threads;

    private EngineSettings settings;
    private LatencyEngine loaded;

    /** Checks what is loaded. */
    @Setup(Level.Trial)
    public void verify() {
        settings = EngineSettings.small(EngineName.of(engine), PreparedModel.of(model), EngineSettings.threads(threads));
        OpenedEngine.open(settings, LoadSource.of(from)).close();
    }

    /** Closes the model that was loaded. */
    @TearDown(Level.Invocation)
    public void close() {
        loaded.close();
    }

    /** Loads. */
    @Benchmark
    public Object load() {
        loaded = LoadSource.of(from).open(settings);
        return loaded;
    }
}
