package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.EmbeddingOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code embed} writes. */
class EmbedCommandTest {
    @TempDir
    private Path directory;

    private static Object[] args(Object... more) {
        List<Object> args = new ArrayList<>(List.of("embed", "--model", TINY));
        args.addAll(List.of(more));
        return args.toArray();
    }

    private static List<float[]> words(CommandRun run) {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run.text().lines().map(line -> {
            String[] words = line.split(" ");
            float[] vector = new float[words.length];
            for (int i = 0; i < words.length; i++) {
                vector[i] = Float.parseFloat(words[i]);
            }
            return vector;
        }).toList();
    }

    private static List<float[]> json(CommandRun run) throws IOException {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        List<float[]> vectors = new ArrayList<>();
        for (String line : run.text().lines().toList()) {
            JsonNode object = new ObjectMapper().readTree(line);
            assertThat(object.fieldNames()).toIterable().containsExactly("index", "embedding");
            assertThat(object.get("index").asInt()).isEqualTo(vectors.size());
            float[] vector = new float[object.get("embedding").size()];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = object.get("embedding").get(i).floatValue();
            }
            vectors.add(vector);
        }
        return vectors;
    }

    @Test
    void everyLineGetsTheVectorOfTheLibrary() throws IOException {
        List<String> lines = IntStream.range(0, 300).mapToObj(i -> i % 50 == 7 ? "" : "明月" + i).toList();
        String text = lines.stream().collect(Collectors.joining("\n"));
        Path file = Files.writeString(directory.resolve("texts"), text);
        List<float[]> expected;
        List<float[]> last;
        try (Llama llama = Llama.load(TINY)) {
            expected = llama.embed(lines, EmbeddingOptions.defaults());
            last = llama.embed(lines, EmbeddingOptions.defaults().pooling(Pooling.LAST).normalize(false));
        }
        assertThat(words(CommandRun.of(args("--file", file)))).usingRecursiveComparison().isEqualTo(expected);
        assertThat(json(CommandRun.of(args("--file", file, "--json")))).usingRecursiveComparison().isEqualTo(expected);
        assertThat(json(CommandRun.with(text + "\n", args("-", "--json")))).as("standard input").usingRecursiveComparison().isEqualTo(expected);
        assertThat(json(CommandRun.of(args("--file", file, "--json", "--pool", "LAST", "--no-normalize")))).usingRecursiveComparison().isEqualTo(last);
    }

    @Test
    void aTextIsOneTextWithItsLineFeeds() throws IOException {
        List<float[]> vectors = json(CommandRun.of(args("--prompt", "two\nlines", "--json")));
        assertThat(vectors).hasSize(1);
        double squares = IntStream.range(0, 64).mapToDouble(i -> (double) vectors.getFirst()[i] * vectors.getFirst()[i]).sum();
        assertThat(squares).isCloseTo(1, within(1e-5));
        try (Llama llama = Llama.load(TINY)) {
            assertThat(Arrays.equals(vectors.getFirst(), llama.embed(List.of("two\nlines"), EmbeddingOptions.defaults()).getFirst())).isTrue();
        }
    }

    @Test
    void aLineLongerThanTheContextIsNamed() throws IOException {
        Path file = Files.writeString(directory.resolve("texts"), "a\nb\n" + "山 ".repeat(30) + "\n");
        CommandRun run = CommandRun.of(args("--file", file, "--context", "10"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains(file + ", line 3: has ", "the context takes 10", "--context");
        CommandRun text = CommandRun.of(args("--prompt", "山 ".repeat(30), "--context", "10"));
        assertThat(text.exitCode()).isEqualTo(1);
        assertThat(text.problem()).contains("text 1 has ", "context takes 10");
        assertThat(text.output()).isEmpty();
    }

    @Test
    void anEmptyFileGivesNothing() throws IOException {
        CommandRun run = CommandRun.of(args("--file", Files.createFile(directory.resolve("empty"))));
        assertThat(run.exitCode()).isZero();
        assertThat(run.output()).isEmpty();
    }
}
