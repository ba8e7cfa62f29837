package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java example of the README is a program that compiles and runs as it stands there. */
class ReadmeExampleTest {
    @TempDir
    Path directory;

    private static String example() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String fence = "```java\n";
        int start = readme.indexOf(fence) + fence.length();
        return readme.substring(start, readme.indexOf("```", start));
    }

    @Test
    void theExampleHasTenLines() throws IOException {
        assertThat(example().lines().filter(line -> !line.isBlank())).hasSizeLessThanOrEqualTo(10);
    }

    @Test
    void theExampleWritesChineseVerse() throws IOException, InterruptedException {
        Path source = Files.writeString(directory.resolve("Example.java"), example());
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
        assertThat(text).hasSizeGreaterThan(20).contains("，", "。");
        assertThat(text.codePoints().filter(Character::isIdeographic).count()).as(text).isGreaterThan(15);
    }
}
