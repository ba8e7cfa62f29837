package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
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

/** GGUF files that lie. Each must be refused by name, whatever the machine's memory. */
@Timeout(60)
class HostileGgufTest {
    private static final long SEED = 42;
    private static final int FLIPPED_FILES = 5_000;
    private static final long HUGE = Long.MAX_VALUE / 2;

    @TempDir
    Path directory;

    /** A small file with one of everything. */
    private static GgufBuilder small() {
        return new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.block_count", 2)
                .put("eps", 1e-5f)
                .put("tokenizer.ggml.tokens", new String[] {"<unk>", "<s>", "▁a"})
                .put("tokenizer.ggml.scores", new float[] {0, 0, -1})
                .put("tokenizer.ggml.token_type", new int[] {2, 3, 1})
                .put("tokenizer.ggml.bos_token_id", 1)
                .tensor("a", TensorType.F32, new float[6], 2, 3)
                .tensor("b", TensorType.Q8_0, new float[64], 2, 32)
                .tensor("c", TensorType.F16, new float[16], 16);
    }

    private static GgufBuilder oneTensor(int typeId, byte[] data, long... fastestFirst) {
        return new GgufBuilder().rawTensor("w", typeId, data, fastestFirst);
    }

    static Stream<Arguments> hostileFiles() {
        return Stream.of(
                argumentSet("wrong magic", small().magic("GGML"), "does not begin with 'GGUF'"),
                argumentSet("version 0", small().version(0), "version 0"),
                argumentSet("version 1", small().version(1), "version 1 is not supported"),
                argumentSet("version 4", small().version(4), "version 4 is not supported"),
                argumentSet("negative version", small().version(-1), "version 4294967295"),
                argumentSet("big-endian", small().bigEndian(), "big-endian (version 3)"),
                argumentSet("huge number of tensors", small().tensorCount(HUGE), "number of tensors"),
                argumentSet("one tensor too many", small().tensorCount(4), "tensor"),
                argumentSet("one tensor too few", small().tensorCount(2), "at byte"),
                argumentSet("no tensors announced", small().tensorCount(0), "follow the last tensor"),
                argumentSet("huge number of pairs", small().pairCount(HUGE), "number of metadata pairs"),
                argumentSet("one pair too many", small().pairCount(8), "at byte"),
                argumentSet("one pair too few", small().pairCount(6), "at byte"),
                argumentSet("negative number of pairs", new GgufBuilder().pairCount(Long.MIN_VALUE + 5).tensorCount(Long.MAX_VALUE), "announces"),
                argumentSet("huge string", small().pair("s", 8, GgufBuilder.little(8).putLong(HUGE).array()), "'s'"),
                argumentSet("negative string length", small().pair("s", 8, GgufBuilder.little(8).putLong(-1).array()), "18446744073709551615"),
                argumentSet("huge array", small().array("s", 0, HUGE, new byte[4]), "'s'"),
                argumentSet("array whose bytes overflow", small().array("s", 12, 1L << 61, new byte[8]), "'s'"),
                argumentSet("huge array of strings", small().array("s", 8, 1 << 24, new byte[64]), "'s'"),
                argumentSet("array of strings of huge strings", small().array("s", 8, 1, GgufBuilder.little(8).putLong(HUGE).array()), "'s'"),
                argumentSet("nested array", small().array("s", 9, 1, new byte[64]), "array of arrays"),
                argumentSet("unknown value type", small().pair("s", 13, new byte[8]), "unknown type 13"),
                argumentSet("negative value type", small().pair("s", -1, new byte[8]), "unknown type 4294967295"),
                argumentSet("unknown element type", small().array("s", 77, 1, new byte[8]), "unknown type 77"),
                argumentSet("flag of 2", small().pair("s", 7, new byte[] {2}), "'s' is 2"),
                argumentSet("array of flags of 255", small().array("s", 7, 1, new byte[] {-1}), "'s' is -1"),
                argumentSet("UINT64 element beyond a long", small().array("s", 10, 1, GgufBuilder.little(8).putLong(-1).array()), "'s'"),
                argumentSet("empty key", small().put("", 1), "is empty"),
                argumentSet("key twice", small().put("eps", 1f), "'eps' occurs twice"),
                argumentSet("key that is not UTF-8", small().rawPair(GgufBuilder.little(17).putLong(1).put((byte) 0xff).putInt(4).putInt(1).array()),
                        "not valid UTF-8"),
                argumentSet("key of 70,000 bytes", small().put("k".repeat(70_000), 1), "at most 65535"),
                argumentSet("alignment 0", small().put("general.alignment", 0), "alignment' is 0"),
                argumentSet("alignment 24", small().put("general.alignment", 24), "power of two"),
                argumentSet("negative alignment", small().put("general.alignment", -32L), "power of two"),
                argumentSet("alignment 2^31", small().put("general.alignment", 1 << 31), "general.alignment"),
                argumentSet("alignment 2^30", small().put("general.alignment", 1 << 30), "incomplete"),
                argumentSet("alignment of another type", small().put("general.alignment", "32"), "STRING"),
                argumentSet("scores shorter than tokens", new GgufBuilder().put("tokenizer.ggml.tokens", new String[] {"a", "b"})
                        .put("tokenizer.ggml.scores", new float[1]), "scores' has 1"),
                argumentSet("token types longer than tokens", new GgufBuilder().put("tokenizer.ggml.tokens", new String[] {"a"})
                        .put("tokenizer.ggml.token_type", new int[2]), "token_type' has 2"),
                argumentSet("tokens that are numbers", new GgufBuilder().put("tokenizer.ggml.tokens", new int[1]), "array of strings"),
                argumentSet("scores that are text", new GgufBuilder().put("tokenizer.ggml.tokens", new String[] {"a"})
                        .put("tokenizer.ggml.scores", "x"), "an array"),
                argumentSet("special id outside the vocabulary", small().put("tokenizer.ggml.eos_token_id", 3), "eos_token_id"),
                argumentSet("negative special id", small().put("tokenizer.ggml.eos_token_id", -1L), "eos_token_id"),
                argumentSet("special id of another type", small().put("tokenizer.ggml.eos_token_id", "</s>"), "whole number"),
                argumentSet("part of a split model", small().pair("split.count", 2, new byte[] {3, 0}).pair("split.no", 2, new byte[] {1, 0}),
                        "part 2 of a model split into 3 files, so its name must end in -00002-of-00003.gguf"),
                argumentSet("empty tensor name", new GgufBuilder().rawTensor("", 0, new byte[4], 1), "name of tensor 0 is empty"),
                argumentSet("tensor name of 2000 bytes", new GgufBuilder().rawTensor("n".repeat(2000), 0, new byte[4], 1), "at most 1024"),
                argumentSet("tensor name twice", small().rawTensor("a", 0, new byte[4], 1), "'a' occurs twice"),
                argumentSet("no dimensions", oneTensor(0, new byte[4]), "0 dimensions"),
                argumentSet("5 dimensions", oneTensor(0, new byte[4], 1, 1, 1, 1, 1), "5 dimensions"),
                argumentSet("dimension 0", oneTensor(0, new byte[4], 1, 0), "dimension of 0"),
                argumentSet("negative dimension", oneTensor(0, new byte[4], -1), "18446744073709551615"),
                argumentSet("dimensions that overflow", oneTensor(0, new byte[4], 1L << 32, 1L << 32), "overflows"),
                argumentSet("dimensions that overflow to a small number", oneTensor(0, new byte[4], (1L << 62) + 1, 4), "overflows"),
                argumentSet("bytes that overflow", oneTensor(0, new byte[4], 1L << 61), "overflows"),
                argumentSet("row that is no multiple of the block", oneTensor(8, new byte[34], 33), "multiple of 32"),
                argumentSet("row shorter than the block though the whole is a multiple", oneTensor(8, new byte[34], 16, 2), "multiple of 32"),
                argumentSet("row that is no multiple of 256", oneTensor(12, new byte[144], 32), "multiple of 256"),
                argumentSet("type removed from GGML", oneTensor(4, new byte[64], 32), "type number 4"),
                argumentSet("unknown type", oneTensor(1000, new byte[64], 32), "type number 1000"),
                argumentSet("negative type", oneTensor(-1, new byte[64], 32), "type number 4294967295"),
                argumentSet("tensor larger than the file", oneTensor(0, new byte[64], 1000), "incomplete"),
                argumentSet("tensor of exabytes", oneTensor(0, new byte[64], 1L << 60), "incomplete"),
                argumentSet("offset outside the file", small().offset("c", 1 << 20), "'c' has the data offset 1048576"),
                argumentSet("negative offset", small().offset("a", -32), "18446744073709551584"),
                argumentSet("offset that overflows", small().offset("b", Long.MAX_VALUE), "'b'"),
                argumentSet("tensors that overlap", small().offset("b", 0), "'b' has the data offset 0; expected 32"),
                argumentSet("offset that is not aligned", small().offset("b", 24), "'b' has the data offset 24; expected 32"),
                argumentSet("gap between tensors", small().offset("b", 64), "'b' has the data offset 64; expected 32"),
                argumentSet("first tensor after a gap", small().offset("a", 32), "'a' has the data offset 32; expected 0"),
                argumentSet("bytes after the last tensor", small().trailing((byte) 1), "follow the last tensor"));
    }

    @ParameterizedTest
    @MethodSource("hostileFiles")
    void isRefusedByName(GgufBuilder file, String part) {
        Path path = file.write(directory.resolve("x.gguf"));
        assertThatThrownBy(() -> GgufCheckpoint.open(path).close())
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageStartingWith(path.toString())
                .hasMessageContaining(part);
    }

    @Test
    void theUnbrokenFileIsAccepted() {
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(small().write(directory.resolve("x.gguf")))) {
            assertThat(checkpoint.tensors()).hasSize(3);
        }
    }

    @Test
    void truncationAnywhereIsRefused() throws IOException {
        byte[] whole = small().build();
        // The last tensor has 32 bytes, so that no padding follows it.
        for (int length = 0; length < whole.length; length++) {
            Path path = Files.write(directory.resolve("x.gguf"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> GgufCheckpoint.open(path).close()).as("%d bytes", length).isInstanceOf(CheckpointFormatException.class);
        }
    }

    @Test
    void flippedBytesGiveOurExceptionOrAReadableFile() throws IOException {
        byte[] whole = small().build();
        Random random = new Random(SEED);
        Path path = directory.resolve("x.gguf");
        int accepted = 0;
        for (int i = 0; i < FLIPPED_FILES; i++) {
            Files.write(path, FlippedBytes.flip(whole, random));
            try (GgufCheckpoint checkpoint = GgufCheckpoint.open(path)) {
                FlippedBytes.readEverything(checkpoint);
                accepted++;
            } catch (CheckpointFormatException e) {
                assertThat(e).as("seed %d, file %d", SEED, i).hasMessageStartingWith(path.toString());
            }
        }
        assertThat(accepted).as("flips in names and values are harmless, flips in sizes are not").isBetween(1, FLIPPED_FILES - 1);
    }
}
