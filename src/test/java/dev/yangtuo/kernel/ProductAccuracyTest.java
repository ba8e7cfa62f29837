package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Products of quantized weights, whose inputs are rounded to eight bits, stay close to exact products of the decoded weights. */
class ProductAccuracyTest {
    /** GGML's bound for its own products ({@code tests/test-backend-ops.cpp}). */
    private static final double LARGEST_NMSE = 5e-4;

    private static final int ROWS = 100;
    private static final int COLUMNS = 1024;
    private static final long SEED = 7;

    static Stream<TensorType> quantizedTypes() {
        return Arrays.stream(TensorType.values()).filter(TensorType::isQuantized);
    }

    @ParameterizedTest
    @MethodSource("quantizedTypes")
    void productIsCloseToThatOfTheDecodedWeights(TensorType type) throws Exception {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofConfined(); Backend backend = NativeBackend.open(2);
                WeightMatrix matrix = backend.createMatrix(type, ROWS, COLUMNS);
                DeviceFloats x = backend.createFloats(COLUMNS); DeviceFloats norm = backend.createFloats(COLUMNS);
                DeviceFloats logits = backend.createFloats(ROWS); Batch batch = backend.createBatch(new BatchCapacity(1, 1, 1, 2))) {
            MemorySegment blocks = arena.allocate(ROWS * type.rowBytes(COLUMNS), 8);
            RandomBlocks.fill(type, blocks, random);
            matrix.upload(0, ROWS, blocks);
            float[] weights = new float[ROWS * COLUMNS];
            RowCodec.decodeRows(type, blocks, 0, ROWS, COLUMNS, weights, 0);

            float[] input = new float[COLUMNS];
            float[] ones = new float[COLUMNS];
            double squares = 0;
            for (int i = 0; i < COLUMNS; i++) {
                input[i] = (float) random.nextGaussian();
                ones[i] = 1f;
                squares += input[i] * input[i];
            }
            norm.upload(0, ones, 0, COLUMNS);
            x.upload(0, input, 0, COLUMNS);
            batch.addSequence(new int[] {0}, 1);
            batch.addColumn(0, 0, 0, true);
            batch.upload();
            backend.logits(backend.createOutputLayer(new OutputWeights(norm, matrix, 0f)), batch, x, logits);
            float[] actual = new float[ROWS];
            logits.download(0, actual, 0, ROWS);

            double scale = 1 / Math.sqrt(squares / COLUMNS);
            assertThat(nmse(actual, weights, input, scale)).as("%s, seed %d", type, SEED).isLessThan(LARGEST_NMSE);
        }
    }

    /** Squared error of the products over the squared products. */
    private static double nmse(float[] actual, float[] weights, float[] input, double scale) {
        double error = 0;
        double signal = 0;
        for (int row = 0; row < actual.length; row++) {
            double exact = 0;
            for (int i = 0; i < input.length; i++) {
                exact += weights[row * input.length + i] * (input[i] * scale);
            }
            error += (actual[row] - exact) * (actual[row] - exact);
            signal += exact * exact;
        }
        return error / signal;
    }
}
