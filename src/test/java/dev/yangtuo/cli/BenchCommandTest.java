package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {
    private static final String SHAPE = "dim=64,layers=2,heads=2,kv=1,ffn=96,vocab=400";

    @TempDir
    private Path directory;

    private static CommandRun bench(Object... more) {
        return bench(List.of("-p", "8", "-n", "3"), more);
    }

    private static CommandRun bench(List<String> tests, Object... more) {
        List<Object> args = new ArrayList<>(List.of("bench", "-r", "2", "-t", "1"));
        args.addAll(tests);
        args.addAll(List.of(more));
        return CommandRun.of(args.toArray());
    }

    private static JsonNode json(CommandRun run) throws IOException {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return new ObjectMapper().readTree(run.text());
    }

    @Test
    void jsonHasWhatWasMeasuredAndTheCeilings() throws IOException {
        JsonNode root = json(bench("--model", TINY, "--type", "Q8_0", "--json"));
        assertThat(root.get("machine").asText()).isNotBlank();
        assertThat(root.get("threads").asInt()).isEqualTo(1);
        assertThat(root.get("type").asText()).isEqualTo("q8_0");
        assertThat(root.get("output_type").asText()).isEqualTo("q8_0");
        assertThat(root.get("kernel").asText()).isNotBlank();
        assertThat(root.get("read_gbps").asDouble()).isPositive();
        assertThat(root.get("model").asText()).isEqualTo(TINY.toString());
        assertThat(root.get("interrupted").asBoolean()).isFalse();
        assertThat(root.findValuesAsText("name")).containsExactly("pp8", "tg3");
        for (JsonNode test : root.get("tests")) {
            assertThat(test.get("samples")).hasSize(2);
            double mean = (test.get("samples").get(0).asDouble() + test.get("samples").get(1).asDouble()) / 2;
            double bandwidth = test.get("bytes_per_token").asDouble() * mean / 1e9 / root.get("read_gbps").asDouble();
            assertThat(test.get("tokens_per_second").asDouble()).isCloseTo(mean, withinPercentage(0.001));
            assertThat(test.get("stddev").asDouble()).isNotNegative();
            assertThat(test.get("median").asDouble()).isPositive();
            assertThat(test.get("share_of_bandwidth").asDouble()).isCloseTo(bandwidth, withinPercentage(0.001));
            assertThat(test.has("share_of_int8_peak")).isTrue();
        }
    }

    @Test
    void listsGiveEveryCombination() throws IOException {
        JsonNode root = json(bench(List.of("-p", "4,0", "-n", "2", "-d", "0,70", "-b", "1,3"), "--model", TINY, "--ubatch", "3", "--backend", "scalar", "--json"));
        assertThat(root.findValuesAsText("name")).containsExactly("pp4", "tg2", "tg2 x3", "pp4@d70", "tg2@d70", "tg2@d70 x3");
        assertThat(root.get("ubatch").asInt()).isEqualTo(3);
        assertThat(root.get("tests").get(2).get("sequences").asInt()).isEqualTo(3);
    }

    @Test
    void textNamesTheMachineTheModelAndTheOutputsType() {
        CommandRun run = bench("--model", TINY, "--lora", TINY_ADAPTER, "--type", "q4_0");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).contains("machine ", "ceilings  read ", TINY + " + " + TINY_ADAPTER, "output matrix ", "1 threads", "of read bandwidth", "pp8", "tg3");
    }

    @Test
    void markdownIsAListAndATable() {
        CommandRun run = bench("--model", TINY, "--backend", "scalar", "--markdown");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text().lines().filter(line -> line.startsWith("| "))).hasSize(4).contains(
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        assertThat(run.text()).startsWith("- machine: ");
    }

    @Test
    void plainJavaHasNoCeilings() throws IOException {
        JsonNode root = json(bench("--model", TINY, "--backend", "scalar", "--json"));
        assertThat(root.get("read_gbps").isNull()).isTrue();
        assertThat(root.get("tests").get(0).get("share_of_bandwidth").isNull()).isTrue();
        assertThat(root.get("kernel").asText()).isEqualTo("scalar");
    }

    @Test
    void aSyntheticModelIsWrittenAndNothingIsMeasured() throws IOException {
        Path file = directory.resolve("made.gguf");
        CommandRun run = bench("--shape", SHAPE, "--type", "Q8_0", "--synthetic-output", file);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.output()).isEmpty();
        assertThat(run.errors()).contains(file.toString());
        JsonNode made = json(bench("--shape", SHAPE, "--type", "Q8_0", "--synthetic-output", file, "--json"));
        assertThat(made.get("output").asText()).isEqualTo(file.toString());
        assertThat(made.get("bytes").asLong()).isEqualTo(Files.size(file));
        JsonNode root = json(bench("--model", file, "--backend", "scalar", "--json"));
        assertThat(root.get("type").asText()).isEqualTo("q8_0");
        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "-p -1 | tokens is -1",
        "-n -5 | tokens is -5",
        "-d -1 | depth is -1",
        "-d 99999999 | depth is 99999999",
        "-b 0 | sequences is 0",
        "-b 300 | 1 to 256",
        "-r 0 | -r is 0",
        "-t 0 | --threads is 0",
        "-p x | 'x'",
        "-p 0 -n 0 | nothing to measure",
        "--ubatch 0 | --ubatch is 0",
        "--shape 2b | '2b' is not a shape",
        "--shape 1b --model x | excludes",
        "--tokenizer x | are for --shape",
        "--vocab 300 | are for --shape",
        "--shape tiny --vocab 3 | must be 260",
        "--shape tiny --synthetic-output x.bin | ends in .gguf",
        "--type q9_9 | q9_9",
        "--json --markdown | mutually exclusive"
    })
    void wrongUsageIsNamed(String options, String said) {
        CommandRun run = CommandRun.of((Object[]) ("bench " + options).split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(said);
        assertThat(run.hasStackTrace()).isFalse();
    }

    @Test
    void whatCannotBeMeasuredIsSaid() {
        assertThat(bench("--model", "/no/such").problem()).contains("/no/such: there is no such file");
        assertThat(bench("--model", TINY, "--ubatch", "257").problem()).contains("--ubatch is 257", "at most");
        assertThat(CommandRun.of("bench", "--model", TINY, "-p", "0", "-n", "4", "-d", "1000000", "-b", "256").problem()).contains("context is too long");
    }

    @Test
    void helpSaysWhatTheNumberOfSequencesIs() {
        assertThat(CommandRun.of("bench", "--help").text()).contains("Sequences that generate together", "--shape", "--synthetic-output", "-p, --prompt-tokens=N[,N...]");
    }
}
