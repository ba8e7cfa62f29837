package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code judge}, {@code rank} and {@code instruct} with a model: the data of {@code examples/recipes}, and what goes wrong. What they compute is
 * tested without one.
 */
class RecipeCommandsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DATA = Path.of("examples/recipes");
    private static final Path A = DATA.resolve("answers-a.jsonl");
    private static final Path B = DATA.resolve("answers-b.jsonl");

    @TempDir
    private Path directory;

    private static CommandRun run(Object... args) {
        CommandRun run = CommandRun.of(args);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run;
    }

    private static List<JsonNode> lines(String text) throws IOException {
        List<JsonNode> nodes = new ArrayList<>();
        for (String line : text.lines().toList()) {
            nodes.add(JSON.readTree(line));
        }
        return nodes;
    }

    private Path file(String name, String... lines) throws IOException {
        return Files.writeString(directory.resolve(name), String.join("\n", lines) + "\n");
    }

    @Test
    void everyPairIsJudgedInBothOrders() throws IOException {
        Path judgments = directory.resolve("judgments.jsonl");
        Path template = file("template.txt", "{question}|{answer_a}|{answer_b}|");
        JsonNode report = JSON.readTree(run("judge", "--model", TINY, "--a", A, "--b", B, "--template", template, "--output", judgments, "--json").text());
        assertThat(report.get("pairs").asInt()).isEqualTo(4);
        assertThat(report.get("a_wins").asInt() + report.get("b_wins").asInt() + report.get("ties").asInt() + report.get("no_verdict").asInt()).isEqualTo(4);
        assertThat(report.get("said_first").asInt() + report.get("said_second").asInt() + report.get("said_tie").asInt()).isEqualTo(8);
        List<JsonNode> lines = lines(Files.readString(judgments));
        assertThat(lines).extracting(line -> line.get("id").asText()).containsExactly("autumn", "river", "friend", "moon");
        JsonNode first = lines(Files.readString(A)).getFirst();
        JsonNode second = lines(Files.readString(B)).getFirst();
        try (Llama llama = Llama.load(TINY)) {
            String swapped = "%s|%s|%s|\n[[".formatted(first.get("question").asText(), second.get("text").asText(), first.get("text").asText());
            List<Score> scores = llama.score(swapped, List.of("A]]", "B]]", "C]]"));
            for (int i = 0; i < 3; i++) {
                assertThat(lines.getFirst().get("swapped").get("log_probabilities").get(i).asDouble()).isEqualTo(scores.get(i).sum());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"logprob", "text", "score", "score-text"})
    void everyMethodHasATableAndMarkdown(String method) {
        String text = run("judge", "--a", A, "--b", B, "--method", method, "--max-tokens", "4").text();
        assertThat(text).contains("A examples/recipes/answers-a.jsonl, B examples/recipes/answers-b.jsonl: 4 pairs, method " + method, "ties", "win rate of A");
        assertThat(run("judge", "--model", TINY, "--context", "1024", "--language", "en", "--a", A, "--b", B, "--method", method, "--max-tokens", "4", "--markdown").text())
                .contains("| --- | ---: | --- |", "| ties | ");
    }

    @Test
    void promptsCanBeGivenInTheFormOfAChat() throws IOException {
        Object[] args = {"judge", "--model", TINY, "--context", 1024, "--a", A, "--b", B, "--method", "score", "--json"};
        String plain = run(args).text();
        String chat = run(Stream.concat(Stream.of(args), Stream.of("--chat-template", "alpaca")).toArray()).text();
        assertThat(JSON.readTree(chat).get("mean_a").asDouble()).isNotEqualTo(JSON.readTree(plain).get("mean_a").asDouble());
        assertThat(run("rank", "--model", TINY, "--input", DATA.resolve("prompts.jsonl"), "--n", 2, "--max-tokens", 3, "--chat-template", "chatml").text().lines()).hasSize(4);
        assertThat(failure("rank", "--model", TINY, "--input", A, "--chat-template", "/no/such")).contains("/no/such");
    }

    @Test
    void questionsCanComeFromTheirOwnFileAndWhatHasNoPartnerIsCounted() throws IOException {
        Path prompts = file("prompts.jsonl", "{\"id\":1,\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}", "{\"custom_id\":\"x\",\"body\":{\"prompt\":\"q\"}}");
        Path a = file("a.jsonl", "{\"id\":1,\"text\":\"yes\"}", "", "{\"id\":\"2\",\"text\":\"only here\"}",
                "{\"id\":\"batch_1\",\"custom_id\":\"x\",\"response\":{\"status_code\":200,\"body\":{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"no\"}}]}}}",
                "{\"id\":\"e\",\"error\":\"too long\"}");
        Path b = file("b.jsonl", "{\"id\":\"x\",\"text\":\"no\"}", "{\"id\":\"1\",\"text\":\"no\"}", "{\"id\":\"e\",\"text\":\"here\"}", "{\"id\":\"4\",\"text\":\"\"}");
        JsonNode report = JSON.readTree(run("judge", "--model", TINY, "--context", 1024, "--a", a, "--b", b, "--prompts", prompts, "--method", "score", "--json").text());
        assertThat(report.get("pairs").asInt()).isEqualTo(2);
        assertThat(report.get("only_in_a").asInt()).isEqualTo(1);
        assertThat(report.get("only_in_b").asInt()).isEqualTo(1);
        assertThat(report.get("unanswered").asInt()).isEqualTo(1);
        assertThat(report.get("ties").asInt()).as("the same answer twice").isGreaterThanOrEqualTo(1);
        assertThat(report.get("mean_a").asDouble()).isBetween(1.0, 10.0);
        CommandRun without = CommandRun.of("judge", "--model", TINY, "--a", a, "--b", b);
        assertThat(without.exitCode()).isEqualTo(1);
        assertThat(without.problem()).contains("a.jsonl, line 1", "--prompts");
    }

    @Test
    void theBestAnswerIsWrittenAndAllOfThemIfAskedFor() throws IOException {
        Object[] args = {"rank", "--model", TINY, "--input", DATA.resolve("prompts.jsonl"), "--n", 3, "--max-tokens", 6, "--temperature", 1, "--all", "--seed", 5};
        CommandRun run = run(args);
        List<JsonNode> lines = lines(run.text());
        assertThat(lines).extracting(line -> line.get("id").asText()).containsExactly("autumn", "river", "friend", "moon");
        assertThat(lines).allSatisfy(line -> {
            List<Double> scores = new ArrayList<>();
            line.get("candidates").forEach(candidate -> scores.add(candidate.get("score").asDouble()));
            assertThat(scores).hasSize(3).isSortedAccordingTo((x, y) -> Double.compare(y, x));
            assertThat(line.get("score")).isEqualTo(line.get("candidates").get(0).get("score"));
            assertThat(line.get("text")).isEqualTo(line.get("candidates").get(0).get("text"));
            assertThat(line.get("score")).isEqualTo(line.get("mean_log_probability"));
        });
        assertThat(run(args).text()).as("the same seed").isEqualTo(run.text());
        assertThat(run.errors()).contains("4 prompts, 0 with an error, 3 answers to each");
    }

    @ParameterizedTest
    @ValueSource(strings = {"yes", "score"})
    void aJudgeCanRank(String by) throws IOException {
        Path output = directory.resolve("best.jsonl");
        JsonNode summary = JSON.readTree(run("rank", "--model", TINY, "--context", 1024, "--input", DATA.resolve("prompts.jsonl"), "--n", 2, "--max-tokens", 4, "--by", by,
                "--judge-model", "examples/demo-model/base", "--judge-lora", "examples/demo-model/chinese-lora", "--output", output, "--json").text());
        List<JsonNode> lines = lines(Files.readString(output));
        assertThat(lines).hasSize(4).allMatch(line -> !line.has("candidates"));
        assertThat(lines).allSatisfy(line -> assertThat(line.get("score").asDouble()).isBetween(by.equals("yes") ? Double.NEGATIVE_INFINITY : 1, by.equals("yes") ? 0.0 : 10));
        assertThat(summary.get("mean_best_score").asDouble()).isCloseTo(lines.stream().mapToDouble(line -> line.get("score").asDouble()).average().orElseThrow(), within(1e-9));
        assertThat(summary.get("mean_best_score").asDouble()).isGreaterThanOrEqualTo(summary.get("mean_first_score").asDouble());
    }

    @Test
    void aPromptThatIsTooLongIsAnErrorRecord() throws IOException {
        Path input = file("in.jsonl", "{\"prompt\":\"a\"}", "{\"prompt\":\"" + "山 ".repeat(100) + "\"}");
        List<JsonNode> lines = lines(run("rank", "--model", TINY, "--context", 32, "--input", input, "--n", 2, "--max-tokens", 4).text());
        assertThat(lines.get(0).get("id").asText()).isEqualTo("1");
        assertThat(lines.get(0).has("text")).isTrue();
        assertThat(lines.get(1).get("error").asText()).contains("the context takes 32");
    }

    /** The demonstration model has never seen an instruction. */
    @Test
    void aModelThatWritesNoTasksEndsWithAReport() throws IOException {
        Path output = directory.resolve("tasks.jsonl");
        Object[] args = {"instruct", "--seeds", DATA.resolve("seed-tasks.zh.jsonl"), "--output", output, "--count", 3, "--rounds", 6, "--max-tokens", 40};
        assertThat(run(args).text()).contains("tasks.jsonl: 0 tasks of 3 that were wanted; all rounds are made", "rounds", "unreadable", "kept");
        JsonNode report = JSON.readTree(run(Stream.concat(Stream.of(args), Stream.of("--json")).toArray()).text());
        assertThat(report.get("end").asText()).isEqualTo("rounds");
        assertThat(report.get("rounds").asInt()).isEqualTo(6);
        assertThat(report.get("rejected")).hasSize(10);
        int rejected = 0;
        for (JsonNode count : report.get("rejected")) {
            rejected += count.asInt();
        }
        assertThat(rejected).isEqualTo(report.get("found").asInt()).isPositive();
        assertThat(Files.readString(output)).isEmpty();
    }

    @Test
    void aFileThatIsThereIsGoneOnFrom() throws IOException {
        String whole = "{\"instruction\":\"说出四种乐器\",\"input\":\"\",\"output\":\"琴\",\"round\":7}\n";
        Path output = Files.writeString(directory.resolve("tasks.jsonl"), whole + "{\"instruction\":\"半行"); // as a kill leaves it
        CommandRun run = run("instruct", "--seeds", DATA.resolve("seed-tasks.en.jsonl"), "--language", "en", "--output", output, "--count", 1);
        assertThat(run.errors()).contains("1 tasks are there; going on from round 7");
        assertThat(run.text()).contains("1 tasks of 1 that were wanted\n");
        assertThat(Files.readString(output)).isEqualTo(whole);
    }

    /** Ctrl-C: what was done until then is reported, and complete in the files. */
    @Test
    void anInterruptEndsWithAReport() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/kill")) || Files.isExecutable(Path.of("/usr/bin/kill")));
        Path output = directory.resolve("tasks.jsonl");
        assertThat(interrupted("instruct", "--seeds", DATA.resolve("seed-tasks.zh.jsonl"), "--output", output, "--count", 100_000))
                .contains("0 tasks of 100,000 that were wanted; interrupted, the same command goes on");
        Path many = Files.writeString(directory.resolve("many.jsonl"), "{\"prompt\":\"《春望》\"}\n".repeat(5000));
        assertThat(interrupted("rank", "--input", many, "--output", directory.resolve("best.jsonl"), "--json")).contains("\"interrupted\":true");
        lines(Files.readString(directory.resolve("best.jsonl")));
        List<String> answers = IntStream.range(0, 5000).mapToObj("{\"id\":%d,\"prompt\":\"q\",\"text\":\"春望\"}"::formatted).toList();
        Path a = Files.write(directory.resolve("a.jsonl"), answers);
        assertThat(interrupted("judge", "--a", a, "--b", a, "--json")).contains("\"interrupted\":true");
    }

    /** What a command writes that is interrupted when it has loaded its model. */
    private static String interrupted(Object... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8",
                "-Xmx512m", "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        Process process = new ProcessBuilder(command).start();
        try (BufferedReader errors = process.errorReader(StandardCharsets.UTF_8)) {
            String line = errors.readLine();
            while (line != null && !line.startsWith("loaded in")) {
                line = errors.readLine();
            }
            assertThat(line).as("the model is loaded").isNotNull();
            Thread.sleep(500); // so that there is work to interrupt; without it the test holds as well
            new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(output).isEqualTo(130);
            return output;
        } finally {
            process.destroyForcibly();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "judge --a x | --b",
        "judge --a x --b y --method votes | 'votes' is not a method to judge by",
        "judge --a x --b y --language fr | 'fr' is not a language",
        "judge --a x --b y --in-flight 0 | --in-flight",
        "judge --a x --b y --max-tokens 0 | yangtuo: --max-tokens is 0, must be at least 1",
        "judge --a x --b y --json --markdown | mutually exclusive",
        "rank | --input",
        "rank --input x --n 0 | --n is 0",
        "rank --input x --by votes | 'votes' is not a method to rank by",
        "rank --input x --judge-model y | --judge-model is for --by",
        "rank --input x --by yes --judge-lora y | --judge-model",
        "rank --input x --greedy | --greedy gives the same answer 4 times",
        "rank --input x --in-flight 0 | --in-flight is 0",
        "instruct --output x | --seeds",
        "instruct --seeds x | --output",
        "instruct --seeds x --output y --count 0 | --count is 0",
        "instruct --seeds x --output y --threshold 2 | --threshold is 2.0",
        "instruct --seeds x --output y --rounds 0 | --rounds is 0",
        "instruct --seeds x --output y --max-tokens 0 | yangtuo: --max-tokens is 0, must be at least 1",
        "instruct --seeds x --output y --in-flight 0 | yangtuo: --in-flight is 0, must be at least 1",
        "instruct --seeds x --output y --language-share 7 | yangtuo: --language-share is 7.0, must be 0 to 1"
    })
    void wrongUsageIsNamed(String commandLine, String named) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(named);
    }

    @Test
    void filesThatDoNotServeAreNamedWithTheirLines() throws IOException {
        Path broken = file("broken.jsonl", "{\"id\":1,\"prompt\":\"p\",\"text\":\"t\"}", "{\"id\":");
        assertThat(failure("judge", "--a", broken, "--b", B)).contains("broken.jsonl, line 2: is not one JSON object");
        assertThat(failure("rank", "--model", TINY, "--input", broken)).contains("broken.jsonl, line 2");
        Path twice = file("twice.jsonl", "{\"id\":1,\"text\":\"t\"}", "{\"id\":\"1\",\"text\":\"t\"}");
        assertThat(failure("judge", "--a", A, "--b", twice)).contains("twice.jsonl, line 2: the id '1' is there already");
        assertThat(failure("judge", "--a", A, "--b", file("other.jsonl", "{\"id\":1,\"text\":\"t\"}"))).contains("no answers to the same id");
        assertThat(failure("judge", "--a", file("list.jsonl", "[1]"), "--b", B)).contains("list.jsonl, line 1: expected a JSON object");
        assertThat(failure("judge", "--a", file("noid.jsonl", "{\"text\":\"t\"}"), "--b", B)).contains("noid.jsonl, line 1: expected an \"id\"");
        assertThat(failure("judge", "--a", "/no/such", "--b", B)).contains("/no/such: there is no such file");
        assertThat(failure("judge", "--a", A, "--b", B, "--template", file("t.txt", "{question}"))).contains("t.txt", "{answer_a}");
        assertThat(failure("judge", "--a", A, "--b", B, "--template", "/no/such")).contains("/no/such: the template cannot be read: there is no "
                + "such file");
        assertThat(failure("judge", "--a", A, "--b", B, "--template", file("long.txt", "x".repeat(1 << 20)))).contains("long.txt: is longer than "
                + "1048576 bytes");
        Path out = directory.resolve("out.jsonl");
        assertThat(failure("instruct", "--seeds", file("s.jsonl", "{\"instruction\":\"x\"}"), "--output", out)).contains("s.jsonl, line 1", "\"output\"");
        assertThat(failure("instruct", "--seeds", file("empty.jsonl", ""), "--output", out)).contains("empty.jsonl: has no seed task");
        Path seeds = DATA.resolve("seed-tasks.zh.jsonl");
        assertThat(failure("instruct", "--seeds", seeds, "--output", directory)).contains("is a directory");
        assertThat(failure("instruct", "--seeds", seeds, "--output", "/no/such/file.jsonl")).contains("there is no directory /no/such");
        assertThat(failure("instruct", "--seeds", seeds, "--output", file("foreign.jsonl", "{\"instruction\":\"x\",\"output\":\"y\"}")))
                .contains("foreign.jsonl, line 1: expected a \"round\"");
        assertThat(out).doesNotExist();
    }

    @Test
    void noInputIsReplacedByWhatIsMadeOfIt() throws IOException {
        Path prompts = file("prompts.jsonl", "{\"id\":1,\"prompt\":\"春\"}");
        assertThat(failure("rank", "--model", TINY, "--input", prompts, "--output", prompts)).contains("prompts.jsonl: is read, and would be replaced");
        Path answers = file("answers.jsonl", "{\"id\":1,\"prompt\":\"春\",\"text\":\"t\"}");
        Path link = Files.createSymbolicLink(directory.resolve("link"), answers);
        assertThat(failure("judge", "--model", TINY, "--a", link, "--b", prompts, "--output", answers)).contains("link: is read, and would be replaced");
        assertThat(failure("judge", "--model", TINY, "--a", prompts, "--b", answers, "--output", answers)).contains("name another output");
        assertThat(Files.readString(answers)).contains("\"text\":\"t\"");
    }

    @Test
    void filesMayBeginWithAByteOrderMarkAndMustBeUtf8() throws IOException {
        Path marked = file("marked.jsonl", "\uFEFF{\"id\":1,\"prompt\":\"春\"}\r");
        assertThat(run("rank", "--model", TINY, "--input", marked, "--n", 1, "--max-tokens", 2).text()).startsWith("{\"id\":\"1\",\"prompt\":\"春\"");
        Path gbk = directory.resolve("gbk.jsonl");
        Files.write(gbk, "{\"id\":1,\"prompt\":\"spring\"}\n{\"id\":2,\"prompt\":\"春\"}\n".getBytes(Charset.forName("GBK")));
        CommandRun run = CommandRun.of("rank", "--model", TINY, "--input", gbk, "--n", 1, "--max-tokens", 2);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("gbk.jsonl, line 2: is not UTF-8; convert the file");
        assertThat(failure("instruct", "--seeds", gbk, "--output", directory.resolve("tasks.jsonl"))).contains("gbk.jsonl, line");
    }

    @Test
    void noPromptsHaveNoMeanScore() throws IOException {
        String errors = run("rank", "--model", TINY, "--input", Files.createFile(directory.resolve("none.jsonl"))).errors();
        assertThat(errors).contains("0 prompts, 0 with an error, 4 answers to each; mean score of the best -, of the first - (logprob)");
    }

    private static String failure(Object... args) {
        CommandRun run = CommandRun.of(args);
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        return run.problem();
    }

    @Test
    void helpHasExamples() {
        assertThat(run("judge", "--help").text()).contains("yangtuo judge --model chinese-alpaca --a answers-a.jsonl");
        assertThat(run("rank", "--help").text()).contains("yangtuo rank --model chinese-alpaca --input prompts.jsonl");
        assertThat(run("instruct", "--help").text()).contains("yangtuo instruct --model chinese-alpaca --seeds seed-tasks.jsonl");
    }
}
