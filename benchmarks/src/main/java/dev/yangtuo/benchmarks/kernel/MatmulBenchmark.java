package dev.yangtuo.benchmarks.kernel;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Batch;
import dev.yangtuo.kernel.BatchCapacity;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.OutputWeights;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How fast a packed matrix is multiplied with columns of activations. One operation is the stage {@link Backend#logits}, the nearest one to a plain
 * product: no residual, no rotation, any number of rows. Besides the product there are in it one call into native code, one join of the threads, the
 * RMSNorm of each column, and what every product has: the conversion of the columns to what the kernels multiply (8 bits for quantized weights) and
 * the writing of the float32 results.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@Threads(1)
public class MatmulBenchmark {
    /** Matrices of equal contents take so much memory together and are read in turn: more than caches hold. */
    private static final long WEIGHT_BYTES = 256L << 20;
    /** Rows and columns of results that are compared. */
    private static final int COMPARED_ROWS = 211;
    private static final int COMPARED_COLUMNS = 13;

    private static final float NORM_EPS = 1e-5f;
    private static final long SEED = 20_260_301;

    /** Matrices and activations, checked. */
    @State(Scope.Benchmark)
    public static class Prepared {
        /** Kernels by name; {@code best} for what a program gets that asks for none. */
        @Param(ForcedKernel.BEST)
        public String kernel;

        /** How weights are stored. */
        @Param({"Q4_0", "Q8_0", "Q4_K", "Q6_K", "BF16", "F16"})
        public TensorType type;

        /** Rows and columns of the matrix; columns are a multiple of the type's block. */
        @Param("5632x2048")
        public String shape;

        /** Columns of activations: tokens. */
        @Param({"1", "8", "512"})
        public int columns;

        /** Threads that compute; 0 stands for one per processor. */
        @Param("0")
        public int threads;

        /** Smaller in tests. */
        long weightBytes = WEIGHT_BYTES;

        private final Resources resources = new Resources();
        private final List<OutputLayer> copies = new ArrayList<>();
        private final SplittableRandom random = new SplittableRandom(SEED);
        private MatrixShape size;
        private ForcedKernel forced;
        private RandomWeights weights;
        private float[] norm;
        private float[] activations;
        private Batch batch;
        private DeviceFloats x;
        private DeviceFloats logits;
        private int next;
        private double gigabytes;
        private double gigaops;

        /** Fills the matrices, checks, and says what computes. */
        @Setup(Level.Trial)
        public void open() {
            build();
            String agreement = verify();
            System.out.printf("%ncomputed by %s, %d threads, %d matrices of %d bytes in turn; %s%n", forced.backend().name(),
                    forced.backend().threads(), copies.size(), lastMatrix().byteSize(), agreement);
        }

        void build() {
            size = MatrixShape.parse(shape);
            forced = resources.own(ForcedKernel.open(kernel, threads));
            Backend backend = forced.backend();
            weights = resources.own(new RandomWeights(type, size.columns(), random));
            norm = RandomWeights.normal(size.columns(), 1, random);
            activations = RandomWeights.normal(Math.multiplyExact(columns, size.columns()), 1, random);
            x = floats(resources, backend, activations);
            logits = resources.own(backend.createFloats((long) columns * size.rows()));
            batch = batch(resources, backend, columns);
            DeviceFloats norms = floats(resources, backend, norm);
            long bytes = 0;
            do {
                WeightMatrix matrix = resources.own(backend.createMatrix(type, size.rows(), size.columns()));
                weights.upload(matrix);
                copies.add(backend.createOutputLayer(new OutputWeights(norms, matrix, NORM_EPS)));
                bytes += matrix.byteSize();
            } while (bytes < weightBytes);
            gigabytes = lastMatrix().byteSize() / 1e9;
            gigaops = 2e-9 * size.rows() * size.columns() * columns;
        }

        /**
         * Compares results of the first and the last matrix, rows and columns here and there, the first and the last ones among them.
         *
         * @throws IllegalStateException if the reference has others, or other kernels ran
         */
        String verify() {
            int[] rows = Reference.sample(size.rows(), COMPARED_ROWS);
            int[] chosen = Reference.sample(columns, COMPARED_COLUMNS);
            float[] expected = expected(rows, chosen);
            float[] column = new float[size.rows()];
            for (int copy : Reference.sample(copies.size(), 2)) {
                Arrays.fill(column, Float.NaN);
                for (int c : chosen) {
                    logits.upload((long) c * size.rows(), column, 0, column.length);
                }
                forced.backend().logits(copies.get(copy), batch, x, logits);
                float[] actual = new float[expected.length];
                for (int i = 0; i < actual.length; i++) {
                    logits.download((long) chosen[i / rows.length] * size.rows() + rows[i % rows.length], actual, i, 1);
                }
                Reference.requireSame("%s, %s, %s, %d columns".formatted(forced.name(), type, shape, columns), actual, expected);
            }
            forced.requireRan();
            return "%d rows of %d columns have the bits of the reference".formatted(rows.length, chosen.length);
        }

        /** The same product of some rows and columns, {@code [chosen][rows]}. */
        private float[] expected(int[] rows, int[] chosen) {
            try (Backend reference = new ScalarBackend(1); Resources owned = new Resources()) {
                WeightMatrix matrix = owned.own(reference.createMatrix(type, rows.length, size.columns()));
                weights.upload(rows, matrix);
                OutputLayer layer = reference.createOutputLayer(new OutputWeights(floats(owned, reference, norm), matrix, NORM_EPS));
                float[] inputs = new float[chosen.length * size.columns()];
                for (int i = 0; i < chosen.length; i++) {
                    System.arraycopy(activations, chosen[i] * size.columns(), inputs, i * size.columns(), size.columns());
                }
                DeviceFloats results = owned.own(reference.createFloats((long) chosen.length * rows.length));
                reference.logits(layer, batch(owned, reference, chosen.length), floats(owned, reference, inputs), results);
                float[] expected = new float[chosen.length * rows.length];
                results.download(0, expected, 0, expected.length);
                return expected;
            }
        }

        /** So that a test can damage it. */
        WeightMatrix lastMatrix() {
            return copies.getLast().weights().matrix();
        }

        private static DeviceFloats floats(Resources owner, Backend backend, float[] values) {
            DeviceFloats floats = owner.own(backend.createFloats(values.length));
            floats.upload(0, values, 0, values.length);
            return floats;
        }

        /** Wants the logits of all columns; nothing else of it is looked at. */
        private static Batch batch(Resources owner, Backend backend, int columns) {
            Batch batch = owner.own(backend.createBatch(new BatchCapacity(columns, 1, 1, 2)));
            int sequence = batch.addSequence(new int[] {0}, 1);
            for (int c = 0; c < columns; c++) {
                batch.addColumn(0, c, sequence, true);
            }
            batch.upload();
            return batch;
        }

        private void multiply() {
            forced.backend().logits(copies.get(next), batch, x, logits);
            next = next + 1 == copies.size() ? 0 : next + 1;
        }

        /** Checks again who computed, and gives the memory back. */
        @TearDown(Level.Trial)
        public void close() {
            try (resources) {
                forced.requireRan();
            }
        }
    }

    /** One matrix with all columns. Bytes are those of the packed matrix, operations two for each weight and column. */
    @Benchmark
    public void product(Prepared prepared, Counts counts) {
        prepared.multiply();
        counts.add(prepared.gigabytes, prepared.gigaops);
    }
}
