package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What {@code score} writes, and {@code generate --logprobs}. */
class ScoreCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void everyContinuationHasItsLine() throws IOException {
        List<String> continuations = List.of(" was the word", " was\nnot");
        List<Score> expected;
        try (Llama llama = Llama.load(TINY)) {
            expected = llama.score("In the beginning", continuations);
        }
        Object[] args = {"score", "--model", TINY, "--prompt", "In the beginning", "--continuation", continuations.get(0), "--continuation", continuations.get(1)};
        CommandRun text = CommandRun.of(args);
        assertThat(text.exitCode()).as(text.errors()).isZero();
        assertThat(text.text()).isEqualTo(String.format(Locale.ROOT, "%.4f\t%.4f\t was the word\n%.4f\t%.4f\t was\\nnot\n",
                expected.get(0).sum(), expected.get(0).perToken(), expected.get(1).sum(), expected.get(1).perToken()));
        Object[] jsonArgs = new Object[args.length + 1];
        System.arraycopy(args, 0, jsonArgs, 0, args.length);
        jsonArgs[args.length] = "--json";
        List<String> lines = CommandRun.of(jsonArgs).text().lines().toList();
        assertThat(lines).hasSize(2);
        for (int i = 0; i < 2; i++) {
            JsonNode object = JSON.readTree(lines.get(i));
            assertThat(object.fieldNames()).toIterable().containsExactly("continuation", "log_probability", "per_token", "greedy", "tokens");
            assertThat(object.get("continuation").asText()).isEqualTo(continuations.get(i));
            assertThat(object.get("log_probability").asDouble()).isEqualTo(expected.get(i).sum());
            assertThat(object.get("per_token").asDouble()).isEqualTo(expected.get(i).perToken());
            assertThat(object.get("greedy").asBoolean()).isEqualTo(expected.get(i).isGreedy());
            assertThat(object.get("tokens")).hasSameSizeAs(expected.get(i).tokens());
            JsonNode token = object.get("tokens").get(0);
            assertThat(token.fieldNames()).toIterable().containsExactly("id", "piece", "log_probability", "greedy");
            assertThat(token.get("id").asInt()).isEqualTo(expected.get(i).tokens().getFirst().id());
            assertThat(token.get("piece").asText()).isEqualTo(expected.get(i).tokens().getFirst().piece());
            assertThat(token.get("log_probability").asDouble()).isEqualTo(expected.get(i).tokens().getFirst().logProbability());
        }
    }

    @Test
    void whatCannotBeScoredIsSaid() {
        CommandRun empty = CommandRun.of("score", "--model", TINY, "--prompt", "a", "--continuation", "");
        assertThat(empty.exitCode()).isEqualTo(1);
        assertThat(empty.problem()).contains("continuation 1 has no tokens");
        CommandRun tooLong = CommandRun.of("score", "--model", TINY, "--context", "8", "--prompt", "a", "--continuation", "山 ".repeat(20));
        assertThat(tooLong.exitCode()).isEqualTo(1);
        assertThat(tooLong.problem()).contains("the prompt with continuation 1 has ", "context takes 8", "larger context");
        assertThat(tooLong.output()).isEmpty();
    }

    @Test
    void generatedTokensHaveTheirLogProbabilities() throws IOException {
        CommandRun run = CommandRun.of("generate", "--model", TINY, "--greedy", "--max-tokens", "5", "--prompt", "x", "--json", "--logprobs", "2");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        JsonNode result = JSON.readTree(run.text());
        assertThat(result.get("logprobs")).hasSameSizeAs(result.get("ids"));
        for (int i = 0; i < result.get("ids").size(); i++) {
            JsonNode token = result.get("logprobs").get(i);
            assertThat(token.fieldNames()).toIterable().containsExactly("id", "piece", "log_probability", "best");
            assertThat(token.get("id")).isEqualTo(result.get("ids").get(i));
            assertThat(token.get("best")).hasSize(2);
            JsonNode best = token.get("best").get(0);
            assertThat(best.get("id")).as("greedy").isEqualTo(token.get("id"));
            assertThat(best.get("log_probability")).isEqualTo(token.get("log_probability"));
            assertThat(token.get("best").get(1).get("log_probability").asDouble()).isLessThanOrEqualTo(best.get("log_probability").asDouble());
        }
    }
}
