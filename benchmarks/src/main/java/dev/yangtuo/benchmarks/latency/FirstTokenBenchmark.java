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

/** From the ids of a prompt to the first token: what a person waits before an answer begins. No prompt comes twice, so nothing of it is known. */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Benchmark)
public class FirstTokenBenchmark {
    /** Who computes: yangtuo, llama.cpp or jlama. */
    @Param("yangtuo")
    public String engine;

    /** What is computed: {@code demo:TYPE} or a GGUF file. */
    @Param({"demo:f16", "demo:q4_0"})
    public String model;

    /** Tokens of the prompt. */
    @Param({"32", "512", "2048"})
    public int prompt;

    /** Threads that compute; 0 stands for one per processor. */
    @Param("0")
    public int threads;

    private OpenedEngine opened;
    private int[] ids;
    private int count;

    /** Loads and checks. */
    @Setup(Level.Trial)
    public void open() {
        opened = OpenedEngine.open(new EngineSettings(EngineName.of(engine), PreparedModel.of(model), EngineSettings.threads(threads), prompt + 8, 1));
    }

    /** Makes the next prompt, which is not timed. An operation takes much longer than JMH's clock needs to be read. */
    @Setup(Level.Invocation)
    public void next() {
        ids = RandomPrompts.prompt(count++, prompt, opened.engine().vocabSize());
    }

    /** Closes the model. */
    @TearDown(Level.Trial)
    public void close() {
        opened.close();
    }

    /** Prompt and first token. */
    @Benchmark
    public int firstToken() {
        return opened.engine().firstToken(ids);
    }
}
