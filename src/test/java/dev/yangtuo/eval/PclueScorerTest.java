package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Scores by type; {@code PclueCommandTest} has those of the example, which Python computed. */
class PclueScorerTest {
    private static PclueItem item(PclueType type, String target) {
        return new PclueItem("f, line 1", "问", target, List.of(), type);
    }

    @Test
    void everyTypeHasItsMeasure() {
        PclueScorer scorer = new PclueScorer();
        scorer.add(item(PclueType.CLASSIFY, "体育"), " 体育\n");
        scorer.add(item(PclueType.CLASSIFY, "体育"), "体育新闻");
        scorer.add(item(PclueType.CLASSIFY, "IT"), "it");
        scorer.add(item(PclueType.NLI, "是的"), "不是");
        scorer.add(item(PclueType.MRC, "甲乙"), "甲乙");
        scorer.add(item(PclueType.MRC, "甲乙"), "乙丙");
        scorer.add(item(PclueType.GENERATE, "甲乙"), "甲丙");
        PclueResult result = scorer.result();
        assertThat(result.classify()).isEqualTo(2 / 3.0);
        assertThat(result.nli()).isZero();
        assertThat(result.exactMatch()).isEqualTo(0.5);
        assertThat(result.f1()).isEqualTo(0.75);
        assertThat(result.mrc()).isEqualTo(0.625);
        assertThat(result.generate()).isCloseTo(0.5, within(1e-8));
        assertThat(result.score()).isCloseTo((2 / 3.0 + 0 + 0.625 + 0.5) / 4, within(1e-8));
        assertThat(result.count()).isEqualTo(7);
    }

    @Test
    void typesWithoutTasksDoNotCount() {
        PclueScorer scorer = new PclueScorer();
        assertThat(scorer.result().score()).isNaN();
        scorer.add(item(PclueType.NLI, "是的"), "是的");
        scorer.add(item(PclueType.CLASSIFY, "体育"), "财经");
        assertThat(scorer.result().score()).isEqualTo(0.5);
        assertThat(scorer.result().mrc()).isNaN();
    }

    @Test
    void whatCannotBeScoredIsNamed() {
        PclueScorer scorer = new PclueScorer();
        assertThatThrownBy(() -> scorer.add(new PclueItem("f, line 9", "问", null, List.of(), null), "a"))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("f, line 9: there is no target");
        String endless = "山".repeat(20_000);
        assertThatThrownBy(() -> scorer.add(item(PclueType.MRC, endless), endless)).hasMessageContaining("f, line 1: texts of 20000");
    }
}
