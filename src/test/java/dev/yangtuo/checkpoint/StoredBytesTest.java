package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.ModelFolders;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes of tensors, copied from their file and, where that cannot be read, from its mapping. */
class StoredBytesTest {
    @TempDir
    Path folder;

    private Path copyOfModel() throws IOException {
        Path file = folder.resolve("model.safetensors");
        return Files.copy(ModelFolders.tiny("base").resolve("model.safetensors"), file);
    }

    private static void requireAllRead(Checkpoint checkpoint) {
        int tensors = 0;
        try (Arena arena = Arena.ofConfined()) {
            for (TensorInfo tensor : checkpoint.tensors()) {
                MemorySegment expected = checkpoint.bytes(tensor);
                try (StoredBytes.Reader reader = checkpoint.stored(tensor).open()) {
                    long half = tensor.byteSize() / 2;
                    MemorySegment copy = arena.allocate(tensor.byteSize());
                    reader.read(half, copy.asSlice(half));
                    reader.read(0, copy.asSlice(0, half));
                    assertThat(copy.mismatch(expected)).as(tensor.name()).isEqualTo(-1);
                }
                tensors++;
            }
        }
        assertThat(tensors).isGreaterThan(10);
    }

    @Test
    void everyTensorIsReadFromItsPlace() throws IOException {
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(copyOfModel())) {
            requireAllRead(checkpoint);
        }
    }

    @Test
    void anInterruptedThreadReadsTooAndStaysInterrupted() throws IOException {
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(copyOfModel())) {
            Thread.currentThread().interrupt();
            requireAllRead(checkpoint);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void aFileThatIsGoneIsReadFromItsMapping() throws IOException {
        Path file = copyOfModel();
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            Files.delete(file);
            requireAllRead(checkpoint);
        }
    }

    @Test
    void aFileThatBecameShorterIsAnErrorWithItsName() throws IOException {
        Path file = copyOfModel();
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(file); Arena arena = Arena.ofConfined()) {
            TensorInfo last = checkpoint.tensors().stream().max((a, b) -> Long.compare(a.byteOffset(), b.byteOffset())).orElseThrow();
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(10);
            }
            MemorySegment copy = arena.allocate(last.byteSize());
            try (StoredBytes.Reader reader = checkpoint.stored(last).open()) {
                assertThatThrownBy(() -> reader.read(0, copy)).isInstanceOf(CheckpointFormatException.class)
                        .hasMessageContaining("model.safetensors").hasMessageContaining("shorter");
            }
        }
    }
}
