package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file has its name when it is complete; pipes and devices are written as they are. */
class ResultFileTest {
    private static final byte[] TEXT = "羊驼\n".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path directory;

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void write(Path path) {
        try (ResultFile file = ResultFile.create(path)) {
            file.write(TEXT);
            file.complete();
        }
    }

    @Test
    void aFileHasItsNameWhenItIsComplete() throws IOException {
        Path target = Files.writeString(directory.resolve("out"), "former");
        try (ResultFile file = ResultFile.create(target)) {
            file.write(TEXT);
            assertThat(target).hasContent("former");
        }
        assertThat(target).hasContent("former");
        write(target);
        assertThat(target).hasBinaryContent(TEXT);
        assertThat(files()).containsExactly("out");
    }

    @Test
    void aLinkStaysALink() throws IOException {
        Path target = Files.writeString(directory.resolve("out"), "former");
        Path link = Files.createSymbolicLink(directory.resolve("link"), target);
        write(link);
        assertThat(link).isSymbolicLink();
        assertThat(target).hasBinaryContent(TEXT);
    }

    @Test
    void aPipeIsWrittenByTheNameOfItsLink() throws IOException, InterruptedException {
        // What /dev/stdout is where standard output goes into a pipe: a link to "pipe:[number]", which is no path.
        Process reader = new ProcessBuilder("cat").start();
        try {
            Path pipe = Path.of("/proc/%d/fd/0".formatted(reader.pid()));
            assumeThat(Files.isSymbolicLink(pipe)).isTrue();
            write(pipe);
            reader.getOutputStream().close();
            assertThat(reader.getInputStream().readAllBytes()).isEqualTo(TEXT);
            assertThat(reader.waitFor()).isZero();
        } finally {
            reader.destroy();
        }
    }

    @Test
    void aDeviceIsWrittenAndStays() {
        Path device = Path.of("/dev/null");
        assumeThat(device).exists();
        write(device);
        assertThat(Files.isRegularFile(device)).isFalse();
    }

    @Test
    void aPlaceThatDoesNotServeIsNamed() {
        assertThatThrownBy(() -> ResultFile.create(directory)).isInstanceOf(YangtuoException.class)
                .hasMessageContaining(directory + ": is a directory");
        Path lost = directory.resolve("no/such");
        assertThatThrownBy(() -> ResultFile.create(lost)).isInstanceOf(YangtuoException.class).hasMessageContaining("there is no directory");
    }

    @Test
    void twoResultsAreNotWrittenIntoOneFile() throws IOException {
        Path target = directory.resolve("out");
        try (ResultFile file = ResultFile.create(target)) {
            assertThatThrownBy(() -> ResultFile.create(directory.resolve("./out"))).isInstanceOf(YangtuoException.class)
                    .hasMessageContaining("two results cannot be written into one file");
            file.write(TEXT);
            file.complete();
        }
        write(target);
        assertThat(files()).containsExactly("out");
    }
}
