package dev.yangtuo.benchmarks;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.WeightType;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a person who waits notices: the time to the first token of a text, and the time of each further one. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class LatencyBenchmark {
    /** Tokens that are timed after the first one. Together with the longest prompt they fit into the context of 512. */
    private static final int FURTHER_TOKENS = 64;

    /** Seeds tried for a text that is long enough: many poems end earlier. */
    private static final int SEEDS = 200;

    /** A model, ready and checked. */
    @State(Scope.Benchmark)
    public static class Loaded {
        /** How weights are kept. */
        @Param({"F16", "Q8_0", "Q4_0"})
        public WeightType weights;

        /** Tokens of the prompt. */
        @Param({"16", "256"})
        public int promptTokens;

        /** Threads that compute; 0 stands for one per processor. */
        @Param("0")
        public int threads;

        private Llama llama;
        private int[] prompt;
        private long seed;

        /** Loads, checks, and says what computes. */
        @Setup(Level.Trial)
        public void open() {
            llama = DemoModel.open(weights, threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
            prompt = DemoModel.prompt(llama, promptTokens);
            DemoModel.verify(llama, weights, prompt);
            seed = findSeed();
            System.out.println("computed by " + llama.report().backend());
        }

        /** Closes the model. */
        @TearDown(Level.Trial)
        public void close() {
            llama.close();
        }

        /** The first seed whose text does not end too early and whose first token is text at once, not a part of a character. */
        private long findSeed() {
            for (seed = 1; seed <= SEEDS; seed++) {
                if (!generate(1).result().text().isEmpty() && generate(1 + FURTHER_TOKENS).result().generatedTokens() == 1 + FURTHER_TOKENS) {
                    return seed;
                }
            }
            throw new IllegalStateException("no seed up to %d gives a text of %d tokens".formatted(SEEDS, 1 + FURTHER_TOKENS));
        }

        /** All runs compute the same tokens. */
        Generation generate(int tokens) {
            return llama.generate(prompt, GenerateOptions.defaults().seed(seed).maxTokens(tokens));
        }
    }

    /** A text whose first token is computed. */
    @State(Scope.Thread)
    public static class Begun {
        private Generation generation;

        /** Computes the prompt and the first token, which is not timed. Calls take much longer than JMH's clock needs to be read. */
        @Setup(Level.Invocation)
        public void begin(Loaded loaded) {
            generation = loaded.generate(1 + FURTHER_TOKENS);
            if (!generation.iterator().hasNext()) {
                throw new IllegalStateException("the text ended before its first token");
            }
        }

        /** Gives back the memory of the text. */
        @TearDown(Level.Invocation)
        public void end() {
            generation.close();
        }
    }

    /** Prompt and first token. */
    @Benchmark
    public GenerationResult timeToFirstToken(Loaded loaded) {
        try (Generation generation = loaded.generate(1)) {
            return generation.result();
        }
    }

    /** One token after the first, on average over {@value #FURTHER_TOKENS}. */
    @Benchmark
    @OperationsPerInvocation(FURTHER_TOKENS)
    public GenerationResult timePerToken(Begun begun) {
        GenerationResult result = begun.generation.result();
        if (result.generatedTokens() != 1 + FURTHER_TOKENS) {
            throw new IllegalStateException("the text ended after %d tokens, the time per token would be wrong".formatted(result.generatedTokens()));
        }
        return result;
    }
}
