package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.ModelFolders;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.TensorType;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** However a text is cut into forward passes, its logits are the same to the last bit. */
class PrefillTest {
    private static final int LENGTH = 300;

    private static Model load(TensorType type) {
        return ModelLoader.load(ModelFolders.tiny("base"), new LoadSettings(
                LoraStack.NONE, TypeMix.of(type), TensorType.F16, () -> NativeBackend.open(2), 2, 400, 2, (name, done, count, bytes, byteCount) -> {})).model();
    }

    private static int[] tokens() {
        return new SplittableRandom(7).ints(LENGTH, 3, 3000).toArray();
    }

    private static float[] last(Model model, int[] tokens, int step) {
        float[] logits = new float[model.vocabSize()];
        try (Sequence sequence = model.newSequence()) {
            for (int done = 0; done < tokens.length; done += step) {
                int count = Math.min(step, tokens.length - done);
                model.forward(sequence, tokens, done, count, done + count == tokens.length ? logits : null);
            }
            assertThat(sequence.length()).isEqualTo(tokens.length);
        }
        return logits;
    }

    private static int[] bits(float[] values, int offset, int count) {
        int[] bits = new int[count];
        for (int i = 0; i < count; i++) {
            bits[i] = Float.floatToRawIntBits(values[offset + i]);
        }
        return bits;
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"F32", "Q8_0", "Q4_0"})
    void piecesOfAnySizeGiveTheSameLogits(TensorType type) {
        int[] tokens = tokens();
        try (Model model = load(type)) {
            assertThat(model.maxColumns()).as("the prompt takes several passes").isLessThan(LENGTH);
            float[] expected = last(model, tokens, 1);
            for (int step : new int[] {7, 64, 100, model.maxColumns()}) {
                assertThat(bits(last(model, tokens, step), 0, expected.length)).as("%d at a time", step).isEqualTo(bits(expected, 0, expected.length));
            }
            int vocab = model.vocabSize();
            int step = model.maxOutputColumns();
            float[] all = new float[step * vocab];
            try (Sequence sequence = model.newSequence()) {
                for (int done = 0; done < LENGTH; done += step) {
                    model.forwardAll(sequence, tokens, done, Math.min(step, LENGTH - done), all);
                }
            }
            assertThat(bits(all, (LENGTH - 1) % step * vocab, vocab)).as("all logits asked for").isEqualTo(bits(expected, 0, vocab));
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = "F16")
    void refusedPassLeavesTheSequenceAsItWas(TensorType type) {
        int[] tokens = tokens();
        try (Model model = load(type)) {
            float[] expected = last(model, tokens, 64);
            float[] logits = new float[expected.length];
            try (Sequence sequence = model.newSequence()) {
                model.forward(sequence, tokens, 0, 250, null);
                assertThatIllegalArgumentException().isThrownBy(() -> model.forward(sequence, new int[] {5, 3000}, 0, 2, logits));
                assertThatIllegalArgumentException().isThrownBy(() -> model.forward(sequence, tokens, 0, 151, logits));
                assertThat(sequence.length()).isEqualTo(250);
                model.forward(sequence, tokens, 250, 50, logits);
            }
            assertThat(bits(logits, 0, logits.length)).isEqualTo(bits(expected, 0, logits.length));
        }
    }
}
