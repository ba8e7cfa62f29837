package dev.yangtuo.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Encoders against what GGML's own functions store for the same values. */
class EncodingTest {
    private static final long SEED = 20_250_103L;
    private static final float[] VALUES = GoldenFiles.floats("values.f32");
    /** Values of each kind of data in {@link #VALUES}: normal, heavy-tailed, real. Awkward ones follow. */
    private static final int KIND = 8 * 256;
    private static final int AWKWARD = 3 * KIND;

    private static byte[] encode(TensorType type, float[] values) {
        byte[] bytes = new byte[(int) type.rowBytes(values.length)];
        RowCodec.encodeRows(type, values, 0, 1, values.length, MemorySegment.ofArray(bytes), 0);
        return bytes;
    }

    private static float[] decode(TensorType type, byte[] bytes) {
        float[] values = new float[bytes.length / type.blockBytes() * type.blockElements()];
        RowCodec.decodeRows(type, MemorySegment.ofArray(bytes), 0, 1, values.length, values, 0);
        return values;
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"})
    void simpleTypesAreStoredAsGgmlStoresThem(TensorType type) {
        byte[] expected = GoldenFiles.bytes(type + ".encoded");
        byte[] actual = encode(type, VALUES);
        for (int block = 0; block < VALUES.length / 32; block++) {
            int from = block * type.blockBytes();
            assertThat(Arrays.copyOfRange(actual, from, from + type.blockBytes()))
                    .as("block %d: %s", block, Arrays.toString(Arrays.copyOfRange(VALUES, block * 32, block * 32 + 32)))
                    .isEqualTo(Arrays.copyOfRange(expected, from, from + type.blockBytes()));
        }
    }

    /** The weight that GGML's quantizer of the type gives an element. */
    private static double weight(TensorType type, float[] x, int i) {
        if (type == TensorType.Q6_K) {
            return (double) x[i] * x[i];
        }
        double squares = 0;
        for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) {
            squares += (double) x[j] * x[j];
        }
        return Math.sqrt(squares / 32) + Math.abs(x[i]);
    }

    private static double error(TensorType type, float[] x, float[] decoded, int from, int count, boolean weighted) {
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            double difference = (double) decoded[i] - x[i];
            sum += (weighted ? weight(type, x, i) : 1) * difference * difference;
        }
        return sum;
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_K", "Q5_K", "Q6_K"})
    void errorsOfKTypesAreSmallerThanGgmls(TensorType type) {
        float[] expected = decode(type, GoldenFiles.bytes(type + ".encoded"));
        float[] actual = decode(type, encode(type, VALUES));
        // Over much data it is 3 % for Q4_K, 9 % for Q5_K, 13 % for Q6_K in the weighted error, and always less than GGML's unweighted.
        double limit = type == TensorType.Q4_K ? 0.985 : 0.95;
        for (int kind = 0; kind < 3; kind++) {
            for (boolean weighted : new boolean[] {true, false}) {
                double ours = error(type, VALUES, actual, kind * KIND, KIND, weighted);
                double ggmls = error(type, VALUES, expected, kind * KIND, KIND, weighted);
                assertThat(ours).as("kind %d, weighted %s", kind, weighted).isLessThan(weighted ? limit * ggmls : ggmls);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_K", "Q5_K", "Q6_K"})
    void awkwardBlocksAreNoWorseThanGgmlsOrExactToThreeDigits(TensorType type) {
        float[] expected = decode(type, GoldenFiles.bytes(type + ".encoded"));
        float[] actual = decode(type, encode(type, VALUES));
        for (int from = AWKWARD; from < VALUES.length; from += 256) {
            double ggmls = error(type, VALUES, expected, from, 256, true);
            double square = error(type, VALUES, new float[VALUES.length], from, 256, true);
            assertThat(error(type, VALUES, actual, from, 256, true)).as("block %d", (from - AWKWARD) / 256)
                    .isLessThanOrEqualTo(Math.max(1.0001 * ggmls, 1e-6 * square));
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
    void zerosStayZeros(TensorType type) {
        for (float decoded : decode(type, encode(type, new float[512]))) {
            assertThat(Math.abs(decoded)).isZero(); // Q5_0 gives -0, as GGML's does.
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_K", "Q5_K", "Q6_K"})
    void weightsNearTheSmallestScaleAreNotLost(TensorType type) {
        Random random = new Random(SEED);
        float[] values = new float[256];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 1e-5f;
        }
        double error = error(type, values, decode(type, encode(type, values)), 0, 256, false);
        // The scale of a block is a multiple of 2^-24, so the steps are coarse; GGML's Q4_K and Q5_K store only zeros here.
        assertThat(error).as("seed %d", SEED).isLessThan(0.02 * error(type, values, new float[256], 0, 256, false));
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_K", "Q5_K", "Q6_K"})
    void constantsAreKept(TensorType type) {
        for (float constant : new float[] {0.25f, -0.25f, 1000f, -3e-3f}) {
            float[] values = new float[256];
            Arrays.fill(values, constant);
            for (float decoded : decode(type, encode(type, values))) {
                assertThat(decoded).isBetween(constant - Math.abs(constant) * 1e-3f, constant + Math.abs(constant) * 1e-3f);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
    void extremeValuesAreEncodedWithoutFailingAndOverflowShowsInTheScale(TensorType type) {
        Random random = new Random(SEED);
        for (float magnitude : new float[] {Float.MIN_VALUE, 1e-40f, 1e-30f, 1e-12f, 1e12f, 1e30f, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN}) {
            float[] values = new float[256];
            for (int i = 0; i < values.length; i++) {
                values[i] = (random.nextFloat() - 0.5f) * 2 * magnitude;
            }
            byte[] bytes = encode(type, values);
            if (magnitude <= 1e-12f) {
                for (float decoded : decode(type, bytes)) {
                    assertThat(decoded).as("seed %d, magnitude %s", SEED, magnitude).isBetween(-1e-7f, 1e-7f);
                }
            } else if (magnitude <= Float.MAX_VALUE) {
                assertThat(BlockCodec.of(type).firstNotFinite(MemorySegment.ofArray(bytes))).as("magnitude %s", magnitude).isZero();
            }
        }
    }

    @Test
    void nearestRoundsTiesToEvenAndHasAnAnswerForNan() {
        assertThat(KQuants.nearest(2.5f, -32, 31)).isEqualTo(2f);
        assertThat(KQuants.nearest(-3.5f, -32, 31)).isEqualTo(-4f);
        assertThat(KQuants.nearest(Math.nextUp(0.5f), -32, 31)).isEqualTo(1f);
        assertThat(KQuants.nearest(1e30f, -32, 31)).isEqualTo(31f);
        assertThat(KQuants.nearest(Float.NaN, -32, 31)).isEqualTo(-32f);
    }
}
