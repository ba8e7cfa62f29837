package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The command {@code batch}. */
class BatchCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String REQUESTS = "{\"id\":\"a\",\"prompt\":\"In the beginning\"}\n{\"id\":\"b\",\"prompt\":\"x\",\"max_tokens\":2}\nbroken\n";

    @TempDir
    private Path folder;

    private Path input() throws IOException {
        return Files.writeString(folder.resolve("in.jsonl"), REQUESTS);
    }

    private static CommandRun run(Path input, Path output, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("batch", "--model", TINY, "--greedy", "--max-tokens", 5, "--order", "input", "--input", input, "--output", output));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray());
    }

    private static JsonNode summary(CommandRun run) throws IOException {
        return JSON.readTree(run.errors().lines().filter(line -> line.startsWith("{")).findFirst().orElseThrow(() -> new AssertionError(run.errors())));
    }

    @Test
    void optionsAreThoseOfGenerate() throws IOException {
        Path output = folder.resolve("out.jsonl");
        CommandRun run = run(input(), output);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.output()).isEmpty();
        JsonNode alone = JSON.readTree(CommandRun.of("generate", "--model", TINY, "--greedy", "--max-tokens", 5, "--prompt", "In the beginning", "--json").text());
        List<String> lines = Files.readAllLines(output);
        assertThat(lines).hasSize(3);
        JsonNode record = JSON.readTree(lines.get(0));
        assertThat(record.fieldNames()).toIterable().containsExactly("id", "text", "finish_reason", "prompt_tokens", "completion_tokens");
        assertThat(record.get("text")).isEqualTo(alone.get("text"));
        assertThat(record.get("finish_reason")).isEqualTo(alone.get("finish_reason"));
        assertThat(record.get("prompt_tokens")).isEqualTo(alone.get("prompt_tokens"));
        assertThat(record.get("completion_tokens")).isEqualTo(alone.get("generated_tokens"));
        assertThat(JSON.readTree(lines.get(1)).get("completion_tokens").asInt()).isEqualTo(2);
        assertThat(JSON.readTree(lines.get(2)).fieldNames()).toIterable().containsExactly("id", "error");
        assertThat(summary(run).get("requests").asInt()).isEqualTo(3);
        assertThat(summary(run).get("errors").get("invalid_json").asInt()).isEqualTo(1);
    }

    /** Those that are not of a text, or are given in another way. */
    private static final Set<String> NO_OPTIONS_OF_LINES = Set.of("--prompt", "--prompt-file", "--echo", "--json", "--prompt-cache", "--draft-model", "--draft-tokens",
            "--help", "--version", "--model", "--lora", "--lora-float16", "--merge-report", "--quantize", "--kv-type", "--backend", "--threads", "--context", "--rope-scaling",
            "--rope-factor", "--rope-base", "--cache", "--verbose", "--engine", "--engine-path", "--gpu-layers", "--device", "--flash-attention", "--no-kv-unified", "--no-mmap");

    @Test
    void aLineMayHaveEveryOptionOfGenerate() {
        CommandRun run = CommandRun.with("{\"prompt\":\"x\",\"no_such_option\":1}\n", "batch", "--model", TINY, "--input", "-", "--output", "-");
        String known = run.text().substring(run.text().indexOf("there are "));
        CommandSpec generate = new CommandLine(new Main()).getSubcommands().get("generate").getCommandSpec();
        for (OptionSpec option : generate.options()) {
            if (!NO_OPTIONS_OF_LINES.contains(option.longestName())) {
                String field = option.names()[0].substring(2).replace('-', '_');
                assertThat(known).as(option.longestName()).containsPattern("[ ,]" + field + "[,\"]");
            }
        }
    }

    @Test
    void optionsOfALineAreThoseOfTheCommandLine() throws IOException {
        Object[] flags = {"--temperature", 1.5, "--dynatemp-range", 0.5, "--dynatemp-exp", 2, "--top-n-sigma", 3, "--top-k", 100, "--typical", 0.9, "--top-p", 0.95, "--min-p", 0.01,
            "--xtc-probability", 0.5, "--xtc-threshold", 0.05, "--repeat-penalty", 1.2, "--repeat-last-n", 20, "--presence-penalty", 0.1, "--frequency-penalty", 0.2,
            "--dry-multiplier", 0.8, "--dry-base", 1.5, "--dry-allowed-length", 1, "--dry-penalty-last-n", 30, "--logit-bias", "300=2", "--ban", 301, "--min-tokens", 3,
            "--max-tokens", 12, "--seed", 11};
        List<Object> arguments = new ArrayList<>(List.of("generate", "--model", TINY, "--prompt", "In the beginning", "--json"));
        arguments.addAll(List.of(flags));
        JsonNode alone = JSON.readTree(CommandRun.of(arguments.toArray()).text());
        String line = "{\"prompt\":\"In the beginning\",\"temperature\":1.5,\"dynatemp_range\":0.5,\"dynatemp_exp\":2,\"top_n_sigma\":3,\"top_k\":100,\"typical\":0.9,\"top_p\":0.95,"
                + "\"min_p\":0.01,\"xtc_probability\":0.5,\"xtc_threshold\":0.05,\"repeat_penalty\":1.2,\"repeat_last_n\":20,\"presence_penalty\":0.1,\"frequency_penalty\":0.2,"
                + "\"dry_multiplier\":0.8,\"dry_base\":1.5,\"dry_allowed_length\":1,\"dry_penalty_last_n\":30,\"logit_bias\":{\"300\":2},\"ban\":301,\"min_tokens\":3,"
                + "\"max_tokens\":12,\"seed\":11}\n{\"prompt\":\"x\",\"regex\":\"(ab){3}\",\"temperature\":1}\n"
                + "{\"prompt\":\"x\",\"mirostat\":2,\"mirostat_tau\":3,\"mirostat_eta\":0.2,\"seed\":4,\"max_tokens\":8}\n";
        CommandRun run = CommandRun.with(line, "batch", "--model", TINY, "--order", "input", "--input", "-", "--output", "-");
        List<String> records = run.text().lines().toList();
        assertThat(JSON.readTree(records.get(0)).get("text")).as(run.text()).isEqualTo(alone.get("text"));
        assertThat(JSON.readTree(records.get(1)).get("text").asText()).isEqualTo("ababab");
        JsonNode mirostat = JSON.readTree(CommandRun.of("generate", "--model", TINY, "--prompt", "x", "--json", "--mirostat", 2, "--mirostat-tau", 3, "--mirostat-eta", 0.2,
                "--seed", 4, "--max-tokens", 8).text());
        assertThat(JSON.readTree(records.get(2)).get("text")).isEqualTo(mirostat.get("text"));
    }

    @Test
    void standardInputAndOutput() throws IOException {
        CommandRun run = CommandRun.with(REQUESTS, "batch", "--model", TINY, "--greedy", "--max-tokens", 5, "--order", "input", "--input", "-", "--output", "-");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        Path output = folder.resolve("out.jsonl");
        run(input(), output);
        assertThat(run.text()).isEqualTo(Files.readString(output));
        CommandRun toFile = CommandRun.with(REQUESTS, "batch", "--model", TINY, "--input", "-", "--output", output);
        assertThat(toFile.problem()).contains("is there already");
        CommandRun overwritten = CommandRun.with(REQUESTS, "batch", "--model", TINY, "--greedy", "--max-tokens", 5, "--order", "input", "--input", "-", "--output", output,
                "--overwrite");
        assertThat(overwritten.exitCode()).as(overwritten.errors()).isZero();
        assertThat(run.text()).isEqualTo(Files.readString(output));
    }

    @Test
    void standardInputToANamedForm() throws IOException {
        Path output = folder.resolve("out.csv");
        CommandRun run = CommandRun.with(REQUESTS, "batch", "--model", TINY, "--max-tokens", 2, "--input", "-", "--output", output);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(Files.readString(output)).startsWith("id,text,finish_reason,");
        Path parquet = folder.resolve("out.parquet");
        assertUsage(CommandRun.with(REQUESTS, "batch", "--model", TINY, "--input", "-", "--output", parquet), "Parquet is written only where input and output are files");
        assertThat(parquet).doesNotExist();
    }

    @Test
    void aProgramThatIsEndedWritesWhatIsCompleteAndGoesOn() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            lines.append("{\"id\":%d,\"prompt\":\"In the beginning\",\"max_tokens\":%d}\n".formatted(i, 1 + i % 30));
        }
        Path input = Files.writeString(folder.resolve("in.jsonl"), lines.toString());
        Path output = folder.resolve("out.jsonl");
        Path log = folder.resolve("log.txt");
        Process process = ChildJvm.start(log, Map.of(), List.of(), Main.class, "batch", "--model", TINY.toString(), "--input", input.toString(), "--output", output.toString());
        while (process.isAlive() && (!Files.exists(output) || Files.size(output) < 5000)) {
            Thread.sleep(5);
        }
        process.destroy(); // SIGTERM goes the way of Ctrl-C
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(log)).contains("{\"complete\":false,\"requests\":");
        List<String> records = Files.readAllLines(output);
        assertThat(records).hasSizeBetween(10, 2999);
        for (String record : records) {
            assertThat(JSON.readTree(record).get("finish_reason").asText()).isNotEqualTo("cancelled");
        }
    }

    @Test
    void theSummaryMayHaveAFile() throws IOException {
        Path file = folder.resolve("summary.json");
        CommandRun run = run(input(), folder.resolve("out.jsonl"), "--summary", file);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        JsonNode summary = JSON.readTree(file.toFile());
        assertThat(summary.fieldNames()).toIterable().containsExactly("complete", "requests", "succeeded", "failed", "resumed_requests", "prompt_tokens",
                "reused_prompt_tokens", "completion_tokens", "tokens_per_second", "prompt_tokens_per_second", "finish_reasons", "errors", "seconds");
        assertThat(run.errors()).doesNotContain("{\"complete\"");
    }

    @Test
    void otherOptionsAreNotResumed() throws IOException {
        Path output = folder.resolve("out.jsonl");
        run(input(), output);
        assertThat(run(input(), output).problem()).contains("is there already; --resume goes on with it, --overwrite replaces it");
        CommandRun same = run(input(), output, "--resume", "--threads", 1, "--parallel", 3);
        assertThat(same.exitCode()).as(same.errors()).isZero();
        assertThat(summary(same).get("resumed_requests").asInt()).isEqualTo(3);
        CommandRun other = run(input(), output, "--resume", "--stop", "e");
        assertThat(other.exitCode()).isEqualTo(1);
        assertThat(other.problem()).contains("--stop was not set and is 'e'");
        assertThat(run(input(), output, "--resume", "--seed", 5).problem()).contains("seed was '0' and is '5'");
    }

    @Test
    void wrongUsageIsSaid() throws IOException {
        Path output = folder.resolve("out.jsonl");
        assertThat(CommandRun.of("batch", "--model", TINY, "--input", "-", "--output", output, "--resume").problem()).contains("--resume needs files");
        assertUsage(run(input(), output, "--resume", "--overwrite"), "give one of them");
        assertUsage(run(input(), output, "--parallel", 0), "--parallel is 0, must be 1 to 1024");
        assertUsage(run(input(), output, "--format", "xml"), "'xml' is no format");
        assertUsage(run(input(), output, "--order", "random"), "'random' is no order");
        assertUsage(run(input(), output, "--output-format", "plain"), "--output-format: results cannot be written as plain lines");
        assertUsage(run(input(), output, "--logprobs", 21), "--logprobs is 21, must be 0 to 20");
        assertUsage(run(input(), output, "--line-limit", "2GB"), "--line-limit is 2000000000 bytes");
        assertThat(run(folder.resolve("none"), output).problem()).contains("there is no such file");
        assertThat(output).doesNotExist();
    }

    private static void assertUsage(CommandRun run, String problem) {
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains(problem);
    }
}
