package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which letter a generated text names; the expected letters are those that the reference's function returns. */
class AnswerExtractionTest {
    private static final List<String> CHOICES = List.of("红(色", "绿色", "蓝色", "绿色");

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "B | B",
        "我不知道。D | D",
        "答案为C，而不是B | C",
        "A和B都不对，选项C正确 | C",
        "C是正确的，选项B正确 | C",
        "选择答案B，不选A | B",
        "答案：D 选择A | A",
        "先看A。所以答案是B。再看C。所以答案是D。 | D",
        "所以答案是B。所以答案是E。答案为A | A",
        "所以答案是B | B",
        "所以答案是选项C。 | C",
        "应当是绿色 | D",
        "应当是蓝色或绿色 | C",
        "应当是红(色 | A",
    })
    void theReferencesOrderHolds(String text, String letter) {
        assertThat(AnswerExtraction.letter(text, CHOICES)).contains(letter);
    }

    @Test
    void whatNamesNothingHasNoAnswer() {
        assertThat(AnswerExtraction.letter("我不知道", CHOICES)).isEmpty();
        assertThat(AnswerExtraction.letter("", CHOICES)).isEmpty();
        assertThat(AnswerExtraction.letter("abcd", List.of("", "", "", ""))).isEmpty();
        assertThat(AnswerExtraction.letter("所以答案是\nE。", CHOICES)).isEmpty();
    }
}
