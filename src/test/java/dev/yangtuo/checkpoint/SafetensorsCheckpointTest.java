package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsCheckpointTest {
    private static final Path DEMO_BASE = Path.of("examples/demo-model/base");
    private static final float[] VALUES = {1, -2, 0.5f, 4, 5, -6};

    @TempDir
    Path directory;

    private static float[] readAll(Checkpoint checkpoint, String name) {
        FloatRows rows = checkpoint.rows(checkpoint.require(name));
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }

    private Path index(String weightMap) throws IOException {
        return Files.writeString(directory.resolve("model.safetensors.index.json"),
                "{\"metadata\":{\"total_size\":99},\"weight_map\":{" + weightMap + "}}");
    }

    @Test
    void tensorsOfEveryReadableTypeAreReadAsFloat32() {
        Path file = new SafetensorsBuilder()
                .metadata("format", "pt")
                .tensor("a", TensorType.F32, VALUES, 2, 3)
                .tensor("b", TensorType.F16, VALUES, 3, 2)
                .tensor("c", TensorType.BF16, VALUES, 6)
                .tensor("d", TensorType.F32, VALUES, 1, 2, 3)
                .write(directory.resolve("x.safetensors"));
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).containsExactly("a", "b", "c", "d");
            assertThat(checkpoint.metadata()).containsEntry("format", "pt");
            for (String name : List.of("a", "b", "c", "d")) {
                assertThat(readAll(checkpoint, name)).as(name).containsExactly(VALUES);
            }
            assertThat(checkpoint.rows(checkpoint.require("c")).rows()).isEqualTo(1);
            assertThat(checkpoint.rows(checkpoint.require("d")).rows()).isEqualTo(2);
            assertThat(checkpoint.bytes(checkpoint.require("b")).byteSize()).isEqualTo(12);
            assertThat(checkpoint.bytes(checkpoint.require("b")).isReadOnly()).isTrue();
            assertThat(checkpoint.find("e")).isNull();
            assertThatThrownBy(() -> checkpoint.require("e"))
                    .isInstanceOf(CheckpointFormatException.class)
                    .hasMessageContaining("'e' is missing");
        }
    }

    @Test
    void scalarIsOneRowOfOneColumn() {
        Path file = new SafetensorsBuilder().tensor("s", TensorType.F32, new float[] {7}).write(directory.resolve("x.safetensors"));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            assertThat(readAll(checkpoint, "s")).containsExactly(7);
        }
    }

    @Test
    void demonstrationModelIsReadWhole() {
        try (Checkpoint checkpoint = SafetensorsCheckpoint.openDirectory(DEMO_BASE, "model")) {
            assertThat(checkpoint.tensors()).hasSize(57).allMatch(tensor -> tensor.type() == TensorType.F16);
            assertThat(checkpoint.require("model.embed_tokens.weight").shape()).containsExactly(3000L, 256L);
            float[] norm = readAll(checkpoint, "model.norm.weight");
            assertThat(norm).hasSize(256);
            for (float value : norm) {
                assertThat(value).isBetween(-100f, 100f).isNotZero();
            }
            long total = checkpoint.tensors().stream().mapToLong(TensorInfo::byteSize).sum();
            assertThat(total).isEqualTo(DEMO_BASE.resolve("model.safetensors").toFile().length() - 8 - 6568);
        }
    }

    @Test
    void tensorsOfOtherTypesDoNotPreventOpeningAndAreNamedWhenAskedFor() {
        Path file = new SafetensorsBuilder()
                .tensor("w", TensorType.F32, VALUES, 6)
                .rawTensor("position_ids", "I64", new byte[16], 2)
                .rawTensor("packed", "F4", new byte[3], 6)
                .write(directory.resolve("x.safetensors"));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).containsExactly("w");
            assertThat(checkpoint.unreadable()).extracting(UnreadableTensor::typeName).containsExactly("I64", "F4");
            assertThatThrownBy(() -> checkpoint.find("position_ids"))
                    .isInstanceOf(CheckpointFormatException.class)
                    .hasMessageContainingAll("x.safetensors", "'position_ids'", "I64", "not supported", "F32, F16, BF16");
        }
    }

    @Test
    void emptyTensorIsRefusedOnlyWhenItsRowsAreAskedFor() {
        Path file = new SafetensorsBuilder().tensor("none", TensorType.F32, new float[0], 0, 5).write(directory.resolve("x.safetensors"));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            TensorInfo tensor = checkpoint.require("none");
            assertThatThrownBy(() -> checkpoint.rows(tensor)).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("no elements");
        }
    }

    @Test
    void shardsAreJoinedAsTheIndexSays() throws IOException {
        new SafetensorsBuilder().tensor("b", TensorType.F32, VALUES, 6).write(directory.resolve("model-00002-of-00002.safetensors"));
        new SafetensorsBuilder().tensor("c", TensorType.F16, VALUES, 6).write(directory.resolve("model-00001-of-00002.safetensors"));
        index("\"b\":\"model-00002-of-00002.safetensors\",\"c\":\"model-00001-of-00002.safetensors\"");
        try (Checkpoint checkpoint = SafetensorsCheckpoint.openDirectory(directory, "model")) {
            assertThat(checkpoint.path()).isEqualTo(directory);
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).containsExactly("c", "b");
            assertThat(readAll(checkpoint, "b")).containsExactly(VALUES);
            assertThat(readAll(checkpoint, "c")).containsExactly(VALUES);
        }
    }

    @Test
    void shardThatIsMissingIsNamed() throws IOException {
        index("\"b\":\"model-00002-of-00002.safetensors\"");
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("model-00002-of-00002.safetensors", "no such shard", "index.json");
    }

    @Test
    void tensorThatItsShardLacksIsNamed() throws IOException {
        new SafetensorsBuilder().tensor("b", TensorType.F32, VALUES, 6).write(directory.resolve("one.safetensors"));
        index("\"b\":\"one.safetensors\",\"lost\":\"one.safetensors\"");
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("one.safetensors", "'lost' is missing");
    }

    @Test
    void tensorInTwoShardsIsRefused() throws IOException {
        new SafetensorsBuilder().tensor("b", TensorType.F32, VALUES, 6).write(directory.resolve("one.safetensors"));
        new SafetensorsBuilder().tensor("b", TensorType.F32, VALUES, 6).tensor("c", TensorType.F32, VALUES, 6)
                .write(directory.resolve("two.safetensors"));
        index("\"b\":\"one.safetensors\",\"c\":\"two.safetensors\"");
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("two.safetensors", "'b'", "one.safetensors as well");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "../secret.safetensors", "/etc/secret.safetensors", "sub/one.safetensors", "..\\\\one.safetensors", "C:one.safetensors", "..", "",
        "one.safetensors\\u0000", "one.bin"
    })
    void indexThatLeavesItsDirectoryIsRefused(String shard) throws IOException {
        index("\"b\":\"" + shard + "\"");
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("index.json", "'b'", "without folders");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "[]", "{}", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{\"a\"",
        "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}", "\u0000\u0001", "null"
    })
    void damagedIndexIsRefused(String text) throws IOException {
        Files.writeString(directory.resolve("model.safetensors.index.json"), text);
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("index.json");
    }

    @Test
    void directoryWithoutWeightsSaysWhatIsMissingAndWhatIsThere() throws IOException {
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "adapter_model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("adapter_model.safetensors", "Download");
        Files.createFile(directory.resolve("adapter_model.bin"));
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "adapter_model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("adapter_model.bin", "PyTorch");
        Files.createFile(directory.resolve("model-00001-of-00002.safetensors"));
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory, "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("model-00001-of-00002.safetensors", "index.json as well");
        assertThatThrownBy(() -> SafetensorsCheckpoint.openDirectory(directory.resolve("nowhere"), "model"))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContainingAll("nowhere", "no such directory");
    }

    @Test
    void headerOfAHundredThousandTensorsIsRead() {
        SafetensorsBuilder builder = new SafetensorsBuilder();
        for (int i = 0; i < 100_000; i++) {
            builder.rawTensor("model.layers." + i + ".weight", "F16", new byte[2], 1);
        }
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(builder.write(directory.resolve("x.safetensors")))) {
            assertThat(checkpoint.tensors()).hasSize(100_000);
            assertThat(checkpoint.require("model.layers.99999.weight").shape()).containsExactly(1L);
        }
    }

    @Test
    void useAfterCloseIsAnIllegalStateAndClosingTwiceIsHarmless() {
        Path file = new SafetensorsBuilder().tensor("a", TensorType.F32, VALUES, 2, 3).write(directory.resolve("x.safetensors"));
        Checkpoint checkpoint = SafetensorsCheckpoint.open(file);
        TensorInfo tensor = checkpoint.require("a");
        FloatRows rows = checkpoint.rows(tensor);
        checkpoint.close();
        checkpoint.close();
        assertThatThrownBy(() -> rows.read(0, 1, new float[3], 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> checkpoint.rows(tensor)).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    @Test
    void severalThreadsReadTheSameRows() {
        float[] values = new float[64 * 100];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 2048;
        }
        Path file = new SafetensorsBuilder().tensor("a", TensorType.F16, values, 64, 100).write(directory.resolve("x.safetensors"));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            FloatRows rows = checkpoint.rows(checkpoint.require("a"));
            IntStream.range(0, 1000).parallel().forEach(i -> {
                float[] row = new float[100];
                rows.read(i % 64, 1, row, 0);
                assertThat(row).containsExactly(Arrays.copyOfRange(values, i % 64 * 100, (i % 64 + 1) * 100));
            });
        }
    }

    @Test
    void tensorOfAnotherCheckpointIsRefused() {
        Path one = new SafetensorsBuilder().tensor("a", TensorType.F32, VALUES, 2, 3).write(directory.resolve("one.safetensors"));
        Path two = new SafetensorsBuilder().tensor("a", TensorType.F32, VALUES, 3, 2).write(directory.resolve("two.safetensors"));
        try (Checkpoint first = SafetensorsCheckpoint.open(one);
                Checkpoint second = SafetensorsCheckpoint.open(two)) {
            assertThatThrownBy(() -> first.rows(second.require("a"))).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'a'");
        }
    }

    @Test
    void fileThatShrinksWhileItIsOpenGivesAnErrorAndNoCrash() throws IOException {
        float[] many = new float[1 << 16];
        Arrays.fill(many, 1);
        Path file = new SafetensorsBuilder().tensor("a", TensorType.F16, many, 256, 256).write(directory.resolve("x.safetensors"));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            FloatRows rows = checkpoint.rows(checkpoint.require("a"));
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(16);
            }
            assertThatThrownBy(() -> rows.read(200, 50, new float[50 * 256], 0))
                    .isInstanceOf(CheckpointFormatException.class)
                    .hasMessageContainingAll("x.safetensors", "'a'", "shorter");
        }
    }
}
