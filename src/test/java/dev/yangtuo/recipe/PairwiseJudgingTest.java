package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.FinishReason;
import dev.yangtuo.exception.ContextLengthException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PairwiseJudgingTest {
    /** Prefers what is longer, at whatever place; the first place where both are as long; says nothing of questions that are empty. */
    private static final PairJudge LONGER = (question, first, second) -> Judgment.of(
            question.isEmpty() ? Verdict.NONE : first.length() >= second.length() ? Verdict.FIRST : Verdict.SECOND);

    private static List<JudgedPair> judge(PairJudge judge, AnswerPair... pairs) {
        List<JudgedPair> judged = new ArrayList<>();
        new PairwiseJudging(3).judge(List.of(pairs).iterator(), judge, judged::add);
        return judged;
    }

    private static PairwiseReport report(List<JudgedPair> judged) {
        PairwiseReport report = PairwiseReport.NONE;
        for (JudgedPair pair : judged) {
            report = report.plus(pair);
        }
        return report;
    }

    @Test
    void aWinNeedsBothOrders() {
        List<JudgedPair> judged = judge(LONGER,
                new AnswerPair("1", "q", "long answer", "short"),
                new AnswerPair("2", "q", "short", "long answer"),
                new AnswerPair("3", "q", "same", "size"),
                new AnswerPair("4", "", "a", "b"),
                new AnswerPair("5", "q", "longest of all", "x"));
        assertThat(judged).extracting(JudgedPair::outcome).containsExactly(Outcome.A, Outcome.B, Outcome.TIE, Outcome.NONE, Outcome.A);
        PairwiseReport report = report(judged);
        assertThat(report).isEqualTo(new PairwiseReport(2, 1, 0, 1, 1, 0, 1, 5, 3, 0));
        assertThat(report.pairs()).isEqualTo(5);
        assertThat(report.winRate()).isEqualTo(2.5 / 4);
        assertThat(report.winRateWithoutTies()).isEqualTo(2.0 / 3);
        assertThat(report.consistency()).isEqualTo(3.0 / 4);
        assertThat(report.firstPlaceShare()).isEqualTo(5.0 / 8);
    }

    @Test
    void whoLooksAtThePlaceAloneGivesTiesAndIsFoundOut() {
        PairwiseReport first = report(judge((_, _, _) -> Judgment.of(Verdict.FIRST), pairs(6)));
        assertThat(first).isEqualTo(new PairwiseReport(0, 0, 0, 6, 6, 0, 0, 12, 0, 0));
        assertThat(first.winRate()).isEqualTo(0.5);
        assertThat(first.firstPlaceShare()).isEqualTo(1);
        assertThat(first.winRateWithoutTies()).isNaN();
        PairwiseReport second = report(judge((_, _, _) -> Judgment.of(Verdict.SECOND), pairs(2)));
        assertThat(second.followedSecond()).isEqualTo(2);
        PairwiseReport ties = report(judge((_, _, _) -> Judgment.of(Verdict.TIE), pairs(2)));
        assertThat(ties).isEqualTo(new PairwiseReport(0, 0, 2, 0, 0, 0, 0, 0, 0, 4));
        assertThat(ties.consistency()).isEqualTo(1);
    }

    /** A win in one order and a tie in the other is no win, and no following of a place either. */
    @Test
    void aWinAndATieAreATie() {
        PairwiseReport report = report(judge((_, first, _) -> Judgment.of(first.equals("a0") ? Verdict.FIRST : Verdict.TIE), pairs(1)));
        assertThat(report).isEqualTo(new PairwiseReport(0, 0, 0, 1, 0, 0, 0, 1, 0, 1));
    }

    private static AnswerPair[] pairs(int count) {
        return IntStream.range(0, count).mapToObj(i -> new AnswerPair("id" + i, "q" + i, "a" + i, "b" + i)).toArray(AnswerPair[]::new);
    }

    @Test
    void pairsComeInTheirOrderAndUntilSomebodyHasEnough() {
        List<String> ids = new ArrayList<>();
        new PairwiseJudging(4).judge(List.of(pairs(50)).iterator(), LONGER, pair -> ids.add(pair.pair().id()) && ids.size() < 20);
        assertThat(ids).isEqualTo(IntStream.range(0, 20).mapToObj(i -> "id" + i).toList());
    }

    @Test
    void whatIsTooLongForTheJudgeHasNoVerdict() {
        List<JudgedPair> judged = judge((_, _, second) -> {
            if (second.equals("a1")) {
                throw new ContextLengthException(600, 512);
            }
            return Judgment.of(Verdict.FIRST);
        }, pairs(3));
        assertThat(judged).extracting(JudgedPair::outcome).containsExactly(Outcome.TIE, Outcome.NONE, Outcome.TIE);
        assertThat(judged.get(1).swapped().text()).contains("600 tokens", "512");
        assertThatThrownBy(() -> judge((_, _, _) -> {
            throw new IllegalStateException("closed");
        }, pairs(1))).hasMessage("closed");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "A is better: [[A]] | FIRST", "[[ b ]] | SECOND", "Not [[A]] but [[C]]. | TIE", "[A] | NONE", "[[D]] | NONE", "[[A]] 和 [[B]] 相比，[[B]] 好 | "
                + "SECOND"
    })
    void theLastVerdictInATextCounts(String text, Verdict verdict) {
        assertThat(PairJudge.verdictIn(text)).isEqualTo(verdict);
        PairJudge judge = PairJudge.byText((prompt, seed) -> new Completion(text, FinishReason.END_OF_TEXT, 3, -1, seed), PairJudge.reasonsTemplate(RecipeLanguage.CHINESE), 0);
        assertThat(judge.judge("q", "a", "b")).isEqualTo(new Judgment(verdict, List.of(), text));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"[[7]] | 7", "first [[3]], then [[8.5]] | 8.5", "[[10]] | 10", "[[0]] | NaN", "[[11]] | NaN", "7 | NaN", "[[6]] of [[12]] | 6"})
    void theLastScoreInATextCounts(String text, Double score) {
        assertThat(AnswerRater.scoreIn(text)).isEqualTo(score);
    }

    @Test
    void ratedAnswersWinByTheirScores() {
        RatingReport[] report = {RatingReport.NONE};
        new PairwiseJudging(2).rate(
                List.of(new AnswerPair("1", "q", "8", "6"), new AnswerPair("2", "q", "5", "5"), new AnswerPair("3", "q", "x", "9"), new AnswerPair("4", "q", "2", "4")).iterator(),
                (_, answer) -> answer.equals("x") ? Double.NaN : Double.parseDouble(answer),
                pair -> {
                    report[0] = report[0].plus(pair);
                    return true;
                });
        assertThat(report[0]).isEqualTo(new RatingReport(1, 1, 1, 1, 15, 93, 15, 77));
        assertThat(report[0].meanA()).isEqualTo(5);
        assertThat(report[0].winRate()).isEqualTo(0.5);
        // 8, 5 and 2: standard deviation 3, so 1.96 * 3 / sqrt(3) on either side
        assertThat(report[0].meanAInterval().high()).isCloseTo(5 + 1.959964 * Math.sqrt(3), within(1e-5));
        assertThat(report[0].meanAInterval().low()).isCloseTo(5 - 1.959964 * Math.sqrt(3), within(1e-5));
    }

    /** Values of R's binom package: binom.confint(8, 10, methods = "wilson") and the like. */
    @Test
    void wilsonsIntervalIsTheBooks() {
        assertThat(Interval.ofShare(8, 10).low()).isCloseTo(0.4901625, within(1e-6));
        assertThat(Interval.ofShare(8, 10).high()).isCloseTo(0.9433178, within(1e-6));
        assertThat(Interval.ofShare(0, 10).low()).isZero();
        assertThat(Interval.ofShare(0, 10).high()).isCloseTo(0.2775328, within(1e-6));
        assertThat(Interval.ofShare(0, 0).low()).isNaN();
        assertThat(Interval.ofMean(3, 9, 1).low()).isNaN();
    }
}
