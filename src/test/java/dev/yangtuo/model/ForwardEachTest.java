package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.ModelFolders;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences that are computed together get the bits that each gets alone; a sequence that was cut goes on as if the rest had never been. */
class ForwardEachTest {
    private static final int SEQUENCES = 5;
    private static final int STEPS = 4;

    private static Model load(Supplier<Backend> backend) {
        return ModelLoader.load(ModelFolders.tiny("base"), new LoadSettings(LoraStack.NONE, TypeMix.of(TensorType.Q8_0), TensorType.F16, backend, 2, 100,
                SEQUENCES, (name, done, count, bytes, byteCount) -> {})).model();
    }

    /** Prompts of different lengths, so that positions and pages differ; then the tokens of each step. */
    private static int[] tokens(int sequence, int vocabulary) {
        return new SplittableRandom(sequence).ints(1 + 17 * sequence + STEPS, 0, vocabulary).toArray();
    }

    private static List<float[]> alone(Model model, int number) {
        int[] tokens = tokens(number, model.vocabSize());
        List<float[]> logits = new ArrayList<>();
        try (Sequence sequence = model.newSequence()) {
            model.forward(sequence, tokens, 0, tokens.length - STEPS, null);
            for (int step = STEPS; step > 0; step--) {
                float[] row = new float[model.vocabSize()];
                model.forward(sequence, tokens, tokens.length - step, 1, row);
                logits.add(row);
            }
        }
        return logits;
    }

    @ParameterizedTest
    @ValueSource(strings = {"native", "scalar"})
    void togetherAndAloneAreTheSameBits(String backend) {
        try (Model model = load(() -> backend.equals("native") ? NativeBackend.open(2) : new ScalarBackend(2))) {
            int vocabulary = model.vocabSize();
            List<List<float[]>> expected = new ArrayList<>();
            for (int i = 0; i < SEQUENCES; i++) {
                expected.add(alone(model, i));
            }
            List<Sequence> sequences = new ArrayList<>();
            for (int i = 0; i < SEQUENCES; i++) {
                int[] tokens = tokens(i, vocabulary);
                sequences.add(model.newSequence());
                model.forward(sequences.getLast(), tokens, 0, tokens.length - STEPS, null);
            }
            float[] logits = new float[SEQUENCES * vocabulary];
            for (int step = 0; step < STEPS; step++) {
                int[] next = new int[SEQUENCES];
                for (int i = 0; i < SEQUENCES; i++) {
                    int[] tokens = tokens(i, vocabulary);
                    next[i] = tokens[tokens.length - STEPS + step];
                }
                model.forwardEach(sequences, next, logits);
                for (int i = 0; i < SEQUENCES; i++) {
                    assertThat(Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary)).as("sequence %d, step %d", i, step)
                            .isEqualTo(expected.get(i).get(step));
                }
            }
            sequences.forEach(Sequence::close);
        }
    }

    @Test
    void aCutSequenceGoesOnFromWhereItWasCut() {
        try (Model model = load(() -> NativeBackend.open(1)); Sequence sequence = model.newSequence()) {
            int[] tokens = tokens(4, model.vocabSize());
            float[] expected = new float[model.vocabSize()];
            float[] logits = new float[model.vocabSize()];
            model.forward(sequence, tokens, 0, tokens.length, expected);
            model.forward(sequence, new int[] {9, 8, 7}, 0, 3, null);
            sequence.truncate(10);
            assertThat(sequence.length()).isEqualTo(10);
            assertThat(sequence.remaining()).isEqualTo(90);
            model.forward(sequence, tokens, 10, tokens.length - 10, logits);
            assertThat(logits).isEqualTo(expected);
            assertThatIllegalArgumentException().isThrownBy(() -> sequence.truncate(sequence.length() + 1)).withMessageContaining("cannot be cut");
            assertThatIllegalArgumentException().isThrownBy(() -> sequence.truncate(-1));
        }
    }

    @Test
    void aPassThatIsRefusedChangesNothing() {
        try (Model model = load(() -> NativeBackend.open(1)); Sequence one = model.newSequence(); Sequence other = model.newSequence()) {
            float[] logits = new float[2 * model.vocabSize()];
            assertThatIllegalArgumentException().isThrownBy(() -> model.forwardEach(List.of(one, other), new int[] {1, 3000}, logits));
            assertThat(one.length() + other.length()).isZero();
            assertThat(model.maxBatchSequences()).isEqualTo(SEQUENCES);
        }
    }
}
