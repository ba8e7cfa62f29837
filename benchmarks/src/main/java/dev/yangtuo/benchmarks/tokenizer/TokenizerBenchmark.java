package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.benchmarks.Facts;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.infra.Blackhole;

/**
 * How fast text becomes ids, ours and two native tokenizers in the same JVM. One operation is a corpus, encoded with one call a line, as a
 * program would do it, or as one text. With more threads ({@code -t 4}) all use one encoder.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class TokenizerBenchmark {
    /** A corpus and an encoder, checked. */
    @State(Scope.Benchmark)
    public static class Prepared {
        /** One of {@code Corpus.NAMES}, or a file. */
        @Param({"poems", "mixed", "english"})
        public String corpus;

        /** What one call encodes: a {@code line}, or the whole {@code text}. */
        @Param({"line", "text"})
        public String unit;

        /** A SentencePiece model, by an absolute path or one relative to the repository. */
        @Param(Checkout.DEMO_MODEL)
        public String model;

        /** Who encodes; {@code llama.cpp} and {@code jlama}, which benchmarks/latency measures, are possible, too. */
        @Param({"yangtuo", "djl-sentencepiece", "djl-huggingface", "djl-huggingface-ids"})
        public String encoder;

        private Path modelFile;
        private List<String> texts;
        private double megabytes;
        private double megatokens;
        private TextEncoder subject;

        /** Loads, checks, and says what one operation is. */
        @Setup(Level.Trial)
        public void open() {
            modelFile = Checkout.file(model);
            Corpus all = Corpus.of(corpus);
            texts = switch (unit) {
                case "line" -> all.lines();
                case "text" -> List.of(all.text());
                default -> throw new IllegalArgumentException("unit %s: expected line or text".formatted(unit));
            };
            subject = TextEncoder.open(encoder, modelFile);
            String agreement = verify();
            Facts.note("check", agreement);
            int bytes = 0;
            int tokens = 0;
            long arrayBytes = 0;
            for (String text : texts) {
                int length = subject.ids(text).length;
                bytes += Corpus.utf8Bytes(text);
                tokens += length;
                arrayBytes += arrayBytes(length);
            }
            megabytes = bytes / 1e6;
            megatokens = tokens / 1e6;
            System.out.printf("%n%s: %d texts, %d bytes of UTF-8, %d tokens, %d bytes as int[] of each text; %s%n",
                    corpus, texts.size(), bytes, tokens, arrayBytes, agreement);
        }

        /** Ours are SentencePiece's ids or nothing is timed. Those of others may differ: Hugging Face's are known to do so on Chinese. */
        private String verify() {
            try (TextEncoder ours = TextEncoder.open("yangtuo", modelFile);
                    TextEncoder sentencePiece = TextEncoder.open("djl-sentencepiece", modelFile)) {
                Agreement.require(ours, sentencePiece, texts);
                if (encoder.equals("yangtuo") || encoder.equals("djl-sentencepiece")) {
                    return "the ids of yangtuo and djl-sentencepiece are the same";
                }
                Agreement agreement = Agreement.between(sentencePiece, subject, texts);
                return "%s gives other ids than SentencePiece for %d of %d texts, %d tokens instead of %d".formatted(
                        encoder, agreement.differing(), agreement.texts(), agreement.otherTokens(), agreement.tokens());
            }
        }

        /** A header of 16 bytes, and a multiple of 8: HotSpot's layout with compressed class pointers. */
        private static long arrayBytes(int length) {
            return (16 + 4L * length + 7) / 8 * 8;
        }

        /** Gives native memory back. */
        @TearDown(Level.Trial)
        public void close() {
            subject.close();
        }

        private void encodeTexts(TextEncoder by, Counts counts, Blackhole blackhole) {
            for (String text : texts) {
                blackhole.consume(by.encode(text));
            }
            counts.megabytes += megabytes;
            counts.megatokens += megatokens;
        }
    }

    /** What was encoded; JMH divides by the time, over all threads. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Counts {
        /** Millions of bytes of UTF-8. */
        public double megabytes;

        /** Millions of ids. */
        public double megatokens;
    }

    /** An encoder that has seen no text. */
    @State(Scope.Thread)
    public static class New {
        private TextEncoder encoder;

        /** Loads it, which is not timed. Encoding takes much longer than JMH's clock needs to be read. */
        @Setup(Level.Invocation)
        public void open(Prepared prepared) {
            encoder = TextEncoder.open(prepared.encoder, prepared.modelFile);
        }

        /** Gives native memory back. */
        @TearDown(Level.Invocation)
        public void close() {
            encoder.close();
        }
    }

    /** The corpus, encoded again and again: whatever the encoder keeps of texts that it has seen is there. */
    @Benchmark
    public void encode(Prepared prepared, Counts counts, Blackhole blackhole) {
        prepared.encodeTexts(prepared.subject, counts, blackhole);
    }

    /** The corpus, encoded once by a new encoder in a warm JVM: nothing of it was seen before, but for what repeats within it. */
    @Benchmark
    public void encodeFirstTime(Prepared prepared, New fresh, Counts counts, Blackhole blackhole) {
        prepared.encodeTexts(fresh.encoder, counts, blackhole);
    }
}
