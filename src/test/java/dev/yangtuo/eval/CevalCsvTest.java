package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of questions as people write them, and what is said of those that are wrong. */
class CevalCsvTest {
    private static final String HEADER = "id,question,A,B,C,D,answer\n";

    @TempDir
    private Path directory;

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("x_val.csv"), text);
    }

    private List<CevalQuestion> read(String text) throws IOException {
        return CevalCsv.read(file(text), true);
    }

    @Test
    void quotesCommasAndLineFeedsAreText() throws IOException {
        assertThat(read(HEADER + "0,\"一，\"\"二\"\",\n三\",a,\"b,c\", d ,,A\n\n7,问,1,2,3,4, B \n")).containsExactly(
                new CevalQuestion(2, "0", "一，\"二\",\n三", List.of("a", "b,c", " d ", ""), "A"),
                new CevalQuestion(5, "7", "问", List.of("1", "2", "3", "4"), "B"));
    }

    @Test
    void aFileOfWindowsIsTheSame() throws IOException {
        String unix = HEADER + "0,\"上\n下\",a,b,c,d,A\n1,问,a,b,c,d,D\n";
        assertThat(read("\uFEFF" + unix.replace("\n", "\r\n"))).isEqualTo(read(unix));
    }

    @Test
    void columnsMayStandInAnyOrder() throws IOException {
        assertThat(read("answer,D,C,B,A,question,explanation\nC,4,3,2,1,问,因为\n")).containsExactly(new CevalQuestion(2, "0", "问", List.of("1", "2", "3", "4"), "C"));
    }

    @Test
    void questionsWithoutAnswersAreReadWhereNoneIsNeeded() throws IOException {
        assertThat(CevalCsv.read(file("id,question,A,B,C,D\n0,问,1,2,3,4\n"), false)).containsExactly(new CevalQuestion(2, "0", "问", List.of("1", "2", "3", "4"), null));
        assertThat(CevalCsv.read(file(HEADER + "0,问,1,2,3,4,\n1,问,1,2,3,4,D\n"), false)).extracting(CevalQuestion::answer).containsExactly(null, "D");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "`` | is empty; expected the columns",
        "`\n\n` | is empty; expected the columns",
        "id,question,A,B,C,D,answer\\n | has no questions",
        "id,question,A,B,C,answer\\n0,q,1,2,3,A\\n | line 1: there is no column 'D'",
        "id,question,A,B,C,D\\n0,q,1,2,3,4\\n | line 1: there is no column 'answer'",
        "id,A,A,B,C,D,answer\\n | line 1: there are two columns 'A'",
        "id,question,A,B,C,D,answer\\n0,q,1,2,3,4,E\\n | line 2: the answer is 'E'; expected A, B, C or D",
        "id,question,A,B,C,D,answer\\n0,q,1,2,3,4,\\n | line 2: the answer is ''",
        "id,question,A,B,C,D,answer\\n0,q,1,2,3\\n | line 2: has 5 cells, none for the column 'D'",
        "id,question,A,B,C,D,answer\\n0, ,1,2,3,4,A\\n | line 2: the question is empty",
        "id,question,A,B,C,D,answer\\n,q,1,2,3,4,A\\n | line 2: the id is empty",
        "id,question,A,B,C,D,answer\\n0,q,1,2,3,4,A\\n\\n0,q,1,2,3,4,A\\n | line 4: the id '0' is that of line 2, too",
        "id,question,A,B,C,D,answer\\n0,q,1,2,3,4,A\\n1,\"q,1,2,3,4,A\\n | line 3: is no CSV",
        "id,question,A,B,C,D,answer\\n0,\"q\"x,1,2,3,4,A\\n | line 2: is no CSV"
    })
    void whatIsWrongIsNamedWithItsLine(String text, String said) throws IOException {
        Path file = file(text.replace("\\n", "\n"));
        assertThatThrownBy(() -> CevalCsv.read(file, true)).isInstanceOf(YangtuoException.class).hasMessageStartingWith(file.toString()).hasMessageContaining(said);
    }

    @Test
    void otherEncodingsAreNamed() throws IOException {
        Path file = Files.write(directory.resolve("gb.csv"), (HEADER + "0,问题,1,2,3,4,A\n").getBytes(Charset.forName("GB18030")));
        assertThatThrownBy(() -> CevalCsv.read(file, true)).isInstanceOf(YangtuoException.class).hasMessageContainingAll("gb.csv, line 2: is not UTF-8", "iconv");
        assertThatThrownBy(() -> CevalCsv.read(directory.resolve("none.csv"), true)).hasMessageContaining("none.csv: there is no such file");
        assertThatThrownBy(() -> BoundedFile.text(file, 10)).hasMessageContaining("is longer than 10 bytes");
    }
}
