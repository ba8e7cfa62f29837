package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
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

/** All lines of a text of 4 MiB: with one call, which uses all processors, and one after the other. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Benchmark)
public class TokenizerBatchBenchmark {
    private static final int BYTES = 4 << 20;

    /** One of {@code Corpus.NAMES}, or a file; repeated. */
    @Param({"poems", "mixed", "english"})
    public String corpus;

    /** A SentencePiece model, by an absolute path or one relative to the repository. */
    @Param(Checkout.DEMO_MODEL)
    public String model;

    private Tokenizer tokenizer;
    private List<String> lines;
    private double megabytes;
    private double megatokens;

    /** Loads, and checks that both ways give the same. */
    @Setup(Level.Trial)
    public void open() {
        tokenizer = Tokenizer.load(Checkout.file(model));
        lines = new Corpus(corpus, Corpus.of(corpus).ofSize(BYTES)).lines();
        List<int[]> all = tokenizer.encodeAll(lines, EncodeOptions.PLAIN);
        for (int i = 0; i < lines.size(); i++) {
            if (!Arrays.equals(all.get(i), tokenizer.encode(lines.get(i)))) {
                throw new IllegalStateException("line %d, \"%s\": encodeAll gives other ids than encode".formatted(i, lines.get(i)));
            }
        }
        megabytes = lines.stream().mapToInt(Corpus::utf8Bytes).sum() / 1e6;
        megatokens = all.stream().mapToInt(ids -> ids.length).sum() / 1e6;
        System.out.printf("%n%s: %d lines, %d processors%n", corpus, lines.size(), Runtime.getRuntime().availableProcessors());
    }

    /** With one call. */
    @Benchmark
    public List<int[]> together(TokenizerBenchmark.Counts counts) {
        counts.megabytes += megabytes;
        counts.megatokens += megatokens;
        return tokenizer.encodeAll(lines, EncodeOptions.PLAIN);
    }

    /** One after the other; the results are kept, as they are by the other. */
    @Benchmark
    public List<int[]> oneByOne(TokenizerBenchmark.Counts counts) {
        counts.megabytes += megabytes;
        counts.megatokens += megatokens;
        List<int[]> all = new ArrayList<>(lines.size());
        for (String line : lines) {
            all.add(tokenizer.encode(line));
        }
        return all;
    }
}
