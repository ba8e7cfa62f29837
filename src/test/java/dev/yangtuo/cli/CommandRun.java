package dev.yangtuo.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * What one command line did, run in this JVM.
 *
 * @param exitCode the exit code
 * @param output the bytes of standard output
 * @param errors the text of standard error
 */
record CommandRun(int exitCode, byte[] output, String errors) {
    static final Path DEMO = Path.of("examples/demo-model");
    static final Path TINY = Path.of("src/test/resources/models/tiny/base");
    static final Path TINY_ADAPTER = Path.of("src/test/resources/models/tiny/plain");

    /** Runs without standard input. */
    static CommandRun of(Object... args) {
        return with(new byte[0], args);
    }

    /** Runs with the UTF-8 of a text as standard input. */
    static CommandRun with(String input, Object... args) {
        return with(input.getBytes(StandardCharsets.UTF_8), args);
    }

    static CommandRun with(byte[] input, Object... args) {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        return with(new ByteArrayInputStream(input), output, output, args);
    }

    /** @param collected what {@code output} is said to have received */
    static CommandRun with(InputStream input, OutputStream output, ByteArrayOutputStream collected, Object... args) {
        InputStream in = System.in;
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        try {
            System.setIn(input);
            System.setOut(new PrintStream(output, false, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
            String[] words = new String[args.length];
            for (int i = 0; i < args.length; i++) {
                words[i] = args[i].toString();
            }
            int exitCode = Main.run(words);
            System.out.flush();
            return new CommandRun(exitCode, collected.toByteArray(), errors.toString(StandardCharsets.UTF_8));
        } finally {
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** Standard output as text. */
    String text() {
        return new String(output, StandardCharsets.UTF_8);
    }

    /** The paragraph that says what went wrong; fails if there is not exactly one. */
    String problem() {
        String[] problems = errors.lines().filter(line -> line.startsWith("yangtuo: ")).toArray(String[]::new);
        if (problems.length != 1) {
            throw new AssertionError("expected one problem in: " + errors);
        }
        return problems[0];
    }

    boolean hasStackTrace() {
        return errors.lines().anyMatch(line -> line.startsWith("\tat "));
    }
}
