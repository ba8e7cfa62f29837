package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which answer is taken. */
class PcluePredictorTest {
    private static PclueItem item(String input, String... choices) {
        return new PclueItem("f, line 4", input, null, List.of(choices), null);
    }

    private static List<PcluePrediction> predict(LanguageModel model, PclueOptions options, PclueItem... items) {
        List<PcluePrediction> predictions = new ArrayList<>();
        new PcluePredictor(model, options).predict(List.of(items).iterator(), predictions::add);
        return predictions;
    }

    private static String text(LanguageModel model, PclueOptions options, PclueItem item) {
        return predict(model, options, item).getFirst().text();
    }

    @Test
    void aGeneratedAnswerIsTheFirstLineThatIsNotBlank() {
        PclueOptions options = PclueOptions.defaults();
        assertThat(text(FakeModel.writing(prompt -> " \n 体育 \n财经"), options, item("问"))).isEqualTo("体育");
        assertThat(text(FakeModel.writing(prompt -> "体育"), options, item("问"))).isEqualTo("体育");
        assertThat(text(FakeModel.writing(prompt -> " \n\n"), options, item("问"))).isEmpty();
        assertThat(text(FakeModel.writing(prompt -> "一二三四"), options.maxTokens(2), item("问"))).isEqualTo("一二");
        assertThat(text(FakeModel.writing(prompt -> prompt), options.style(PromptStyle.ALPACA), item("问"))).startsWith("Below is");
    }

    @Test
    void theModelStopsBehindItsFirstLine() {
        assertThat(PcluePredictor.isAnswered("\n甲")).isFalse();
        assertThat(PcluePredictor.isAnswered("\n甲\n")).isTrue();
        assertThat(PcluePredictor.isAnswered("\n甲\n乙")).isTrue();
        assertThat(PcluePredictor.isAnswered("\n \n")).isFalse();
    }

    @Test
    void theMostProbableChoiceIsTaken() {
        FakeModel model = new FakeModel(1000, (prompt, choice) -> choice.length() == 3 ? -2 : -1.5, prompt -> "写的");
        PclueOptions options = PclueOptions.defaults().method(AnswerMethod.LOG_PROBABILITY);
        assertThat(text(model, options, item("问", "甲甲甲", "乙", "丙"))).as("of equal ones the first").isEqualTo("乙");
        assertThat(text(model, options.perToken(true), item("问", "乙", "甲甲甲"))).isEqualTo("甲甲甲");
        assertThat(text(model, options, item("问"))).as("without choices").isEqualTo("写的");
    }

    @Test
    void aTaskThatDoesNotFitLosesItsBeginning() {
        FakeModel echo = FakeModel.writing(prompt -> prompt).withContext(21);
        PclueOptions options = PclueOptions.defaults().maxTokens(10);
        List<PcluePrediction> predictions = predict(echo, options, item("0123456789"), item("x0123456789"), item("😀😀0123456789"));
        assertThat(predictions).extracting(PcluePrediction::text).containsOnly("0123456789");
        assertThat(predictions).extracting(PcluePrediction::shortened).containsExactly(false, true, true);
        assertThat(text(echo, options, item("😀😀😀😀😀😀😀😀😀😀😀😀"))).as("no half characters").doesNotContain("?").startsWith("😀");
        FakeModel chooser = new FakeModel(8, (prompt, choice) -> prompt.equals("3456") ? 1 : 0, prompt -> "");
        assertThat(predict(chooser, options.method(AnswerMethod.LOG_PROBABILITY), item("0123456", "甲", "乙乙")).getFirst().shortened()).isTrue();
    }

    @Test
    void aContextWithoutRoomForTheAnswerIsSaid() {
        assertThatThrownBy(() -> predict(FakeModel.writing(prompt -> "").withContext(1), PclueOptions.defaults(), item("问")))
                .isInstanceOf(YangtuoException.class).hasMessageContainingAll("f, line 4", "the context of 1 tokens");
    }
}
