package dev.yangtuo.packaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs programs with an environment of their own. */
final class Program {
    static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

    private Program() {}

    /** What a program wrote to its standard output, and to its standard error. */
    record Outcome(String output, String errors) {}

    /** Runs a program that has to end with 0, and within five minutes; it has these variables and no others. */
    static Outcome run(Path folder, Map<String, String> environment, List<String> command) throws Exception {
        Path output = Files.createTempFile("output", ".txt");
        Path errors = Files.createTempFile("errors", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
            builder.redirectInput(Path.of("/dev/null").toFile()).redirectOutput(output.toFile()).redirectError(errors.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            Process process = builder.start();
            boolean ended = process.waitFor(300, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            Outcome outcome = new Outcome(Files.readString(output), Files.readString(errors));
            assertThat(ended).as("%s ends within five minutes: %s", command, outcome).isTrue();
            assertThat(process.exitValue()).as("exit code of %s: %s", command, outcome).isZero();
            return outcome;
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }
}
