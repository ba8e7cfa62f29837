package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A chat from standard input. */
@Timeout(60)
class ChatCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    private static CommandRun chat(String input, Object... more) {
        List<Object> args = new ArrayList<>(List.of("chat", "--model", TINY, "--max-tokens", "6", "--seed", "4"));
        args.addAll(List.of(more));
        return CommandRun.with(input, args.toArray());
    }

    private static List<JsonNode> answers(CommandRun run) throws IOException {
        List<JsonNode> answers = new ArrayList<>();
        for (String line : run.text().lines().toList()) {
            answers.add(JSON.readTree(line));
        }
        return answers;
    }

    @Test
    void theDemonstrationAnswersWithAWarning() {
        CommandRun run = CommandRun.with("以《春夜》为题写一首诗。\n", "chat", "--max-tokens", "30", "--seed", "3");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).isNotBlank().endsWith("\n");
        assertThat(run.errors()).contains("warning: the model brings no chat template.", "in the form 'alpaca'; --chat-template names another");
    }

    @Test
    void whoNamesATemplateIsNotWarned() {
        assertThat(chat("a\n", "--chat-template", "chatml").errors()).doesNotContain("warning");
    }

    @Test
    void eachLineIsAMessageAndEachAnswerAnObject() throws IOException {
        CommandRun run = chat("Hello\n\nAnd now?\n", "--json");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        List<JsonNode> answers = answers(run);
        assertThat(answers).hasSize(2);
        assertThat(answers.get(1).path("prompt_tokens").intValue()).isGreaterThan(answers.get(0).path("prompt_tokens").intValue());
        assertThat(answers.get(0).path("seed").longValue()).isEqualTo(4);
        assertThat(answers.get(0).has("text")).isTrue();
    }

    @Test
    void whatWasSaidIsSavedAndGoesOn() throws IOException {
        Path file = directory.resolve("chat.json");
        CommandRun run = chat("Hello\n/save " + file + "\nAnd now?\n", "--json", "--system", "Be kind.");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        JsonNode saved = JSON.readTree(file.toFile());
        assertThat(saved).hasSize(3);
        assertThat(saved.get(0).path("content").textValue()).isEqualTo("Be kind.");
        assertThat(saved.get(2).path("content").textValue()).isEqualTo(answers(run).get(0).path("text").textValue());
        CommandRun loaded = chat("/load " + file + "\nAnd now?\n", "--json");
        assertThat(answers(loaded).getLast().path("text")).isEqualTo(answers(run).getLast().path("text"));
    }

    @Test
    void aRoleOfAFileDoesNotCommandTheTerminal() throws IOException {
        Path file = Files.writeString(directory.resolve("chat.json"), "[{\"role\":\"user\\u001b[2J\",\"content\":\"x\"}]");
        assertThat(chat("/load " + file + "\n/history\n").errors()).contains("user\\u001b[2J: x").doesNotContain("\u001b[2J");
    }

    @Test
    void whatIsNoFileIsNotLoaded() {
        CommandRun run = chat("/load /dev/zero\n/load " + directory + "\nHello\n");
        assertThat(run.errors()).contains("/dev/zero: is no regular file", directory + ": is no regular file");
        assertThat(run.text()).isNotBlank();
    }

    @Test
    void undoResetAndSystemChangeWhatIsKnown() throws IOException {
        JsonNode alone = answers(chat("Two\n", "--json")).getFirst();
        assertThat(answers(chat("One\n/undo\nTwo\n", "--json")).getLast().path("prompt_tokens")).isEqualTo(alone.path("prompt_tokens"));
        assertThat(answers(chat("One\n/reset\nTwo\n", "--json")).getLast().path("text")).isEqualTo(alone.path("text"));
        assertThat(answers(chat("/system Be kind.\nTwo\n", "--json")).getLast().path("prompt_tokens"))
                .isEqualTo(answers(chat("Two\n", "--json", "--system", "Be kind.")).getLast().path("prompt_tokens")).isNotEqualTo(alone.path("prompt_tokens"));
        assertThat(chat("/history\n/system\n/undo\n").errors()).contains("There is no system message.", "Nothing was said yet.");
    }

    @Test
    void messagesOfSeveralLines() throws IOException {
        Path file = directory.resolve("chat.json");
        chat("one\\\ntwo\n\"\"\"\nthree\n\n  four\n\"\"\"\n//slash\n\"\"\"five\"\"\"\n/save " + file + "\n");
        List<String> asked = new ArrayList<>();
        JSON.readTree(file.toFile()).forEach(message -> {
            if (message.path("role").textValue().equals("user")) {
                asked.add(message.path("content").textValue());
            }
        });
        assertThat(asked).containsExactly("one\ntwo", "three\n\n  four", "/slash", "five");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"chat --max-tokens 0 | must be at least 1", "chat hello | 'hello'", "chat --greedy --top-k 4 | --greedy excludes", "chat --stop= | must not be empty"})
    void wrongUsageIsSaid(String line, String said) {
        CommandRun run = CommandRun.of((Object[]) line.strip().split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains(said);
    }

    @Test
    void exitEndsAndHelpHelps() {
        CommandRun run = chat("/help\n/exit\nHello\n");
        assertThat(run.exitCode()).isZero();
        assertThat(run.text()).isEmpty();
        assertThat(run.errors()).contains("/system [TEXT]", "/load FILE");
    }

    @Test
    void aFailureIsSaidAndTheChatGoesOn() throws IOException {
        CommandRun run = chat("/frobnicate\n/load " + directory.resolve("none") + "\n/save\n" + "long ".repeat(300) + "\nHello\n", "--json");
        assertThat(run.exitCode()).isEqualTo(1);
        List<JsonNode> answers = answers(run);
        assertThat(answers).hasSize(5);
        assertThat(answers.get(0).path("error").textValue()).contains("'/frobnicate' is no command");
        assertThat(answers.get(1).path("error").textValue()).contains("none: cannot be read: there is no such file");
        assertThat(answers.get(2).path("error").textValue()).contains("the name of a file is missing");
        assertThat(answers.get(3).path("error").textValue()).contains("the last turn of the conversation has");
        assertThat(answers.get(4).has("text")).isTrue();
    }

    @Test
    void anAnswerFollowsItsGrammar() throws IOException {
        List<JsonNode> answers = answers(chat("One\nTwo\n", "--json", "--regex", "(yes|no)"));
        assertThat(answers).hasSize(2).allSatisfy(answer -> assertThat(answer.path("text").textValue()).isIn("yes", "no"));
    }

    @Test
    void fullContextsForgetAndSaySo() {
        CommandRun run = chat(("word ".repeat(60) + "\n").repeat(5));
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).contains("the context of 256 tokens is full; the model is not told the first 2 messages any more");
    }

    @Test
    void filesThatAreNoConversationsAreRefused() throws IOException {
        Path file = directory.resolve("chat.json");
        for (String content : List.of("{", "{}", "[{\"role\": \"user\"}]", "[{\"role\": 1, \"content\": \"a\"}]", "[{\"role\": \"\", \"content\": \"a\"}]")) {
            Files.writeString(file, content);
            assertThat(chat("/load " + file + "\n").errors()).as(content).contains("yangtuo: " + file + ": ");
        }
    }

    @Test
    void aTemplateMayBeAFile() throws IOException {
        Path file = directory.resolve("t.jinja");
        Files.writeString(file, "{% for m in messages %}{{ m.content }}{% endfor %}");
        assertThat(answers(chat("a\n", "--json", "--chat-template", file)).getFirst().path("prompt_tokens").intValue()).isEqualTo(2);
        Files.writeString(file, "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}");
        CommandRun hostile = chat("a\n", "--chat-template", file);
        assertThat(hostile.exitCode()).isEqualTo(1);
        assertThat(hostile.errors()).contains(file + ": the chat template failed: line 1: the template takes more than 20,000,000 steps");
        CommandRun none = chat("a\n", "--chat-template", "vicuna");
        assertThat(none.exitCode()).isEqualTo(1);
        assertThat(none.problem()).contains("vicuna: there is no such file; a chat template is one of alpaca,");
    }

    @Test
    void theAdapterThatWasTrainedForItAnswers() throws IOException {
        CommandRun run = CommandRun.with("以《春夜》为题写一首诗。\n", "chat", "--model", DEMO.resolve("base"), "--lora", DEMO.resolve("chinese-lora"),
                "--lora", DEMO.resolve("alpaca-lora"), "--chat-template", "alpaca-training", "--max-tokens", "60", "--seed", "1", "--json");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(answers(run).getFirst().path("text").textValue()).containsPattern("[，。]");
    }
}
