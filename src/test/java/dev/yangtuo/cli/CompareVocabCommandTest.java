package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.tokenizer.TokenStatistics;
import dev.yangtuo.tokenizer.Tokenizer;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareVocabCommandTest {
    private static final Path BASE = DEMO.resolve("base");
    private static final Path CHINESE = DEMO.resolve("chinese-lora");
    private static final Path POEMS = DEMO.resolve("text/poems.txt");

    @TempDir
    private Path directory;

    private static CommandRun compare(Object... more) {
        CommandRun run = CommandRun.of(Stream.concat(Stream.of("compare-vocab"), Stream.of(more)).toArray());
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run;
    }

    private static JsonNode json(Object... more) throws IOException {
        return new ObjectMapper().readTree(compare(Stream.concat(Stream.of(more), Stream.of("--json")).toArray()).text());
    }

    @Test
    void theEnglishVocabularyIsComparedWithTheChineseOne() throws IOException {
        JsonNode result = json("--text", POEMS, "--model", BASE, "--model", BASE, "--lora", CHINESE, "--characters", 60, "--generate", 8, "--repeats", 2);
        String text = Files.readString(POEMS);
        assertThat(result.get("characters").asInt()).isEqualTo(text.codePointCount(0, text.length()));
        assertThat(result.get("timed_characters").asInt()).isEqualTo(60);
        JsonNode english = result.get("models").get(0);
        JsonNode chinese = result.get("models").get(1);
        assertThat(english.get("name").asText()).isEqualTo("base");
        assertThat(chinese.get("name").asText()).isEqualTo("base + chinese-lora");
        assertThat(chinese.get("adapters").get(0).asText()).isEqualTo(CHINESE.toString());
        TokenStatistics statistics = TokenStatistics.of(Tokenizer.load(CHINESE.resolve("tokenizer.model")), text);
        assertThat(chinese.get("tokens").asLong()).isEqualTo(statistics.tokens());
        assertThat(chinese.get("characters_per_token").asDouble()).isEqualTo(statistics.charactersPerToken());
        assertThat(chinese.get("tokens_per_1000_characters").asDouble()).isEqualTo(1000.0 * statistics.tokens() / statistics.characters());
        assertThat(chinese.get("byte_token_share").asDouble()).isEqualTo(statistics.byteTokenShare());
        // keys and values of 6 layers with 4 heads of 32 elements of 2 bytes
        assertThat(chinese.get("kv_bytes_per_token").asInt()).isEqualTo(2 * 6 * 4 * 32 * 2);
        assertThat(chinese.get("kv_bytes_per_1000_characters").asDouble()).isEqualTo(3072 * chinese.get("tokens_per_1000_characters").asDouble());
        assertThat(chinese.get("context").asInt()).isEqualTo(512);
        assertThat(chinese.get("characters_in_context").asDouble()).isEqualTo(Math.floor(511 * statistics.charactersPerToken()));
        for (String kind : List.of("prefill", "generation")) {
            JsonNode times = chinese.get(kind);
            assertThat(times.get("runs")).hasSize(2).allMatch(seconds -> seconds.asDouble() > 0);
            double median = (times.get("runs").get(0).asDouble() + times.get("runs").get(1).asDouble()) / 2;
            assertThat(times.get("seconds_per_1000_characters").asDouble()).isEqualTo(median);
            assertThat(times.get("tokens_per_second").asDouble()).isEqualTo(chinese.get("tokens_per_1000_characters").asDouble() / median);
            assertThat(chinese.get("ratio_to_first").get(kind).asDouble()).isEqualTo(median / english.get(kind).get("seconds_per_1000_characters").asDouble());
        }
        double ratio = chinese.get("tokens").asDouble() / english.get("tokens").asDouble();
        assertThat(ratio).as("a third of the tokens").isBetween(0.3, 0.4);
        assertThat(chinese.get("ratio_to_first").get("tokens").asDouble()).isEqualTo(ratio, within(1e-12));
        assertThat(english.get("ratio_to_first").get("kv_bytes").asDouble()).isEqualTo(1);
    }

    @Test
    void eachModelHasTheAdaptersBehindIt() throws IOException {
        Path text = Files.writeString(directory.resolve("t.txt"), "In the beginning was the word");
        JsonNode result = json("--text", text, "--model", TINY, "--model", TINY, "--lora", TINY_ADAPTER, "--lora", TINY_ADAPTER + ":0.5", "--tokenizer", CHINESE,
                "--model", TINY, "--lora", TINY_ADAPTER, "--model", TINY, "--generate", 0, "--repeats", 1, "--context", 8);
        List<String> names = new ArrayList<>();
        result.get("models").forEach(model -> names.add(model.get("name").asText()));
        assertThat(names).containsExactly("base", "base + plain + plain", "base + plain", "base (2)", "chinese-lora");
        assertThat(result.get("models").get(1).get("adapters")).hasSize(2);
        assertThat(result.get("models").get(3).get("adapters")).isEmpty();
        assertThat(result.get("models").get(0).get("context").asInt()).isEqualTo(8);
        assertThat(result.get("models").get(0).has("generation")).isFalse();
        JsonNode vocabulary = result.get("models").get(4);
        assertThat(vocabulary.has("prefill")).isFalse();
        assertThat(vocabulary.has("context")).isFalse();
        assertThat(vocabulary.get("ratio_to_first").get("prefill").isNull()).isTrue();
        assertThat(vocabulary.get("ratio_to_first").get("tokens").asDouble()).isPositive();
    }

    @Test
    void vocabulariesAreComparedWithoutAModel() throws IOException {
        Path text = Files.writeString(directory.resolve("t.txt"), "床前明月光\n");
        CommandRun run = compare("--text", text, "--tokenizer", BASE, "--tokenizer", CHINESE.resolve("tokenizer.model"));
        assertThat(run.errors()).isEmpty();
        assertThat(run.text()).isEqualTo("""
                %s: 6 characters, 16 bytes

                                                   base  chinese-lora  ratio
                  vocabulary                      3,000        12,183  4.061
                  tokens                             17             6  0.353
                  tokens per 1,000 characters   2,833.3       1,000.0
                  characters per token            0.353         1.000  2.833
                  tokens that are single bytes   94.1 %%        16.7 %%
                """.formatted(text));
    }

    @Test
    void aTableInMarkdown() throws IOException {
        Path text = Files.writeString(directory.resolve("t|1.txt"), "床前明月光");
        assertThat(compare("--text", text, "--tokenizer", BASE, "--tokenizer", CHINESE, "--markdown").text().lines())
                .contains("|  | base | chinese-lora | ratio |", "| --- | ---: | ---: | ---: |", "| vocabulary | 3,000 | 12,183 | 4.061 |");
    }

    @Test
    void theChartIsAPicture() throws IOException {
        Path picture = directory.resolve("chart.png");
        compare("--text", POEMS, "--tokenizer", BASE, "--tokenizer", CHINESE, "--chart", picture);
        BufferedImage image = ImageIO.read(picture.toFile());
        assertThat(image.getWidth()).isEqualTo(1400);
        int first = 0;
        int second = 0;
        for (int y = 0; y < 600; y++) { // above the legend
            for (int x = 0; x < image.getWidth(); x++) {
                int color = image.getRGB(x, y) & 0xFFFFFF;
                first += color == 0x0072B2 ? 1 : 0;
                second += color == 0xE69F00 ? 1 : 0;
            }
        }
        assertThat((double) second / first).as("a third of the height, but for the numbers on the bars").isBetween(0.25, 0.4);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(picture);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--model a | --text",
        "--text pom.xml | nothing to compare",
        "--text pom.xml --lora a | --model",
        "--text pom.xml --tokenizer a --characters -1 | --characters is -1",
        "--text pom.xml --tokenizer a --generate -1 | --generate is -1",
        "--text pom.xml --tokenizer a --repeats 0 | --repeats is 0",
        "--text pom.xml --tokenizer a --context 1 | --context is 1",
        "--text pom.xml --tokenizer a --chart a.jpg | must end in .png",
        "--text pom.xml --tokenizer a --json --markdown | mutually exclusive",
        "--text pom.xml --tokenizer a --threads 0 | --threads is 0"
    })
    void wrongUsageIsNamed(String commandLine, String named) {
        CommandRun run = CommandRun.of((Object[]) ("compare-vocab " + commandLine).split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains(named);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--text /no/such --tokenizer examples/demo-model/base | /no/such: there is no such file",
        "--text src --tokenizer examples/demo-model/base | src: is a directory",
        "--text /dev/null --tokenizer examples/demo-model/base | /dev/null: is empty",
        "--text pom.xml --tokenizer /no/such | /no/such: there is no such file",
        "--text pom.xml --model /no/such | /no/such: there is no such file"
    })
    void filesThatDoNotServeAreNamed(String commandLine, String named) {
        CommandRun run = CommandRun.of((Object[]) ("compare-vocab " + commandLine).split(" "));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(named);
    }

    @Test
    void helpHasAnExample() {
        assertThat(compare("--help").text()).contains("yangtuo compare-vocab --text text.txt --model llama --model llama --lora");
    }
}
