package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code tokenize} and {@code detokenize} beyond ids of lines: places, n-best, sampling, special tokens, whole files. */
class TokenizeOptionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Tokenizer TOKENIZER = Tokenizer.load(DEMO.resolve("chinese-lora/tokenizer.model"));
    private static final Path UNIGRAM = Path.of("src/test/resources/tokenizer/models/unigram-nfkc-cf.model");

    @TempDir
    private Path directory;

    private static String ids(int[] ids) {
        return Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    private static String run(String input, Object... args) {
        CommandRun run = CommandRun.with(input, args);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run.text();
    }

    @Test
    void placesOfTokens() throws IOException {
        JsonNode object = JSON.readTree(run("{\"text\":\"你😀\"}\n", "tokenize", "--jsonl", "--offsets", "--bos"));
        assertThat(object.get("pieces").get(0).textValue()).isEqualTo("<s>");
        assertThat(object.get("ids").size()).isEqualTo(object.get("chars").size()).isEqualTo(object.get("bytes").size());
        JsonNode last = object.get("chars").get(object.get("chars").size() - 1);
        assertThat(last.get(1).intValue()).isEqualTo(3);
        assertThat(object.get("bytes").get(object.get("bytes").size() - 1).get(1).intValue()).isEqualTo(7);
    }

    @Test
    void reversedAndSpecialTokens() {
        int[] special = TOKENIZER.encode("你</s>好", new EncodeOptions(true, false, true, true));
        assertThat(run("你</s>好\n", "tokenize", "--special", "--reverse", "--bos")).isEqualTo(ids(special) + "\n");
        assertThat(run("你</s>好\n", "tokenize", "--special", "--pieces")).contains("</s>");
        assertThat(run("你</s>好\n", "tokenize", "--pieces")).doesNotContain("</s>");
    }

    @Test
    void jsonHasALineForEachLine() throws IOException {
        String text = "你😀 </s>\n\nOnce\n";
        List<String> ids = run(text, "tokenize", "--json").lines().toList();
        assertThat(ids).hasSize(3).first().isEqualTo("{\"ids\":[" + ids(TOKENIZER.encode("你😀 </s>")).replace(' ', ',') + "]}");
        assertThat(run(text, "tokenize", "--json", "--pieces").lines().map(line -> pieces(line)).toList())
                .isEqualTo(run(text, "tokenize", "--pieces").lines().map(line -> line.strip()).toList());
        assertThat(JSON.readTree(run("你😀\n", "tokenize", "--json", "--offsets")))
                .isEqualTo(JSON.readTree(run("{\"text\":\"你😀\"}\n", "tokenize", "--jsonl", "--offsets")));
        assertThat(run(String.join("\n", ids), "detokenize", "--jsonl")).isEqualTo("{\"text\":\"你😀 </s>\"}\n{\"text\":\"\"}\n{\"text\":\"Once\"}\n");
        assertThat(run("▁春 眠\n", "detokenize", "--pieces", "--json")).isEqualTo("{\"text\":\"春眠\"}\n");
    }

    private static String pieces(String line) {
        try {
            List<String> pieces = new ArrayList<>();
            JSON.readTree(line).get("pieces").forEach(piece -> pieces.add(piece.textValue()));
            return String.join(" ", pieces);
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    @Test
    void theNBestOfAUnigramModel() throws IOException {
        JsonNode best = JSON.readTree(run("{\"text\":\"the sun\"}\n", "tokenize", "--model", UNIGRAM, "--jsonl", "--nbest", 3)).get("nbest");
        assertThat(best).hasSize(3);
        assertThat(best.get(0).get("score").doubleValue()).isGreaterThan(best.get(1).get("score").doubleValue());
        assertThat(JSON.convertValue(best.get(0).get("ids"), int[].class)).containsExactly(Tokenizer.load(UNIGRAM).encode("the sun"));
        CommandRun bpe = CommandRun.with("{\"text\":\"the sun\"}\n", "tokenize", "--jsonl", "--nbest", 3);
        assertThat(bpe.exitCode()).isEqualTo(1);
        assertThat(bpe.problem()).contains("standard input, line 1", "unigram");
    }

    @Test
    void samplesDependOnTheSeedAlone() {
        String first = run("Once upon a time\n".repeat(5), "tokenize", "--sample", 0.5, "--seed", 7);
        assertThat(run("Once upon a time\n".repeat(5), "tokenize", "--sample", 0.5, "--seed", 7)).isEqualTo(first);
        assertThat(first.lines().distinct().count()).isGreaterThan(1);
        assertThat(run(first, "detokenize")).isEqualTo("Once upon a time\n".repeat(5));
        assertThat(run("春眠\n", "tokenize", "--sample", 0, "--bos", "--eos")).isEqualTo(
                ids(TOKENIZER.encode("春眠", EncodeOptions.BOS.withEos(true))) + "\n");
        assertThat(run("春眠\n", "tokenize", "--sample", 1, "--pieces")).isEqualTo("▁ 春 眠\n");
    }

    @Test
    void piecesBecomeTheirText() {
        String pieces = run("Once upon 春眠😀\n", "tokenize", "--pieces");
        assertThat(run(pieces, "detokenize", "--pieces")).isEqualTo("Once upon 春眠😀\n");
        assertThat(run("{\"pieces\":[\"▁春\",\"眠\"]}\n", "detokenize", "--jsonl")).isEqualTo("{\"text\":\"春眠\"}\n");
        CommandRun bad = CommandRun.with("{\"pieces\":[1]}\n", "detokenize", "--jsonl");
        assertThat(bad.problem()).contains("line 1", "list of strings");
    }

    @Test
    void aWholeFileIsOneText() throws IOException {
        String text = "床前明月光，\n疑是地上霜。\nOnce upon a time 🦙\n".repeat(20_000);
        Path input = Files.writeString(directory.resolve("text.txt"), text);
        int[] expected = TOKENIZER.encode(text, EncodeOptions.BOS.withEos(true));
        Path output = directory.resolve("ids");

        assertThat(CommandRun.of("tokenize", "--input", input, "--output", input).problem()).contains("text.txt: is read, and would be replaced");
        assertThat(input).hasContent(text);

        CommandRun plain = CommandRun.of("tokenize", "--input", input, "--output", output, "--bos", "--eos");
        assertThat(plain.exitCode()).as(plain.errors()).isZero();
        assertThat(plain.text()).isEmpty();
        assertThat(plain.errors()).contains("%,d ids".formatted(expected.length));
        assertThat(Files.readString(output)).isEqualTo(ids(expected) + "\n");

        JsonNode report = JSON.readTree(run("", "tokenize", "--input", input, "--output", output, "--bos", "--eos", "--json"));
        assertThat(report).isEqualTo(JSON.readTree("{\"output\":\"%s\",\"ids\":%d,\"text_bytes\":%d}".formatted(output, expected.length, Files.size(input))));

        CommandRun.of("tokenize", "--input", input, "--output", output, "--bos", "--eos", "--id-type", "u32");
        ByteBuffer u32 = ByteBuffer.wrap(Files.readAllBytes(output)).order(ByteOrder.LITTLE_ENDIAN);
        int[] integers = new int[u32.remaining() / 4];
        u32.asIntBuffer().get(integers);
        assertThat(integers).isEqualTo(expected);

        CommandRun.with(Files.readAllBytes(input), "tokenize", "--input", "-", "--output", output, "--bos", "--eos", "--id-type", "u16");
        ByteBuffer u16 = ByteBuffer.wrap(Files.readAllBytes(output)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(u16.remaining()).isEqualTo(2 * expected.length);
        for (int id : expected) {
            assertThat(u16.getShort() & 0xFFFF).isEqualTo(id);
        }
    }

    @Test
    void theTextOfAFileMayBeInvalidUtf8() throws IOException {
        byte[] broken = "a中b".getBytes(StandardCharsets.UTF_8);
        broken[2] = (byte) 0xFF;
        Path input = Files.write(directory.resolve("text.txt"), broken);
        CommandRun.of("tokenize", "--input", input, "--output", directory.resolve("ids"));
        assertThat(Files.readString(directory.resolve("ids"))).isEqualTo(ids(TOKENIZER.encode(broken, EncodeOptions.PLAIN)) + "\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--offsets | --offsets is for --json and --jsonl",
        "--json --pieces --offsets | --offsets is for --json and --jsonl; add one of them, without --pieces",
        "--nbest 2 | --nbest is for --json and --jsonl",
        "--stats --json --nbest 2 | --nbest is for --json",
        "--jsonl --nbest 2 --offsets | --nbest goes with --json or --jsonl alone",
        "--seed 1 | --seed is for --sample",
        "--sample 0.1 --reverse | --sample goes with",
        "--input x | --input is given without --output",
        "--output x | --output is given without --input",
        "--id-type u16 | --id-type is for --input",
        "--input x --output y --pieces | only --bos and --eos go with them",
        "--input x --output y --id-type u8 | u8",
        "--sample abc | abc"
    })
    void combinationsThatMeanNothingAreWrongUsage(String options, String problem) {
        CommandRun run = CommandRun.of((Object[]) ("tokenize " + options).split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains(problem);
    }

    @Test
    void filesThatCannotBeReadOrWrittenAreNamed() throws IOException {
        CommandRun missing = CommandRun.of("tokenize", "--input", directory.resolve("none"), "--output", directory.resolve("ids"));
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.problem()).contains("none: there is no such file");
        assertThat(directory).isEmptyDirectory();
        Path input = Files.writeString(directory.resolve("text.txt"), "a");
        CommandRun unwritable = CommandRun.of("tokenize", "--input", input, "--output", directory.resolve("no/such/ids"));
        assertThat(unwritable.problem()).contains("there is no directory");
        CommandRun sample = CommandRun.with("a\n", "tokenize", "--sample", 2);
        assertThat(sample.exitCode()).isEqualTo(1);
        assertThat(sample.problem()).contains("line 1", "from 0 to 1");
    }
}
