package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.Llama;
import dev.yangtuo.PerplexityOptions;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code eval} writes, and what it refuses. */
class EvalCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path CEVAL = Path.of("examples/eval/ceval");
    private static final Path PCLUE = Path.of("examples/eval/pclue.jsonl");
    private static final Path ANSWERS = Path.of("examples/eval/pclue-predictions.jsonl");

    @TempDir
    private Path directory;

    private static JsonNode json(CommandRun run) throws IOException {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).hasLineCount(1).endsWith("}\n");
        return JSON.readTree(run.text());
    }

    private static List<JsonNode> lines(Path file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    @Test
    void theDemonstrationModelTakesTheExampleOfCeval() throws IOException {
        Path predictions = directory.resolve("answers.jsonl");
        JsonNode report = json(CommandRun.of("eval", "ceval", "--data", CEVAL, "--predictions", predictions, "--json"));
        assertThat(report.fieldNames()).toIterable().containsExactly("task", "model", "data", "split", "shots", "method", "prompt_style", "c_eval_header", "subjects", "averages");
        assertThat(report.get("model").textValue()).isEqualTo(DEMO.resolve("base") + " + " + DEMO.resolve("chinese-lora"));
        assertThat(report.get("subjects").fieldNames()).toIterable()
                .containsExactly("chinese_language_and_literature", "high_school_geography", "high_school_mathematics", "sports_science");
        List<JsonNode> answers = lines(predictions);
        assertThat(answers).hasSize(24);
        int correct = 0;
        for (JsonNode answer : answers) {
            assertThat(answer.fieldNames()).toIterable().containsExactly("subject", "id", "prediction", "answer", "correct", "guessed", "shots", "scores");
            assertThat(answer.get("correct").booleanValue()).isEqualTo(answer.get("prediction").equals(answer.get("answer")));
            String best = List.of("A", "B", "C", "D").stream().max((a, b) -> Double.compare(answer.at("/scores/" + a).doubleValue(), answer.at("/scores/" + b).doubleValue())).orElseThrow();
            assertThat(answer.get("prediction").textValue()).isEqualTo(best);
            correct += answer.get("correct").booleanValue() ? 1 : 0;
        }
        JsonNode all = report.at("/averages/All");
        assertThat(all.get("scored").intValue()).isEqualTo(24);
        assertThat(all.get("correct").intValue()).isEqualTo(correct);
        assertThat(all.get("accuracy_of_questions").doubleValue()).isCloseTo(100.0 * correct / 24, within(1e-9));
        assertThat(report.at("/averages").fieldNames()).toIterable().containsExactly("STEM", "Social Science", "Humanities", "Other", "All", "Hard");
        assertThat(report.at("/averages/Hard")).isEqualTo(report.at("/averages/STEM"));
    }

    @Test
    void generatedAnswersAreTheSameInEveryRun() throws IOException {
        Path output = directory.resolve("report.md");
        Object[] args = {"eval", "ceval", "--data", CEVAL, "--shots", 0, "--method", "generation", "--limit", 2, "--subjects", "sports_science,high_school_geography",
            "--report", "markdown", "--output", output};
        assertThat(CommandRun.of(args)).extracting(CommandRun::exitCode, CommandRun::text).containsExactly(0, "");
        String report = Files.readString(output);
        assertThat(report).startsWith("- model: ").contains("- questions: 4 in 2 subjects of ", "| subject | name | category | questions | correct | accuracy |\n| --- | --- | --- | ---: | ---: | ---: |\n",
                "| sports_science | 体育学 | Other | 2 | ", "| All | 2 | 4 | ");
        assertThat(CommandRun.of(args).exitCode()).isZero();
        assertThat(Files.readString(output)).isEqualTo(report);
        assertThat(directory).isDirectoryNotContaining("glob:**.partial");
    }

    @Test
    void aSplitWithoutAnswersGivesASubmission() throws IOException {
        Path submission = directory.resolve("submission.json");
        CommandRun run = CommandRun.of("eval", "ceval", "--data", CEVAL, "--split", "test", "--shots", 1, "--submission", submission);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).contains("plain, 1-shot\n", "not scored  12 questions, whose answers the files do not say").containsPattern("All +0 +0 +0 +- +-\n");
        JsonNode answers = JSON.readTree(submission.toFile());
        assertThat(answers).hasSize(4);
        assertThat(answers.get("sports_science").fieldNames()).toIterable().containsExactly("0", "1", "2");
        answers.forEach(subject -> subject.forEach(letter -> assertThat(letter.textValue()).matches("[ABCD]")));
    }

    @Test
    void answersOfAFileAreScoredAsTheReferenceScoresThem() throws IOException {
        JsonNode report = json(CommandRun.of("eval", "pclue", "--data", PCLUE, "--score-only", ANSWERS, "--json"));
        JsonNode golden = JSON.readTree(Path.of("src/test/resources/eval/golden.json").toFile()).get("pclue");
        assertThat(golden).hasSize(6);
        golden.properties().forEach(score -> assertThat(report.get(score.getKey()).doubleValue()).as(score.getKey()).isCloseTo(score.getValue().doubleValue(), within(1e-12)));
        assertThat(report.at("/counts").toString()).isEqualTo("{\"classify\":4,\"nli\":3,\"generate\":3,\"mrc\":4}");
        CommandRun text = CommandRun.of("eval", "pclue", "--data", PCLUE, "--score-only", ANSWERS);
        assertThat(text.text()).contains("answers  " + ANSWERS, "classify  accuracy           4  0.7500\n", "all       mean of types     14  0.6606\n");
        assertThat(text.errors()).isEmpty();
    }

    @Test
    void answersOfTheModelAreWhatIsScored() throws IOException {
        Path predictions = directory.resolve("answers.jsonl");
        JsonNode report = json(CommandRun.of("eval", "pclue", "--data", PCLUE, "--predictions", predictions, "--method", "log-probability", "--max-tokens", 8, "--json"));
        List<JsonNode> answers = lines(predictions);
        List<JsonNode> tasks = lines(PCLUE);
        assertThat(answers).hasSize(14);
        for (int i = 0; i < 14; i++) {
            if (tasks.get(i).path("answer_choices").isArray()) {
                assertThat(tasks.get(i).get("answer_choices")).contains(answers.get(i).get("target"));
            }
        }
        JsonNode alone = json(CommandRun.of("eval", "pclue", "--data", PCLUE, "--score-only", predictions, "--json"));
        for (String score : List.of("score", "classify_score", "nli_score", "generate_score", "mrc_em_score", "mrc_f1_score")) {
            assertThat(report.get(score)).as(score).isEqualTo(alone.get(score));
        }
        assertThat(report.get("tasks").intValue()).isEqualTo(14);
    }

    @Test
    void filesThatDoNotBelongTogetherAreNamed() throws IOException {
        Path few = Files.writeString(directory.resolve("few.jsonl"), "{\"target\":\"体育\"}\r\n\r\n");
        CommandRun tooFew = CommandRun.of("eval", "pclue", "--data", PCLUE, "--score-only", few);
        assertThat(tooFew.exitCode()).isEqualTo(1);
        assertThat(tooFew.problem()).contains("few.jsonl: has 1 answers", "has more tasks");
        assertThat(CommandRun.of("eval", "pclue", "--data", PCLUE, "--score-only", few, "--limit", 1).exitCode()).isZero();
        Path one = Files.writeString(directory.resolve("one.jsonl"), "\uFEFF{\"input\":\"问\",\"target\":\"甲\",\"type\":\"nli\"}\n");
        assertThat(CommandRun.of("eval", "pclue", "--data", one, "--score-only", ANSWERS).problem()).contains("has more than the 1 answers");
        Path bad = Files.writeString(directory.resolve("bad.jsonl"), "{\"target\":\"甲\"}\n{\"target\":\n");
        assertThat(CommandRun.of("eval", "pclue", "--data", PCLUE, "--score-only", bad).problem()).contains("bad.jsonl, line 2: is no JSON object");
        Path empty = Files.writeString(directory.resolve("empty.jsonl"), "\n");
        assertThat(CommandRun.of("eval", "pclue", "--data", empty, "--score-only", empty).problem()).contains("empty.jsonl: has no tasks");
    }

    @Test
    void aBaseAndItsAdapterAreComparedInBitsPerByte() throws IOException {
        Path english = Files.writeString(directory.resolve("english.txt"), "In the beginning God created the heaven and the earth.\n".repeat(6));
        Path chinese = Files.writeString(directory.resolve("chinese.txt"), "白日依山尽，黄河入海流。\n".repeat(6));
        JsonNode report = json(CommandRun.of("eval", "compare", "--model", TINY, "--lora", TINY_ADAPTER, "--text", english, "--text", chinese, "--context", 64, "--json"));
        assertThat(report.fieldNames()).toIterable().containsExactly("task", "base", "model", "texts");
        assertThat(report.get("base").textValue()).isEqualTo(TINY.toString());
        assertThat(report.get("model").textValue()).isEqualTo(TINY + " + " + TINY_ADAPTER);
        try (Llama llama = Llama.load(TINY)) {
            for (int i = 0; i < 2; i++) {
                JsonNode text = report.get("texts").get(i);
                double base = llama.perplexity(Files.readString(i == 0 ? english : chinese), PerplexityOptions.defaults().context(64)).bitsPerByte();
                assertThat(text.at("/base/bits_per_byte").doubleValue()).isCloseTo(base, within(1e-9));
                assertThat(text.get("difference").doubleValue()).isCloseTo(text.at("/model/bits_per_byte").doubleValue() - base, within(1e-9)).isNotZero();
                assertThat(text.get("percent").doubleValue()).isCloseTo(100 * text.get("difference").doubleValue() / base, within(1e-6));
            }
        }
        CommandRun text = CommandRun.of("eval", "compare", "--model", TINY, "--lora", TINY_ADAPTER, "--base-lora", TINY_ADAPTER, "--text", english);
        assertThat(text.text()).contains("windows  256 tokens", "+0.0000").contains("english.txt");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "eval | what is to be evaluated is missing; there are ceval, pclue, compare",
        "eval poems | 'poems'",
        "eval ceval | --data",
        "eval ceval --data x --shots 101 | --shots is 101, must be 0 to 100",
        "eval ceval --data x --limit 0 | --limit is 0",
        "eval ceval --data x --max-tokens 0 | --max-tokens is 0",
        "eval ceval --data x --method guess | 'guess' is not a method of answering",
        "eval ceval --data x --split train | 'train' is not a part of a set",
        "eval ceval --data x --prompt-style poem | 'poem' is not a style of prompts",
        "eval ceval --data x --report html | 'html' is not a form of report",
        "eval ceval --data x --report text --json | mutually exclusive",
        "eval pclue --data x --score-only y --predictions z | --score-only excludes --predictions",
        "eval pclue --data - --score-only - | cannot both be standard input",
        "eval pclue --data x --max-tokens 0 | --max-tokens is 0",
        "eval compare --text - | standard input cannot be read twice",
        "eval compare --text x --model y | there are no two models",
        "eval compare --text x --context 2 | --context is 2"
    })
    void wrongUsageIsNamed(String commandLine, String said) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(said);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "eval ceval --data /no/such | /no/such: there is no such directory",
        "eval ceval --data examples/eval/ceval --subjects law | there is no subject 'law' in val; there are chinese_language_and_literature",
        "eval pclue --data /no/such | /no/such: there is no such file",
        "eval compare --text /no/such | /no/such: there is no such file",
        "eval ceval --data examples/eval/ceval --output /no/such/report | /no/such",
        "eval pclue --data pom.xml --score-only pom.xml | pom.xml, line 1: is no JSON object"
    })
    void filesThatDoNotServeAreNamed(String commandLine, String said) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(said);
        assertThat(run.errors().lines()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"eval --help", "eval --version", "eval ceval --help", "eval pclue --help", "eval compare --help", "eval ceval --version"})
    void helpIsNoError(String commandLine) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isZero();
        assertThat(run.text()).contains("yangtuo");
        assertThat(run.errors()).isEmpty();
    }

    @Test
    void tasksThatAreNotUtf8AreNotScored() throws IOException {
        Path tasks = directory.resolve("gbk.jsonl");
        Files.write(tasks, "{\"input\":\"q\",\"target\":\"对\",\"type\":\"nli\"}\n".getBytes(Charset.forName("GBK")));
        CommandRun run = CommandRun.of("eval", "pclue", "--data", tasks, "--score-only", tasks);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("gbk.jsonl, line 1: is not UTF-8; convert the file");
    }

    @Test
    void filesAreNotWrittenOverEachOther() throws IOException {
        Path file = directory.resolve("out");
        CommandRun both = CommandRun.of("eval", "ceval", "--model", TINY, "--data", CEVAL, "--shots", 0, "--limit", 1, "--predictions", file, "--output", file);
        assertThat(both.exitCode()).isEqualTo(1);
        assertThat(both.errors().lines()).containsExactly("yangtuo: " + file + ": two results cannot be written into one file; name another for one of them");
        assertThat(file).doesNotExist();
        Path tasks = Files.copy(PCLUE, directory.resolve("tasks.jsonl"));
        CommandRun input = CommandRun.of("eval", "pclue", "--model", TINY, "--data", tasks, "--predictions", tasks);
        assertThat(input.problem()).contains("tasks.jsonl: is read, and would be replaced");
        assertThat(tasks).hasSameBinaryContentAs(PCLUE);
    }

    @Test
    void examplesThatAreNotThereAreMissedBeforeTheModelIsLoaded() throws IOException {
        Path folder = Files.createDirectories(directory.resolve("set/val"));
        Files.writeString(folder.resolve("law_val.csv"), "id,question,A,B,C,D,answer\n0,q,a,b,c,d,A\n");
        CommandRun run = CommandRun.of("eval", "ceval", "--model", TINY, "--data", folder.getParent());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.errors().lines()).containsExactly(run.problem());
        assertThat(run.problem()).contains("law_val.csv: the subject 'law' has no examples, dev/law_dev.csv is not there; 5 are asked for; add some, or ask for 0");
    }
}
