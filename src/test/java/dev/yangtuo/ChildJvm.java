package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a process of its own, with the class path of this one. */
public final class ChildJvm {
    private ChildJvm() {}

    /**
     * What a process left behind.
     *
     * @param output standard output and standard error, as they came
     */
    public record Outcome(int exitCode, String output, long nanos) {}

    /**
     * Runs {@code main} to its end; fails if that takes longer than {@code seconds}.
     *
     * @param environment variables set beside the inherited ones
     * @param options for the JVM, such as system properties
     */
    public static Outcome run(int seconds, Map<String, String> environment, List<String> options, Class<?> main, String... arguments) throws Exception {
        Path output = Files.createTempFile("child", ".txt");
        try {
            long start = System.nanoTime();
            Process process = start(output, environment, options, main, arguments);
            boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
            long nanos = System.nanoTime() - start;
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            String text = read(output);
            assertThat(ended).as("the child JVM ends within %d s; it wrote: %s", seconds, text).isTrue();
            return new Outcome(process.exitValue(), text, nanos);
        } finally {
            Files.delete(output);
        }
    }

    /**
     * Starts {@code main}; whoever calls sees to its end.
     *
     * @param output receives standard output and standard error
     */
    public static Process start(Path output, Map<String, String> environment, List<String> options, Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dstdout.encoding=UTF-8",
                "-Dstderr.encoding=UTF-8",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().remove("YANGTUO_KERNEL");
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }
}
