package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The exit codes mean the same in every command; UsageTest has what is said with them. */
class ExitCodeTest {
    static Stream<String> commands() {
        return CommandTree.names();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void anOptionThatDoesNotExistIsWrongUsage(String command) {
        List<Object> words = new ArrayList<>(CommandTree.words(command));
        words.add("--no-such-option");
        CommandRun run = CommandRun.of(words.toArray());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).isNotEmpty();
        assertThat(run.errors()).contains("'%s --help' shows what there is.".formatted(command));
    }

    @ParameterizedTest
    @ValueSource(strings = {"doctor", "doctor --json", "completion bash", "completion fish", "man generate", "man", "score --prompt a --continuation b",
        "inspect examples/demo-model/base",
        "generate --help", "eval ceval --help", "--version"})
    void outputThatIsLostIsAFailure(String commandLine) {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        CommandRun run = CommandRun.with(new ByteArrayInputStream(new byte[0]), full, new ByteArrayOutputStream(), (Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard output cannot be written");
    }

    @Test
    void anInterruptedTextIsWrittenAsFarAsItGoes() throws Exception {
        Process process = start("generate", "--backend", "scalar", "--prompt", "《春望》杜甫\n", "--seed", "1");
        InputStream out = process.getInputStream();
        int first = out.read();
        String text = interrupt(process, out);
        assertThat(first).as(text).isGreaterThan(0);
        assertThat(text).endsWith("\n");
    }

    /** Nothing guards a command that waits for its input: the JVM ends it. */
    @Test
    void anInterruptedFilterHasTheSameCode() throws Exception {
        Process process = start("tokenize", "--pieces");
        OutputStream in = process.getOutputStream();
        in.write("春\n".getBytes(StandardCharsets.UTF_8));
        in.flush();
        InputStream out = process.getInputStream();
        assertThat(out.read()).isGreaterThan(0);
        interrupt(process, out);
    }

    @Test
    void anInterruptedEvaluationLeavesWhatWasThereBefore(@TempDir Path directory) throws Exception {
        Path report = Files.writeString(directory.resolve("report.json"), "before");
        Process process = start("eval", "pclue", "--data", "-", "--predictions", directory.resolve("answers.jsonl").toString(), "--output", report.toString());
        process.getOutputStream().write("{\"input\":\"春\"}\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        while (process.isAlive() && directory.toFile().list().length < 3) { // the two files begin before the model is loaded, and the command then waits for more tasks
            Thread.sleep(20);
        }
        interrupt(process, process.getInputStream());
        assertThat(directory.toFile().list()).containsExactly("report.json");
        assertThat(report).hasContent("before");
    }

    private static Process start(String... arguments) throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/bin/kill")) || Files.isExecutable(Path.of("/usr/bin/kill")));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED", "-Dstdout.encoding=UTF-8", "-Xmx512m",
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    /** What Ctrl-C does; returns what was written before the end. */
    private static String interrupt(Process process, InputStream out) throws Exception {
        try {
            new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(text).isEqualTo(130);
            return text;
        } finally {
            process.destroyForcibly();
        }
    }
}
