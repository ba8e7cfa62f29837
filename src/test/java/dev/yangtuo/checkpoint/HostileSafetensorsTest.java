package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** safetensors files that lie. Each must be refused by name, whatever the machine's memory. */
@Timeout(60)
class HostileSafetensorsTest {
    private static final long SEED = 42;
    private static final int FLIPPED_FILES = 5_000;

    @TempDir
    Path directory;

    private static SafetensorsBuilder small() {
        return new SafetensorsBuilder()
                .metadata("format", "pt")
                .tensor("a", TensorType.F32, new float[6], 2, 3)
                .tensor("b", TensorType.F16, new float[8], 8)
                .rawTensor("ids", "I64", new byte[16], 2);
    }

    private static SafetensorsBuilder header(String text) {
        return new SafetensorsBuilder().header(any -> text);
    }

    private static SafetensorsBuilder entry(String value) {
        return header("{\"w\":" + value + "}").trailing((byte) 0, (byte) 0, (byte) 0, (byte) 0);
    }

    static Stream<Arguments> hostileFiles() {
        return Stream.of(
                argumentSet("header length 0", small().headerLength(0), "header length is 0"),
                argumentSet("header length beyond the file", small().headerLength(5000), "header has 5000 bytes"),
                argumentSet("header length beyond 100 MB", small().headerLength(100_000_001), "expected 2 to 100000000"),
                argumentSet("header length that is negative", new SafetensorsBuilder().header(h -> "\u0000".repeat(20)).headerLength(Long.MAX_VALUE),
                        "header length is 9223372036854775807"),
                argumentSet("header length one short", small().headerLength(100), "at byte"),
                argumentSet("header that is an array", header("[]"), "does not begin with '{'"),
                argumentSet("header that begins with a space", header(" {}"), "does not begin with '{'"),
                argumentSet("header in UTF-16", header("{\u0000}\u0000"), "does not begin with '{'"),
                argumentSet("header that is no JSON", header("{hello}"), "not valid JSON"),
                argumentSet("header that ends early", header("{\"a\":{"), "not valid JSON"),
                argumentSet("header with a second value", header("{}{}"), "after the closing brace"),
                argumentSet("header with deep nesting", header("{\"__metadata__\":" + "[".repeat(100_000)), "not valid JSON"),
                argumentSet("header with a deep unknown field", entry("{\"x\":" + "{\"a\":".repeat(50_000)), "not valid JSON"),
                argumentSet("tensor that is a number", entry("1"), "expected an object"),
                argumentSet("tensor without dtype", entry("{\"shape\":[1],\"data_offsets\":[0,4]}"), "dtype is missing"),
                argumentSet("tensor without shape", entry("{\"dtype\":\"F32\",\"data_offsets\":[0,4]}"), "shape is missing"),
                argumentSet("tensor without offsets", entry("{\"dtype\":\"F32\",\"shape\":[1]}"), "data_offsets is missing"),
                argumentSet("unknown dtype", entry("{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}"), "'F31' is unknown"),
                argumentSet("dtype that is a number", entry("{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}"), "expected a string"),
                argumentSet("shape that is a number", entry("{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}"), "expected an array"),
                argumentSet("negative dimension", entry("{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}"), "found -1"),
                argumentSet("two negative dimensions", entry("{\"dtype\":\"F32\",\"shape\":[-1,-1],\"data_offsets\":[0,4]}"), "found -1"),
                argumentSet("dimension with a fraction", entry("{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}"), "whole number"),
                argumentSet("dimension beyond a long", entry("{\"dtype\":\"F32\",\"shape\":[18446744073709551617],\"data_offsets\":[0,4]}"),
                        "found 18446744073709551617"),
                argumentSet("dimension of a thousand digits", entry("{\"dtype\":\"F32\",\"shape\":[" + "9".repeat(1000) + "]}"), "not valid JSON"),
                argumentSet("dimension that is nested", entry("{\"dtype\":\"F32\",\"shape\":[[1]],\"data_offsets\":[0,4]}"), "whole number"),
                argumentSet("too many dimensions", entry("{\"dtype\":\"F32\",\"shape\":[" + "1,".repeat(80) + "1],\"data_offsets\":[0,4]}"), "at most 64"),
                argumentSet("shape that overflows", entry("{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}"), "overflows"),
                argumentSet("shape that overflows to 4 bytes",
                        entry("{\"dtype\":\"F32\",\"shape\":[4611686018427387905,4],\"data_offsets\":[0,4]}"), "overflows"),
                argumentSet("one offset", entry("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}"), "expected 2 numbers"),
                argumentSet("three offsets", entry("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}"), "at most 2"),
                argumentSet("negative offset", entry("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}"), "found -4"),
                argumentSet("offsets reversed", small().offsets("a", 24, 0), "end before they begin"),
                argumentSet("offsets outside the file", small().offsets("ids", 40, 1 << 20), "outside the file"),
                argumentSet("end at the largest long", small().offsets("ids", 40, Long.MAX_VALUE), "outside the file"),
                argumentSet("size that does not match the shape", small().offsets("a", 0, 20), "'a': F32 of shape [2, 3] needs 24 bytes"),
                argumentSet("size of an unreadable type that does not match", small().offsets("ids", 40, 48), "'ids': I64 of shape [2] needs 16 bytes"),
                argumentSet("size of half bytes", new SafetensorsBuilder().rawTensor("f", "F4", new byte[1], 3), "needs 12/8 bytes"),
                argumentSet("tensors that overlap", small().offsets("b", 8, 24), "overlap"),
                argumentSet("two tensors in one place", small().offsets("ids", 24, 40), "overlap"),
                argumentSet("gap between tensors", small().tensor("c", TensorType.F32, new float[2], 1).offsets("c", 60, 64), "gap"),
                argumentSet("gap before the first tensor", entry("{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[2,4]}"), "gap"),
                argumentSet("bytes after the last tensor", small().trailing((byte) 0), "the tensors end at 56"),
                argumentSet("data without tensors", header("{}").trailing((byte) 0), "the tensors end at 0"),
                argumentSet("tensor twice", small().tensor("a", TensorType.F32, new float[6], 2, 3), "Duplicate field 'a'"),
                argumentSet("metadata twice", small().metadata("a", "b"), "Duplicate field '__metadata__'"),
                argumentSet("field twice", entry("{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}"),
                        "Duplicate field 'dtype'"));
    }

    @ParameterizedTest
    @MethodSource("hostileFiles")
    void isRefusedByName(SafetensorsBuilder file, String part) {
        Path path = file.write(directory.resolve("x.safetensors"));
        assertThatThrownBy(() -> SafetensorsCheckpoint.open(path).close())
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith(path.toString())
                .hasMessageContaining(part);
    }

    @Test
    void theUnbrokenFileIsAccepted() {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(small().write(directory.resolve("x.safetensors")))) {
            assertThat(checkpoint.tensors()).hasSize(2);
        }
    }

    @Test
    void headerPaddedWithSpacesIsAccepted() {
        Path path = small().header(text -> text + "       ").write(directory.resolve("x.safetensors"));
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
            assertThat(checkpoint.tensors()).hasSize(2);
        }
    }

    @Test
    void messageStaysShortAndPrintableWhateverTheName() {
        String name = "x\\u001b[31m".repeat(700);
        Path path = header("{\"" + name + "\":1}").write(directory.resolve("x.safetensors"));
        assertThatThrownBy(() -> SafetensorsCheckpoint.open(path).close())
                .isInstanceOf(CheckpointFormatException.class)
                .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(1500))
                .satisfies(e -> assertThat(e.getMessage().chars()).noneMatch(Character::isISOControl));
    }

    @Test
    void largeFileWhoseHeaderIsMostlyZerosIsRefused() throws IOException {
        Path path = directory.resolve("x.safetensors");
        Files.write(path, small().headerLength(99_999_999).build());
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(1L << 32);
        }
        assertThatThrownBy(() -> SafetensorsCheckpoint.open(path).close()).isInstanceOf(CheckpointFormatException.class);
    }

    @Test
    void truncationAnywhereIsRefused() throws IOException {
        byte[] whole = small().build();
        for (int length = 0; length < whole.length; length++) {
            Path path = Files.write(directory.resolve("x.safetensors"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> SafetensorsCheckpoint.open(path).close())
                    .as("%d bytes", length)
                    .isInstanceOf(CheckpointFormatException.class);
        }
    }

    @Test
    void flippedBytesGiveOurExceptionOrAReadableFile() throws IOException {
        byte[] whole = small().build();
        Random random = new Random(SEED);
        Path path = directory.resolve("x.safetensors");
        int accepted = 0;
        for (int i = 0; i < FLIPPED_FILES; i++) {
            Files.write(path, FlippedBytes.flip(whole, random));
            try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
                FlippedBytes.readEverything(checkpoint);
                accepted++;
            } catch (CheckpointFormatException e) {
                assertThat(e).as("seed %d, file %d", SEED, i).hasMessageStartingWith(path.toString());
            }
        }
        assertThat(accepted).as("flips in names and values are harmless, flips in sizes are not").isBetween(1, FLIPPED_FILES - 1);
    }
}
