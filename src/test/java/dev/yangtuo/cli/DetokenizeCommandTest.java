package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code detokenize}: one text out for each line of ids in. */
class DetokenizeCommandTest {
    private static final Tokenizer TOKENIZER = Tokenizer.load(CommandRun.DEMO.resolve("chinese-lora/tokenizer.model"));

    private static String ids(String text) {
        return Arrays.stream(TOKENIZER.encode(text)).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    @Test
    void idsBecomeTheirText() {
        CommandRun run = CommandRun.with(ids("床前明月光") + "\n\n1 " + ids("a  b") + " 2", "detokenize");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).isEqualTo("床前明月光\n\na  b\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s\r\n", " %s \n", "\t%s\n"})
    void spaceAroundIdsIsNoMatter(String line) {
        assertThat(CommandRun.with(line.formatted(ids("春眠")), "detokenize").text()).isEqualTo("春眠\n");
    }

    @Test
    void bytesOfAnUnfinishedCharacterBecomeReplacements() {
        int first = TOKENIZER.id("<0xE5>").orElseThrow();
        assertThat(CommandRun.with(first + " " + first + "\n", "detokenize").text()).isEqualTo("\uFFFD\uFFFD\n");
    }

    @Test
    void jsonKeepsLineFeedsInTheText() {
        int lineFeed = TOKENIZER.id("<0x0A>").orElseThrow();
        CommandRun run = CommandRun.with("{\"ids\":[%d]}\n{\"ids\":[]}".formatted(lineFeed), "detokenize", "--jsonl");
        assertThat(run.text()).isEqualTo("{\"text\":\"\\n\"}\n{\"text\":\"\"}\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1 x 2 | 'x' is not a token id",
        "1.5 | '1.5'",
        "99999999999 | '99999999999'",
        "12183 | id 12183",
        "1 -1 | id -1",
        "{\"ids\":[1]} | is not a token id"
    })
    void badIdsAreNamedWithTheirLine(String line, String named) {
        CommandRun run = CommandRun.with("1\n" + line + "\n", "detokenize");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard input, line 2: ", named);
        assertThat(run.hasStackTrace()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "1 2", "{\"ids\":1}", "{\"ids\":[1.5]}", "{\"ids\":[\"1\"]}", "{\"ids\":[99999999999]}", "{\"ids\":[12183]}", "{\"ids\":[-1]}",
        "{\"ids\":[null]}", "{}", "{\"ids\":[1]}]"
    })
    void badJsonNamesItsLine(String line) {
        CommandRun run = CommandRun.with("{\"ids\":[1]}\n" + line + "\n", "detokenize", "--jsonl");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard input, line 2: ");
    }
}
