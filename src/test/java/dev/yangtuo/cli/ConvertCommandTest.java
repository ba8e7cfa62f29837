package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ChildJvm;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code convert} writes and says, and that a failure leaves everything as it was. */
class ConvertCommandTest {
    @TempDir
    private Path directory;

    private static CommandRun convert(Object... args) {
        List<Object> words = new ArrayList<>(List.of("convert"));
        words.addAll(List.of(args));
        return CommandRun.of(words.toArray());
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void fileIsWrittenAndItsReportIsOnStandardError() throws IOException {
        Path output = directory.resolve("out.gguf");
        CommandRun run = convert("--model", DEMO.resolve("base"), "--lora", DEMO.resolve("chinese-lora"), "--type", "q8_0", "--output", output);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.output()).isEmpty();
        assertThat(run.errors().lines().toList()).satisfiesExactly(
                line -> assertThat(line).isEqualTo("model %s: 6 layers, dim 256, vocabulary 3000".formatted(DEMO.resolve("base"))),
                line -> assertThat(line).startsWith("LoRA chinese-lora: 42 matrices changed").endsWith("vocabulary 3,000 -> 12,183"),
                line -> assertThat(line).matches("wrote .*out\\.gguf in [0-9.]+ s: vocabulary 3000 -> 12183, weights q8_0, %,d bytes"
                        .formatted(Files.size(output))));
    }

    @Test
    void jsonSaysTheSameOnStandardOutput() throws IOException {
        Path output = directory.resolve("out.gguf");
        CommandRun run = convert("--model", TINY, "--lora", TINY_ADAPTER, "--type", "q8_0", "--output", output, "--json");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        assertThat(run.text()).endsWith("}\n").containsOnlyOnce("\n");
        JsonNode object = new ObjectMapper().readTree(run.text());
        assertThat(object.fieldNames()).toIterable()
                .containsExactly("model", "output", "base_vocab_size", "vocab_size", "types", "bytes", "files", "adapters", "seconds");
        assertThat(object.get("output").textValue()).isEqualTo(output.toString());
        assertThat(object.get("types").get(0).textValue()).isEqualTo("q8_0");
        assertThat(object.get("bytes").longValue()).isEqualTo(Files.size(output));
        assertThat(object.at("/adapters/0/changed").intValue()).isEqualTo(21);
    }

    @Test
    void directoryIsWrittenInShards() throws IOException {
        Path output = directory.resolve("out");
        CommandRun run = convert("--model", TINY, "--lora", TINY_ADAPTER, "--type", "bf16", "--output", output, "--shard-size", "200kB", "--threads", 1);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).contains("weights bf16", "bytes in ", "files");
        try (Llama llama = Llama.load(output, LoadOptions.defaults())) {
            assertThat(llama.report().weightTypes()).containsExactly("BF16");
        }
        assertThat(convert("--model", TINY, "--output", output).problem()).contains("not empty").contains("--force");
        assertThat(convert("--model", TINY, "--output", output, "--force").exitCode()).isZero();
        assertThat(output.resolve("model.safetensors")).exists();
        assertThat(files()).containsExactly("out");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--type q9|'q9' is not a weight type",
        "--type q8_0|cannot have the type q8_0",
        "--type q4_0:pure|cannot have the type q4_0",
        "--shard-size 0|at least one byte",
        "--shard-size much|is not a size",
        "--threads 0|--threads is 0",
    })
    void wrongUsageIsSaid(String option, String problem) throws IOException {
        List<Object> args = new ArrayList<>(List.of("--model", TINY, "--output", directory.resolve("out")));
        args.addAll(List.of(option.split(" ")));
        CommandRun run = convert(args.toArray());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains(problem);
        assertThat(files()).isEmpty();
    }

    @Test
    void failuresLeaveEverythingAsItWas() throws IOException {
        Path output = Files.writeString(directory.resolve("out.gguf"), "precious");
        assertThat(convert("--model", directory.resolve("missing"), "--output", output).problem()).contains("missing");
        assertThat(convert("--model", DEMO.resolve("base"), "--lora", TINY_ADAPTER, "--output", output).problem()).contains("adapter");
        assertThat(convert("--model", TINY, "--output", directory.resolve("no/out.gguf")).problem()).contains("no directory", "make it first");
        assertThat(convert("--model", TINY, "--output", directory.resolve("no/out")).problem()).contains("no directory", "make it first");
        assertThat(output).hasContent("precious");
        assertThat(files()).containsExactly("out.gguf");
    }

    @Test
    void fullDiskIsSaid() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full));
        Path link = Files.createSymbolicLink(directory.resolve("full.gguf"), full);
        CommandRun run = convert("--model", TINY, "--output", link);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("full.gguf", "No space left on device");
        assertThat(run.hasStackTrace()).isFalse();
    }

    /** Sends itself what Ctrl-C sends, in the middle of the work. */
    static final class InterruptedChild {
        private InterruptedChild() {}

        public static void main(String[] args) throws Exception {
            Llama.convert(TINY, Path.of(args[0]), LoadOptions.defaults().onProgress(progress -> {
                if (progress.tensorsDone() == 3) {
                    System.out.println("here " + partials(Path.of(args[0])));
                    try {
                        new ProcessBuilder("kill", "-INT", String.valueOf(ProcessHandle.current().pid())).start().waitFor();
                        Thread.sleep(60_000);
                    } catch (IOException | InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            }));
        }

        private static long partials(Path output) {
            try (Stream<Path> files = Files.list(output.getParent())) {
                return files.filter(file -> file.toString().endsWith(".partial")).count();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"out.gguf", "out"})
    void ctrlCLeavesNothingBehind(String output) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/kill")) || Files.isExecutable(Path.of("/usr/bin/kill")));
        ChildJvm.Outcome outcome = ChildJvm.run(30, Map.of(), List.of(), InterruptedChild.class, directory.resolve(output).toString());
        assertThat(outcome.output()).contains("here 1");
        assertThat(outcome.exitCode()).isEqualTo(130);
        assertThat(files()).isEmpty();
    }
}
