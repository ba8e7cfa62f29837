package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Java examples of the README are programs that compile and run as they stand there. */
class ReadmeExampleTest {
    @TempDir
    Path directory;

    /** @param index which of the examples, from 0 on */
    private static String example(int index) throws IOException {
        return Files.readString(Path.of("README.md")).split("```java\n")[index + 1].split("```")[0];
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void anExampleHasTenLines(int index) throws IOException {
        assertThat(example(index).lines().filter(line -> !line.isBlank())).hasSizeLessThanOrEqualTo(10);
    }

    @Test
    void theFirstWritesChineseVerse() throws IOException, InterruptedException {
        String text = run(example(0));
        assertThat(text).hasSizeGreaterThan(20).contains("，", "。");
        assertThat(text.codePoints().filter(Character::isIdeographic).count()).as(text).isGreaterThan(15);
    }

    @Test
    void theSecondTokenizes() throws IOException, InterruptedException {
        String text = run(example(1));
        assertThat(text.lines()).first().isEqualTo("春眠不觉晓，处处闻啼鸟。");
        assertThat(text.lines()).last().asString().contains(" = chars ").endsWith(" to 10");
    }

    private String run(String example) throws IOException, InterruptedException {
        Path source = Files.writeString(directory.resolve("Example.java"), example);
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dstdout.encoding=UTF-8",
                        "-cp",
                        System.getProperty("java.class.path"),
                        source.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends within a minute").isTrue();
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as(text).isZero();
        return text;
    }
}
