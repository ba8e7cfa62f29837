package dev.yangtuo.benchmarks.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LatencyReportTest {
    private static final Path RESULTS = Path.of("src/test/resources/latency/results.json");

    @TempDir
    private Path folder;

    @Test
    void markdownIsTheGoldenOne() throws IOException {
        LatencyReport.write(RESULTS, folder);
        assertThat(folder.resolve("results.md")).hasSameTextualContentAs(Path.of("src/test/resources/latency/results.md"));
    }

    @Test
    void picturesAreTheSameEachTime() throws IOException {
        LatencyReport.write(RESULTS, folder.resolve("one"));
        LatencyReport.write(RESULTS, folder.resolve("two"));
        for (String measure : new String[] {"first-token", "next-token", "load", "tokenize"}) {
            Path picture = folder.resolve("one/results-%s.png".formatted(measure));
            assertThat(Files.readAllBytes(picture)).startsWith(0x89, 'P', 'N', 'G');
            assertThat(picture).hasSameBinaryContentAs(folder.resolve("two").resolve(picture.getFileName()));
        }
        assertThat(folder.resolve("one/results-garbage.png")).doesNotExist();
    }

    @Test
    void nothingIsDrawnWithoutValues() throws IOException {
        Path file = Files.writeString(folder.resolve("empty.json"), "{\"format\": 1, \"facts\": {}, \"rows\": []}");
        LatencyReport.write(file, folder.resolve("out"));
        assertThat(folder.resolve("out")).isDirectoryNotContaining("glob:**.png");
        assertThat(folder.resolve("out/empty.md")).isNotEmptyFile();
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatIOException().isThrownBy(() -> LatencyReport.write(folder.resolve("no.json"), folder)).withMessageContaining("no.json: there is no such file");
    }
}
