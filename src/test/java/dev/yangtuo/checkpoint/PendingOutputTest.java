package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files and directories that appear when they are complete, or not at all. */
class PendingOutputTest {
    @TempDir
    private Path folder;

    private static MemorySegment bytes(String text) {
        return MemorySegment.ofArray(text.getBytes());
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void assertFails(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(YangtuoException.class).hasMessageContainingAll(parts);
    }

    @Test
    void fileReplacesTheOldOneWhenItIsComplete() throws IOException {
        Path target = Files.writeString(folder.resolve("f"), "old");
        try (PendingFile file = PendingFile.create(target, 6)) {
            file.out().write(3, bytes("def"));
            assertThat(target).hasContent("old");
            assertThat(files()).hasSize(2);
            file.out().write(0, bytes("abc"));
            file.complete();
            assertThat(target).hasContent("abcdef");
        }
        assertThat(files()).containsExactly("f");
    }

    @Test
    void incompleteFileLeavesTheOldOne() throws IOException {
        Path target = Files.writeString(folder.resolve("f"), "old");
        try (PendingFile file = PendingFile.create(target, 3)) {
            file.out().write(0, bytes("new"));
        }
        assertThat(target).hasContent("old");
        assertThat(files()).containsExactly("f");
    }

    @Test
    void linkGoesOnPointingToTheFile() throws IOException {
        Path target = Files.writeString(folder.resolve("f"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);
        try (PendingFile file = PendingFile.create(link, 3)) {
            file.out().write(0, bytes("new"));
            file.complete();
        }
        assertThat(link).isSymbolicLink();
        assertThat(target).hasContent("new");
    }

    @Test
    void fileThatCannotBeWrittenIsRefusedAtOnce() throws IOException {
        assertFails(() -> PendingFile.create(folder, 1), "is a directory");
        assertFails(() -> PendingFile.create(folder.resolve("no/f"), 1), "no directory", "make it first");
        assertFails(() -> PendingFile.create(folder.resolve("f"), Long.MAX_VALUE), "9,223,372,036,854,775,807 bytes are needed", "left");
        assertThat(files()).isEmpty();
    }

    @Test
    void missingPermissionIsSaid() throws IOException {
        Path directory = Files.createDirectory(folder.resolve("locked"));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("r-x------"));
        assumeTrue(!Files.isWritable(directory), "root may write everywhere");
        assertFails(() -> PendingFile.create(directory.resolve("f"), 1), "no permission");
        assertFails(() -> PendingDirectory.create(directory.resolve("d"), false, 1), "no permission");
    }

    @Test
    void fullDiskIsSaid() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full));
        Path link = Files.createSymbolicLink(folder.resolve("link"), full);
        try (PendingFile file = PendingFile.create(link, 3)) {
            assertFails(() -> file.out().write(0, bytes("new")), "link", "No space left on device");
        }
        assertThat(full).exists();
    }

    @Test
    void directoryAppearsWhenItIsComplete() throws IOException {
        Path target = folder.resolve("d");
        try (PendingDirectory directory = PendingDirectory.create(target, false, 10)) {
            directory.write("a", "1".getBytes());
            assertThat(target).doesNotExist();
            directory.complete();
        }
        assertThat(target.resolve("a")).hasContent("1");
        assertThat(files()).containsExactly("d");
        try (PendingDirectory directory = PendingDirectory.create(folder.resolve("e"), false, 10)) {
            directory.write("a", "1".getBytes());
        }
        assertThat(files()).containsExactly("d");
    }

    @Test
    void onlyAModelIsReplacedAndOnlyIfAskedFor() throws IOException {
        Path target = Files.createDirectory(folder.resolve("d"));
        try (PendingDirectory directory = PendingDirectory.create(target, false, 10)) {
            directory.write("config.json", "1".getBytes());
            directory.complete();
        }
        assertFails(() -> PendingDirectory.create(target, false, 10), "not empty", "--force");
        try (PendingDirectory directory = PendingDirectory.create(target, true, 10)) {
            directory.write("other", "2".getBytes());
            directory.complete();
        }
        assertThat(target).isDirectoryContaining("glob:**/other").isDirectoryNotContaining("glob:**/config.json");
        assertFails(() -> PendingDirectory.create(target, true, 10), "no config.json");
        Files.writeString(target.resolve("config.json"), "{}");
        Files.createDirectory(target.resolve("sub"));
        assertFails(() -> PendingDirectory.create(target, true, 10), "a directory in it", "sub");
        assertFails(() -> PendingDirectory.create(target.resolve("other"), true, 10), "is a file", ".gguf");
        assertThat(files()).containsExactly("d");
    }

    @Test
    void discardedIsDiscarded() throws IOException {
        Unfinished unfinished = Unfinished.beside(folder.resolve("f"));
        unfinished.run(() -> Files.createFile(unfinished.path()));
        unfinished.discard();
        assertThat(files()).isEmpty();
        assertThatThrownBy(() -> unfinished.run(() -> Files.createFile(unfinished.path()))).isInstanceOf(IOException.class).hasMessageContaining("ending");
        assertThatThrownBy(() -> unfinished.finish(() -> null)).isInstanceOf(IOException.class);
    }
}
