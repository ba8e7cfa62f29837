package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class NearDuplicatesTest {
    /** The textbook's table. */
    private static int textbook(List<String> a, List<String> b) {
        int[][] length = new int[a.size() + 1][b.size() + 1];
        for (int i = 1; i <= a.size(); i++) {
            for (int j = 1; j <= b.size(); j++) {
                length[i][j] = a.get(i - 1).equals(b.get(j - 1)) ? length[i - 1][j - 1] + 1 : Math.max(length[i - 1][j], length[i][j - 1]);
            }
        }
        return length[a.size()][b.size()];
    }

    private static double rougeL(String a, String b) {
        List<String> first = TextUnits.of(a);
        List<String> second = TextUnits.of(b);
        return first.isEmpty() || second.isEmpty() ? 0 : 2.0 * textbook(first, second) / (first.size() + second.size());
    }

    /** Few different characters, so that texts have much in common; up to three machine words long. */
    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings().withChars("春江花月夜").ofMinLength(0).ofMaxLength(180);
    }

    @Property(tries = 300)
    void theSimilarityIsTheTextbooks(@ForAll("texts") String a, @ForAll("texts") String b) {
        assertThat(NearDuplicates.similarity(a, b)).isEqualTo(rougeL(a, b));
    }

    @Provide
    Arbitrary<List<String>> manyTexts() {
        return Arbitraries.strings().withChars("春江花月夜潮水连海平").ofMinLength(0).ofMaxLength(12).list().ofMaxSize(60);
    }

    @Property(tries = 100)
    void noDuplicateIsMissedAndNoneInvented(@ForAll("manyTexts") List<String> texts, @ForAll int choice) {
        double threshold = new double[] {0.3, 0.5, 0.7, 0.9, 1}[Math.floorMod(choice, 5)];
        NearDuplicates kept = new NearDuplicates(threshold);
        List<String> keptTexts = new ArrayList<>();
        for (String text : texts) {
            int expected = -1;
            for (int i = 0; i < keptTexts.size() && expected < 0; i++) {
                expected = rougeL(text, keptTexts.get(i)) >= threshold - 1e-9 ? i : -1;
            }
            assertThat(kept.find(text)).as("%s in %s", text, keptTexts).isEqualTo(expected);
            if (expected < 0) {
                kept.add(text);
                keptTexts.add(text);
            }
        }
    }

    @Test
    void chineseIsComparedByCharactersAndEnglishByWords() {
        assertThat(TextUnits.of("把这句话翻译成English，Please: 3个词！")).containsExactly("把", "这", "句", "话", "翻", "译", "成", "english", "please", "3", "个", "词");
        assertThat(NearDuplicates.similarity("列出三种水果。", "列出三种蔬菜。")).isCloseTo(4.0 / 6, within(1e-12));
        assertThat(NearDuplicates.similarity("Name three fruits.", "name THREE vegetables")).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(NearDuplicates.similarity("！！", "！！")).isZero();
    }

    @Test
    void theThresholdItselfIsADuplicate() {
        NearDuplicates kept = new NearDuplicates(0.7);
        kept.add("一二三四五六七八九十");
        assertThat(kept.find("一二三四五六七甲乙丙")).as("7 of 10 in common").isZero();
        assertThat(kept.find("一二三四五六甲乙丙丁")).isEqualTo(-1);
        assertThat(kept.find("？")).isEqualTo(-1);
    }

    @Test
    void aThresholdOutOfRangeIsRefused() {
        for (double threshold : new double[] {0, -1, 1.01, Double.NaN}) {
            assertThatThrownBy(() -> new NearDuplicates(threshold)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("threshold");
        }
    }
}
