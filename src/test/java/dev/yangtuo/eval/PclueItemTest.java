package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lines of pCLUE's files. */
class PclueItemTest {
    private static PclueItem parse(String line) {
        return PclueItem.parse(line, "f, line 3");
    }

    @Test
    void aLineIsATask() {
        assertThat(parse("{\"input\":\"问，\\n答案：\",\"target\":\"甲\",\"answer_choices\":[\"甲\",\"乙\"],\"type\":\"anaphora_resolution\"}"))
                .isEqualTo(new PclueItem("f, line 3", "问，\n答案：", "甲", List.of("甲", "乙"), PclueType.CLASSIFY));
        assertThat(parse("{\"input\":\"问\",\"answer_choices\":\"\"}")).isEqualTo(new PclueItem("f, line 3", "问", null, List.of(), null));
        assertThat(parse("{\"input\":\"问\",\"target\":\"乙\",\"type\":\"mrc\"}").choices()).isEmpty();
    }

    @Test
    void targetsAreReadAsTheReferenceReadsThem() {
        assertThat(parse("{\"input\":\"问\",\"target\":\"甲，乙,丙\",\"type\":\"generate\"}").target()).isEqualTo("甲,乙,丙");
        assertThat(parse("{\"input\":\"问\",\"target\":[\"甲\",\"乙，丙\"],\"type\":\"generate\"}").target()).isEqualTo("甲，乙,丙");
        assertThat(parse("{\"input\":\"问，\"，\"target\":\"甲\"，\"type\":\"nli\"}")).as("full-width commas between keys")
                .extracting(PclueItem::target, PclueItem::input).containsExactly("甲", "问,");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"input\":\"a\" | f, line 3: is no JSON object",
        "{\"input\":\"a\"} {} | f, line 3: is no JSON object",
        "7 | f, line 3: there is no text 'input'",
        "{\"target\":\"a\"} | f, line 3: there is no text 'input'",
        "{\"input\":5} | f, line 3: there is no text 'input'",
        "{\"input\":\"a\",\"target\":5,\"type\":\"nli\"} | 'target' has a value of the kind number where a text is expected",
        "{\"input\":\"a\",\"target\":[5],\"type\":\"nli\"} | 'target' has a value of the kind number where a text is expected",
        "{\"input\":\"a\",\"target\":\"b\"} | f, line 3: there is a target, but no type",
        "{\"input\":\"a\",\"target\":\"b\",\"type\":\"poem\"} | f, line 3: 'poem' is not a type of task",
        "{\"input\":\"a\",\"answer_choices\":\"b\"} | 'answer_choices' is no array",
        "{\"input\":\"a\",\"answer_choices\":[\"b\",\"\"]} | one of 'answer_choices' is empty"
    })
    void whatIsWrongIsNamed(String line, String said) {
        assertThatThrownBy(() -> parse(line)).isInstanceOf(YangtuoException.class).hasMessageContaining(said);
    }

    @Property(tries = 500)
    void anyLineIsATaskOrRefused(@ForAll @StringLength(max = 60) @Chars({'{', '}', '[', ']', '"', ':', ',', '，', '\\', 'n', '1', 'i', '\uD800', ' '}) String junk,
            @ForAll @IntRange(max = 80) int cut) {
        String whole = "{\"input\":\"问\",\"target\":[\"甲\"],\"answer_choices\":[\"甲\",\"乙\"],\"type\":\"nli\"}";
        int at = Math.min(cut, whole.length());
        for (String line : new String[] {junk, whole.substring(0, at) + junk, whole.substring(0, at) + junk + whole.substring(at), "[".repeat(5000)}) {
            try {
                assertThat(parse(line).input()).isNotEmpty();
            } catch (YangtuoException e) {
                assertThat(e).hasMessageStartingWith("f, line 3: ");
            }
        }
    }

    @Test
    void aPredictionIsItsTarget() {
        assertThat(PclueItem.parsePrediction("{\"target\":\"甲，\",\"id\":1}", "p, line 1")).isEqualTo("甲，");
        assertThatThrownBy(() -> PclueItem.parsePrediction("{\"answer\":\"甲\"}", "p, line 1")).hasMessageContaining("p, line 1: there is no text 'target'");
        assertThatThrownBy(() -> PclueItem.parsePrediction("甲", "p, line 1")).hasMessageContaining("p, line 1: is no JSON object");
    }
}
