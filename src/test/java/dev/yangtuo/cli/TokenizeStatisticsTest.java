package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ChildJvm;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code tokenize --stats}: tables and JSON; the picture is {@link StatisticsChartTest}'s. */
class TokenizeStatisticsTest {
    private static final Path BASE = DEMO.resolve("base");
    private static final Path CHINESE = DEMO.resolve("chinese-lora");
    private static final Path POEMS = DEMO.resolve("text/poems.txt");
    private static final Path ENGLISH = DEMO.resolve("text/english.txt");

    @TempDir
    private Path directory;

    private static CommandRun stats(byte[] input, Object... more) {
        CommandRun run = CommandRun.with(input, Stream.concat(Stream.of("tokenize", "--stats"), Stream.of(more)).toArray());
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        return run;
    }

    private static CommandRun stats(String input, Object... more) {
        return stats(input.getBytes(StandardCharsets.UTF_8), more);
    }

    private static JsonNode json(CommandRun run) throws IOException {
        assertThat(run.text()).endsWith("}\n");
        assertThat(run.text().lines()).hasSize(1);
        return new ObjectMapper().readTree(run.text());
    }

    /** How the base model writes 床: a space and three bytes; the Chinese one has a piece. */
    private static final String VERSE = "床床\n\na\n";

    @Test
    void oneModelIsARowOfATable() {
        assertThat(stats(VERSE).text()).isEqualTo("""
                standard input: 3 lines, 3 characters, 7 bytes
                  model         tokens  characters/token  bytes/token  byte tokens  unknown
                  chinese-lora       4             0.750        1.750        0.0 %        0
                """);
    }

    @Test
    void severalModelsAreComparedWithTheFirst() {
        assertThat(stats(VERSE, "--model", CHINESE, "--model", BASE.resolve("tokenizer.model")).text()).isEqualTo("""
                standard input: 3 lines, 3 characters, 7 bytes
                  model         tokens  ratio  characters/token  bytes/token  byte tokens  unknown
                  chinese-lora       4  1.000             0.750        1.750        0.0 %        0
                  base               8  2.000             0.375        0.875       75.0 %        0
                """);
    }

    @Test
    void everyFileHasATableAndAllHaveOneTogether() throws IOException {
        Path first = Files.writeString(directory.resolve("first"), "床");
        Path second = Files.writeString(directory.resolve("second.txt"), "a\n".repeat(1000));
        assertThat(stats("床床\n", "--model", BASE, first, "-", second).text()).isEqualTo("""
                %s: 1 line, 1 character, 3 bytes
                  model  tokens  characters/token  bytes/token  byte tokens  unknown
                  base        4             0.250        0.750       75.0 %%        0

                standard input: 1 line, 2 characters, 6 bytes
                  model  tokens  characters/token  bytes/token  byte tokens  unknown
                  base        7             0.286        0.857       85.7 %%        0

                %s: 1,000 lines, 1,000 characters, 1,000 bytes
                  model  tokens  characters/token  bytes/token  byte tokens  unknown
                  base    1,000             1.000        1.000        0.0 %%        0

                total of 3 texts: 1,002 lines, 1,003 characters, 1,009 bytes
                  model  tokens  characters/token  bytes/token  byte tokens  unknown
                  base    1,011             0.992        0.998        0.9 %%        0
                """.formatted(first, second));
    }

    @Test
    void columnsStandBelowEachOtherWhereNamesAreChinese() throws IOException {
        Path model = Files.createDirectory(directory.resolve("羊驼e\u0301"));
        Files.copy(BASE.resolve("tokenizer.model"), model.resolve("tokenizer.model"));
        assertThat(stats("a\n", "--model", model, "--model", CHINESE).text()).isEqualTo("""
                standard input: 1 line, 1 character, 1 byte
                  model         tokens  ratio  characters/token  bytes/token  byte tokens  unknown
                  羊驼e\u0301              1  1.000             1.000        1.000        0.0 %        0
                  chinese-lora       1  1.000             1.000        1.000        0.0 %        0
                """);
    }

    @Test
    void anEmptyInputHasCountsButNoRates() throws IOException {
        assertThat(stats("", "--model", BASE, "--model", CHINESE).text()).isEqualTo("""
                standard input: 0 lines, 0 characters, 0 bytes
                  model         tokens  ratio  characters/token  bytes/token  byte tokens  unknown
                  base               0      -                 -            -            -        0
                  chinese-lora       0      -                 -            -            -        0
                """);
        JsonNode model = json(stats("", "--json")).at("/total/by_model/0");
        for (String rate : new String[] {"ratio_to_first", "characters_per_token", "bytes_per_token", "byte_token_share"}) {
            assertThat(model.get(rate).isNull()).as(rate).isTrue();
        }
        assertThat(model.get("tokens").isIntegralNumber()).isTrue();
    }

    @Test
    void jsonHasTheDocumentedKeysAndNumbers() throws IOException {
        Path file = Files.writeString(directory.resolve("a.txt"), VERSE);
        Tokenizer base = Tokenizer.load(BASE.resolve("tokenizer.model"));
        Tokenizer chinese = Tokenizer.load(CHINESE.resolve("tokenizer.model"));
        String text = """
                "lines":3,"characters":3,"bytes":7,"invalid_bytes":0,"by_model":[
                {"name":"base","tokens":8,"ratio_to_first":1.0,"characters_per_token":0.375,"bytes_per_token":0.875,
                "byte_tokens":6,"byte_token_share":0.75,"unknown_tokens":0},
                {"name":"chinese-lora","tokens":4,"ratio_to_first":0.5,"characters_per_token":0.75,"bytes_per_token":1.75,
                "byte_tokens":0,"byte_token_share":0.0,"unknown_tokens":0}]""";
        assertThat(json(stats("", "--json", "--model", BASE, "--model", CHINESE, file))).isEqualTo(new ObjectMapper().readTree("""
                {"models":[{"name":"base","path":"%s","vocab_size":%d},{"name":"chinese-lora","path":"%s","vocab_size":%d}],
                "files":[{"file":"%s",%s}],"total":{%s}}
                """.formatted(BASE, base.vocabSize(), CHINESE, chinese.vocabSize(), file, text, text)));
    }

    @Test
    void jsonOfSeveralFilesKeepsTheirOrderAndAddsThemUp() throws IOException {
        JsonNode report = json(stats(Files.readAllBytes(ENGLISH), "--json", "--model", BASE, POEMS, "-"));
        assertThat(report.at("/files")).hasSize(2);
        assertThat(report.at("/files/0/file").textValue()).isEqualTo(POEMS.toString());
        assertThat(report.at("/files/1/file").textValue()).isEqualTo("-");
        for (String key : new String[] {"/lines", "/characters", "/bytes", "/by_model/0/tokens", "/by_model/0/byte_tokens"}) {
            assertThat(report.at("/total" + key).longValue())
                    .as(key)
                    .isEqualTo(report.at("/files/0" + key).longValue() + report.at("/files/1" + key).longValue())
                    .isPositive();
        }
    }

    @Test
    void countsAreThoseOfTheTokenizerLineByLine() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(CHINESE.resolve("tokenizer.model"));
        long tokens = Files.readAllLines(POEMS).stream().mapToLong(line -> tokenizer.encode(line).length).sum();
        String poems = Files.readString(POEMS);
        long lineFeeds = poems.chars().filter(c -> c == '\n').count();
        JsonNode file = json(stats("", "--json", "--model", CHINESE, POEMS)).at("/files/0");
        assertThat(file.at("/by_model/0/tokens").longValue()).isEqualTo(tokens);
        assertThat(file.at("/characters").longValue()).isEqualTo(poems.codePointCount(0, poems.length()) - lineFeeds);
        assertThat(file.at("/bytes").longValue()).isEqualTo(Files.size(POEMS) - lineFeeds);
    }

    @Test
    void whatIsNotUtf8IsCountedAndSaid() throws IOException {
        byte[] input = {'a', (byte) 0xFF, (byte) 0xE5, '\n', (byte) 0xC0, '\n'};
        assertThat(stats(input).text()).startsWith("standard input: 2 lines, 4 characters, 4 bytes, 3 of them not UTF-8\n");
        assertThat(json(stats(input, "--json")).at("/files/0/invalid_bytes").longValue()).isEqualTo(3);
        int ids = CommandRun.with(input, "tokenize").text().strip().split("\\s+").length;
        assertThat(json(stats(input, "--json")).at("/files/0/by_model/0/tokens").intValue()).isEqualTo(ids);
    }

    @Test
    void bosAndEosAreCountedOnDemand() throws IOException {
        assertThat(json(stats(VERSE, "--json", "--bos", "--eos")).at("/total/by_model/0/tokens").intValue()).isEqualTo(4 + 3 * 2);
    }

    @Test
    void aFileMayBeNamedTwice() throws IOException {
        JsonNode report = json(stats("", "--json", ENGLISH, ENGLISH));
        assertThat(report.at("/total/lines").longValue()).isEqualTo(2 * report.at("/files/0/lines").longValue());
    }

    @Test
    void aModelNamedTwiceIsNumbered() throws IOException {
        JsonNode models = json(stats("a", "--json", "--model", BASE, "--model", BASE)).get("models");
        assertThat(models.findValuesAsText("name")).containsExactly("base", "base (2)");
    }

    /** The file is larger than the memory that there is for it. */
    @Test
    void aFileIsNotReadWhole() throws Exception {
        Path file = directory.resolve("large.txt");
        byte[] lines = "床前明月光，疑是地上霜。\n".repeat(10_000).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < 60; i++) {
                out.write(lines);
            }
        }
        ChildJvm.Outcome outcome = ChildJvm.run(
                60, Map.of(), List.of("-Xmx20m"), Main.class, "tokenize", "--stats", "--model", CHINESE.toString(), file.toString());
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        assertThat(Files.size(file)).isGreaterThan(20 << 20);
        assertThat(outcome.output()).contains("600,000 lines, 7,200,000 characters");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--stats --pieces | mutually exclusive",
        "--stats --jsonl | mutually exclusive",
        "--plot x.png | --plot is for --stats",
        "- | '-'",
        "text.txt | tokenize < FILE",
        "--stats - - | '-' is named more than once",
        "--stats --plot x.jpg | --plot x.jpg: the name must end in .png",
        "--stats --plot png | must end in .png",
        "--stats --plot | --plot",
        "--model a --model b | --model is given 2 times"
    })
    void wrongUsageIsNamedInOneLine(String commandLine, String named) {
        CommandRun run = CommandRun.of(Stream.concat(Stream.of("tokenize"), Stream.of(commandLine.split(" "))).toArray());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(named);
        assertThat(run.errors().lines().count()).as(run.errors()).isLessThanOrEqualTo(2);
    }

    @Test
    void detokenizeTakesOneModelStill() {
        CommandRun run = CommandRun.of("detokenize", "--model", BASE, "--model", CHINESE);
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains("--model is given 2 times, expected once");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFileThatCannotBeReadIsNamedBeforeAnythingIsRead(boolean plotted) {
        Path picture = directory.resolve("chart.png");
        Object[] plot = plotted ? new Object[] {"--plot", picture} : new Object[0];
        for (String[] bad : new String[][] {
            {"/no/such", "/no/such: there is no such file"}, {DEMO.toString(), DEMO + ": is a directory; name the files in it"}
        }) {
            InputStream untouched = new InputStream() {
                @Override
                public int read() {
                    throw new AssertionError("standard input was read");
                }
            };
            ByteArrayOutputStream output = new ByteArrayOutputStream();
            CommandRun run = CommandRun.with(untouched, output, output, Stream.of(
                    Stream.of("tokenize", "--stats"), Stream.of(plot), Stream.of("-", POEMS, bad[0])).flatMap(words -> words).toArray());
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.output()).isEmpty();
            assertThat(run.problem()).endsWith(bad[1]);
            assertThat(run.errors().lines()).hasSize(1);
            assertThat(picture).doesNotExist();
        }
    }

    @Test
    void aModelThatCannotBeReadIsNamed() {
        CommandRun run = CommandRun.of("tokenize", "--stats", "--model", BASE, "--model", "/no/such", POEMS);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("/no/such");
        assertThat(run.output()).isEmpty();
    }

    @Test
    void manyFilesAreCountedQuickly() throws IOException {
        Object[] files = IntStream.range(0, 300).mapToObj(i -> directory.resolve("file" + i)).toArray();
        for (Object file : files) {
            Files.writeString((Path) file, "床\n");
        }
        JsonNode report = json(stats("", Stream.concat(Stream.of("--json"), Stream.of(files)).toArray()));
        assertThat(report.get("files")).hasSize(300);
        assertThat(report.at("/total/lines").intValue()).isEqualTo(300);
    }
}
