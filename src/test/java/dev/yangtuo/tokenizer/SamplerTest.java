package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Segmentations other than the best one. */
class SamplerTest {
    private static final Tokenizer BPE = Tokenizer.load(TestModels.DEMO_CHINESE);
    private static final Tokenizer UNIGRAM = Tokenizer.load(TestModels.made("unigram-nfkc-cf"));
    private static final String TEXT = "labour under the sun";
    private static final int DRAWS = 20_000;

    /** Five standard deviations of a share in that many draws. */
    private static final double TOLERANCE = 5 * Math.sqrt(0.25 / DRAWS);

    @Test
    void withoutDropoutABpeModelEncodesAsEver() {
        RandomTexts texts = new RandomTexts(BPE.model().vocabulary());
        for (long seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            String text = texts.next(random);
            assertThat(BPE.sample(text, 0, random)).as("seed %d", seed).containsExactly(BPE.encode(text));
        }
    }

    @Test
    void withFullDropoutNothingIsMerged() {
        int[] ids = BPE.sample("Once upon 春眠", 1, new Random(1));
        assertThat(Arrays.stream(ids).mapToObj(BPE::piece)).allMatch(piece -> piece.codePointCount(0, piece.length()) == 1);
        assertThat(BPE.decode(ids)).isEqualTo("Once upon 春眠");
    }

    @Test
    void halfDropoutGivesManySegmentationsOfTheSameText() {
        Random random = new Random(1);
        Set<String> seen = new TreeSet<>();
        for (int i = 0; i < 200; i++) {
            int[] ids = BPE.sample(TEXT, 0.5, random);
            assertThat(BPE.decode(ids)).isEqualTo(TEXT);
            seen.add(Arrays.toString(ids));
        }
        assertThat(seen).hasSizeGreaterThan(50);
        assertThat(BPE.sample(TEXT, 0.5, new Random(7))).containsExactly(BPE.sample(TEXT, 0.5, new Random(7)));
    }

    @Test
    void aMergeIsLeftOutWithTheProbabilityAskedFor() {
        Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE,
                new TestModels.PieceList().specials().add("a", -1).add("b", -1).add("ab", 0).vocabulary(), NormalizerSpec.identity(false),
                new SpecialTokens(1, 2, -1, true, false)));
        Random random = new Random(1);
        int merged = 0;
        for (int i = 0; i < DRAWS; i++) {
            merged += tokenizer.sample("ab", 0.3, random).length == 1 ? 1 : 0;
        }
        assertThat(merged / (double) DRAWS).isCloseTo(0.7, within(TOLERANCE));
    }

    @Test
    void unigramSegmentationsAreDrawnByTheirProbability() {
        String text = "the sun";
        List<Segmentation> all = UNIGRAM.nBest(text, 1024);
        assertThat(all).as("all segmentations are known").hasSizeLessThan(1024);
        double alpha = 0.5;
        double sum = all.stream().mapToDouble(s -> Math.exp(alpha * s.score())).sum();
        Random random = new Random(1);
        Map<String, Integer> drawn = new HashMap<>();
        for (int i = 0; i < DRAWS; i++) {
            drawn.merge(Arrays.toString(UNIGRAM.sample(text, alpha, random)), 1, Integer::sum);
        }
        for (Segmentation segmentation : all) {
            double expected = Math.exp(alpha * segmentation.score()) / sum;
            assertThat(drawn.getOrDefault(Arrays.toString(segmentation.ids()), 0) / (double) DRAWS).as("%s", segmentation)
                    .isCloseTo(expected, within(TOLERANCE));
        }
    }

    @Test
    void oneOfTheNBestIsDrawnByItsProbability() {
        List<Segmentation> best = UNIGRAM.nBest(TEXT, 3);
        double[] weights = best.stream().mapToDouble(s -> Math.exp(0.2 * s.score())).toArray();
        double sum = Arrays.stream(weights).sum();
        Random random = new Random(1);
        int[] drawn = new int[3];
        for (int i = 0; i < DRAWS; i++) {
            int[] ids = UNIGRAM.sample(TEXT, 3, 0.2, random);
            for (int k = 0; k < 3; k++) {
                drawn[k] += Arrays.equals(ids, best.get(k).ids()) ? 1 : 0;
            }
        }
        for (int k = 0; k < 3; k++) {
            assertThat(drawn[k] / (double) DRAWS).isCloseTo(weights[k] / sum, within(TOLERANCE));
        }
        assertThat(UNIGRAM.sample(TEXT, 1, 0.2, random)).containsExactly(UNIGRAM.encode(TEXT));
    }

    @Test
    void emptyTextsHaveOneSegmentation() {
        assertThat(UNIGRAM.sample("", 1, new Random())).isEmpty();
        assertThat(UNIGRAM.nBest(" ", 5)).singleElement().satisfies(s -> assertThat(s.ids()).isEmpty());
        assertThat(BPE.sample("", 0.5, new Random())).isEmpty();
    }

    @Test
    void whatCannotBeAskedForIsRefused() {
        Random random = new Random();
        assertThatThrownBy(() -> BPE.sample(TEXT, 1.5, random)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("1.5");
        assertThatThrownBy(() -> BPE.sample(TEXT, Double.NaN, random)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> UNIGRAM.sample(TEXT, -1, random)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> UNIGRAM.sample(TEXT, Double.POSITIVE_INFINITY, random)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> UNIGRAM.nBest(TEXT, 0)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("1 to 1024");
        assertThatThrownBy(() -> UNIGRAM.nBest(TEXT, 1025)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BPE.nBest(TEXT, 2)).isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("no unigram model");
    }
}
