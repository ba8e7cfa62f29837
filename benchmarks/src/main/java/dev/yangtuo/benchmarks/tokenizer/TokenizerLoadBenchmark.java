package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
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
import org.openjdk.jmh.annotations.Warmup;

/** From a model file to a tokenizer that is ready, in a JVM that has done it before. {@code TokenizerStart} measures the first time. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Benchmark)
public class TokenizerLoadBenchmark {
    /** A SentencePiece model, by an absolute path or one relative to the repository. */
    @Param(Checkout.DEMO_MODEL)
    public String model;

    private Path modelFile;

    /** Checks that what is loaded encodes as it should. */
    @Setup(Level.Trial)
    public void verify() {
        modelFile = Checkout.file(model);
        List<String> lines = Corpus.of("mixed").lines();
        try (TextEncoder ours = TextEncoder.open("yangtuo", modelFile);
                TextEncoder sentencePiece = TextEncoder.open("djl-sentencepiece", modelFile)) {
            Agreement.require(ours, sentencePiece, lines);
        }
    }

    /** Ours. */
    @Benchmark
    public Tokenizer yangtuo() {
        return Tokenizer.load(modelFile);
    }

    /** SentencePiece's, through JNI, loaded and closed. */
    @Benchmark
    public Object djlSentencePiece() {
        try (TextEncoder encoder = TextEncoder.open("djl-sentencepiece", modelFile)) {
            return encoder;
        }
    }
}
