package dev.yangtuo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class RowCodecTest {
    private static final long SEED = 20_250_101L;

    private static byte[] encode(TensorType type, float... values) {
        byte[] bytes = new byte[(int) type.rowBytes(values.length)];
        RowCodec.encodeRows(type, values, 0, 1, values.length, MemorySegment.ofArray(bytes), 0);
        return bytes;
    }

    private static float[] decode(TensorType type, byte[] bytes, int columns) {
        float[] values = new float[columns];
        RowCodec.decodeRows(type, MemorySegment.ofArray(bytes), 0, 1, columns, values, 0);
        return values;
    }

    private static int half(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort(0) & 0xffff;
    }

    @ParameterizedTest
    @CsvSource({
        "0.0, 0000", "-0.0, 8000", "1.0, 3c00", "-2.0, c000", "65504.0, 7bff",
        // Half way between 1 and its neighbour goes to the even one; so does half way between the next two.
        "1.00048828125, 3c00", "1.00146484375, 3c02", "5.9604645e-8, 0001", "2.9802322e-8, 0000", "2.9802326e-8, 0001",
        "65519.0, 7bff", "65520.0, 7c00", "-1e30, fc00", "Infinity, 7c00"
    })
    void f16RoundsToNearestEvenAndOverflowsToInfinity(float value, String hex) {
        assertThat("%04x".formatted(half(encode(TensorType.F16, value)))).isEqualTo(hex);
    }

    @ParameterizedTest
    @CsvSource({
        "0.0, 0000", "-0.0, 8000", "1.0, 3f80", "-2.0, c000", "1.00390625, 3f80", "1.01171875, 3f82", "1.00390637, 3f81",
        "3.4028235e38, 7f80", "-Infinity, ff80", "1.4e-45, 0000"
    })
    void bf16RoundsToNearestEvenAndOverflowsToInfinity(float value, String hex) {
        assertThat("%04x".formatted(half(encode(TensorType.BF16, value)))).isEqualTo(hex);
    }

    @Test
    void bf16KeepsEveryNanANan() {
        for (int bits : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fc00000}) {
            float decoded = decode(TensorType.BF16, encode(TensorType.BF16, Float.intBitsToFloat(bits)), 1)[0];
            assertThat(decoded).as("%08x", bits).isNaN();
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"F16", "BF16"})
    void everyFiniteHalfSurvivesDecodingAndEncoding(TensorType type) {
        byte[] all = new byte[2 * 65_536];
        for (int i = 0; i < 65_536; i++) {
            ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putShort(2 * i, (short) i);
        }
        float[] values = decode(type, all, 65_536);
        byte[] again = encode(type, values);
        for (int i = 0; i < 65_536; i++) {
            if (!Float.isNaN(values[i])) {
                assertThat(again[2 * i]).isEqualTo(all[2 * i]);
                assertThat(again[2 * i + 1]).isEqualTo(all[2 * i + 1]);
            }
        }
    }

    @Test
    void q8ScaleIsTheLargestMagnitudeOver127AndHalvesRoundAwayFromZero() {
        float[] values = new float[32];
        values[0] = -127f;
        values[1] = 0.5f;
        values[2] = -0.5f;
        values[3] = Math.nextDown(0.5f);
        values[4] = 1.5f;
        values[5] = -2.5f;
        values[31] = 126.49f;
        byte[] bytes = encode(TensorType.Q8_0, values);
        assertThat(half(bytes)).isEqualTo(0x3c00);
        assertThat(Arrays.copyOfRange(bytes, 2, 9)).containsExactly(-127, 1, -1, 0, 2, -3, 0);
        assertThat(bytes[33]).isEqualTo((byte) 126);
        assertThat(decode(TensorType.Q8_0, bytes, 32)).startsWith(-127f, 1f, -1f, 0f, 2f, -3f);
    }

    @Test
    void q4ScaleKeepsTheSignOfTheExtremeAndNibblesAreInterleavedByHalves() {
        float[] values = new float[32];
        values[0] = 8f; // The extreme: d = -1, q = 0.
        values[1] = -8f; // q = 16, clamped to 15.
        values[2] = 0.5f; // -0.5 + 8.5 = 8.
        values[16] = -7f; // q = 15.
        values[17] = 3f; // q = 5.
        byte[] bytes = encode(TensorType.Q4_0, values);
        assertThat(half(bytes)).isEqualTo(0xbc00);
        assertThat(bytes[2]).isEqualTo((byte) 0xf0);
        assertThat(bytes[3]).isEqualTo((byte) 0x5f);
        assertThat(bytes[4]).isEqualTo((byte) 0x88);
        float[] decoded = decode(TensorType.Q4_0, bytes, 32);
        assertThat(decoded[0]).isEqualTo(8f);
        assertThat(decoded[1]).isEqualTo(-7f);
        assertThat(decoded[16]).isEqualTo(-7f);
        assertThat(decoded[17]).isEqualTo(3f);
    }

    @Test
    void firstOfTwoEqualMagnitudesGivesTheSignOfTheQ4Scale() {
        float[] values = new float[32];
        values[5] = -4f;
        values[6] = 4f;
        assertThat(half(encode(TensorType.Q4_0, values))).isEqualTo(0x3800);
        values[5] = 4f;
        values[6] = -4f;
        assertThat(half(encode(TensorType.Q4_0, values))).isEqualTo(0xb800);
    }

    @Test
    void blocksOfZerosAreStoredAsGgmlStoresThem() {
        float[] zeros = new float[32];
        zeros[7] = -0f;
        assertThat(encode(TensorType.Q8_0, zeros)).containsOnly(0);
        byte[] q4 = encode(TensorType.Q4_0, zeros);
        assertThat(half(q4)).as("0 / -8 is -0").isEqualTo(0x8000);
        assertThat(Arrays.copyOfRange(q4, 2, 18)).containsOnly(0x88);
        assertThat(decode(TensorType.Q4_0, q4, 32)).containsOnly(-0f);
    }

    @Test
    void roundingEqualsTheTextbookAtTiesAndTheirNeighbours() {
        for (int k = -130; k <= 130; k++) {
            for (float x : new float[] {k + 0.5f, Math.nextUp(k + 0.5f), Math.nextDown(k + 0.5f), k, Math.nextUp((float) k)}) {
                assertThat(BlocksQ8_0.round(x)).as("%s", x).isEqualTo(TextbookQuantizer.roundHalfAway(x));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q8_0", "Q4_0"})
    void blocksEqualTheTextbookOnRandomRowsOfManyMagnitudes(TensorType type) {
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            float[] values = new float[32 * (1 + random.nextInt(5))];
            float magnitude = (float) Math.pow(10, random.nextInt(13) - 8);
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextInt(8) == 0 ? 0f : (float) random.nextGaussian() * magnitude;
            }
            assertThat(encode(type, values)).as("seed %d, round %d", SEED, round).isEqualTo(TextbookQuantizer.encode(type, values));
            assertThat(decode(type, encode(type, values), values.length))
                    .as("seed %d, round %d", SEED, round)
                    .isEqualTo(TextbookQuantizer.decode(type, encode(type, values)));
        }
    }

    @Test
    void subnormalAndHugeBlocksAreEncodedWithoutFailing() {
        float[] values = new float[32];
        values[3] = Float.MIN_VALUE;
        assertThat(decode(TensorType.Q8_0, encode(TensorType.Q8_0, values), 32)).containsOnly(0f);
        assertThat(decode(TensorType.Q4_0, encode(TensorType.Q4_0, values), 32)).containsOnly(-0f);
        values[3] = Float.MAX_VALUE;
        assertThat(half(encode(TensorType.Q8_0, values))).isEqualTo(0x7c00);
    }

    static Stream<TensorType> writableTypes() {
        return Arrays.stream(TensorType.values()).filter(TensorType::canEncode);
    }

    @ParameterizedTest
    @MethodSource("writableTypes")
    void rowsLandAtTheirOffsetsAcrossChunksAndTouchNothingElse(TensorType type) {
        int columns = 4096 + type.blockElements(); // Longer than one chunk, and no multiple of it.
        int rows = 3;
        float[] source = new float[rows * columns + 7];
        Random random = new Random(SEED);
        for (int i = 0; i < source.length; i++) {
            source[i] = (float) random.nextGaussian();
        }
        try (Arena arena = Arena.ofConfined()) {
            long bytes = rows * type.rowBytes(columns);
            MemorySegment target = arena.allocate(bytes + 8);
            target.fill((byte) 0x5a);
            RowCodec.encodeRows(type, source, 7, rows, columns, target, 3);
            for (long i : new long[] {0, 1, 2, bytes + 3, bytes + 7}) {
                assertThat(target.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) 0x5a);
            }
            float[] back = new float[rows * columns + 2];
            RowCodec.decodeRows(type, target, 3, rows, columns, back, 1);
            assertThat(back[0]).isZero();
            assertThat(back[back.length - 1]).isZero();
            for (int row = 0; row < rows; row++) {
                float[] one = Arrays.copyOfRange(source, 7 + row * columns, 7 + (row + 1) * columns);
                assertThat(Arrays.copyOfRange(back, 1 + row * columns, 1 + (row + 1) * columns))
                        .isEqualTo(decode(type, encode(type, one), columns));
            }
        }
    }

    @Test
    void impossibleRangesAreRefused() {
        MemorySegment target = MemorySegment.ofArray(new byte[34]);
        assertThatThrownBy(() -> RowCodec.encodeRows(TensorType.Q8_0, new float[33], 0, 1, 33, target, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("33 elements");
        assertThatThrownBy(() -> RowCodec.encodeRows(TensorType.Q8_0, new float[31], 0, 1, 32, target, 0))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> RowCodec.encodeRows(TensorType.Q8_0, new float[32], 0, 1, 32, target, 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> RowCodec.decodeRows(TensorType.F32, target, 0, -1, 4, new float[4], 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> RowCodec.decodeRows(TensorType.F32, target, 0, 1 << 20, 1 << 20, new float[4], 0))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }
}
