package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against the reference, which sorts everything. */
class HostCandidatesTest {
    private static final float[] AWKWARD = {0f, -0f, Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 1f, 1f, -1f, Float.MIN_VALUE, -Float.MIN_VALUE};

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 64, 300})
    void chooseWhatSortingChooses(int count) {
        SplittableRandom random = new SplittableRandom(count);
        for (int round = 0; round < 200; round++) {
            int vocabSize = count + random.nextInt(400);
            int choices = count + random.nextInt(vocabSize - count + 1);
            int outputs = 1 + random.nextInt(3);
            float[] logits = new float[outputs * vocabSize];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = random.nextInt(4) == 0 ? AWKWARD[random.nextInt(AWKWARD.length)] : random.nextInt(20) / 4f - 2;
            }
            HostCandidates tested = new HostCandidates();
            ScalarCandidates reference = new ScalarCandidates();
            for (Candidates candidates : new Candidates[] {tested, reference}) {
                candidates.clear(count, choices);
                for (int output = 0; output < outputs; output++) {
                    candidates.addOutput();
                    for (int edit = 0; edit < output * 3; edit++) {
                        candidates.addEdit(edit % vocabSize, 1.5f, edit - 2f);
                    }
                }
            }
            float[] copy = logits.clone();
            tested.choose(logits, vocabSize);
            reference.choose(copy, vocabSize);
            assertThat(logits).as("the logits after their edits").isEqualTo(copy);
            for (int output = 0; output < outputs; output++) {
                for (int i = 0; i < count; i++) {
                    assertThat(tested.id(output, i)).as("round %d, output %d, candidate %d of %d", round, output, i, count).isEqualTo(reference.id(output, i));
                    assertThat(Float.compare(tested.logit(output, i), reference.logit(output, i))).isZero();
                }
            }
        }
    }

    @Test
    void anEditOutsideTheVocabularyIsRefused() {
        HostCandidates candidates = new HostCandidates();
        candidates.clear(1, 10);
        candidates.addOutput();
        candidates.addEdit(10, 1, 0);
        assertThatIllegalArgumentException().isThrownBy(() -> candidates.choose(new float[10], 10)).withMessageContaining("token 10");
    }
}
