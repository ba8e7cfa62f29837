package dev.yangtuo.benchmarks.kernel;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Batch;
import dev.yangtuo.kernel.BatchCapacity;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** How fast rows of float32 become rows of another type, which is most of loading, and rows of another type float32, which is the embedding. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@Threads(1)
public class RowBenchmark {
    private static final long SEED = 20_260_303;

    /** Float32 that was read or written; JMH divides by the time. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Bytes {
        /** 10^9 bytes of float32. */
        public double gigabytes;
    }

    /** Values to be stored, the native encoder checked. */
    @State(Scope.Benchmark)
    public static class Values {
        /** Rows that are compared. */
        private static final int COMPARED_ROWS = 61;

        /** Kernels by name; {@code best} for what a program gets that asks for none. */
        @Param(ForcedKernel.BEST)
        public String kernel;

        /** How they are stored: any type that can be written. */
        @Param({"F16", "BF16", "Q4_0", "Q8_0", "Q4_K", "Q6_K"})
        public TensorType encodedType;

        /** Rows and columns; columns are a multiple of the type's block. */
        @Param("4096x4096")
        public String shape;

        private final Resources resources = new Resources();
        private MatrixShape size;
        private ForcedKernel forced;
        private float[] values;
        private MemorySegment target;

        /** Makes and checks them, and says what computes. */
        @Setup(Level.Trial)
        public void open() {
            build();
            verify();
            System.out.printf("%ncomputed by %s, one thread; some rows have the bytes of the reference%n", forced.backend().name());
        }

        void build() {
            encodedType.requireWritable();
            size = MatrixShape.parse(shape);
            forced = resources.own(ForcedKernel.open(kernel, 1));
            values = RandomWeights.normal(Math.multiplyExact(size.rows(), size.columns()), 1 / Math.sqrt(size.columns()), new SplittableRandom(SEED));
            target = resources.own(Arena.ofShared()).allocate(size.rows() * encodedType.rowBytes(size.columns()), Long.BYTES);
        }

        /** @throws IllegalStateException if the reference stores other bytes */
        void verify() {
            encode(values);
            requireStored();
        }

        /** Compares what is stored with what it was made of. */
        void requireStored() {
            float[] row = new float[size.columns()];
            long rowBytes = encodedType.rowBytes(size.columns());
            try (Backend reference = new ScalarBackend(1); Arena arena = Arena.ofConfined()) {
                MemorySegment expected = arena.allocate(rowBytes);
                for (int r : Reference.sample(size.rows(), COMPARED_ROWS)) {
                    System.arraycopy(values, r * row.length, row, 0, row.length);
                    reference.encodeRows(encodedType, row, 1, row.length, expected);
                    long at = expected.mismatch(target.asSlice(r * rowBytes, rowBytes));
                    if (at >= 0) {
                        throw new IllegalStateException("%s, %s: byte %d of row %d is not the reference's, nothing is timed"
                                .formatted(forced.name(), encodedType, at, r));
                    }
                }
            }
        }

        void encode(float[] source) {
            forced.backend().encodeRows(encodedType, source, size.rows(), size.columns(), target);
        }

        /** Gives the memory back. */
        @TearDown(Level.Trial)
        public void close() {
            resources.close();
        }
    }

    /** A table of embeddings and tokens, checked. */
    @State(Scope.Benchmark)
    public static class Table {
        /** Batches of other tokens that are taken in turn: together more rows than caches hold. */
        private static final int BATCHES = 64;

        /** How the table is stored. */
        @Param({"F16", "BF16", "Q4_0", "Q8_0", "Q4_K", "Q6_K"})
        public TensorType type;

        /** Pieces of the vocabulary, and the width of the model. */
        @Param("49953x2048")
        public String shape;

        /** Tokens of one call. */
        @Param("512")
        public int columns;

        private final Resources resources = new Resources();
        private final List<Batch> batches = new ArrayList<>();
        private final SplittableRandom random = new SplittableRandom(SEED);
        private MatrixShape size;
        private RandomWeights weights;
        private ForcedKernel forced;
        private WeightMatrix table;
        private DeviceFloats x;
        private int next;

        /** Fills and checks it. */
        @Setup(Level.Trial)
        public void open() {
            build();
            verify();
            System.out.printf("%ncomputed by the C that all kernels share, one thread; %d rows have the bits of the reference%n", columns);
        }

        void build() {
            size = MatrixShape.parse(shape);
            forced = resources.own(ForcedKernel.open(ForcedKernel.BEST, 1));
            weights = resources.own(new RandomWeights(type, size.columns(), random));
            table = resources.own(forced.backend().createMatrix(type, size.rows(), size.columns()));
            weights.upload(table);
            x = resources.own(forced.backend().createFloats((long) columns * size.columns()));
            for (int b = 0; b < BATCHES; b++) {
                batches.add(batch(resources, forced.backend(), random.ints(columns, 0, size.rows()).toArray()));
            }
        }

        private static Batch batch(Resources owner, Backend backend, int[] tokens) {
            Batch batch = owner.own(backend.createBatch(new BatchCapacity(tokens.length, 1, 1, 2)));
            int sequence = batch.addSequence(new int[] {0}, 1);
            for (int c = 0; c < tokens.length; c++) {
                batch.addColumn(tokens[c], c, sequence, false);
            }
            batch.upload();
            return batch;
        }

        /** @throws IllegalStateException if the reference reads other values */
        void verify() {
            int[] tokens = Reference.sample(size.rows(), columns);
            float[] actual = embed(forced.backend(), table, tokens);
            int[] all = new int[tokens.length];
            float[] expected;
            try (Backend reference = new ScalarBackend(1); WeightMatrix rows = reference.createMatrix(type, tokens.length, size.columns())) {
                weights.upload(tokens, rows);
                for (int i = 0; i < all.length; i++) {
                    all[i] = i;
                }
                expected = embed(reference, rows, all);
            }
            Reference.requireSame("embedding, %s, %s".formatted(type, shape), actual, expected);
        }

        private float[] embed(Backend backend, WeightMatrix matrix, int[] tokens) {
            try (Resources owned = new Resources()) {
                DeviceFloats out = owned.own(backend.createFloats((long) tokens.length * size.columns()));
                backend.embed(matrix, batch(owned, backend, tokens), out);
                float[] values = new float[Math.toIntExact(out.count())];
                out.download(0, values, 0, values.length);
                return values;
            }
        }

        /** So that a test can damage it. */
        WeightMatrix table() {
            return table;
        }

        private void embed() {
            forced.backend().embed(table, batches.get(next), x);
            next = (next + 1) % BATCHES;
        }

        /** Gives the memory back. */
        @TearDown(Level.Trial)
        public void close() {
            resources.close();
        }
    }

    /** Rows of float32 are stored, on one thread. Bytes are those of the float32. */
    @Benchmark
    public void encode(Values prepared, Bytes bytes) {
        prepared.encode(prepared.values);
        bytes.gigabytes += prepared.values.length * 4e-9;
    }

    /** Rows of a table, one for each token, become float32, on one thread. Bytes are those of the float32. */
    @Benchmark
    public void embed(Table prepared, Bytes bytes) {
        prepared.embed();
        bytes.gigabytes += 4e-9 * prepared.columns * prepared.size.columns();
    }
}
