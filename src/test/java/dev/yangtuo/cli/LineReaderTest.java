package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lines end at line feeds, however the input is cut. */
class LineReaderTest {
    private static List<String> lines(LineReader reader) throws IOException {
        List<String> lines = new ArrayList<>();
        for (byte[] line = reader.next(); line != null; line = reader.next()) {
            lines.add(new String(line, StandardCharsets.UTF_8));
            assertThat(reader.number()).isEqualTo(lines.size());
        }
        return lines;
    }

    private static LineReader reader(String text, int maxLineBytes) {
        return new LineReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "in", maxLineBytes);
    }

    /** Gives a few bytes at a time. */
    private static final class Trickle extends InputStream {
        private final byte[] bytes;
        private final int step;
        private int position;

        Trickle(byte[] bytes, int step) {
            this.bytes = bytes;
            this.step = step;
        }

        @Override
        public int read() {
            return position == bytes.length ? -1 : bytes[position++] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            int count = Math.min(Math.min(step, length), bytes.length - position);
            System.arraycopy(bytes, position, target, offset, count);
            position += count;
            return count == 0 ? -1 : count;
        }
    }

    @Test
    void linesAreTheSameHoweverTheyCome() throws IOException {
        String text = "床前\n\n明月光\r\n" + "疑是".repeat(40_000) + "\nend";
        List<String> expected = List.of(text.split("\n", -1));
        for (int step : new int[] {1, 2, 7, 1 << 16, 1 << 20}) {
            assertThat(lines(new LineReader(new Trickle(text.getBytes(StandardCharsets.UTF_8), step), "in"))).isEqualTo(expected);
        }
    }

    @Test
    void aLineFeedAtTheEndBeginsNoLine() throws IOException {
        assertThat(lines(reader("a\n\n", 10))).containsExactly("a", "");
        assertThat(lines(reader("", 10))).isEmpty();
    }

    @Test
    void aLineBeyondTheLimitIsRefusedByNumber() throws IOException {
        assertThat(lines(reader("12345\n12345", 5))).containsExactly("12345", "12345");
        LineReader reader = reader("12345\n123456\n", 5);
        assertThat(reader.next()).hasSize(5);
        assertThatThrownBy(reader::next).isInstanceOf(YangtuoException.class).hasMessageContaining("in, line 2: is longer than 5 bytes");
    }

    @Test
    void textIsUtf8WithoutAByteOrderMarkAtItsBeginning() throws IOException {
        LineReader reader = reader("\uFEFF羊\n\uFEFF驼", 10);
        assertThat(reader.nextText()).isEqualTo("羊");
        assertThat(reader.nextText()).isEqualTo("\uFEFF驼");
        assertThat(reader.nextText()).isNull();
        LineReader latin = new LineReader(new ByteArrayInputStream(new byte[] {'a', '\n', (byte) 0xE9}), "in");
        assertThat(latin.nextText()).isEqualTo("a");
        assertThatThrownBy(latin::nextText).isInstanceOf(YangtuoException.class).hasMessageContaining("in, line 2: is not UTF-8");
    }
}
