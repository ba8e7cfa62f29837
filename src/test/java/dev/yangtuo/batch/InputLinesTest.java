package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** What is a line, and what is too long to be one. */
class InputLinesTest {
    private static List<String> lines(String text, int limit, boolean quotes) throws IOException {
        List<String> lines = new ArrayList<>();
        try (InputLines in = new InputLines(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), limit, quotes)) {
            while (in.advance()) {
                lines.add(in.number() + ":" + (in.isTooLong() ? "too long" : new String(in.line(), StandardCharsets.UTF_8)));
            }
            assertThat(in.position()).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
        }
        return lines;
    }

    @Test
    void linesEndAtLineFeeds() throws IOException {
        assertThat(lines("a\nb\r\n\n山", 100, false)).containsExactly("1:a", "2:b", "3:", "4:山");
        assertThat(lines("a\n", 100, false)).containsExactly("1:a");
        assertThat(lines("", 100, false)).isEmpty();
    }

    @Test
    void aByteOrderMarkIsNoPartOfTheFirstLine() throws IOException {
        assertThat(lines("\uFEFFa\n\uFEFFb", 100, false)).containsExactly("1:a", "2:\uFEFFb");
    }

    @Test
    void whatIsTooLongIsSkipped() throws IOException {
        assertThat(lines("12345\n1234\n" + "x".repeat(200_000) + "\n1", 4, false)).containsExactly("1:too long", "2:1234", "3:too long", "4:1");
    }

    @Test
    void lineFeedsWithinQuotesBelongToTheRecord() throws IOException {
        assertThat(lines("id,prompt\n1,\"a\nb\"\n2,\"c\"\"\n\"\n3,5\" pipe\n4,x", 100, true))
                .containsExactly("1:id,prompt", "2:1,\"a\nb\"", "4:2,\"c\"\"\n\"", "6:3,5\" pipe", "7:4,x");
    }

    @Test
    void aQuoteThatIsNeverClosedTakesNoMemory() throws IOException {
        assertThat(lines("1,\"" + "a,b\n".repeat(100_000), 1000, true)).containsExactly("1:too long");
    }

    @Property(tries = 300)
    void linesPutTogetherAreTheInput(@ForAll @CharRange(from = 'a', to = 'c') String letters, @ForAll @IntRange(min = 1, max = 5) int every) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < letters.length(); i++) {
            text.append(i % every == every - 1 ? "\n" : letters.substring(i, i + 1));
        }
        List<String> lines = lines(text.toString(), 1000, false);
        String joined = String.join("\n", lines.stream().map(line -> line.substring(line.indexOf(':') + 1)).toList());
        assertThat(joined + (text.toString().endsWith("\n") ? "\n" : "")).isEqualTo(text.toString());
    }
}
