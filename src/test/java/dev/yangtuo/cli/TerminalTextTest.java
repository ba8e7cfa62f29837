package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** Nothing out of a file commands a terminal, and what is cut fits. */
class TerminalTextTest {
    @Test
    void plainTextStays() {
        assertThat(TerminalText.escaped("春望 'a' \\ 🦙")).isEqualTo("春望 'a' \\ 🦙");
        assertThat(TerminalText.escaped("")).isEmpty();
    }

    @Test
    void whatCommandsATerminalIsEscaped() {
        assertThat(TerminalText.escaped("\u001b[2J\u0007\u009b\u007f\n\t\r")).isEqualTo("\\u001b[2J\\u0007\\u009b\\u007f\\n\\t\\r");
        assertThat(TerminalText.escaped("\u202e\u2066\u200b\ufeff\u2028\u2029")).isEqualTo("\\u202e\\u2066\\u200b\\ufeff\\u2028\\u2029");
        assertThat(TerminalText.escaped("\ud83e")).isEqualTo("\\ud83e");
        assertThat(TerminalText.escaped(Character.toString(0xE0041))).isEqualTo("\\U000e0041");
    }

    @Test
    void cutTextHasAtMostTheColumns() {
        assertThat(TerminalText.escaped("abcde", 5)).isEqualTo("abcde");
        assertThat(TerminalText.escaped("abcdef", 5)).isEqualTo("abcd…");
        assertThat(TerminalText.escaped("春望春望", 5)).isEqualTo("春望…");
        assertThat(TerminalText.escaped("ab\u001b", 5)).isEqualTo("ab…");
        for (int columns = 1; columns < 20; columns++) {
            assertThat(TextTable.columns(TerminalText.escaped("a春\u001b🦙b望\nc", columns))).isLessThanOrEqualTo(columns);
        }
    }

    @Test
    void escapedJsonMeansTheSame() throws IOException {
        String text = "\u007f\u009b\u202e 春 🦙 \ud83e x" + Character.toString(0xE0041) + "\ud83e";
        String json = new ObjectMapper().writeValueAsString(text);
        for (int chunk = 1; chunk <= json.length(); chunk++) {
            StringWriter out = new StringWriter();
            try (EscapingWriter writer = new EscapingWriter(out)) {
                for (int at = 0; at < json.length(); at += chunk) {
                    writer.write(json, at, Math.min(chunk, json.length() - at));
                }
            }
            assertThat(out.toString().codePoints().noneMatch(TerminalText::mustBeEscaped)).as("in pieces of %d", chunk).isTrue();
            assertThat(out.toString()).contains("春 🦙");
            assertThat(new ObjectMapper().readTree(out.toString()).textValue()).isEqualTo(text);
        }
    }
}
