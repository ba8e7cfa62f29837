package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kind of change against the textbook, in double, and what is refused of it. */
class AdapterKindsTest {
    private static final String Q = "model.layers.0.self_attn.q_proj.weight";
    private static final String Q_BIAS = "model.layers.0.self_attn.q_proj.bias";
    private static final String Q_KEY = "base_model.model.model.layers.0.self_attn.q_proj";
    private static final String EMBED_KEY = "base_model.model.model.embed_tokens";

    /** Float32 sums of at most 65 products of values of about 1, then divided by a norm, against the same in double. */
    private static final double TOLERANCE = 2e-5;

    private static MemoryCheckpoint tensors() {
        return new MemoryCheckpoint("adapters/a/adapter_model.safetensors");
    }

    private static LoraAdapter adapter(double scale, MemoryCheckpoint tensors, String... settings) {
        String json = "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 3" + String.join("", settings) + "}";
        LoraRequest request = new LoraRequest(tensors.path().getParent(), scale);
        return LoraAdapter.of(request, LoraAdapter.Format.PEFT_SAFETENSORS, LoraConfigTest.parse(json), tensors);
    }

    private static LoraMerge merge(boolean float16, LoraAdapter... adapters) {
        return new LoraMerge(List.of(adapters), new LoraMerge.Base(Path.of("base"), 5, false, float16, rows -> rows));
    }

    private static float[] values(int rows, int columns, long seed) {
        return MemoryCheckpoint.randomValues(rows * columns, new Random(seed));
    }

    private static float[] read(FloatRows rows) {
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }

    /** w + scale * b a, or with (b a) transposed, in double. */
    private static double[][] sum(float[] w, int columns, float[] a, float[] b, int rank, double scale, boolean transposed) {
        int inner = a.length / rank;
        double[][] sum = new double[w.length / columns][columns];
        for (int i = 0; i < sum.length; i++) {
            for (int j = 0; j < columns; j++) {
                int out = transposed ? j : i;
                int in = transposed ? i : j;
                double delta = 0;
                for (int k = 0; k < rank; k++) {
                    delta += (double) b[out * rank + k] * a[k * inner + in];
                }
                sum[i][j] = w[i * columns + j] + scale * delta;
            }
        }
        return sum;
    }

    private static double[][] dora(double[][] sum, float[] magnitude, boolean ofColumns) {
        double[][] result = new double[sum.length][sum[0].length];
        for (int i = 0; i < sum.length; i++) {
            for (int j = 0; j < sum[0].length; j++) {
                double squares = 0;
                for (int k = 0; k < (ofColumns ? sum.length : sum[0].length); k++) {
                    double value = ofColumns ? sum[k][j] : sum[i][k];
                    squares += value * value;
                }
                result[i][j] = magnitude[ofColumns ? j : i] / Math.sqrt(squares) * sum[i][j];
            }
        }
        return result;
    }

    private static void assertClose(float[] actual, double[][] expected) {
        double[] flat = Arrays.stream(expected).flatMapToDouble(Arrays::stream).toArray();
        assertThat(actual).hasSameSizeAs(flat);
        for (int i = 0; i < flat.length; i++) {
            assertThat((double) actual[i]).as("element %d", i).isCloseTo(flat[i], within(TOLERANCE));
        }
    }

    private static MemoryCheckpoint lora(String key, int out, int rank, int in) {
        Random random = new Random(out * 31L + in);
        return tensors().random(key + ".lora_A.weight", rank, in, random).random(key + ".lora_B.weight", out, rank, random);
    }

    private static MemoryCheckpoint embedding(String ending, int vocabulary, int dim) {
        Random random = new Random(vocabulary);
        return tensors().random(EMBED_KEY + ".lora_embedding_A" + ending, 2, vocabulary, random)
                .random(EMBED_KEY + ".lora_embedding_B" + ending, dim, 2, random);
    }

    // DoRA.

    @ParameterizedTest
    @CsvSource({"false, 1", "true, 1", "false, -0.5", "true, 0"})
    void doraBringsOutputsToTrainedNorms(boolean transposed, double scale) {
        MemoryCheckpoint tensors = lora(Q_KEY, 6, 2, transposed ? 9 : 1500);
        float[] magnitude = values(1, 6, 7);
        tensors.with(Q_KEY + ".lora_magnitude_vector", List.of(6L), magnitude);
        int columns = transposed ? 6 : 1500;
        float[] base = values(transposed ? 9 : 6, columns, 8);
        LoraMerge merge = merge(false, adapter(scale, tensors, ", \"use_dora\": true, \"fan_in_fan_out\": " + transposed));
        FloatRows rows = merge.apply(Q, FloatRows.of(base, columns));
        double[][] sum = sum(base, columns, tensors.values(Q_KEY + ".lora_A.weight"), tensors.values(Q_KEY + ".lora_B.weight"), 2, 1.5 * scale, transposed);
        double[][] expected = dora(sum, magnitude, transposed);
        assertClose(read(rows), expected);
        float[] last = new float[columns];
        rows.read(rows.rows() - 1, 1, last, 0);
        assertThat(last).isEqualTo(Arrays.copyOfRange(read(rows), base.length - columns, base.length));
        MergeReport.Adapter report = merge.finish().adapters().getFirst();
        assertThat(report.rescaled()).isEqualTo(1);
        double changes = 0;
        double before = 0;
        for (int i = 0; i < base.length; i++) {
            changes += Math.pow(expected[i / columns][i % columns] - base[i], 2);
            before += (double) base[i] * base[i];
        }
        assertThat(report.relativeNorm()).isCloseTo(Math.sqrt(changes / before), within(1e-5));
        assertThat(report.describe()).contains("1 matrix changed (relative norm ", ", 1 by DoRA)");
    }

    @Test
    void doraNormsOfAnEmbeddingAreThoseOfItsColumns() {
        MemoryCheckpoint tensors = embedding("", 5, 4);
        float[] magnitude = values(1, 4, 3);
        tensors.with(EMBED_KEY + ".lora_magnitude_vector.default.weight", List.of(4L), magnitude);
        float[] base = values(5, 4, 4);
        float[] merged = read(merge(false, adapter(1, tensors, ", \"use_dora\": true")).apply(LoraMerge.EMBEDDING, FloatRows.of(base, 4)));
        double[][] sum = sum(base, 4, tensors.values(EMBED_KEY + ".lora_embedding_A"), tensors.values(EMBED_KEY + ".lora_embedding_B"), 2, 1.5, true);
        assertClose(merged, dora(sum, magnitude, true));
    }

    @Test
    void doraThatIsNotWholeIsRefused() {
        MemoryCheckpoint plain = lora(Q_KEY, 6, 2, 9);
        assertThatThrownBy(() -> adapter(1, plain, ", \"use_dora\": true"))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor '" + Q_KEY + ".lora_A.weight' has no lora_magnitude_vector beside it");
        assertThatThrownBy(() -> adapter(1, lora(Q_KEY, 6, 2, 9).with(Q_KEY + ".lora_magnitude_vector", List.of(6L), new float[6])))
                .hasMessageContaining("belongs to DoRA, but use_dora of adapter_config.json is not true");
        assertThatThrownBy(() -> adapter(1, lora(Q_KEY, 6, 2, 9).with(Q_KEY + ".lora_magnitude_vector", List.of(5L), new float[5]), ", \"use_dora\": true"))
                .hasMessageContaining("has shape [5], but '" + Q_KEY + ".lora_B.weight' has 6 rows");
        assertThatThrownBy(() -> adapter(1, tensors().with(Q_KEY + ".lora_magnitude_vector", List.of(6L), new float[6]), ", \"use_dora\": true"))
                .hasMessageContaining("has no lora_A and lora_B beside it");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rowsThatHaveNoDirectionCannotGetANorm(boolean transposed) {
        MemoryCheckpoint tensors = tensors().with(Q_KEY + ".lora_A.weight", 1, 3, new float[3]).with(Q_KEY + ".lora_B.weight", 3, 1, new float[3])
                .with(Q_KEY + ".lora_magnitude_vector", List.of(3L), 1, 2, 3);
        FloatRows rows = merge(false, adapter(1, tensors, ", \"use_dora\": true, \"fan_in_fan_out\": " + transposed)).apply(Q, FloatRows.of(new float[9], 3));
        assertThatThrownBy(() -> read(rows)).isInstanceOf(AdapterException.class).hasMessageContaining("%s 0 the norm 1.0", transposed ? "column" : "row");
        tensors.values(Q_KEY + ".lora_magnitude_vector")[2] = Float.NaN;
        FloatRows damaged = merge(false, adapter(1, tensors, ", \"use_dora\": true")).apply(Q, FloatRows.of(new float[9], 3));
        assertThatThrownBy(() -> read(damaged)).hasMessageContaining("lora_magnitude_vector' holds a NaN or infinite value");
    }

    // Embeddings.

    @ParameterizedTest
    @ValueSource(strings = {"", ".weight", ".default", ".default.weight", ".mine"})
    void embeddingLoraIsTransposed(String ending) {
        MemoryCheckpoint tensors = embedding(ending, 5, 4);
        float[] base = values(5, 4, 1);
        float[] merged = read(merge(false, adapter(1, tensors)).apply(LoraMerge.EMBEDDING, FloatRows.of(base, 4)));
        float[] a = tensors.values(EMBED_KEY + ".lora_embedding_A" + ending);
        float[] b = tensors.values(EMBED_KEY + ".lora_embedding_B" + ending);
        assertClose(merged, sum(base, 4, a, b, 2, 1.5, true));
    }

    @Test
    void embeddingLoraActsOnTheVocabularyThatTheAdapterBrings() {
        MemoryCheckpoint tensors = embedding("", 8, 4).random(EMBED_KEY + ".base_layer.weight", 8, 4, new Random(1))
                .random("base_model.model.lm_head.weight", 8, 4, new Random(2));
        LoraMerge merge = merge(false, adapter(1, tensors));
        assertThat(merge.vocabularySize()).isEqualTo(8);
        float[] merged = read(merge.apply(LoraMerge.EMBEDDING, FloatRows.of(values(5, 4, 1), 4)));
        float[] a = tensors.values(EMBED_KEY + ".lora_embedding_A");
        float[] b = tensors.values(EMBED_KEY + ".lora_embedding_B");
        assertClose(merged, sum(tensors.values(EMBED_KEY + ".base_layer.weight"), 4, a, b, 2, 1.5, true));
        LoraMerge small = merge(false, adapter(1, embedding("", 8, 4)));
        assertThatThrownBy(() -> small.apply(LoraMerge.EMBEDDING, FloatRows.of(values(5, 4, 1), 4)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("is [5, 4] in the model, but '" + EMBED_KEY + ".lora_embedding_B' times '" + EMBED_KEY + ".lora_embedding_A' is [8, 4]");
        assertThatThrownBy(() -> adapter(1, embedding("", 5, 4).random(EMBED_KEY + ".lora_A.weight", 2, 4, new Random(1))
                .random(EMBED_KEY + ".lora_B.weight", 5, 2, new Random(1)))).hasMessageContaining("mean the same");
    }

    // Biases.

    @ParameterizedTest
    @ValueSource(strings = {".bias", ".base_layer.bias", ".modules_to_save.default.bias", ".modules_to_save.bias"})
    void trainedBiasesReplaceAndAreNotScaled(String ending) {
        MemoryCheckpoint tensors = tensors().with(Q_KEY + ending, List.of(3L), 1, 2, 3);
        LoraMerge merge = merge(false, adapter(0.5, tensors, ", \"bias\": \"all\""));
        assertThat(merge.changes(Q_BIAS)).isTrue();
        assertThat(merge.changes(Q)).isFalse();
        assertThat(read(merge.apply(Q_BIAS, FloatRows.of(new float[] {7, 7, 7}, 3)))).containsExactly(1, 2, 3);
        assertThat(merge.finish().adapters().getFirst().biases()).isEqualTo(1);
        assertThat(merge.finish().describe()).isEqualTo("LoRA a: 0 matrices changed, 0 replaced, 1 bias changed, scale 0.5, vocabulary 5");
        assertThatThrownBy(() -> merge(false, adapter(1, tensors)).apply(Q_BIAS, FloatRows.of(new float[4], 4)))
                .hasMessageContaining("is [1, 4] in the model, but '" + Q_KEY + ending + "' is [1, 3]");
    }

    @ParameterizedTest
    @ValueSource(strings = {".lora_B.bias", ".lora_B.default.bias"})
    void biasesBesideLoraBAreScaledAsItsDelta(String ending) {
        MemoryCheckpoint tensors = lora(Q_KEY, 3, 2, 4).with(Q_KEY + ending, List.of(3L), 1, 2, 4);
        LoraMerge merge = merge(false, adapter(2, tensors, ", \"lora_bias\": true"));
        // 2 * 3 / 2
        assertThat(read(merge.apply(Q_BIAS, FloatRows.of(new float[] {1, 1, 1}, 3)))).containsExactly(4, 7, 13);
        merge.apply(Q, FloatRows.of(new float[12], 4));
        assertThat(merge.finish().adapters().getFirst().biases()).isEqualTo(1);
    }

    @Test
    void biasesThatDoNotBelongAreRefused() {
        assertThatThrownBy(() -> adapter(1, lora(Q_KEY, 3, 2, 4), ", \"lora_bias\": true"))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor '" + Q_KEY + ".lora_B.weight' has no bias beside it");
        assertThatThrownBy(() -> adapter(1, lora(Q_KEY, 3, 2, 4).with(Q_KEY + ".lora_B.bias", List.of(3L), 1, 2, 4)))
                .hasMessageContaining("lora_bias of adapter_config.json is not true");
        assertThatThrownBy(() -> adapter(1, lora(Q_KEY, 3, 2, 4).with(Q_KEY + ".lora_B.bias", List.of(2L), 1, 2), ", \"lora_bias\": true"))
                .hasMessageContaining("has shape [2], but '" + Q_KEY + ".lora_B.weight' has 3 rows");
        assertThatThrownBy(() -> adapter(1, tensors().with(Q_KEY + ".lora_B.bias", List.of(2L), 1, 2), ", \"lora_bias\": true"))
                .hasMessageContaining("has no lora_A and lora_B beside it");
        assertThatThrownBy(() -> adapter(1, tensors().with(Q_KEY + ".bias", 1, 2, 1, 2))).hasMessageContaining("expected a matrix or a vector");
        MemoryCheckpoint damaged = lora(Q_KEY, 2, 2, 4).with(Q_KEY + ".lora_B.bias", List.of(2L), Float.NaN, 1);
        FloatRows rows = merge(false, adapter(1, damaged, ", \"lora_bias\": true")).apply(Q_BIAS, FloatRows.of(new float[2], 2));
        assertThatThrownBy(() -> read(rows)).hasMessageContaining("lora_B.bias' holds a NaN or infinite value");
    }

    // Single rows.

    @ParameterizedTest
    @ValueSource(strings = {".token_adapter.trainable_tokens_delta", ".token_adapter.trainable_tokens_delta.default"})
    void trainedRowsReplaceRowsAndAreNotScaled(String ending) {
        MemoryCheckpoint tensors = tensors().with(EMBED_KEY + ending, 2, 2, 10, 11, 20, 21)
                .with(EMBED_KEY + ".token_adapter.trainable_tokens_original", 2, 2, 0, 0, 0, 0);
        LoraMerge merge = merge(false, adapter(3, tensors, ", \"trainable_token_indices\": [4, 1]"));
        FloatRows rows = merge.apply(LoraMerge.EMBEDDING, FloatRows.of(new float[] {0, 0, 1, 1, 2, 2, 3, 3, 4, 4}, 2));
        assertThat(read(rows)).containsExactly(0, 0, 20, 21, 2, 2, 3, 3, 10, 11);
        for (int row = 0; row < 5; row++) {
            float[] one = new float[3];
            rows.read(row, 1, one, 1);
            assertThat(one[1]).isEqualTo(read(rows)[row * 2]);
        }
        float[] middle = new float[4];
        rows.read(1, 2, middle, 0);
        assertThat(middle).containsExactly(20, 21, 2, 2);
        assertThat(merge.finish().describe()).isEqualTo("LoRA a: 0 matrices changed, 0 replaced, 2 token rows set, scale 3.0, vocabulary 5");
    }

    @Test
    void trainedRowsComeAfterTheLoraOfTheSameMatrix() {
        MemoryCheckpoint tensors = lora("base_model.model.lm_head", 5, 2, 2)
                .with("base_model.model.lm_head.token_adapter.trainable_tokens_delta", 1, 2, 10, 11);
        LoraAdapter adapter = adapter(1, tensors, ", \"trainable_token_indices\": {\"lm_head\": [3]}");
        float[] merged = read(merge(false, adapter).apply(LoraMerge.OUTPUT, FloatRows.of(new float[10], 2)));
        assertThat(Arrays.copyOfRange(merged, 6, 8)).containsExactly(10, 11);
        assertThat(merged[0]).isNotZero();
    }

    @Test
    void trainedRowsThatDoNotFitAreRefused() {
        String key = EMBED_KEY + ".token_adapter.trainable_tokens_delta";
        assertThatThrownBy(() -> adapter(1, tensors().with(key, 2, 2, 1, 2, 3, 4)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("trainable_token_indices of adapter_config.json does not name them");
        assertThatThrownBy(() -> adapter(1, tensors().with(key, 2, 2, 1, 2, 3, 4), ", \"trainable_token_indices\": {\"lm_head\": [1, 2]}"))
                .hasMessageContaining("does not name them");
        assertThatThrownBy(() -> adapter(1, tensors().with(key, 2, 2, 1, 2, 3, 4), ", \"trainable_token_indices\": [1, 2, 3]"))
                .hasMessageContaining("has 2 rows, but trainable_token_indices of adapter_config.json names 3 tokens");
        assertThatThrownBy(() -> adapter(1, lora(Q_KEY, 3, 2, 4), ", \"trainable_token_indices\": [1]"))
                .hasMessageContaining("the adapter has no rows for them");
        FloatRows base = FloatRows.of(new float[10], 2);
        LoraMerge outside = merge(false, adapter(1, tensors().with(key, 1, 2, 1, 2), ", \"trainable_token_indices\": [5]"));
        assertThatThrownBy(() -> outside.apply(LoraMerge.EMBEDDING, base))
                .hasMessageContaining("names the token 5, but 'model.embed_tokens.weight' has 5 rows");
        LoraMerge wide = merge(false, adapter(1, tensors().with(key, 1, 3, 1, 2, 3), ", \"trainable_token_indices\": [1]"));
        assertThatThrownBy(() -> wide.apply(LoraMerge.EMBEDDING, base)).hasMessageContaining("is [1, 3]");
        LoraMerge damaged = merge(false, adapter(1, tensors().with(key, 1, 2, 1, Float.NaN), ", \"trainable_token_indices\": [1]"));
        assertThatThrownBy(() -> read(damaged.apply(LoraMerge.EMBEDDING, base))).hasMessageContaining("holds a NaN or infinite value");
    }

    // Scales, float16, quantized bases.

    @Test
    void theScaleOfTheRequestMultipliesDeltasOnly() {
        float[] base = values(6, 9, 1);
        for (double scale : new double[] {0, -2, 0.25}) {
            MemoryCheckpoint tensors = lora(Q_KEY, 6, 2, 9).random("base_model.model.lm_head.weight", 5, 9, new Random(1));
            LoraMerge merge = merge(false, adapter(scale, tensors));
            float[] merged = read(merge.apply(Q, FloatRows.of(base, 9)));
            assertClose(merged, sum(base, 9, tensors.values(Q_KEY + ".lora_A.weight"), tensors.values(Q_KEY + ".lora_B.weight"), 2, 1.5 * scale, false));
            assertThat(read(merge.apply(LoraMerge.OUTPUT, FloatRows.of(new float[45], 9)))).isEqualTo(tensors.values("base_model.model.lm_head.weight"));
            assertThat(merge.finish().adapters().getFirst().source().scale()).isEqualTo(scale);
        }
        assertThatThrownBy(() -> new LoraRequest(Path.of("a"), Double.NaN)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("must be finite");
        assertThatThrownBy(() -> adapter(1e300, lora(Q_KEY, 6, 2, 9))).hasMessageContaining("is out of range");
    }

    @Test
    void float16RoundsTheBaseAndEachAdapter() {
        float[] base = values(6, 9, 1);
        MemoryCheckpoint tensors = lora(Q_KEY, 6, 2, 9);
        float[] once = read(merge(true, adapter(1, tensors), adapter(-1, tensors)).apply(Q, FloatRows.of(base, 9)));
        float[] expected = new float[base.length];
        double[][] delta = sum(new float[54], 9, tensors.values(Q_KEY + ".lora_A.weight"), tensors.values(Q_KEY + ".lora_B.weight"), 2, 1.5, false);
        for (int i = 0; i < base.length; i++) {
            float first = half((float) (half(base[i]) + delta[i / 9][i % 9]));
            expected[i] = half((float) (first - delta[i / 9][i % 9]));
        }
        assertThat(once).isEqualTo(expected).isNotEqualTo(base);
        assertThat(read(merge(true).apply(Q, FloatRows.of(new float[] {1.0001f}, 1)))).containsExactly(1f);
        assertThatThrownBy(() -> read(merge(true).apply(Q, FloatRows.of(new float[] {70000f}, 1))))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("is too large for float16; merge in float32");
    }

    private static float half(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Q4_0", "Q8_0", "F16"})
    void quantizedBasesAreDecodedFirst(String name) {
        TensorType type = TensorType.valueOf(name);
        float[] original = values(4, 64, 3);
        float[] decoded = new float[256];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = arena.allocate(type.rowBytes(64) * 4);
            RowCodec.encodeRows(type, original, 0, 4, 64, blocks, 0);
            FloatRows base = new FloatRows() {
                @Override
                public long rows() {
                    return 4;
                }

                @Override
                public int columns() {
                    return 64;
                }

                @Override
                public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
                    RowCodec.decodeRows(type, blocks, firstRow * type.rowBytes(64), rowCount, 64, target, targetOffset);
                }
            };
            base.read(0, 4, decoded, 0);
            MemoryCheckpoint tensors = lora(Q_KEY, 4, 2, 64);
            float[] merged = read(merge(false, adapter(1, tensors)).apply(Q, base));
            assertClose(merged, sum(decoded, 64, tensors.values(Q_KEY + ".lora_A.weight"), tensors.values(Q_KEY + ".lora_B.weight"), 2, 1.5, false));
        }
    }
}
