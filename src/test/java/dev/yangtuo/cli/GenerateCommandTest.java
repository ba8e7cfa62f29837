package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code generate} writes, and where. */
class GenerateCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    /** Runs on the tiny model, whose text means nothing, with a few tokens. */
    private static CommandRun tiny(Object... more) {
        return CommandRun.of(tinyArgs(more));
    }

    private static Object[] tinyArgs(Object... more) {
        List<Object> args = new ArrayList<>(List.of("generate", "--model", TINY, "--max-tokens", "6"));
        args.addAll(List.of(more));
        return args.toArray();
    }

    private static JsonNode json(CommandRun run) throws IOException {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).endsWith("}\n").containsOnlyOnce("\n");
        return JSON.readTree(run.text());
    }

    @Test
    void optionsOfSingleTokensHold() throws IOException {
        JsonNode required = json(tiny("--json", "--require", "300", "--require", "301", "--seed", "4"));
        assertThat(required.get("ids")).hasSize(6).allMatch(id -> id.intValue() == 300 || id.intValue() == 301);
        JsonNode biased = json(tiny("--json", "--greedy", "--logit-bias", "305=1000", "--logit-bias", "306=1e4", "--ban", "306"));
        assertThat(biased.get("ids")).hasSize(6).allMatch(id -> id.intValue() == 305);
        JsonNode longer = json(tiny("--json", "--greedy", "--logit-bias", "2=1000", "--min-tokens", "3"));
        assertThat(longer.get("ids")).hasSize(3);
    }

    @Test
    void everySamplerCanBeAskedFor() throws IOException {
        JsonNode all = json(tiny("--json", "--seed", "4", "--temperature", "0.9", "--dynatemp-range", "0.4", "--dynatemp-exp", "1.2", "--top-n-sigma", "3", "--top-k", "50",
                "--typical", "0.98", "--top-p", "0.97", "--min-p", "0.001", "--xtc-probability", "0.5", "--xtc-threshold", "0.2", "--repeat-penalty", "1.1", "--repeat-last-n", "64",
                "--presence-penalty", "0.1", "--frequency-penalty", "0.1", "--dry-multiplier", "0.8", "--dry-base", "1.5", "--dry-allowed-length", "3", "--dry-penalty-last-n", "100",
                "--dry-sequence-breaker", "\n", "--dry-sequence-breaker", "。"));
        assertThat(all.get("ids")).isNotEmpty();
        JsonNode mirostat = json(tiny("--json", "--seed", "4", "--temperature", "1", "--mirostat", "2", "--mirostat-tau", "3", "--mirostat-eta", "0.2"));
        assertThat(mirostat.get("ids")).isNotEmpty();
    }

    @Test
    void theBareCommandWritesAPoemAndReportsOnStandardError() {
        CommandRun run = CommandRun.of("generate");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).startsWith("《").endsWith("\n").doesNotEndWith("\n\n").containsPattern("》.*\n.+[。，]");
        List<String> lines = run.errors().lines().toList();
        assertThat(lines).anyMatch(line -> line.matches("LoRA chinese-lora: 42 matrices changed.*2 replaced.*3,000 -> 12,183"));
        assertThat(lines).anyMatch(line -> line.matches("loaded in [0-9.]+ s: .*"));
        assertThat(lines.getLast()).matches(
                "1 prompt tokens, \\d+ generated \\(.*\\), first token after [0-9.]+ ms, [0-9.]+ tokens/s, seed \\d+");
    }

    @Test
    void theSecondLoadComesFromTheCache() {
        CommandRun first = tiny("--cache=" + directory.resolve("cache"), "--seed", "3");
        assertThat(first.exitCode()).as(first.errors()).isZero();
        assertThat(first.errors()).containsPattern("loaded in [0-9.]+ s, written to the cache: ");
        CommandRun second = tiny("--cache=" + directory.resolve("cache"), "--seed", "3");
        assertThat(second.errors()).containsPattern("loaded in [0-9.]+ s from the cache: ");
        assertThat(second.output()).isEqualTo(first.output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "chinese", "alpaca"})
    void greedyTextInFullPrecisionIsTheReferences(String model) throws IOException {
        JsonNode golden = null;
        for (JsonNode candidate : JSON.readTree(DEMO.resolve("golden/golden.json").toFile())) {
            if (golden == null && candidate.path("model").asText().equals(model) && candidate.has("greedy_ids")) {
                golden = candidate;
            }
        }
        assertThat(golden).isNotNull();
        List<Object> args = new ArrayList<>(List.of("generate", "--greedy", "--max-tokens", "48", "--quantize", "F32", "--kv-type", "F32",
                "--json", "--prompt-file", Files.writeString(directory.resolve("prompt"), golden.get("prompt").asText()), "--model",
                DEMO.resolve("base")));
        for (JsonNode lora : golden.get("loras")) {
            args.addAll(List.of("--lora", DEMO.resolve(lora.asText())));
        }
        JsonNode result = json(CommandRun.of(args.toArray()));
        assertThat(result.get("text")).isEqualTo(golden.get("text"));
        assertThat(result.get("prompt_tokens").asInt()).isEqualTo(golden.get("ids").size());
        List<Integer> ids = new ArrayList<>();
        golden.get("greedy_ids").forEach(id -> ids.add(id.asInt()));
        ids.removeIf(id -> id == 2);
        assertThat(result.get("ids")).isEqualTo(JSON.valueToTree(ids));
    }

    @Test
    void anAdapterAloneIsPutOnTheDemonstrationBase() {
        Object[] greedy = {"generate", "--greedy", "--prompt", "床前明月光，", "--max-tokens", "12"};
        Object[] withLora = {"generate", "--greedy", "--prompt", "床前明月光，", "--max-tokens", "12", "--lora", DEMO.resolve("chinese-lora")};
        CommandRun alone = CommandRun.of(withLora);
        assertThat(alone.exitCode()).as(alone.errors()).isZero();
        assertThat(alone.text()).isNotBlank().isEqualTo(CommandRun.of(greedy).text());
    }

    @Test
    void adaptersAreMergedInTheOrderGiven() {
        CommandRun run = CommandRun.of("generate", "--lora", DEMO.resolve("chinese-lora"), "--lora", DEMO.resolve("alpaca-lora"),
                "--prompt", "你好", "--max-tokens", "2");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).containsSubsequence("LoRA chinese-lora", "3,000 -> 12,183", "LoRA alpaca-lora", "12,183 -> 12,184");
        CommandRun wrong = CommandRun.of("generate", "--lora", DEMO.resolve("alpaca-lora"), "--lora", DEMO.resolve("chinese-lora"));
        assertThat(wrong.exitCode()).isEqualTo(1);
        assertThat(wrong.problem()).contains("chinese-lora", "12183", "12184");
        assertThat(wrong.output()).isEmpty();
    }

    @Test
    void aModelWithoutAdaptersGetsNone() {
        assertThat(tiny("--prompt", "x").errors()).doesNotContain("LoRA");
        assertThat(tiny("--prompt", "x", "--lora", TINY_ADAPTER).errors()).contains("LoRA plain: 21 matrices changed");
    }

    @Test
    void theReportOfTheMergeIsWrittenAsJson() throws IOException {
        Path report = directory.resolve("merge.json");
        CommandRun run = tiny("--prompt", "x", "--lora", TINY_ADAPTER + ":0.5", "--lora-float16", "--merge-report", report);
        assertThat(run.errors()).contains("LoRA plain: 21 matrices changed").contains("scale 0.5");
        JsonNode adapter = new ObjectMapper().readTree(report.toFile()).get("adapters").get(0);
        assertThat(adapter.get("path").asText()).isEqualTo(TINY_ADAPTER.toString());
        assertThat(adapter.get("format").asText()).isEqualTo("peft-safetensors");
        assertThat(adapter.get("scale").asDouble()).isEqualTo(0.5);
        assertThat(adapter.get("parameters")).hasSize(21);
        assertThat(adapter.get("parameters").get(0).get("steps").get(0).asText()).isEqualTo("lora");
        assertThat(adapter.get("parameters").get(0).get("relative_norm").isDouble()).isTrue();
        assertThat(tiny("--prompt", "x", "--lora", TINY_ADAPTER + ":nan").errors()).contains("--lora").contains("'nan'").contains("is not a finite number");
        assertThat(tiny("--prompt", "x", "--lora", TINY_ADAPTER, "--merge-report", directory.resolve("no/merge.json")).problem()).contains("there is no directory");
        assertThat(tiny("--prompt", "x", "--lora", directory, "--merge-report", directory.resolve("none.json")).exitCode()).isEqualTo(1);
        assertThat(directory.resolve("none.json")).doesNotExist();
    }

    @Test
    void thePromptFileIsTakenVerbatim() throws IOException {
        String prompt = "\uFEFF 《静夜思》\r\n李白\u2028\u0000\n\n";
        Path file = Files.writeString(directory.resolve("prompt.txt"), prompt);
        JsonNode result = json(tiny("--prompt-file", file, "--json", "--echo"));
        assertThat(result.get("prompt").asText()).isEqualTo(prompt);
        assertThat(result.get("prompt_tokens").asInt())
                .isEqualTo(1 + Tokenizer.load(TINY.resolve("tokenizer.model")).encode(prompt).length);
        assertThat(tiny("--prompt-file", file, "--echo").text()).startsWith(prompt);
    }

    @Test
    void bytesThatAreNotUtf8BecomeOneReplacementEach() throws IOException {
        byte[] bytes = {'a', (byte) 0xFF, (byte) 0xE5, (byte) 0xBA, '\n'};
        Path file = Files.write(directory.resolve("prompt.txt"), bytes);
        assertThat(json(tiny("--prompt-file", file, "--json", "--echo")).get("prompt").asText()).isEqualTo("a\uFFFD\uFFFD\uFFFD\n");
        assertThat(CommandRun.with(bytes, tinyArgs("-", "--echo")).text()).startsWith("a\uFFFD\uFFFD\uFFFD\n");
    }

    @Test
    void theThreeWaysToGiveAPromptAgree() throws IOException {
        String prompt = "In the beginning\n";
        Path file = Files.writeString(directory.resolve("prompt.txt"), prompt);
        String text = tiny("--greedy", "--prompt", prompt).text();
        assertThat(tiny("--greedy", "--prompt-file", file).text()).isEqualTo(text);
        assertThat(CommandRun.with(prompt, tinyArgs("--greedy", "-")).text()).isEqualTo(text);
        assertThat(tiny("--greedy").text()).isNotEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "@pom.xml", "- item", "'quoted'", " "})
    void aPromptIsTakenAsItIs(String prompt) throws IOException {
        assertThat(json(tiny("--prompt", prompt, "--json", "--echo")).get("prompt").asText()).isEqualTo(prompt);
    }

    @Test
    void jsonHasEveryFigureOfTheClosingLine() throws IOException {
        JsonNode result = json(tiny("--json", "--seed", "42", "--prompt", "x"));
        assertThat(result.fieldNames()).toIterable().containsExactly("text", "ids", "finish_reason", "prompt_tokens", "generated_tokens",
                "time_to_first_token_ms", "tokens_per_second", "seed", "drafted_tokens", "accepted_tokens");
        assertThat(result.get("finish_reason").asText()).isIn("max_tokens", "end_of_text");
        assertThat(result.get("generated_tokens").asInt()).isBetween(1, 6);
        assertThat(result.get("time_to_first_token_ms").asDouble()).isPositive();
        assertThat(result.get("seed").asLong()).isEqualTo(42);
    }

    @Test
    void theSameSeedGivesTheSameText() {
        Object[] sampled = {"--seed", "7", "--temperature", "1", "--top-k", "0", "--top-p", "1", "--prompt", "x"};
        String text = tiny(sampled).text();
        assertThat(tiny(sampled).text()).isEqualTo(text);
        sampled[1] = "8";
        assertThat(tiny(sampled).text()).isNotEqualTo(text);
    }

    @Test
    void theTextEndsBeforeTheFirstOfSeveralStops() throws IOException {
        Object[] greedy = {"--greedy", "--json", "--prompt", "In the"};
        String text = json(tiny(greedy)).get("text").asText();
        assertThat(text.length()).isGreaterThan(4);
        String late = text.substring(text.length() - 1);
        String early = text.substring(1, 3);
        JsonNode stopped = json(tiny("--greedy", "--json", "--prompt", "In the", "--stop", "not there", "--stop", early, "--stop", late));
        int end = Math.min(text.indexOf(early), text.indexOf(late));
        assertThat(stopped.get("text").asText()).isEqualTo(text.substring(0, end));
        assertThat(stopped.get("finish_reason").asText()).isEqualTo("stop_text");
    }

    @Test
    void maxTokensIsAnUpperBound() throws IOException {
        JsonNode one = json(CommandRun.of("generate", "--model", TINY, "--prompt", "x", "--greedy", "--max-tokens", "1", "--json"));
        assertThat(one.get("generated_tokens").asInt()).isEqualTo(1);
        assertThat(one.get("tokens_per_second").asDouble()).isZero();
    }

    @Test
    void theScalarBackendWritesWhatTheNativeOneDoes() {
        Object[] options = {"--greedy", "--prompt", "x", "--quantize", "f32", "--kv-type", "f32", "--threads", "1", "--backend", "SCALAR"};
        CommandRun scalar = tiny(options);
        assertThat(scalar.errors()).contains(", scalar");
        options[options.length - 1] = "native";
        CommandRun nativeRun = tiny(options);
        assertThat(nativeRun.errors()).contains(", native");
        assertThat(nativeRun.text()).isEqualTo(scalar.text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Q8_0", "q8_0", "q4_0", "F16", "bf16", "f32"})
    void typeNamesAreReadInAnyCase(String type) {
        assertThat(tiny("--prompt", "x", "--quantize", type).errors()).contains("weights " + type.toLowerCase(Locale.ROOT));
    }

    @Test
    void aPromptLongerThanTheContextIsRefusedWithBothNumbers() {
        CommandRun run = tiny("--context", "5", "--prompt", "床前明月光");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains("17 tokens", "takes 5", "shorten", "larger context");
        assertThat(run.hasStackTrace()).isFalse();
    }

    @Test
    void aFullContextEndsTheText() throws IOException {
        JsonNode result = json(CommandRun.of("generate", "--model", TINY, "--prompt", "x", "--greedy", "--context", "8", "--json"));
        assertThat(result.get("finish_reason").asText()).isEqualTo("context_full");
    }

    @Test
    void aTextThatEndsWithALineFeedGetsNoSecondOne() throws IOException {
        // The first character that follows the echoed prompt is the stop text, so nothing follows it.
        String first = json(tiny("--greedy", "--json", "--prompt", "x\n")).get("text").asText();
        CommandRun run = tiny("--greedy", "--prompt", "x\n", "--echo", "--stop=" + first.charAt(0));
        assertThat(run.text()).isEqualTo("x\n");
    }

    @Test
    void outputThatCannotBeWrittenIsAFailure() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        CommandRun run = CommandRun.with(new ByteArrayInputStream(new byte[0]), full, new ByteArrayOutputStream(), tinyArgs("--prompt", "x"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard output cannot be written");
    }

    @Test
    void standardOutputIsUtf8() {
        byte[] output = tiny("--prompt", "床前明月光", "--echo").output();
        assertThat(new String(output, StandardCharsets.UTF_8)).startsWith("床前明月光");
    }

    @Test
    void guessesAreReportedAndChangeNothing() throws IOException {
        String prompt = "one two three four one two three four one two three";
        JsonNode plain = json(tiny("--prompt", prompt, "--greedy", "--json"));
        JsonNode guessed = json(tiny("--prompt", prompt, "--greedy", "--json", "--draft-model", TINY, "--draft-tokens", "3"));
        assertThat(guessed.get("ids")).isEqualTo(plain.get("ids"));
        assertThat(guessed.get("accepted_tokens").asInt()).isPositive();
        assertThat(json(tiny("--prompt", prompt, "--greedy", "--json", "--prompt-lookup", "8")).get("ids")).isEqualTo(plain.get("ids"));
        assertThat(tiny("--prompt", prompt, "--draft-model", TINY).errors()).containsPattern("\\d+ of \\d+ guesses right");
        assertThat(tiny("--prompt", "x", "--prompt-lookup", "4", "--draft-model", TINY).problem()).contains("--prompt-lookup and --draft-model");
        assertThat(tiny("--prompt", "x", "--prompt-lookup", "65").problem()).contains("--prompt-lookup", "65");
        assertThat(tiny("--prompt", "x", "--draft-tokens", "5").problem()).contains("--draft-model");
        assertThat(tiny("--prompt", "x", "--draft-model", DEMO.resolve("base")).exitCode()).isEqualTo(0);
    }

    @Test
    void aPromptIsKeptInAFileAndTakenFromThere() throws IOException {
        Path file = directory.resolve("prompt.kv");
        String prompt = "a b c d e f g h i j ".repeat(10);
        CommandRun first = tiny("--prompt", prompt, "--greedy", "--prompt-cache", file);
        assertThat(first.errors()).contains("tokens of the prompt saved");
        CommandRun second = tiny("--prompt", prompt, "--greedy", "--prompt-cache", file);
        assertThat(second.errors()).contains("tokens of a context restored");
        assertThat(second.text()).isEqualTo(first.text());
        Files.writeString(file, "no context");
        assertThat(tiny("--prompt", prompt, "--prompt-cache", file).problem()).contains("prompt.kv", "save it anew");
    }
}
