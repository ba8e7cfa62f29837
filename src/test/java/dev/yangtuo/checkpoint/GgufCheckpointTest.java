package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufCheckpointTest {
    @TempDir
    Path directory;

    private GgufCheckpoint open(GgufBuilder builder) {
        return GgufCheckpoint.open(builder.write(directory.resolve("x.gguf")));
    }

    private static float[] ramp(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i % 16 - 8; // Exact in every type: each block of 32 holds -8, the extreme of Q4_0.
        }
        return values;
    }

    private static void assertFails(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(CheckpointFormatException.class).hasMessageContainingAll(parts);
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"F32", "F16", "BF16", "Q4_0"})
    void tensorsOfEveryReadableTypeAreReadAsFloat32(TensorType type) {
        float[] values = ramp(192);
        GgufBuilder builder = new GgufBuilder().tensor("first", TensorType.F32, new float[] {3}, 1).tensor("w", type, values, 3, 64);
        try (GgufCheckpoint checkpoint = open(builder)) {
            TensorInfo tensor = checkpoint.require("w");
            assertThat(tensor.type()).isEqualTo(type);
            assertThat(tensor.shape()).containsExactly(3L, 64L);
            assertThat(tensor.byteOffset() % 32).isZero();
            FloatRows rows = checkpoint.rows(tensor);
            float[] read = new float[192];
            rows.read(0, 3, read, 0);
            assertThat(read).containsExactly(values);
            float[] last = new float[64];
            rows.read(2, 1, last, 0);
            assertThat(last).containsExactly(ramp(64));
        }
    }

    @Test
    void q8TensorIsReadWithItsScale() {
        float[] values = new float[64];
        values[0] = 127;
        values[1] = -5;
        values[32] = 63.5f;
        values[33] = 1.5f;
        try (GgufCheckpoint checkpoint = open(new GgufBuilder().tensor("w", TensorType.Q8_0, values, 1, 64))) {
            float[] read = new float[64];
            checkpoint.rows(checkpoint.require("w")).read(0, 1, read, 0);
            assertThat(read).containsExactly(values);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void bothVersionsAreRead(int version) {
        try (GgufCheckpoint checkpoint = open(new GgufBuilder().version(version).put("a", "b"))) {
            assertThat(checkpoint.version()).isEqualTo(version);
            assertThat(checkpoint.metadata().string("a")).isEqualTo("b");
            assertThat(checkpoint.tensors()).isEmpty();
        }
    }

    @Test
    void otherAlignmentsMoveTheData() {
        for (int alignment : new int[] {1, 8, 64, 4096}) {
            GgufBuilder builder = new GgufBuilder().alignment(alignment)
                    .tensor("a", TensorType.F32, ramp(5), 5)
                    .tensor("b", TensorType.F32, ramp(7), 7);
            try (GgufCheckpoint checkpoint = open(builder)) {
                TensorInfo tensor = checkpoint.require("b");
                assertThat(tensor.byteOffset() % alignment).isZero();
                float[] read = new float[7];
                checkpoint.rows(tensor).read(0, 1, read, 0);
                assertThat(read).containsExactly(ramp(7));
            }
        }
    }

    @Test
    void metadataIsTyped() {
        GgufBuilder builder = new GgufBuilder()
                .put("text", "羊驼")
                .put("u32", 0xffff_fff0)
                .put("i64", -5L)
                .put("f32", 0.5f)
                .put("f64", 1e-5)
                .put("flag", true)
                .put("strings", new String[] {"<s>", "▁a", ""})
                .put("ints", new int[] {1, -2})
                .put("floats", new float[] {0.5f, -1})
                .pair("u8", 0, new byte[] {(byte) 0xff})
                .pair("i16", 3, new byte[] {(byte) 0xff, (byte) 0xff})
                .pair("u64", 10, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1})
                .array("doubles", 12, 1, GgufBuilder.little(8).putDouble(0.25).array())
                .array("flags", 7, 2, new byte[] {0, 1});
        try (GgufCheckpoint checkpoint = open(builder)) {
            GgufMetadata metadata = checkpoint.metadata();
            assertThat(metadata.string("text")).isEqualTo("羊驼");
            assertThat(metadata.string("absent", "x")).isEqualTo("x");
            assertThat(metadata.longInteger("u32")).isEqualTo(0xffff_fff0L);
            assertThat(metadata.integer("i64")).isEqualTo(-5);
            assertThat(metadata.integer("u8")).isEqualTo(255);
            assertThat(metadata.integer("i16")).isEqualTo(-1);
            assertThat(metadata.integer("absent", 7)).isEqualTo(7);
            assertThat(metadata.number("f32")).isEqualTo(0.5f);
            assertThat(metadata.number("f64")).isEqualTo(1e-5f);
            assertThat(metadata.number("u8", 1f)).isEqualTo(255f);
            assertThat(metadata.flag("flag")).isTrue();
            assertThat(metadata.flag("absent", true)).isTrue();
            assertThat(metadata.strings("strings")).containsExactly("<s>", "▁a", "");
            assertThat(metadata.integers("ints")).containsExactly(1, -2);
            assertThat(metadata.floats("floats")).containsExactly(0.5f, -1);
            assertThat(metadata.floats("ints")).containsExactly(1, -2);
            assertThat(metadata.floats("doubles")).containsExactly(0.25f);
            assertThat(metadata.arrayLength("flags")).isEqualTo(2);
            assertThat(metadata.typeName("strings")).isEqualTo("ARRAY of STRING");
            assertThat(metadata.keys()).startsWith("text", "u32").hasSize(14);
            assertFails(() -> metadata.integer("u32"), "x.gguf", "'u32'", "4294967280", "2147483647");
            assertFails(() -> metadata.longInteger("u64"), "'u64'", "18446744073709551615");
            assertFails(() -> metadata.string("absent"), "'absent'", "a string");
            assertFails(() -> metadata.string("flag"), "'flag'", "BOOL", "a string");
            assertFails(() -> metadata.integer("ints"), "'ints'", "ARRAY of INT32", "a whole number");
            assertFails(() -> metadata.strings("ints"), "'ints'", "array of strings");
            assertFails(() -> metadata.floats("strings"), "'strings'", "array of numbers");
            assertFails(() -> metadata.number("text", 1f), "'text'", "STRING", "a number");
            assertFails(() -> metadata.flag("u8", true), "'u8'", "UINT8", "true or false");
        }
    }

    @Test
    void arraysThatAreHandedOutAreCopies() {
        try (GgufCheckpoint checkpoint = open(new GgufBuilder().put("a", new String[] {"x"}).put("b", new float[] {1}))) {
            checkpoint.metadata().strings("a")[0] = "changed";
            checkpoint.metadata().floats("b")[0] = 9;
            assertThat(checkpoint.metadata().strings("a")).containsExactly("x");
            assertThat(checkpoint.metadata().floats("b")).containsExactly(1);
        }
    }

    /** Sizes of a row of 256 elements, from GGML's block structures. */
    @ParameterizedTest
    @CsvSource({
        "9, Q8_1, 288", "15, Q8_K, 292", "16, IQ2_XXS, 66", "21, IQ3_S, 110", "27, I64, 2048", "34, TQ1_0, 54", "40, NVFP4, 144"
    })
    void tensorsOfOtherTypesAreCheckedAndNamedWhenAskedFor(int typeId, String name, int bytes) {
        GgufBuilder builder = new GgufBuilder()
                .rawTensor("x", typeId, new byte[bytes], 256)
                .tensor("w", TensorType.F32, ramp(4), 4);
        try (GgufCheckpoint checkpoint = open(builder)) {
            assertThat(checkpoint.require("w").shape()).containsExactly(4L);
            assertThat(checkpoint.unreadable()).extracting(UnreadableTensor::typeName).containsExactly(name);
            assertFails(() -> checkpoint.find("x"), "x.gguf", "'x'", "its type " + name + " is not supported", "supported: [F32, F16, BF16, Q4_0, Q4_1,");
        }
    }

    /** Sizes of a row of 256 elements, from GGML's block structures. */
    @ParameterizedTest
    @CsvSource({
        "0, F32, 1024", "1, F16, 512", "2, Q4_0, 144", "3, Q4_1, 160", "6, Q5_0, 176", "7, Q5_1, 192", "8, Q8_0, 272", "10, Q2_K, 84",
        "11, Q3_K, 110", "12, Q4_K, 144", "13, Q5_K, 176", "14, Q6_K, 210", "20, IQ4_NL, 144", "23, IQ4_XS, 136", "30, BF16, 512", "39, MXFP4, 136"
    })
    void tensorsOfEveryTypeAreReadUnderGgmlsNumbers(int typeId, TensorType type, int bytes) {
        byte[] data = new byte[2 * bytes];
        Arrays.fill(data, (byte) 0x11);
        try (GgufCheckpoint checkpoint = open(new GgufBuilder().rawTensor("x", typeId, data, 256, 2))) {
            TensorInfo x = checkpoint.require("x");
            assertThat(x.type()).isEqualTo(type);
            assertThat(x.byteSize()).isEqualTo(2L * bytes);
            float[] expected = new float[512];
            RowCodec.decodeRows(type, MemorySegment.ofArray(data), 0, 2, 256, expected, 0);
            float[] actual = new float[512];
            checkpoint.rows(x).read(0, 2, actual, 0);
            assertThat(actual).isEqualTo(expected);
        }
    }

    @Test
    void missingPaddingAfterTheLastTensorIsHarmless() throws IOException {
        byte[] whole = new GgufBuilder().tensor("w", TensorType.F32, ramp(3), 3).build();
        Path file = Files.write(directory.resolve("x.gguf"), Arrays.copyOf(whole, whole.length - 20));
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
            float[] read = new float[3];
            checkpoint.rows(checkpoint.require("w")).read(0, 1, read, 0);
            assertThat(read).containsExactly(ramp(3));
        }
    }
}
