package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code perplexity} writes, and what it refuses. */
class PerplexityCommandTest {
    private static final String TEXT = "In the beginning 白日依山尽 God created the heaven and the earth.\n".repeat(8);

    @TempDir
    private Path directory;

    private CommandRun perplexity(String text, Object... more) throws IOException {
        Path file = Files.writeString(directory.resolve("text.txt"), text);
        List<Object> args = new ArrayList<>(List.of("perplexity", "--model", TINY, "--text", file));
        args.addAll(List.of(more));
        return CommandRun.of(args.toArray());
    }

    @Test
    void linesForPeopleSayWhatWasMeasured() throws IOException {
        CommandRun run = perplexity(TEXT);
        assertThat(run.exitCode()).isZero();
        assertThat(run.text().lines()).hasSize(6).first().asString().startsWith("perplexity ").contains(" +/- ", "method windows", "context 256");
        assertThat(run.text()).contains("tokens in ", "%,d bytes".formatted(TEXT.getBytes(StandardCharsets.UTF_8).length), "nats ", "bits ");
        assertThat(run.errors()).contains("weights f32");
    }

    @ParameterizedTest
    @CsvSource({"windows, 15, 1", "llama.cpp, 7, 0"})
    void jsonHasEveryFigure(String method, int scoredOfWindow, int lineFeed) throws IOException {
        CommandRun run = perplexity(TEXT, "--json", "--method", method, "--context", 16, "--kv-type", "f32", "--lora", TINY_ADAPTER);
        assertThat(run.text()).hasLineCount(1).endsWith("}\n");
        JsonNode json = new ObjectMapper().readTree(run.text());
        assertThat(json.fieldNames()).toIterable().containsExactly("perplexity", "standard_error", "method", "context", "windows", "tokens",
                "text_tokens", "text_characters", "text_bytes", "nats_per_token", "bits_per_token", "nats_per_character", "bits_per_character",
                "nats_per_byte", "bits_per_byte", "seconds");
        assertThat(json.get("method").textValue()).isEqualTo(method);
        assertThat(json.get("context").intValue()).isEqualTo(16);
        int bytes = TEXT.getBytes(StandardCharsets.UTF_8).length - 1 + lineFeed;
        assertThat(json.get("text_bytes").intValue()).isEqualTo(bytes);
        int tokens = json.get("text_tokens").intValue();
        boolean whole = method.equals("windows");
        assertThat(json.get("windows").intValue()).isEqualTo(whole ? Math.ceilDiv(tokens, 15) : (tokens + 1) / 16);
        assertThat(json.get("tokens").intValue()).isEqualTo(whole ? tokens : (tokens + 1) / 16 * scoredOfWindow);
        double nats = json.get("nats_per_token").doubleValue();
        assertThat(json.get("perplexity").doubleValue()).isCloseTo(Math.exp(nats), within(1e-6));
        assertThat(json.get("bits_per_byte").doubleValue()).isCloseTo(nats / Math.log(2) * tokens / bytes, within(1e-9));
    }

    @Test
    void theFigureDependsNeitherOnTheThreadsNorOnTheBackend() throws IOException {
        String[] figures = new String[3];
        Object[][] options = {{"--threads", 1}, {"--threads", 2}, {"--backend", "scalar"}};
        for (int i = 0; i < figures.length; i++) {
            figures[i] = perplexity(TEXT, "--json", options[i][0], options[i][1]).text().replaceFirst(",\"seconds.*", "");
        }
        assertThat(figures).containsOnly(figures[0]);
        assertThat(figures[0]).contains("bits_per_byte");
    }

    @Test
    void standardInputIsReadAndNamed() {
        CommandRun run = CommandRun.with(TEXT, "perplexity", "--model", TINY, "--text", "-", "--json");
        assertThat(run.text()).startsWith("{\"perplexity\":");
        CommandRun empty = CommandRun.with("", "perplexity", "--model", TINY, "--text", "-");
        assertThat(empty.exitCode()).isEqualTo(1);
        assertThat(empty.problem()).contains("standard input: the text is empty");
    }

    @Test
    void textsThatAreTooShortAreNamed() throws IOException {
        assertThat(perplexity("").problem()).contains("text.txt: the text is empty");
        assertThat(perplexity("\n", "--method", "llama.cpp").problem()).contains("text.txt: the text is empty");
        CommandRun run = perplexity(TEXT, "--method", "llama.cpp");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains("text.txt: the text has ", "a context of 256 needs 512", "take a longer text or a shorter context");
    }

    @Test
    void aContextThatTheModelDoesNotHaveIsRefused() throws IOException {
        CommandRun run = perplexity(TEXT, "--context", 300);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains("windows of 300 tokens", "context of 256");
    }

    @Test
    void aMissingTextIsSaidBeforeTheModelIsLoaded() {
        CommandRun run = CommandRun.of("perplexity", "--model", TINY, "--text", directory.resolve("no.txt"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("no.txt: there is no such file");
        assertThat(run.errors()).doesNotContain("loaded");
    }
}
