package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.bench.BenchTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs a program once. What goes wrong with it is an {@link IllegalStateException} that says so in a line. */
final class ProgramRun {
    private static final int SHOWN_LINES = 3;
    private static final long MOST_BYTES = 16L << 20;

    private final long timeoutSeconds;

    ProgramRun(long timeoutSeconds) {
        this.timeoutSeconds = timeoutSeconds;
    }

    /** {@return what it says of the test} */
    ProgramOutput run(Program program, List<String> command, BenchTest test) throws InterruptedException {
        @Nullable Path out = null;
        @Nullable Path err = null;
        try {
            out = Files.createTempFile("compare", ".out");
            err = Files.createTempFile("compare", ".err");
            int exitCode = run(command, out, err);
            if (exitCode != 0) {
                throw new IllegalStateException("exit code %d: %s".formatted(exitCode, lastLines(err)));
            }
            // llama-batched-bench writes its lines where its log goes.
            String output = program.kind() == Program.Kind.LLAMA_BATCHED_BENCH ? read(out) + "\n" + read(err) : read(out);
            return ProgramOutput.parse(program.kind(), output, test);
        } catch (IOException | IllegalArgumentException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } finally {
            delete(out);
            delete(err);
        }
    }

    private int run(List<String> command, Path out, Path err) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            if (!process.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
                throw new IllegalStateException("not finished after %d seconds".formatted(timeoutSeconds));
            }
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException("it printed %d bytes, more than such a program does".formatted(Files.size(file)));
        }
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private static String lastLines(Path err) throws IOException {
        List<String> lines = read(err).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()));
    }

    private static void delete(@Nullable Path file) {
        if (file != null && !file.toFile().delete()) {
            file.toFile().deleteOnExit();
        }
    }
}
