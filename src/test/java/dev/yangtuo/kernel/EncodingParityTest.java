package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kernel that this machine can run stores the bytes of the encoders in Java. */
class EncodingParityTest {
    /** Printed with every failure. */
    private static final long SEED = 20_260_102;

    static List<String> supportedKernels() {
        return NativeBackend.kernelNames().stream().filter(NativeBackend::isSupported).toList();
    }

    private static List<TensorType> writableTypes() {
        return Arrays.stream(TensorType.values()).filter(TensorType::canEncode).toList();
    }

    private static byte[] expected(TensorType type, float[] values, int rows, int columns) {
        byte[] bytes = new byte[(int) (rows * type.rowBytes(columns))];
        RowCodec.encodeRows(type, values, 0, rows, columns, MemorySegment.ofArray(bytes), 0);
        return bytes;
    }

    private static byte[] encode(Backend backend, TensorType type, float[] values, int rows, int columns) {
        try (Arena arena = Arena.ofConfined()) {
            // Not aligned, and framed.
            long bytes = rows * type.rowBytes(columns);
            MemorySegment memory = arena.allocate(bytes + 2);
            memory.fill((byte) 0x5a);
            backend.encodeRows(type, values, rows, columns, memory.asSlice(1, bytes));
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x5a);
            assertThat(memory.get(ValueLayout.JAVA_BYTE, bytes + 1)).isEqualTo((byte) 0x5a);
            return memory.asSlice(1, bytes).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Fills 256 values. */
    private interface Pattern {
        float at(Random random, int i);
    }

    private static float[] blocks(List<Pattern> patterns) {
        Random random = new Random(SEED);
        float[] values = new float[256 * patterns.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = patterns.get(i / 256).at(random, i % 256);
        }
        return values;
    }

    /** Blocks that are awkward one way or another, an odd number of them. */
    private static List<Pattern> patterns() {
        List<Pattern> patterns = new ArrayList<>(List.of(
                (r, i) -> 0f,
                (r, i) -> -0f,
                (r, i) -> i % 3 == 0 ? -0f : 0f,
                (r, i) -> i % 32 == 5 ? 0f : i % 32 == 6 ? -0f : 1f + i % 32,
                (r, i) -> i % 32 == 5 ? -0f : i % 32 == 6 ? 0f : -1f - i % 32,
                (r, i) -> 0.37f,
                (r, i) -> -0.37f,
                (r, i) -> i == 77 ? 1e4f : 0f,
                (r, i) -> i == 77 ? -1e4f : 1e-3f * (float) r.nextGaussian(),
                (r, i) -> i % 2 == 0 ? 3f : -3f,
                (r, i) -> i % 2 == 0 ? -3f : 3f,
                (r, i) -> -Math.abs((float) r.nextGaussian()),
                (r, i) -> Math.abs((float) r.nextGaussian()),
                (r, i) -> 100f + 1e-3f * i,
                (r, i) -> -100f - 1e-5f * i,
                (r, i) -> (i % 32 - 16) / 2f,
                (r, i) -> i < 128 ? (float) r.nextGaussian() : 0f,
                (r, i) -> i % 16 == 0 ? Float.MAX_VALUE : -Float.MAX_VALUE,
                (r, i) -> Float.MIN_VALUE * (i % 7 - 3),
                (r, i) -> Float.MIN_NORMAL * (float) r.nextGaussian()));
        for (int exponent = -42; exponent <= 36; exponent += 3) {
            float magnitude = (float) Math.pow(10, exponent);
            patterns.add((r, i) -> (float) Math.clamp(r.nextGaussian(), -3, 3) * magnitude);
        }
        for (int i = 0; i < 60; i++) {
            patterns.add((r, j) -> 0.02f * (float) r.nextGaussian() * (r.nextInt(40) == 0 ? 8 : 1));
        }
        return patterns.size() % 2 == 0 ? patterns.subList(1, patterns.size()) : patterns;
    }

    @ParameterizedTest
    @MethodSource("supportedKernels")
    void everyTypeIsStoredWithTheBytesOfTheJavaEncoders(String kernel) {
        float[] values = blocks(patterns());
        int blocks = values.length / 256;
        try (Backend backend = NativeBackend.open(1, kernel)) {
            for (TensorType type : writableTypes()) {
                byte[] expected = expected(type, values, 1, values.length);
                byte[] actual = encode(backend, type, values, 1, values.length);
                int bytes = expected.length / blocks;
                for (int block = 0; block < blocks; block++) {
                    assertThat(Arrays.copyOfRange(actual, block * bytes, (block + 1) * bytes))
                            .as("%s, %s, seed %d, block %d: %s", type, kernel, SEED, block,
                                    Arrays.toString(Arrays.copyOfRange(values, block * 256, block * 256 + 256)))
                            .isEqualTo(Arrays.copyOfRange(expected, block * bytes, (block + 1) * bytes));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("supportedKernels")
    void rowsOfAnyShapeAreStoredOneAfterTheOther(String kernel) {
        Random random = new Random(SEED);
        try (Backend backend = NativeBackend.open(1, kernel)) {
            for (TensorType type : writableTypes()) {
                int block = type.blockElements();
                // One block, odd rows, a row of more than one piece, pieces that do not divide the rows.
                for (int[] shape : new int[][] {{1, block}, {3, 5 * block}, {2, 1 << 16}, {37, 1024 + block}, {0, block}}) {
                    float[] values = new float[shape[0] * shape[1] + 3];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) random.nextGaussian();
                    }
                    assertThat(encode(backend, type, values, shape[0], shape[1]))
                            .as("%s, %s, seed %d, %s", type, kernel, SEED, Arrays.toString(shape))
                            .isEqualTo(expected(type, values, shape[0], shape[1]));
                }
            }
        }
    }

    @Test
    void threadsEncodeAtTheSameTime() {
        float[] values = blocks(patterns());
        try (Backend backend = NativeBackend.open(1)) {
            byte[] expected = expected(TensorType.Q4_K, values, 1, values.length);
            IntStream.range(0, 32).parallel().forEach(i ->
                    assertThat(encode(backend, TensorType.Q4_K, values, 1, values.length)).isEqualTo(expected));
        }
    }

    private static Stream<Backend> backends() {
        return Stream.of(new ScalarBackend(1), NativeBackend.open(1));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void impossibleArgumentsAreRefused(Backend backend) {
        try (backend; Arena arena = Arena.ofConfined()) {
            float[] values = new float[512];
            MemorySegment target = arena.allocate(288);
            assertThatIllegalArgumentException().isThrownBy(() -> backend.encodeRows(TensorType.MXFP4, values, 1, 256, target))
                    .withMessageContaining("MXFP4 can be read, but not written");
            assertThatIllegalArgumentException().isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, values, 2, 255, target));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, values, 1, 256, target));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, values, 3, 256, target));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, values, -1, 256, target));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, new float[511], 2, 256, target));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, values, 2, 256, MemorySegment.ofArray(new byte[288])));
            backend.encodeRows(TensorType.Q4_K, values, 2, 256, target);
            backend.close();
            assertThatIllegalStateException().isThrownBy(() -> backend.encodeRows(TensorType.Q4_K, values, 2, 256, target));
        }
    }

    /** Random bytes, of which one block after the other is damaged or not: the native search finds what decoding shows. */
    @Test
    void damageIsFoundWhereValuesAreNotFinite() {
        Random random = new Random(SEED);
        int found = 0;
        try (Backend backend = NativeBackend.open(1); Backend scalar = new ScalarBackend(1); Arena arena = Arena.ofConfined()) {
            for (TensorType type : TensorType.values()) {
                int elements = type.blockElements();
                MemorySegment block = arena.allocate(type.blockBytes(), 8);
                MemorySegment all = arena.allocate(1500L * type.blockBytes(), 8);
                float[] values = new float[elements];
                long expected = -1;
                for (int i = 0; i < 1500; i++) {
                    byte[] bytes = new byte[type.blockBytes()];
                    random.nextBytes(bytes);
                    MemorySegment.copy(bytes, 0, block, ValueLayout.JAVA_BYTE, 0, bytes.length);
                    RowCodec.decodeRows(type, block, 0, 1, elements, values, 0);
                    boolean finite = IntStream.range(0, elements).allMatch(j -> Float.isFinite(values[j]));
                    assertThat(backend.firstNotFinite(type, block)).as("%s, %s", type, Arrays.toString(bytes)).isEqualTo(finite ? -1 : 0);
                    assertThat(scalar.firstNotFinite(type, block)).as("%s, %s", type, Arrays.toString(bytes)).isEqualTo(finite ? -1 : 0);
                    if (finite || i > 700 && expected < 0) {
                        expected = finite ? expected : i;
                        MemorySegment.copy(block, 0, all, (long) i * bytes.length, bytes.length);
                    }
                }
                assertThat(backend.firstNotFinite(type, all)).as("%s", type).isEqualTo(expected);
                assertThat(scalar.firstNotFinite(type, all)).as("%s", type).isEqualTo(expected);
                assertThat(backend.firstNotFinite(type, all.asSlice(0, 0))).isEqualTo(-1);
                found += expected > 0 ? 1 : 0;
                if (type.blockBytes() > 1) {
                    assertThatIllegalArgumentException().isThrownBy(() -> backend.firstNotFinite(type, all.asSlice(1)));
                }
            }
        }
        assertThat(found).as("types with damage in the middle").isGreaterThan(10);
    }
}
