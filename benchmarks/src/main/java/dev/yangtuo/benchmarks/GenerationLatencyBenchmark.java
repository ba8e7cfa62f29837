package dev.yangtuo.benchmarks;

import dev.yangtuo.BackendType;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import java.nio.file.Path;
import java.util.Iterator;
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

/**
 * Latency of one text, as a program that embeds the library sees it: the time from the prompt to the first token, and the time between tokens.
 * The model is the demonstration model with its Chinese adapter unless the system properties {@code yangtuo.model} and {@code yangtuo.lora} name
 * another. Greedy, so that every run computes the same text; that is checked before anything is timed.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class GenerationLatencyBenchmark {
    /** Tokens after which a text is begun anew, so that the context does not grow without end. */
    private static final int MAX_TOKENS = 128;

    /** Tokens of the prompt. */
    @Param({"16", "128"})
    public int promptTokens;

    /** How the weights are kept. */
    @Param({"F16", "Q8_0", "Q4_0"})
    public WeightType weights;

    private Llama llama;
    private int[] prompt;

    /** Loads the model and checks that it computes what the scalar reference computes. */
    @Setup
    public void load() {
        Path demo = Path.of(System.getProperty("yangtuo.home", ".."), "examples", "demo-model");
        String model = System.getProperty("yangtuo.model");
        LoadOptions options = LoadOptions.defaults().quantize(weights);
        String lora = System.getProperty("yangtuo.lora", model == null ? demo.resolve("chinese-lora").toString() : "");
        options = lora.isEmpty() ? options : options.lora(Path.of(lora));
        Path path = model == null ? demo.resolve("base") : Path.of(model);
        llama = Llama.load(path, options.backend(BackendType.NATIVE));
        prompt = prompt();
        try (Llama reference = Llama.load(path, options.backend(BackendType.SCALAR))) {
            GenerateOptions few = GenerateOptions.defaults().greedy().maxTokens(4);
            if (!reference.generate(prompt, few).result().ids().equals(llama.generate(prompt, few).result().ids())) {
                throw new IllegalStateException("the native backend computes another text than the reference");
            }
        }
        System.out.println(llama.report().describe());
    }

    /** A text that goes on and on, so that no end comes before its time. */
    private int[] prompt() {
        int[] verse = llama.tokenizer().encode("春花秋月何时了，往事知多少。小楼昨夜又东风，故国不堪回首月明中。");
        int[] ids = new int[promptTokens];
        ids[0] = Math.max(0, llama.tokenizer().bosId());
        for (int i = 1; i < ids.length; i++) {
            ids[i] = verse[(i - 1) % verse.length];
        }
        return ids;
    }

    /** Frees the model. */
    @TearDown
    public void close() {
        llama.close();
    }

    /** From the prompt to the first token. */
    @Benchmark
    public GenerationResult timeToFirstToken() {
        return llama.generate(prompt, GenerateOptions.defaults().greedy().maxTokens(1)).result();
    }

    /** A text whose first token is there. */
    @State(Scope.Thread)
    public static class RunningText {
        private Generation generation;
        private Iterator<String> pieces;

        /** Takes the token that was timed; begins again when the text has come to its end. */
        @Setup(Level.Invocation)
        public void advance(GenerationLatencyBenchmark benchmark) {
            if (pieces != null && pieces.hasNext()) {
                pieces.next();
            }
            while (pieces == null || generation.isFinished()) {
                generation = benchmark.llama.generate(benchmark.prompt, GenerateOptions.defaults().greedy().maxTokens(MAX_TOKENS));
                pieces = generation.iterator();
                pieces.next();
            }
        }

        /** Gives back the memory of the last text. */
        @TearDown
        public void close() {
            generation.close();
            pieces = null;
        }
    }

    /** One token after the first: forward pass, choice of the token, its text. */
    @Benchmark
    public boolean timePerToken(RunningText text) {
        return text.pieces.hasNext();
    }
}
