package dev.yangtuo.benchmarks.kernel;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.tensor.TensorType;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How fast attention is: the stage {@link Backend#attention} alone, scores, softmax and weighted sum of values, for queries that are there. Nothing
 * else is in it but one call into native code and one join of the threads.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@Threads(1)
public class AttentionBenchmark {
    /** Layers of equal contents take so much memory together and are read in turn: more than caches hold, as between two tokens of a model. */
    private static final long KV_BYTES = 256L << 20;
    private static final int MOST_LAYERS = 1 << 12;
    /** Columns whose results are compared, of a sequence; sequences: the first and the last. */
    private static final int COMPARED_COLUMNS = 5;

    /** What both kinds have. */
    @State(Scope.Benchmark)
    public abstract static class Prepared {
        /** Kernels by name; {@code best} for what a program gets that asks for none. */
        @Param(ForcedKernel.BEST)
        public String kernel;

        /** How keys and values are stored. */
        @Param({"F16", "F32"})
        public TensorType kvType;

        /** Heads, key/value heads, elements of a head: the 1B shape's; 32x32x128 is the 7B shape's. */
        @Param("32x4x64")
        public String heads;

        /** Of the first column of every sequence: as many positions stand before it. */
        @Param({"128", "1024", "4096"})
        public int position;

        /** Threads that compute; 0 stands for one per processor. */
        @Param("0")
        public int threads;

        /** Smaller in tests. */
        long kvBytes = KV_BYTES;

        private final Resources resources = new Resources();
        private AttentionInputs.Shape shape;
        private ForcedKernel forced;
        private AttentionInputs inputs;
        private AttentionInputs.Columns columns;
        private int next;
        private double gigabytes;
        private double gigaops;

        /** Sequences whose columns are computed together. */
        abstract int sequenceCount();

        /** Columns of each sequence. */
        abstract int columnCount();

        /** Fills keys and values, checks, and says what computes. */
        @Setup(Level.Trial)
        public void open() {
            build();
            String agreement = verify();
            System.out.printf("%ncomputed by %s, %d threads, %d layers of %d bytes in turn; %s%n", forced.backend().name(),
                    forced.backend().threads(), shape.layers(), shape.layerBytes(), agreement);
        }

        void build() {
            shape = shape(IntStream.range(0, sequenceCount()).toArray(), 1);
            int layers = (int) Math.clamp(Math.ceilDiv(kvBytes, shape.layerBytes()), 1, MOST_LAYERS);
            shape = shape(shape.sequences(), layers);
            forced = resources.own(ForcedKernel.open(kernel, threads));
            inputs = resources.own(new AttentionInputs(forced.backend(), shape));
            columns = inputs.columns(IntStream.range(0, columnCount()).toArray());
            gigabytes = shape.layerBytes() / 1e9;
            long looks = 0;
            for (int c = 0; c < columnCount(); c++) {
                looks += position + c + 1L;
            }
            gigaops = 4e-9 * looks * sequenceCount() * shape.heads().qDim();
        }

        private AttentionInputs.Shape shape(int[] sequences, int layers) {
            return new AttentionInputs.Shape(HeadShape.parse(heads), kvType, position, columnCount(), sequences, layers);
        }

        /**
         * Compares results of the first and the last layer, for some columns of the first and the last sequence.
         *
         * @throws IllegalStateException if the reference has others, or other kernels ran
         */
        String verify() {
            int[] sequences = Reference.sample(sequenceCount(), 2);
            int[] chosen = Reference.sample(columnCount(), COMPARED_COLUMNS);
            float[] expected;
            try (Backend reference = new ScalarBackend(Runtime.getRuntime().availableProcessors());
                    AttentionInputs same = new AttentionInputs(reference, shape(sequences, 1))) {
                AttentionInputs.Columns some = same.columns(chosen);
                same.attend(0, some);
                expected = some.results();
            }
            int qDim = shape.heads().qDim();
            float[] nothing = new float[Math.toIntExact(columns.out().count())];
            Arrays.fill(nothing, Float.NaN);
            for (int layer : Reference.sample(shape.layers(), 2)) {
                columns.out().upload(0, nothing, 0, nothing.length);
                inputs.attend(layer, columns);
                float[] actual = new float[expected.length];
                int at = 0;
                for (int s : sequences) {
                    for (int c : chosen) {
                        columns.out().download(((long) s * columnCount() + c) * qDim, actual, at, qDim);
                        at += qDim;
                    }
                }
                Reference.requireSame(
                        "%s, %s, heads %s, position %d, layer %d".formatted(forced.name(), kvType, heads, position, layer), actual, expected);
            }
            forced.requireRan(); // the products that made keys and values
            return "%d columns of %d sequences have the bits of the reference".formatted(chosen.length, sequences.length);
        }

        /** So that a test can damage them. */
        DeviceFloats queries() {
            return columns.q();
        }

        void attend(Counts counts) {
            inputs.attend(next, columns);
            next = next + 1 == shape.layers() ? 0 : next + 1;
            counts.add(gigabytes, gigaops);
        }

        /** Gives the memory back. */
        @TearDown(Level.Trial)
        public void close() {
            resources.close();
        }
    }

    /** One column of each of some sequences. */
    public static class Decoding extends Prepared {
        /** Sequences. */
        @Param({"1", "8"})
        public int sequences;

        @Override
        int sequenceCount() {
            return sequences;
        }

        @Override
        int columnCount() {
            return 1;
        }
    }

    /** Some columns of one sequence. */
    public static class Prefilling extends Prepared {
        /** Columns. */
        @Param("512")
        public int columns;

        @Override
        int sequenceCount() {
            return 1;
        }

        @Override
        int columnCount() {
            return columns;
        }
    }

    /**
     * The next token of some sequences. Bytes are those of the keys and values, however many heads look at them; operations two for each element that
     * a head looks at.
     */
    @Benchmark
    public void decode(Decoding prepared, Counts counts) {
        prepared.attend(counts);
    }

    /** Tokens of a prompt. Bytes and operations are counted as for {@code decode}. */
    @Benchmark
    public void prefill(Prefilling prepared, Counts counts) {
        prepared.attend(counts);
    }
}
