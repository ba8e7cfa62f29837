package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Known answers give known figures. The averages were computed by hand. */
class CevalEvaluationTest {
    /** Chooses the letter that the last question names in brackets. */
    private static final FakeModel OBEDIENT = FakeModel.scoring((prompt, letter) -> prompt.lastIndexOf("[" + letter + "]"));

    /** @param questions "XY": the model is told to choose X, and Y is right; '-' where nobody knows */
    private static CevalSubject subject(String id, @Nullable CevalCategory category, String... questions) {
        return new CevalSubject(id, "名" + id, category, Path.of(id + "_val.csv"),
                IntStream.range(0, questions.length).mapToObj(i -> question(i, questions[i].substring(0, 1), questions[i].substring(1))).toList(),
                IntStream.range(0, 5).mapToObj(i -> question(i, "A", "ABCDA".substring(i, i + 1))).toList());
    }

    private static CevalQuestion question(int number, String told, String right) {
        return new CevalQuestion(number + 2, String.valueOf(number), "问%d[%s]".formatted(number, told), List.of("a", "b", "c", "d"), right.equals("-") ? null : right);
    }

    private static CevalResult run(LanguageModel model, CevalOptions options, CevalSubject... subjects) {
        return new CevalEvaluation(model, options).run(List.of(subjects), answer -> {});
    }

    private static void assertAverage(CevalResult.Average average, int subjects, int scored, int correct, double ofSubjects, double ofQuestions) {
        assertThat(average.subjects()).isEqualTo(subjects);
        assertThat(average.scored()).isEqualTo(scored);
        assertThat(average.correct()).isEqualTo(correct);
        assertThat(average.ofSubjects()).isCloseTo(ofSubjects, within(1e-9));
        assertThat(average.ofQuestions()).isCloseTo(ofQuestions, within(1e-9));
    }

    @Test
    void averagesAreThoseOfQuestionsAndOfSubjects() {
        CevalResult result = run(OBEDIENT, CevalOptions.defaults(),
                subject("college_physics", CevalCategory.STEM, "AA", "BB", "CD"), // 2 of 3
                subject("operating_system", CevalCategory.STEM, "DD"), // 1 of 1
                subject("law", CevalCategory.HUMANITIES, "AB", "BB", "CB", "DB"), // 1 of 4
                subject("else", null, "AB", "AA")); // 1 of 2
        assertThat(result.subjects()).extracting(CevalResult.SubjectScore::correct).containsExactly(2, 1, 1, 1);
        assertThat(result.subjects().getFirst().accuracy()).isCloseTo(66.66666666666667, within(1e-9));
        assertAverage(result.of(CevalCategory.STEM), 2, 4, 3, (200 / 3.0 + 100) / 2, 75);
        assertAverage(result.of(CevalCategory.HUMANITIES), 1, 4, 1, 25, 25);
        assertAverage(result.overall(), 4, 10, 5, (200 / 3.0 + 100 + 25 + 50) / 4, 50);
        assertAverage(result.hard(), 1, 3, 2, 200 / 3.0, 200 / 3.0);
        assertThat(result.of(CevalCategory.OTHER).ofSubjects()).isNaN();
        assertThat(result.of(CevalCategory.OTHER).ofQuestions()).isNaN();
    }

    @Test
    void answersComeInTheOrderOfTheQuestionsWhoeverIsFaster() {
        CevalSubject[] subjects = IntStream.range(0, 4)
                .mapToObj(s -> subject("s" + s, null, IntStream.range(0, 25).mapToObj(q -> "ABCD".charAt((s + q) % 4) + "A").toArray(String[]::new)))
                .toArray(CevalSubject[]::new);
        Random random = new Random(7);
        FakeModel unhurried = FakeModel.scoring((prompt, letter) -> {
            synchronized (random) {
                Thread.onSpinWait();
                if (random.nextInt(8) == 0) {
                    Thread.yield();
                }
            }
            return OBEDIENT.scores().applyAsDouble(prompt, letter);
        });
        List<CevalAnswer> told = new ArrayList<>();
        CevalResult result = new CevalEvaluation(unhurried, CevalOptions.defaults().inFlight(9)).run(List.of(subjects), told::add);
        assertThat(result).isEqualTo(run(OBEDIENT, CevalOptions.defaults().inFlight(1), subjects));
        assertThat(told).isEqualTo(result.answers());
        assertThat(told).hasSize(100);
        assertThat(told.get(26)).isEqualTo(new CevalAnswer("s1", "1", "C", "A", false, 5, told.get(26).scores(), ""));
    }

    @Test
    void ofEqualScoresTheFirstLetterWins() {
        CevalResult result = run(FakeModel.scoring((prompt, letter) -> letter.equals("A") ? -2 : -1), CevalOptions.defaults(), subject("s", null, "AB"));
        assertThat(result.answers().getFirst().answer()).isEqualTo("B");
        assertThat(result.answers().getFirst().scores()).containsExactly(-2.0, -1.0, -1.0, -1.0);
    }

    @Test
    void promptsThatDoNotFitTakeFewerExamples() {
        CevalSubject subject = subject("s", null, "AA");
        CevalPrompt prompt = new CevalPrompt(PromptStyle.PLAIN, false);
        int three = OBEDIENT.countTokens(prompt.of(subject, subject.questions().getFirst(), 3));
        assertThat(run(OBEDIENT.withContext(three), CevalOptions.defaults(), subject).answers().getFirst().shots()).isEqualTo(3);
        assertThat(run(OBEDIENT.withContext(three - 1), CevalOptions.defaults(), subject).subjects().getFirst().fewerShots()).isEqualTo(1);
        assertThat(run(OBEDIENT.withContext(three - 1), CevalOptions.defaults(), subject).answers().getFirst().shots()).isEqualTo(2);
        assertThat(run(OBEDIENT.withContext(three), CevalOptions.defaults().shots(3), subject).subjects().getFirst().fewerShots()).isZero();
        // A generated answer needs room as well.
        CevalOptions generated = CevalOptions.defaults().method(AnswerMethod.GENERATION).maxTokens(10);
        FakeModel writer = FakeModel.writing(text -> "A");
        assertThat(run(writer.withContext(three + 9), generated, subject).answers().getFirst().shots()).isEqualTo(2);
        assertThat(run(writer.withContext(three + 10), generated, subject).answers().getFirst().shots()).isEqualTo(3);
    }

    @Test
    void whatCannotBeAskedIsSaidBeforeAnythingIsComputed() {
        FakeModel strict = FakeModel.scoring((prompt, letter) -> {
            throw new AssertionError("asked");
        });
        CevalSubject subject = subject("s", null, "AA", "BB");
        assertThatThrownBy(() -> run(strict.withContext(10), CevalOptions.defaults(), subject)).isInstanceOf(YangtuoException.class)
                .hasMessageContainingAll("s_val.csv, line 2", "room for 10");
        assertThatThrownBy(() -> run(strict, CevalOptions.defaults().shots(6), subject)).isInstanceOf(YangtuoException.class)
                .hasMessageContainingAll("'s' has 5 examples", "6 are asked for");
    }

    @Test
    void aTextThatNamesNoAnswerIsAGuessThatIsTheSameInEveryRun() {
        CevalSubject subject = subject("s", null, IntStream.range(0, 400).mapToObj(i -> "AA").toArray(String[]::new));
        FakeModel silent = FakeModel.writing(prompt -> "我不知道");
        CevalOptions options = CevalOptions.defaults().method(AnswerMethod.GENERATION).shots(0);
        CevalResult result = run(silent, options, subject);
        assertThat(result.subjects().getFirst().guessed()).isEqualTo(400);
        assertThat(result).isEqualTo(run(silent, options, subject));
        // 400 draws of 4 letters: 100 each, with a standard deviation of 8.7.
        assertThat(result.subjects().getFirst().correct()).isBetween(60, 140);
        assertThat(run(silent, options.seed(1), subject)).isNotEqualTo(result);
    }

    @Test
    void generatedTextsAreReadForTheirAnswer() {
        CevalOptions options = CevalOptions.defaults().method(AnswerMethod.GENERATION).shots(1);
        CevalResult result = run(FakeModel.writing(prompt -> prompt.contains("问1") ? "答案是B。" : " D，因为"), options, subject("s", null, "AD", "AB"));
        assertThat(result.subjects().getFirst().correct()).isEqualTo(2);
        assertThat(result.answers()).extracting(CevalAnswer::text).containsExactly(" D，因为", "答案是B。");
        assertThat(result.answers()).extracting(CevalAnswer::scores).containsOnly(List.of());
    }

    @Test
    void questionsWithoutAnswersAreAnsweredAndNotScored() {
        CevalResult result = run(OBEDIENT, CevalOptions.defaults(), subject("s", CevalCategory.OTHER, "A-", "BB"), subject("t", CevalCategory.OTHER, "C-"));
        assertThat(result.subjects()).extracting(CevalResult.SubjectScore::scored).containsExactly(1, 0);
        assertThat(result.subjects().getLast().accuracy()).isNaN();
        assertAverage(result.overall(), 1, 1, 1, 100, 100);
        assertThat(result.submission()).isEqualTo(Map.of("s", Map.of("0", "A", "1", "B"), "t", Map.of("0", "C")));
    }

    @Test
    void whatTheModelThrowsEndsTheEvaluation() {
        FakeModel broken = FakeModel.scoring((prompt, letter) -> {
            throw new IllegalStateException("the model is closed");
        });
        assertThatThrownBy(() -> run(broken, CevalOptions.defaults(), subject("s", null, "AA", "BB"))).isInstanceOf(IllegalStateException.class).hasMessage("the model is closed");
    }

    @Test
    void optionsOutOfRangeAreSaid() {
        CevalOptions options = CevalOptions.defaults();
        assertThatThrownBy(() -> options.shots(-1)).isInstanceOf(IllegalArgumentException.class).hasMessage("shots is -1, must be 0 to 100");
        assertThatThrownBy(() -> options.maxTokens(0)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("maxTokens is 0");
        assertThatThrownBy(() -> options.inFlight(0)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("inFlight is 0");
    }
}
