package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LoraMergeTest {
    private static final String Q = "model.layers.0.self_attn.q_proj.weight";
    private static final String Q_KEY = "base_model.model.model.layers.0.self_attn.q_proj";
    private static final String EMBED = LoraMerge.EMBEDDING;
    private static final String HEAD = LoraMerge.OUTPUT;

    /** Float32 sums of at most 65 products of values of about 1 against the same in double. */
    private static final double TOLERANCE = 2e-5;

    private static MemoryCheckpoint tensors(String name) {
        return new MemoryCheckpoint("adapters/" + name + "/adapter_model.safetensors");
    }

    private static LoraAdapter adapter(MemoryCheckpoint tensors, String... settings) {
        String json = "{\"peft_type\": \"LORA\", \"lora_alpha\": 3, \"base_model_name_or_path\": \"alpaca\"" + String.join("", settings) + "}";
        return LoraAdapter.of(new LoraRequest(tensors.path().getParent(), 1), LoraAdapter.Format.PEFT_SAFETENSORS, LoraConfigTest.parse(json), tensors);
    }

    private static LoraMerge merge(LoraAdapter... adapters) {
        return merge(false, adapters);
    }

    private static LoraMerge merge(boolean tied, LoraAdapter... adapters) {
        return new LoraMerge(List.of(adapters), new LoraMerge.Base(Path.of("base"), 5, tied, false, rows -> rows));
    }

    private static MemoryCheckpoint lora(String name, String key, int out, int rank, int in, long seed) {
        Random random = new Random(seed);
        return tensors(name).random(key + ".lora_A.weight", rank, in, random).random(key + ".lora_B.weight", out, rank, random);
    }

    private static float[] values(int rows, int columns, long seed) {
        return MemoryCheckpoint.randomValues(rows * columns, new Random(seed));
    }

    private static float[] read(FloatRows rows) {
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }

    private static double[] widen(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    /** The textbook: w += scale * b a, in double. */
    private static double[] dense(double[] w, MemoryCheckpoint adapter, String key, int rank, double scale) {
        float[] a = adapter.values(key + ".lora_A.weight");
        float[] b = adapter.values(key + ".lora_B.weight");
        int in = a.length / rank;
        double[] sum = w.clone();
        for (int i = 0; i < sum.length; i++) {
            for (int k = 0; k < rank; k++) {
                sum[i] += scale * b[i / in * rank + k] * a[k * in + i % in];
            }
        }
        return sum;
    }

    private static void assertClose(float[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("element %d", i).isCloseTo(expected[i], within(TOLERANCE));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 19, 65})
    void addsScaledProducts(int rank) {
        MemoryCheckpoint tensors = lora("a", Q_KEY, 7, rank, 13, rank);
        float[] base = values(7, 13, 99);
        LoraMerge merge = merge(adapter(tensors));
        assertClose(read(merge.apply(Q, FloatRows.of(base, 13))), dense(widen(base), tensors, Q_KEY, rank, 3.0 / rank));
        assertThat(merge.finish().adapters().getFirst().changed()).isEqualTo(1);
    }

    @Test
    void rankStabilizedScaleDividesByTheRoot() {
        MemoryCheckpoint tensors = lora("a", Q_KEY, 4, 9, 6, 1);
        float[] base = values(4, 6, 2);
        float[] merged = read(merge(adapter(tensors, ", \"use_rslora\": true")).apply(Q, FloatRows.of(base, 6)));
        assertClose(merged, dense(widen(base), tensors, Q_KEY, 9, 1.0));
    }

    @Test
    void alphaPatternsApplyPerModule() {
        MemoryCheckpoint tensors = lora("a", Q_KEY, 4, 2, 6, 1);
        float[] base = values(4, 6, 2);
        float[] merged = read(merge(adapter(tensors, ", \"alpha_pattern\": {\"k_proj\": 50, \"q_proj\": 10}")).apply(Q, FloatRows.of(base, 6)));
        assertClose(merged, dense(widen(base), tensors, Q_KEY, 2, 5.0));
    }

    @Test
    void fanInFanOutTransposesTheDelta() {
        // The base is stored as [in = 4, out = 6]; A is [rank, in], B is [out, rank].
        MemoryCheckpoint tensors = lora("a", Q_KEY, 6, 3, 4, 1);
        float[] base = values(4, 6, 2);
        double[] delta = dense(new double[24], tensors, Q_KEY, 3, 1.0);
        double[] expected = widen(base);
        for (int in = 0; in < 4; in++) {
            for (int out = 0; out < 6; out++) {
                expected[in * 6 + out] += delta[out * 4 + in];
            }
        }
        LoraAdapter adapter = adapter(tensors, ", \"fan_in_fan_out\": true");
        assertClose(read(merge(adapter).apply(Q, FloatRows.of(base, 6))), expected);
        assertThatThrownBy(() -> merge(adapter).apply(Q, FloatRows.of(values(6, 4, 1), 4))).hasMessageContaining("is [4, 6]");
    }

    @Test
    void appliesAdaptersInOrder() {
        MemoryCheckpoint first = lora("first", Q_KEY, 5, 2, 4, 1);
        MemoryCheckpoint second = lora("second", Q_KEY, 5, 3, 4, 2);
        float[] base = values(5, 4, 3);
        double[] expected = dense(dense(widen(base), first, Q_KEY, 2, 1.5), second, Q_KEY, 3, 1);
        assertClose(read(merge(adapter(first), adapter(second)).apply(Q, FloatRows.of(base, 4))), expected);
    }

    @Test
    void aLaterWholeMatrixOverwritesAnEarlierDeltaAndMatrix() {
        MemoryCheckpoint first = lora("first", Q_KEY, 5, 2, 4, 1).random("lm_head.weight", 5, 4, new Random(7));
        MemoryCheckpoint second = tensors("second").random(Q_KEY + ".weight", 5, 4, new Random(8)).random("lm_head.weight", 5, 4, new Random(9));
        LoraMerge merge = merge(adapter(first), adapter(second));
        assertThat(read(merge.apply(Q, FloatRows.of(values(5, 4, 3), 4)))).isEqualTo(second.values(Q_KEY + ".weight"));
        assertThat(read(merge.apply(HEAD, FloatRows.of(values(5, 4, 3), 4)))).isEqualTo(second.values("lm_head.weight"));
        MergeReport report = merge.finish();
        assertThat(report.adapters().get(0).overwritten()).isEqualTo(2);
        assertThat(report.adapters().get(1).overwritten()).isZero();
        assertThat(report.adapters().get(1).replaced()).isEqualTo(2);
    }

    @Test
    void aDeltaIsAddedToTheWholeMatrixOfAnEarlierAdapterOrOfItsOwn() {
        MemoryCheckpoint first = tensors("first").random(Q_KEY + ".weight", 5, 4, new Random(8));
        MemoryCheckpoint second = lora("second", Q_KEY, 5, 2, 4, 1);
        double[] expected = dense(widen(first.values(Q_KEY + ".weight")), second, Q_KEY, 2, 1.5);
        FloatRows base = FloatRows.of(values(5, 4, 3), 4);
        assertClose(read(merge(adapter(first), adapter(second)).apply(Q, base)), expected);

        MemoryCheckpoint both = lora("both", Q_KEY, 5, 2, 4, 1).with(Q_KEY + ".base_layer.weight", 5, 4, first.values(Q_KEY + ".weight"));
        assertClose(read(merge(adapter(both)).apply(Q, base)), expected);
    }

    @Test
    void aVectorCanBeReplaced() {
        LoraMerge merge = merge(adapter(tensors("a").with("base_model.model.model.norm.weight", List.of(3L), 1, 2, 3)));
        assertThat(read(merge.apply("model.norm.weight", FloatRows.of(new float[3], 3)))).containsExactly(1, 2, 3);
    }

    @Test
    void parametersThatNoAdapterChangesAreTheBaseItself() {
        FloatRows base = FloatRows.of(new float[4], 2);
        assertThat(merge(adapter(lora("a", Q_KEY, 5, 2, 4, 1))).apply("model.layers.0.mlp.up_proj.weight", base)).isSameAs(base);
        assertThat(merge().apply(Q, base)).isSameAs(base);
        assertThat(merge().finish().describe()).isEmpty();
    }

    @Test
    void chunksAndThreadsGiveTheSameBits() throws Exception {
        MemoryCheckpoint first = lora("first", Q_KEY, 200, 7, 33, 1);
        MemoryCheckpoint second = lora("second", Q_KEY, 200, 401, 33, 2);
        FloatRows base = FloatRows.of(values(200, 33, 3), 33);
        LoraMerge whole = merge(adapter(first), adapter(second));
        float[] expected = read(whole.apply(Q, base));
        for (int chunk : new int[] {1, 3, 64, 65, 199}) {
            LoraMerge merge = merge(adapter(first), adapter(second));
            FloatRows rows = merge.apply(Q, base);
            float[] actual = new float[expected.length + 5];
            for (int row = 200 - chunk; row > -chunk; row -= chunk) {
                int from = Math.max(row, 0);
                rows.read(from, chunk + row - from, actual, 5 + from * 33);
            }
            assertThat(Arrays.copyOfRange(actual, 5, actual.length)).as("chunks of %d", chunk).isEqualTo(expected);
            assertThat(merge.finish()).isEqualTo(whole.finish());
        }
        LoraMerge merge = merge(adapter(first), adapter(second));
        FloatRows rows = merge.apply(Q, base);
        float[] actual = new float[expected.length];
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            threads.invokeAll(IntStream.range(0, 40)
                    .<Callable<Void>>mapToObj(i -> () -> {
                        rows.read(i * 5L, 5, actual, i * 5 * 33);
                        return null;
                    })
                    .toList());
        }
        assertThat(actual).isEqualTo(expected);
        assertThat(merge.finish()).isEqualTo(whole.finish());
    }

    @Test
    void readingOutsideIsRefused() {
        FloatRows rows = merge(adapter(lora("a", Q_KEY, 5, 2, 4, 1))).apply(Q, FloatRows.of(new float[20], 4));
        assertThatThrownBy(() -> rows.read(4, 2, new float[20], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> rows.read(-1, 1, new float[20], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> rows.read(0, 5, new float[19], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        rows.read(5, 0, new float[0], 0);
    }

    @Test
    void theReportTellsTheRelativeNormOfWhatWasRead() {
        MemoryCheckpoint tensors = lora("zh", Q_KEY, 6, 2, 4, 1);
        float[] base = values(6, 4, 3);
        LoraMerge merge = merge(adapter(tensors));
        FloatRows rows = merge.apply(Q, FloatRows.of(base, 4));
        assertThat(merge.report().adapters().getFirst().relativeNorm()).isNaN();
        assertThat(merge.report().describe()).isEqualTo("LoRA zh: 1 matrix changed, 0 replaced, vocabulary 5\n  note: 1 of 1 matrices have another rank"
                + " than adapter_config.json says ('model.layers.0.self_attn.q_proj': rank 2 instead of 8); the matrices' own is used");
        double[] delta = dense(new double[24], tensors, Q_KEY, 2, 1.5);
        double expected = Math.sqrt(Arrays.stream(delta).map(x -> x * x).sum() / Arrays.stream(widen(base)).map(x -> x * x).sum());
        read(rows);
        read(rows);
        assertThat(merge.finish().adapters().getFirst().relativeNorm()).isCloseTo(expected, within(1e-6));
        assertThat(merge.finish().describe()).startsWith("LoRA zh: 1 matrix changed (relative norm %.4f), 0 replaced".formatted(expected));
    }

    // Vocabularies. The base has 5 rows of 4 columns.

    private static MemoryCheckpoint vocabulary(String name, int embedding, int output) {
        MemoryCheckpoint tensors = tensors(name);
        if (embedding > 0) {
            tensors.random("base_model.model.model.embed_tokens.weight", embedding, 4, new Random(embedding));
        }
        if (output > 0) {
            tensors.random("base_model.model.lm_head.weight", output, 4, new Random(output + 1));
        }
        return tensors;
    }

    @Test
    void theVocabularyGrowsWithEachAdapter() {
        MemoryCheckpoint second = vocabulary("second", 9, 9);
        LoraMerge merge = merge(adapter(vocabulary("first", 8, 8)), adapter(second));
        assertThat(merge.vocabularySize()).isEqualTo(9);
        assertThat(merge.outputTied()).isFalse();
        FloatRows base = FloatRows.of(values(5, 4, 1), 4);
        assertThat(read(merge.apply(EMBED, base))).isEqualTo(second.values("base_model.model.model.embed_tokens.weight"));
        assertThat(merge.apply(HEAD, base).rows()).isEqualTo(9);
        MergeReport report = merge.finish();
        assertThat(report.adapters().get(0).vocabularyBefore()).isEqualTo(5);
        assertThat(report.adapters().get(0).vocabularyAfter()).isEqualTo(8);
        assertThat(report.adapters().get(1).vocabularyAfter()).isEqualTo(9);
        assertThat(report.adapters().get(1).resized()).isEqualTo(2);
        assertThat(report.describe()).isEqualTo("""
                LoRA first: 0 matrices changed, 2 replaced (2 resized), 2 overwritten by a later adapter, vocabulary 5 -> 8
                LoRA second: 0 matrices changed, 2 replaced (2 resized), vocabulary 8 -> 9""");
    }

    @Test
    void aSmallerVocabularyIsAnErrorWithBothNumbers() {
        assertThatThrownBy(() -> merge(adapter(vocabulary("first", 9, 9)), adapter(vocabulary("second", 8, 8))))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("second: it brings model.embed_tokens.weight with 8 rows, fewer than the 9 of ")
                .hasMessageContaining("first before it; check the order of the adapters");
        assertThatThrownBy(() -> merge(adapter(vocabulary("first", 4, 0))))
                .hasMessageContaining("with 4 rows, fewer than the 5 of the model before it");
    }

    @Test
    void enlargingOneOfTwoUntiedMatricesNamesTheOther() {
        assertThatThrownBy(() -> merge(adapter(vocabulary("a", 8, 0))))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("model.embed_tokens.weight has 8 rows and lm_head.weight has 5")
                .hasMessageContaining("the adapter must bring lm_head.weight too");
        assertThatThrownBy(() -> merge(adapter(vocabulary("a", 0, 8)))).hasMessageContaining("the adapter must bring model.embed_tokens.weight too");
        assertThatThrownBy(() -> merge(adapter(vocabulary("a", 8, 9)))).hasMessageContaining("has 8 rows and lm_head.weight has 9");
        assertThat(merge(adapter(vocabulary("a", 5, 0))).vocabularySize()).isEqualTo(5);
    }

    @Test
    void aTiedOutputFollowsTheEmbedding() {
        MemoryCheckpoint tensors = vocabulary("a", 8, 0);
        LoraMerge merge = merge(true, adapter(tensors));
        assertThat(merge.vocabularySize()).isEqualTo(8);
        assertThat(merge.outputTied()).isTrue();
        FloatRows base = FloatRows.of(values(5, 4, 1), 4);
        merge.check(Map.of(EMBED, base));
        merge.apply(EMBED, base);
        assertThat(read(merge.apply(HEAD, base))).isEqualTo(tensors.values("base_model.model.model.embed_tokens.weight"));
        assertThat(merge.finish().adapters().getFirst().replaced()).isEqualTo(1);
    }

    @Test
    void anAdapterWithAnOutputOfItsOwnUntiesIt() {
        MemoryCheckpoint tensors = vocabulary("a", 8, 8);
        LoraMerge merge = merge(true, adapter(tensors));
        assertThat(merge.outputTied()).isFalse();
        assertThat(read(merge.apply(HEAD, null))).isEqualTo(tensors.values("base_model.model.lm_head.weight"));
        assertThatThrownBy(() -> merge(true, adapter(vocabulary("b", 0, 8))))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("must bring model.embed_tokens.weight too");
    }

    @Test
    void aLoraOnATiedOutputStartsFromTheEmbeddingOfThatMoment() {
        MemoryCheckpoint first = vocabulary("first", 8, 0);
        MemoryCheckpoint second = lora("second", "base_model.model.lm_head", 8, 2, 4, 5);
        LoraMerge merge = merge(true, adapter(first), adapter(second));
        assertThat(merge.outputTied()).isFalse();
        FloatRows base = FloatRows.of(values(5, 4, 1), 4);
        merge.check(Map.of(EMBED, base));
        float[] embedding = first.values("base_model.model.model.embed_tokens.weight");
        assertThat(read(merge.apply(EMBED, base))).isEqualTo(embedding);
        assertClose(read(merge.apply(HEAD, base)), dense(widen(embedding), second, "base_model.model.lm_head", 2, 1.5));
        assertThat(merge.finish().adapters().get(1).changed()).isEqualTo(1);
        LoraMerge alone = merge(true, adapter(lora("b", "base_model.model.lm_head", 5, 2, 4, 5)));
        assertThatThrownBy(() -> alone.apply(HEAD, null)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aDeltaForTheVocabularyBeforeItGrewNamesBothShapes() {
        LoraMerge merge = merge(adapter(vocabulary("first", 8, 8)), adapter(lora("second", "lm_head", 5, 2, 4, 1)));
        assertThatThrownBy(() -> merge.apply(HEAD, FloatRows.of(values(5, 4, 1), 4)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("'lm_head.weight' is [8, 4] in the model, but 'lm_head.lora_B.weight' times 'lm_head.lora_A.weight' is [5, 4]");
    }

    // Adapters that do not fit.

    @Test
    void anAdapterOfAnotherModelNamesParameterAndShapes() {
        LoraMerge merge = merge(adapter(lora("a", Q_KEY, 5, 2, 4, 1)));
        assertThatThrownBy(() -> merge.apply(Q, FloatRows.of(new float[64], 8)))
                .isInstanceOf(AdapterException.class)
                .hasMessageStartingWith(Path.of("adapters", "a") + ": it is an adapter of another model: '" + Q + "' is [8, 8] in the model")
                .hasMessageContaining("is [5, 4]; load it onto the model it was trained on ('alpaca')");
        LoraMerge whole = merge(adapter(tensors("a").random(Q_KEY + ".weight", 6, 4, new Random(1))));
        assertThatThrownBy(() -> whole.apply(Q, FloatRows.of(new float[20], 4))).hasMessageContaining("is [5, 4] in the model").hasMessageContaining("is [6, 4]");
        LoraMerge wide = merge(adapter(tensors("a").random("model.embed_tokens.weight", 5, 8, new Random(1))));
        assertThatThrownBy(() -> wide.apply(EMBED, FloatRows.of(new float[20], 4))).hasMessageContaining("is [5, 8]");
    }

    @Test
    void keysThatMatchNothingAreNamed() {
        MemoryCheckpoint tensors = lora("a", Q_KEY, 5, 2, 4, 1);
        IntStream.range(1, 5).forEach(i -> tensors.random("base_model.model.model.layers." + i + ".extra.weight", 1, 1, new Random(i)));
        LoraMerge merge = merge(adapter(tensors));
        Map<String, FloatRows> parameters = new LinkedHashMap<>(Map.of(Q, FloatRows.of(new float[20], 4)));
        merge.apply(Q, parameters.get(Q));
        String message = "4 of its 6 tensors match no parameter of the model: 'base_model.model.model.layers.1.extra.weight', ";
        assertThatThrownBy(merge::finish).isInstanceOf(AdapterException.class).hasMessageContaining(message).hasMessageContaining(" and 1 more; load it onto");
        assertThatThrownBy(() -> merge.check(parameters)).isInstanceOf(AdapterException.class).hasMessageContaining(message);
        assertThat(merge.report().adapters().getFirst().unmatchedKeys()).hasSize(4);
    }

    @Test
    void anAdapterThatMatchesNothingIsAnError() {
        LoraMerge merge = merge(adapter(lora("a", "transformer.h.0.attn", 5, 2, 4, 1)));
        merge.apply(Q, FloatRows.of(new float[20], 4));
        assertThatThrownBy(merge::finish)
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("none of its 2 tensors matches a parameter of the model ('transformer.h.0.attn.lora_A.weight'");
    }

    // Values that are no numbers.

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void valuesThatAreNotFiniteAreErrorsThatNameTensorAndRow(float bad) {
        for (String half : List.of("lora_A", "lora_B")) {
            for (boolean transposed : new boolean[] {false, true}) {
                MemoryCheckpoint tensors = lora("a", Q_KEY, 6, 6, 6, 1);
                tensors.values(Q_KEY + "." + half + ".weight")[3 * 6 + 5] = bad;
                LoraMerge merge = merge(adapter(tensors, ", \"fan_in_fan_out\": " + transposed));
                FloatRows rows = merge.apply(Q, FloatRows.of(new float[36], 6));
                assertThatThrownBy(() -> read(rows))
                        .isInstanceOf(AdapterException.class)
                        .hasMessageContaining("tensor '" + Q_KEY + "." + half + ".weight' holds a NaN or infinite value in row 3");
            }
        }
        MemoryCheckpoint whole = tensors("a").random(Q_KEY + ".weight", 6, 7, new Random(1));
        whole.values(Q_KEY + ".weight")[2 * 7 + 6] = bad;
        FloatRows rows = merge(adapter(whole)).apply(Q, FloatRows.of(new float[42], 7));
        rows.read(0, 2, new float[14], 0);
        assertThatThrownBy(() -> read(rows))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor '" + Q_KEY + ".weight' holds a NaN or infinite value in row 2");
    }

    @Test
    void productsBeyondFloatAreErrors() {
        MemoryCheckpoint tensors = tensors("a").with(Q_KEY + ".lora_A.weight", 1, 2, 1e30f, 1).with(Q_KEY + ".lora_B.weight", 2, 1, 1, 1e30f);
        FloatRows rows = merge(adapter(tensors)).apply(Q, FloatRows.of(new float[4], 2));
        rows.read(0, 1, new float[2], 0);
        assertThatThrownBy(() -> read(rows)).isInstanceOf(AdapterException.class).hasMessageContaining("too large for float32 (row 1)");
    }
}
