package dev.yangtuo.benchmarks.latency;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
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

/**
 * The time between two tokens of a text: one operation gives each of some texts, which are computed together, its next token. Each of the texts sees this time; it is also
 * the time of so many tokens. Their first tokens are not timed, and they begin anew, untimed, when they have had as many tokens as they were begun for.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Benchmark)
public class NextTokenBenchmark {
    /** Steps after the beginning that are not timed: what came while texts were begun one after the other is read, so that each further step waits for a forward pass. */
    private static final int UNTIMED_STEPS = 2;

    /** Who computes: yangtuo, llama.cpp or jlama. */
    @Param("yangtuo")
    public String engine;

    /** What is computed: {@code demo:TYPE} or a GGUF file. */
    @Param({"demo:f16", "demo:q4_0"})
    public String model;

    /** Texts that are computed together. */
    @Param({"1", "8", "32"})
    public int texts;

    /** Tokens of each prompt. */
    @Param("32")
    public int prompt;

    /** Tokens that texts are begun for: how far they are from their beginning varies up to this. */
    @Param("256")
    public int tokens;

    /** Threads that compute; 0 stands for one per processor. */
    @Param("0")
    public int threads;

    private OpenedEngine opened;
    private int[][] prompts;
    private LatencyEngine.@Nullable Texts current;
    private int left;

    /** Loads, checks, and finds prompts. */
    @Setup(Level.Trial)
    public void open() {
        int context = prompt + tokens + LatencyEngine.AHEAD;
        opened = OpenedEngine.open(new EngineSettings(EngineName.of(engine), PreparedModel.of(model), EngineSettings.threads(threads), context, texts));
        prompts = opened.engine().prompts(texts, prompt, tokens);
    }

    /** Begins texts if there are none, or if they have had their tokens. */
    @Setup(Level.Invocation)
    public void begin() {
        if (left == 0) {
            end();
            current = opened.engine().begin(prompts, tokens);
            for (int i = 0; i < UNTIMED_STEPS; i++) {
                current.step();
            }
            left = tokens - UNTIMED_STEPS;
        }
    }

    private void end() {
        if (current != null) {
            current.close();
            current = null;
        }
    }

    /** Closes the texts and the model. */
    @TearDown(Level.Trial)
    public void close() {
        end();
        opened.close();
    }

    /** A token of each text. */
    @Benchmark
    public void nextToken() {
        current.step();
        left--;
    }

    /** What all threads of the JVM have allocated within steps; the beginnings of texts and JMH's own work are not in it, as they are in what -prof gc reports. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Allocated {
        private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

        /** Bytes. */
        public long bytes;

        /** In so many steps. */
        public long steps;
    }

    /** The same, and what it leaves for the garbage collector. */
    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    public void garbage(Allocated allocated) {
        long before = allocated.threads.getTotalThreadAllocatedBytes();
        nextToken();
        allocated.bytes += allocated.threads.getTotalThreadAllocatedBytes() - before;
        allocated.steps++;
    }
}
