package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufPartsTest {
    private static final int UINT16 = 2;
    private static final int INT32 = 5;

    @TempDir
    private Path directory;

    private static byte[] uint16(int value) {
        return GgufBuilder.little(2).putShort((short) value).array();
    }

    private static byte[] int32(int value) {
        return GgufBuilder.little(4).putInt(value).array();
    }

    private GgufBuilder part(int number, int count, int tensors) {
        GgufBuilder part = new GgufBuilder();
        if (number == 0) {
            part.put("general.architecture", "llama");
        }
        return part.pair("split.no", UINT16, uint16(number)).pair("split.count", UINT16, uint16(count)).pair("split.tensors.count", INT32, int32(tensors));
    }

    private Path file(int number, int count) {
        return directory.resolve("m-%05d-of-%05d.gguf".formatted(number + 1, count));
    }

    /** Three parts: no tensor in the first one, as a splitter may leave it. */
    private void writeThree() {
        part(0, 3, 3).write(file(0, 3));
        part(1, 3, 3).tensor("a", TensorType.F32, new float[] {1, 2}, 2).tensor("b", TensorType.F32, new float[] {3}, 1).write(file(1, 3));
        part(2, 3, 3).tensor("c", TensorType.F16, new float[] {4, 5}, 1, 2).write(file(2, 3));
    }

    private void assertRefused(String... mentions) {
        assertThatThrownBy(() -> GgufCheckpoint.open(file(0, 3))).isInstanceOf(CheckpointFormatException.class).hasMessageContainingAll(mentions);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anyPartOpensTheWholeModel(int number) {
        writeThree();
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file(number, 3))) {
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).containsExactly("a", "b", "c");
            assertThat(checkpoint.path()).isEqualTo(file(0, 3));
            assertThat(checkpoint.metadata().string("general.architecture")).isEqualTo("llama");
            float[] row = new float[2];
            checkpoint.rows(checkpoint.require("c")).read(0, 1, row, 0);
            assertThat(row).containsExactly(4, 5);
        }
    }

    @Test
    void missingPartIsNamed() throws IOException {
        writeThree();
        Files.delete(file(1, 3));
        assertRefused("m-00002-of-00003.gguf", "there is no such file", "m-00001-of-00003.gguf is part of a model of 3 files");
    }

    @Test
    void partThatSaysItIsAnotherIsRefused() throws IOException {
        writeThree();
        Files.copy(file(1, 3), file(2, 3), StandardCopyOption.REPLACE_EXISTING);
        assertRefused("m-00003-of-00003.gguf", "split.no", "are 1, 3 and 3; expected 2, 3 and 3");
    }

    @Test
    void partOfAModelWithOtherTensorsIsRefused() {
        writeThree();
        part(2, 3, 7).tensor("c", TensorType.F32, new float[1], 1).write(file(2, 3));
        assertRefused("m-00003-of-00003.gguf", "different models");
    }

    @Test
    void partWithoutNumbersIsRefused() {
        writeThree();
        new GgufBuilder().tensor("c", TensorType.F32, new float[1], 1).write(file(2, 3));
        assertRefused("m-00003-of-00003.gguf", "are -1, 1 and -1");
    }

    @Test
    void tensorInTwoPartsIsRefused() {
        writeThree();
        part(2, 3, 3).tensor("a", TensorType.F32, new float[1], 1).write(file(2, 3));
        assertRefused("tensor 'a' is in m-00002-of-00003.gguf as well");
    }

    @Test
    void tensorsThatDoNotAddUpAreRefused() {
        writeThree();
        part(2, 3, 3).write(file(2, 3));
        assertRefused("have 2 tensors together", "'split.tensors.count' is 3");
    }

    @Test
    void nameThatDoesNotFitIsExplained() throws IOException {
        writeThree();
        for (String name : List.of("model.gguf", "m-00002-of-00003.gguf.gguf", "m-1-of-3.gguf")) {
            Path renamed = Files.copy(file(0, 3), directory.resolve(name));
            assertThatThrownBy(() -> GgufCheckpoint.open(renamed)).hasMessageContainingAll(name, "part 1 of a model split into 3 files", "-00001-of-00003.gguf");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 65_535})
    void numberBeyondTheCountIsRefused(int number) {
        writeThree();
        part(number, 3, 3).write(file(0, 3));
        assertRefused("'split.no' is " + number, "expected 0 to 2");
    }

    @Test
    void countOfManyFilesFailsAtTheFirstMissingOne() {
        Path first = directory.resolve("m-00001-of-65535.gguf");
        part(0, 65_535, 3).write(first);
        assertThatThrownBy(() -> GgufCheckpoint.open(first)).hasMessageContainingAll("m-00002-of-65535.gguf", "no such file");
    }
}
