package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * llama.cpp's programs, where the environment variable or the system property {@code YANGTUO_LLAMA_CPP} names their folder.
 *
 * @param programs that folder
 * @param scratch where what they write is kept while they run
 */
record LlamaCpp(Path programs, Path scratch) {
    private static final int MINUTES = 10;
    private static final int ATTEMPTS = 5;

    /** @param out what a program wrote to standard output, {@code err} to standard error */
    record Run(String out, String err) {}

    /** Finds them, or skips the test. */
    static LlamaCpp find(Path scratch) {
        String named = System.getProperty("YANGTUO_LLAMA_CPP", System.getenv("YANGTUO_LLAMA_CPP"));
        assumeTrue(named != null, "YANGTUO_LLAMA_CPP names the folder of llama.cpp's programs");
        return new LlamaCpp(Path.of(named), scratch);
    }

    /**
     * Runs one of them until its output is as expected, a few times at most. A thread of its own writes what these programs log, texts included, and when they
     * end the last of it is lost now and then.
     */
    Run runUntil(Predicate<Run> expected, String program, String... args) throws Exception {
        Run run = run(program, args);
        for (int attempt = 1; attempt < ATTEMPTS && !expected.test(run); attempt++) {
            run = run(program, args);
        }
        return run;
    }

    /** Runs one of them to its end, which must be a good one. */
    Run run(String program, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(programs.resolve(program).toString()));
        command.addAll(List.of(args));
        Path out = scratch.resolve("out.txt");
        Path err = scratch.resolve("err.txt");
        Process process = new ProcessBuilder(command).redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
        process.destroyForcibly();
        String errors = new String(Files.readAllBytes(err), StandardCharsets.UTF_8); // single bytes of characters are shown, too
        assertThat(ended).as(errors).isTrue();
        assertThat(process.waitFor()).as(errors).isZero();
        return new Run(new String(Files.readAllBytes(out), StandardCharsets.UTF_8), errors);
    }
}
