package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models whose matrices have more rows than the tokenizer has pieces. */
class PaddedVocabularyTest {
    private static final int PIECES = 3000;
    private static final int ROWS = 3008;

    @TempDir
    private Path folder;

    /** The padding's rows are large numbers of both signs, so that one of them always has the largest logit. */
    private void writePaddedModel() throws Exception {
        Path base = ModelFolders.tiny("base");
        Files.copy(base.resolve("tokenizer.model"), folder.resolve("tokenizer.model"));
        Files.writeString(folder.resolve("config.json"), Files.readString(base.resolve("config.json")).replace("\"vocab_size\": 3000", "\"vocab_size\": " + ROWS));
        SafetensorsBuilder builder = new SafetensorsBuilder();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.openDirectory(base, "model")) {
            for (TensorInfo tensor : checkpoint.tensors()) {
                FloatRows rows = checkpoint.rows(tensor);
                boolean vocabulary = rows.rows() == PIECES;
                int count = vocabulary ? ROWS : (int) rows.rows();
                float[] values = new float[count * rows.columns()];
                rows.read(0, (int) rows.rows(), values, 0);
                for (int row = PIECES; vocabulary && row < ROWS; row++) {
                    Arrays.fill(values, row * rows.columns(), (row + 1) * rows.columns(), row % 2 == 0 ? 50 : -50);
                }
                long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
                shape[0] = vocabulary ? ROWS : shape[0];
                builder.tensor(tensor.name(), TensorType.F32, values, shape);
            }
        }
        builder.write(folder.resolve("model.safetensors"));
    }

    @Test
    void paddingIsNeverChosen() throws Exception {
        writePaddedModel();
        GenerateOptions options = GenerateOptions.defaults().maxTokens(60);
        try (Llama padded = Llama.load(folder); Llama plain = Llama.load(ModelFolders.tiny("base"))) {
            assertThat(padded.vocabSize()).isEqualTo(ROWS);
            float[] best = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
            padded.logits(new int[] {1, 182}, (position, logits, offset) -> {
                for (int id = 0; id < ROWS; id++) {
                    int kind = id < PIECES ? 0 : 1;
                    best[kind] = Math.max(best[kind], logits[offset + id]);
                }
            });
            assertThat(best[1]).as("the padding's logits are the largest").isGreaterThan(best[0]);
            for (GenerateOptions each : new GenerateOptions[] {options.greedy(), options.temperature(1.5f).topK(0).topP(1).seed(3)}) {
                GenerationResult result = padded.generate("In", each).result();
                assertThat(result.ids()).allMatch(id -> id < PIECES);
                assertThat(result.ids()).isEqualTo(plain.generate("In", each).result().ids());
            }
            assertThatIllegalArgumentException().as("padding stands for no text that could be continued")
                    .isThrownBy(() -> padded.generate(new int[] {1, ROWS - 1}, options)).withMessageContaining("3007");
        }
    }
}
