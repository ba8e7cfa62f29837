package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code tokenize}: one line out for each line in, whatever is in it. */
class TokenizeCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path MODEL = DEMO.resolve("chinese-lora");
    private static final Tokenizer TOKENIZER = Tokenizer.load(MODEL.resolve("tokenizer.model"));

    @TempDir
    private Path directory;

    private static String ids(String text) {
        return ids(TOKENIZER.encode(text));
    }

    private static String ids(int[] ids) {
        return Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    private static CommandRun tokenize(String input, Object... more) {
        Object[] args = new Object[more.length + 1];
        args[0] = "tokenize";
        System.arraycopy(more, 0, args, 1, more.length);
        CommandRun run = CommandRun.with(input, args);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        return run;
    }

    private static JsonNode[] golden(String name) throws IOException {
        return Files.readAllLines(Path.of("src/test/resources/tokenizer", name + ".jsonl")).stream()
                .map(TokenizeCommandTest::parse)
                .toArray(JsonNode[]::new);
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theDemonstrationTokenizerIsTheDefaultAndIdsTheDefaultFormat() {
        String expected = ids("床前明月光") + "\n";
        assertThat(tokenize("床前明月光\n").text()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"demo-base, base", "demo-chinese, chinese-lora"})
    void goldenTextsGiveTheirIdsAndTheIdsTheirText(String golden, String model) throws IOException {
        StringBuilder texts = new StringBuilder();
        StringBuilder ids = new StringBuilder();
        StringBuilder decoded = new StringBuilder();
        for (JsonNode node : golden(golden)) {
            texts.append(JSON.writeValueAsString(JSON.createObjectNode().set("text", node.get("text")))).append('\n');
            ids.append("{\"ids\":").append(node.get("ids")).append("}\n");
            decoded.append(JSON.writeValueAsString(JSON.createObjectNode().set("text", node.get("decoded")))).append('\n');
        }
        assertThat(tokenize(texts.toString(), "--jsonl", "--model", DEMO.resolve(model)).text()).isEqualTo(ids.toString());
        CommandRun back = CommandRun.with(ids.toString(), "detokenize", "--jsonl", "--model", DEMO.resolve(model));
        assertThat(back.text()).isEqualTo(decoded.toString());
    }

    @Test
    void piecesAreThoseOfTheIds() {
        assertThat(tokenize("床前 a☃\n\n", "--pieces").text()).isEqualTo(
                Arrays.stream(TOKENIZER.encode("床前 a☃")).mapToObj(TOKENIZER::piece).collect(Collectors.joining(" ")) + "\n\n");
        assertThat(tokenize("a\n", "--pieces", "--bos", "--eos").text()).isEqualTo("<s> ▁a </s>\n");
    }

    @Test
    void bosAndEosStandAroundEveryLineOnDemand() {
        assertThat(tokenize("a\n\n", "--bos").text()).isEqualTo("1 " + ids("a") + "\n1\n");
        assertThat(tokenize("a\n\n", "--eos").text()).isEqualTo(ids("a") + " 2\n2\n");
        assertThat(tokenize("a\n", "--bos", "--eos").text()).isEqualTo("1 " + ids("a") + " 2\n");
        assertThat(tokenize("{\"text\":\"\"}\n", "--jsonl", "--bos", "--eos").text()).isEqualTo("{\"ids\":[1,2]}\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\rb", "a\r", "\r", "a\u2028b\u2029c", "a\u0085b", "a\u0000b", "\u0000", "a\u000bb\fc", "\uFEFFa", " a ", "\t"})
    void aLineEndsAtTheLineFeedOnly(String line) {
        assertThat(tokenize(line + "\n" + line).text()).isEqualTo(ids(line) + "\n" + ids(line) + "\n");
    }

    @ParameterizedTest
    @CsvSource({"'', 0", "'\n', 1", "'\n\n', 2", "'a', 1", "'a\n', 1", "'a\n\nb', 3", "'a\nb\n\n', 3"})
    void everyLineGivesOneLineAndNothingFollowsTheLastLineFeed(String input, int lines) {
        String output = tokenize(input).text();
        assertThat(output.chars().filter(c -> c == '\n')).hasSize(lines);
        assertThat(output.isEmpty() || output.endsWith("\n")).isTrue();
    }

    @Test
    void everyByteThatIsNotUtf8CountsAsOneReplacement() {
        byte[] input = {'a', (byte) 0xFF, (byte) 0xE5, (byte) 0xBA, '\n', (byte) 0xED, (byte) 0xA0, (byte) 0x80, '\n', (byte) 0xC0, (byte) 0x80, '\n'};
        String expected = ids("a\uFFFD\uFFFD\uFFFD") + "\n" + ids("\uFFFD\uFFFD\uFFFD") + "\n" + ids("\uFFFD\uFFFD") + "\n";
        assertThat(CommandRun.with(input, "tokenize").text()).isEqualTo(expected);
        byte[] json = {'{', '"', 't', 'e', 'x', 't', '"', ':', '"', (byte) 0xFF, (byte) 0xE5, '"', '}', '\n'};
        assertThat(CommandRun.with(json, "tokenize", "--jsonl").text())
                .isEqualTo("{\"ids\":[" + ids("\uFFFD\uFFFD").replace(' ', ',') + "]}\n");
    }

    @ParameterizedTest
    @CsvSource({"\\ud800, 1", "\\udc00, 1", "\\ud800a, 1", "\\ud800\\ud800, 2", "\\udc00\\ud800, 2"})
    void aLoneSurrogateIsOneReplacement(String escaped, int replacements) throws IOException {
        String text = "\uFFFD".repeat(replacements) + (escaped.endsWith("a") ? "a" : "");
        assertThat(JSON.readTree(tokenize("{\"text\":\"" + escaped + "\"}\n", "--jsonl").text()).get("ids"))
                .isEqualTo(JSON.valueToTree(TOKENIZER.encode(text)));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "{", "{}", "[]", "null", "\"text\"", "{\"text\":1}", "{\"text\":null}", "{\"texts\":\"a\"}", "{\"text\":\"a\"} x", "{\"text\":\"a\"}{}",
        "{'text':'a'}", "{\"text\":\"\\x\"}"
    })
    void badJsonNamesItsLine(String bad) {
        CommandRun run = CommandRun.with("{\"text\":\"a\"}\n" + bad + "\n{\"text\":\"b\"}\n", "tokenize", "--jsonl");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard input, line 2");
        assertThat(run.errors().lines()).hasSize(1);
        assertThat(run.text()).as("what came before is written").isEqualTo("{\"ids\":[" + ids("a").replace(' ', ',') + "]}\n");
    }

    @Test
    void aModelIsAFileADirectoryOrAGguf() throws IOException {
        Tokenizer base = Tokenizer.load(DEMO.resolve("base/tokenizer.model"));
        Path gguf = gguf(base).write(directory.resolve("tiny.gguf"));
        String text = "In the beginning 床\n";
        String expected = ids(base.encode("In the beginning 床")) + "\n";
        assertThat(tokenize(text, "--model", DEMO.resolve("base")).text()).isEqualTo(expected);
        assertThat(tokenize(text, "--model", DEMO.resolve("base/tokenizer.model")).text()).isEqualTo(expected);
        assertThat(tokenize(text, "--model", gguf).text()).isEqualTo(expected);
    }

    private static GgufBuilder gguf(Tokenizer tokenizer) {
        int size = tokenizer.vocabSize();
        String[] tokens = new String[size];
        float[] scores = new float[size];
        int[] types = new int[size];
        for (int id = 0; id < size; id++) {
            tokens[id] = tokenizer.piece(id);
            scores[id] = tokenizer.score(id);
            types[id] = switch (tokenizer.type(id)) {
                case PieceType.NORMAL -> 1;
                case PieceType.UNKNOWN -> 2;
                case PieceType.CONTROL -> 3;
                case PieceType.USER_DEFINED -> 4;
                case PieceType.UNUSED -> 5;
                case PieceType.BYTE -> 6;
            };
        }
        return new GgufBuilder()
                .put("general.architecture", "llama")
                .put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.scores", scores)
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.bos_token_id", tokenizer.bosId())
                .put("tokenizer.ggml.eos_token_id", tokenizer.eosId());
    }

    @Test
    void longLinesAndManyLinesPassQuickly() {
        String verse = "床前明月光，疑是地上霜。举头望明月，低头思故乡。";
        String longLine = verse.repeat(20_000);
        String manyLines = (verse + "\n").repeat(50_000);
        long start = System.nanoTime();
        String one = tokenize(longLine).text();
        String many = tokenize(manyLines).text();
        // Some hundred times what it takes: that a line costs a flush or a quadratic search would show.
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
        assertThat(one.split(" ")).hasSizeGreaterThan(100_000);
        assertThat(many).isEqualTo((ids(verse) + "\n").repeat(50_000));
    }

    @Test
    void outputIsNotFlushedLineByLine() throws IOException {
        int[] writes = new int[1];
        ByteArrayOutputStream collected = new ByteArrayOutputStream();
        OutputStream counting = new OutputStream() {
            @Override
            public void write(int value) {
                collected.write(value);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                writes[0]++;
                collected.write(bytes, offset, length);
            }
        };
        InputStream input = Files.newInputStream(Files.writeString(directory.resolve("in"), "a\n".repeat(100_000)));
        try (input) {
            CommandRun run = CommandRun.with(input, counting, collected, "tokenize");
            assertThat(run.text()).isEqualTo((ids("a") + "\n").repeat(100_000));
        }
        assertThat(writes[0]).isLessThan(1000);
    }

    /** A program at the other end of both pipes waits for its answer before it asks again. */
    @Test
    @Timeout(20)
    void answersComeWhenTheInputPauses() throws Exception {
        PipedInputStream input = new PipedInputStream();
        PipedInputStream answers = new PipedInputStream();
        PipedOutputStream output = new PipedOutputStream(answers);
        try (PipedOutputStream questions = new PipedOutputStream(input)) {
            CompletableFuture<CommandRun> run = CompletableFuture.supplyAsync(
                    () -> CommandRun.with(input, output, new ByteArrayOutputStream(), "tokenize"));
            for (String text : List.of("床前", "明月光")) {
                questions.write((text + "\n").getBytes(StandardCharsets.UTF_8));
                questions.flush();
                String expected = ids(text) + "\n";
                assertThat(answers.readNBytes(expected.length())).asString(StandardCharsets.UTF_8).isEqualTo(expected);
            }
            questions.close();
            assertThat(run.get(10, TimeUnit.SECONDS).exitCode()).isZero();
        }
    }

    @Test
    @Timeout(20)
    void aReaderThatIsGoneEndsTheProgram() {
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                return 'a';
            }

            @Override
            public int read(byte[] bytes, int offset, int length) {
                IntStream.range(0, length).forEach(i -> bytes[offset + i] = (byte) (i % 2 == 0 ? 'a' : '\n'));
                return length;
            }
        };
        OutputStream gone = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        CommandRun run = CommandRun.with(endless, gone, new ByteArrayOutputStream(), "tokenize");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard output cannot be written");
    }
}
