package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders in C-Eval's layout. */
class CevalSetTest {
    private static final Path EXAMPLES = Path.of("examples/eval/ceval");
    private static final String FILE = "id,question,A,B,C,D,answer\n0,问,1,2,3,4,A\n";

    @TempDir
    private Path directory;

    private void write(String name, String text) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void theExampleIsRead() {
        CevalSet set = CevalSet.open(EXAMPLES);
        assertThat(set.subjects(CevalSplit.VAL)).containsExactly("chinese_language_and_literature", "high_school_geography", "high_school_mathematics", "sports_science");
        CevalSubject mathematics = set.read("high_school_mathematics", CevalSplit.VAL);
        assertThat(mathematics.name()).isEqualTo("高中数学");
        assertThat(mathematics.category()).isEqualTo(CevalCategory.STEM);
        assertThat(mathematics.isHard()).isTrue();
        assertThat(mathematics.questions()).hasSize(6).extracting(CevalQuestion::answer).containsExactly("B", "D", "C", "A", "C", "D");
        assertThat(mathematics.examples()).hasSize(5).extracting(CevalQuestion::answer).containsExactly("D", "C", "C", "A", "B");
        assertThat(mathematics.first(2).questions()).isEqualTo(mathematics.questions().subList(0, 2));
        assertThat(set.read("sports_science", CevalSplit.TEST).questions()).hasSize(3).extracting(CevalQuestion::answer).containsOnlyNulls();
        assertThat(set.read("sports_science", CevalSplit.TEST).isHard()).isFalse();
    }

    @Test
    void allOfCevalsSubjectsAreKnown() {
        CevalNames names = new CevalNames();
        assertThat(CevalNames.HARD).hasSize(8).allSatisfy(id -> assertThat(names.of(id)).isNotNull().extracting(CevalNames.Subject::category).isEqualTo(CevalCategory.STEM));
        assertThat(names.of("law")).isEqualTo(new CevalNames.Subject("法学", CevalCategory.HUMANITIES));
        assertThat(names.of("poems")).isNull();
    }

    @Test
    void aMappingCountsBeforeWhatIsKnown() throws IOException {
        write("val/poems_val.csv", FILE);
        write("val/law_val.csv", FILE);
        write("val/else_val.csv", FILE);
        write("subject_mapping.json", "{\"poems\":[\"Poems\",\"诗词\",\"Humanities\"],\"law\":[\"Law\",\"法律\",\"Other\"]}");
        CevalSet set = CevalSet.open(directory);
        assertThat(set.read("poems", CevalSplit.VAL)).extracting(CevalSubject::name, CevalSubject::category).containsExactly("诗词", CevalCategory.HUMANITIES);
        assertThat(set.read("law", CevalSplit.VAL)).extracting(CevalSubject::name, CevalSubject::category).containsExactly("法律", CevalCategory.OTHER);
        assertThat(set.read("else", CevalSplit.VAL)).extracting(CevalSubject::name, CevalSubject::category).containsExactly("else", null);
        assertThat(set.read("else", CevalSplit.VAL).examples()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[] | is no JSON object",
        "{ | line 1: is no JSON",
        "{\"law\":\"法\"} | 'law' is not an array of an English name, a Chinese name and a category",
        "{\"law\":[\"Law\",\"法学\",\"Arts\"]} | 'law': 'Arts' is not a category"
    })
    void aMappingThatSaysSomethingElseIsRefused(String text, String said) throws IOException {
        write("subject_mapping.json", text);
        assertThatThrownBy(() -> CevalSet.open(directory)).isInstanceOf(YangtuoException.class).hasMessageContainingAll("subject_mapping.json", said);
    }

    @Test
    void whatIsNotThereIsNamed() throws IOException {
        assertThatThrownBy(() -> CevalSet.open(directory.resolve("none"))).hasMessageContaining("none: there is no such directory");
        CevalSet empty = CevalSet.open(directory);
        assertThatThrownBy(() -> empty.subjects(CevalSplit.VAL)).hasMessageContaining("there are no questions; expected files SUBJECT_val.csv in a folder val");
        write("val/law_val.csv", FILE);
        write("val/logic_val.csv", FILE);
        assertThatThrownBy(() -> empty.read("../law", CevalSplit.VAL)).hasMessageContaining("there is no subject '../law' in val; there are law, logic");
    }
}
