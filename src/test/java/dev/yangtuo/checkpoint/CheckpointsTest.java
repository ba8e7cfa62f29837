package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
    @TempDir
    Path directory;

    private static void assertRefused(Path path, String... parts) {
        assertThatThrownBy(() -> Checkpoints.open(path))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContainingAll(parts);
    }

    private Path file(String name, String latin1) throws IOException {
        return Files.write(directory.resolve(name), latin1.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void ggufIsKnownByItsFirstBytesWhateverItsName() {
        Path file = new GgufBuilder().put("general.architecture", "llama").write(directory.resolve("model.bin"));
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            assertThat(checkpoint).isInstanceOf(GgufCheckpoint.class);
        }
    }

    @Test
    void directoryWithConfigAndSafetensorsIsOpened() throws IOException {
        file("config.json", "{}");
        new SafetensorsBuilder().tensor("a", TensorType.F32, new float[] {1}, 1).write(directory.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoints.open(directory)) {
            assertThat(checkpoint.require("a").shape()).containsExactly(1L);
        }
    }

    @Test
    void directoriesThatAreNoModelSayWhatTheyLack() throws IOException {
        assertRefused(directory, "config.json is missing");
        Files.createFile(directory.resolve("consolidated.00.pth"));
        assertRefused(directory, "params.json is missing");
        Files.delete(directory.resolve("consolidated.00.pth"));
        file("adapter_config.json", "{}");
        assertRefused(directory, "LoRA adapter");
        file("config.json", "{}");
        assertRefused(directory, "neither model.safetensors nor pytorch_model.bin is here");
        Files.createFile(directory.resolve("pytorch_model-00001-of-00002.bin"));
        assertRefused(directory, "pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin", "Download");
    }

    @Test
    void directoryOfGgufFilesPointsToThem() throws IOException {
        Files.createFile(directory.resolve("llama-q8_0.gguf"));
        assertRefused(directory, "config.json is missing", "'llama-q8_0.gguf'");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void deviceIsRefusedWithoutReadingIt() {
        assertRefused(Path.of("/dev/zero"), "is not a plain file", "GGUF");
    }

    @Test
    void otherFilesSayWhatTheyAreAndWhatIsAccepted() throws IOException {
        assertRefused(directory.resolve("nothing"), "no such file", "GGUF");
        assertRefused(file("empty.gguf", ""), "is empty");
        assertRefused(file("short", "GG"), "GGUF");
        assertRefused(file("pytorch_model.bin", "PK\u0003\u0004" + "x".repeat(100)), "zip archive", "PyTorch", "directory");
        assertRefused(file("old.bin", "\u0080\u0002" + "x".repeat(100)), "pickle", "PyTorch", "save them again");
        assertRefused(file("older.bin", "x".repeat(257) + "ustar" + "x".repeat(300)), "tar archive", "save them again");
        assertRefused(file("ggml-model.bin", "tjgg" + "x".repeat(100)), "before GGUF");
        assertRefused(file("model.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "Git LFS pointer", "git lfs pull");
        assertRefused(file("page.gguf", "\n<!DOCTYPE html><html>"), "web page");
        assertRefused(file("note.txt", "some other text"), "not a kind of file", "GGUF", "config.json");
        Path safetensors = new SafetensorsBuilder().tensor("a", TensorType.F32, new float[] {1}, 1).write(directory.resolve("a.safetensors"));
        assertRefused(safetensors, "directory that holds it");
    }

    @Test
    void wrongFilesGivenToTheReadersAreNamedForWhatTheyAre() throws IOException {
        Path pointer = file("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
        assertThatThrownBy(() -> SafetensorsCheckpoint.open(pointer)).hasMessageContaining("Git LFS pointer");
        assertThatThrownBy(() -> GgufCheckpoint.open(pointer)).hasMessageContaining("Git LFS pointer");
        assertThatThrownBy(() -> GgufCheckpoint.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("is a directory; expected a GGUF file");
        assertThatThrownBy(() -> SafetensorsCheckpoint.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("is a directory; expected a safetensors file");
    }
}
