package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

/** Likeness of texts; the golden file's numbers are those of Python's rouge, see golden.py beside it. */
class TextMetricsTest {
    /** The same formula in the same arithmetic; means of some numbers are added in another order. */
    private static final double ROUNDING = 1e-12;

    static final Path GOLDEN = Path.of("src/test/resources/eval/golden.json");

    @Test
    void pairsAreAsLikeAsTheReferenceSays() throws IOException {
        JsonNode pairs = new ObjectMapper().readTree(GOLDEN.toFile()).get("pairs");
        assertThat(pairs).hasSizeGreaterThan(20);
        for (JsonNode pair : pairs) {
            String a = pair.get("a").textValue();
            String b = pair.get("b").textValue();
            assertThat(TextMetrics.normalize(a)).as(pair.toString()).isEqualTo(pair.get("normalized").textValue());
            assertThat(TextMetrics.f1(a, b)).as(pair.toString()).isCloseTo(pair.get("f1").doubleValue(), within(ROUNDING));
            assertThat(TextMetrics.rougeL(TextMetrics.normalize(a), TextMetrics.normalize(b))).as(pair.toString())
                    .isCloseTo(pair.get("rouge_l").doubleValue(), within(ROUNDING));
        }
    }

    @Test
    void handsComputeTheSame() {
        // 春, 不, 晓 in this order, of five and six characters.
        assertThat(TextMetrics.f1("春眠不觉晓", "春天觉不知晓")).isCloseTo(2 * 3 / 11.0, within(ROUNDING));
        // 甲, 丙, 丁 in common: all three different characters of one, three of four of the other.
        assertThat(TextMetrics.rougeL("甲乙丙丁", "甲丙丁丁")).isCloseTo(2 * (1.0 * 0.75) / (1.75 + 1e-8), within(ROUNDING));
    }

    @Property(tries = 300)
    void f1IsThatOfAnExhaustiveSearch(@ForAll @StringLength(max = 9) @CharRange(from = 'a', to = 'd') String a,
            @ForAll @StringLength(max = 9) @CharRange(from = 'a', to = 'd') String b) {
        double expected = a.isEmpty() && b.isEmpty() ? 0 : 2.0 * longest(a, b) / (a.length() + b.length());
        assertThat(TextMetrics.f1(a, b)).isEqualTo(expected).isEqualTo(TextMetrics.f1(b, a));
    }

    private static int longest(String a, String b) {
        int longest = 0;
        for (int chosen = 0; chosen < 1 << a.length(); chosen++) {
            int next = 0;
            int count = 0;
            for (int i = 0; i < a.length() && next >= 0; i++) {
                if ((chosen >> i & 1) == 1) {
                    next = b.indexOf(a.charAt(i), next) + 1;
                    count++;
                    next = next == 0 ? -1 : next;
                }
            }
            longest = next < 0 ? longest : Math.max(longest, count);
        }
        return longest;
    }

    @Test
    void textsThatWouldTakeForeverAreRefused() {
        String long1 = "山".repeat(20_000);
        assertThatThrownBy(() -> TextMetrics.f1(long1, long1)).isInstanceOf(YangtuoException.class).hasMessageContaining("texts of 20000 and 20000 characters are too long");
        assertThatThrownBy(() -> TextMetrics.rougeL(long1, long1)).isInstanceOf(YangtuoException.class);
        assertThat(TextMetrics.f1(long1, "山")).isCloseTo(2.0 / 20_001, within(ROUNDING));
    }
}
