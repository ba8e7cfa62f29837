package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Checkout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
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

/**
 * Texts of 1 MiB that nobody writes but an attacker may send: the time of each byte must stay near that of ordinary text. One call encodes
 * the whole text; the score is nanoseconds for one byte of UTF-8.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Benchmark)
public class TokenizerLinearityBenchmark {
    private static final int BYTES = 1 << 20;
    private static final long SEED = 42;
    private static final int FIRST_CJK = 0x4E00;
    private static final int LAST_CJK = 0x9FFF;

    /** What the text is made of; the last three are ordinary. */
    @Param({"letter-a", "spaces", "abab", "random-cjk", "one-cjk", "newlines", "digits", "poems", "mixed", "english"})
    public String text;

    /** A SentencePiece model, by an absolute path or one relative to the repository. */
    @Param(Checkout.DEMO_MODEL)
    public String model;

    /** Who encodes. */
    @Param("yangtuo")
    public String encoder;

    private String content;
    private TextEncoder subject;

    /** Makes the text, loads, and checks. */
    @Setup(Level.Trial)
    public void open() {
        Path modelFile = Checkout.file(model);
        content = content(text);
        subject = TextEncoder.open(encoder, modelFile);
        try (TextEncoder ours = TextEncoder.open("yangtuo", modelFile);
                TextEncoder sentencePiece = TextEncoder.open("djl-sentencepiece", modelFile)) {
            Agreement.require(ours, sentencePiece, List.of(content));
        }
        System.out.printf("%n%s: %d bytes of UTF-8, %d tokens%n", text, Corpus.utf8Bytes(content), subject.ids(content).length);
    }

    /** Gives native memory back. */
    @TearDown(Level.Trial)
    public void close() {
        subject.close();
    }

    private static String content(String text) {
        Random random = new Random(SEED);
        return switch (text) {
            case "letter-a" -> repeated(1, i -> 'a');
            case "spaces" -> repeated(1, i -> ' ');
            case "abab" -> repeated(1, i -> i % 2 == 0 ? 'a' : 'b');
            case "random-cjk" -> repeated(3, i -> random.nextInt(FIRST_CJK, LAST_CJK + 1));
            case "one-cjk" -> repeated(3, i -> '中');
            case "newlines" -> repeated(1, i -> '\n');
            case "digits" -> repeated(1, i -> '0' + random.nextInt(10));
            default -> Corpus.of(text).ofSize(BYTES);
        };
    }

    /** As many characters as fit into 1 MiB; at most 2 bytes are missing, which the score neglects. */
    private static String repeated(int bytesOfCharacter, IntUnaryOperator character) {
        int length = BYTES / bytesOfCharacter;
        StringBuilder builder = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            builder.append((char) character.applyAsInt(i));
        }
        return builder.toString();
    }

    /** One byte of the text. */
    @Benchmark
    @OperationsPerInvocation(BYTES)
    public Object encodeByte() {
        return subject.encode(content);
    }
}
