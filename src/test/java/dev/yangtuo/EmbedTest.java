package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.EncodeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Texts become vectors: which, and that nothing beside them matters. */
class EmbedTest {
    /** Float32 of the model against double, three layers, values of about 1. */
    private static final double TOLERANCE = 2e-5;

    private static final LoadOptions EXACT = LoadOptions.defaults().quantize(WeightType.F32).kvType(KvType.F32);

    private static int[] randomIds(Random random, int most) {
        return random.ints(1 + random.nextInt(most), 0, 3000).toArray();
    }

    @ParameterizedTest
    @EnumSource(Pooling.class)
    void vectorsAreThoseOfTheTextbook(Pooling pooling) {
        TextbookLlama textbook = new TextbookLlama(ModelFolders.tiny("base"));
        Random random = new Random(3);
        List<int[]> texts = new ArrayList<>(List.of(new int[] {1}));
        for (int i = 0; i < 5; i++) {
            texts.add(randomIds(random, 70));
        }
        EmbeddingOptions plain = EmbeddingOptions.defaults().pooling(pooling).normalize(false);
        try (Llama scalar = Llama.load(ModelFolders.tiny("base"), EXACT.backend(BackendType.SCALAR));
                Llama fast = Llama.load(ModelFolders.tiny("base"), EXACT.backend(BackendType.NATIVE))) {
            List<float[]> vectors = scalar.embedIds(texts, plain);
            List<float[]> units = scalar.embedIds(texts, plain.normalize(true));
            for (int i = 0; i < texts.size(); i++) {
                double[][] states = textbook.states(texts.get(i));
                double length = 0;
                for (int d = 0; d < 64; d++) {
                    double expected = 0;
                    for (int t = pooling == Pooling.LAST ? states.length - 1 : 0; t < states.length; t++) {
                        expected += states[t][d] / (pooling == Pooling.LAST ? 1 : states.length);
                    }
                    assertThat((double) vectors.get(i)[d]).as("text %d, element %d", i, d).isCloseTo(expected, within(TOLERANCE));
                    length += (double) vectors.get(i)[d] * vectors.get(i)[d];
                }
                for (int d = 0; d < 64; d++) {
                    assertThat((double) units.get(i)[d]).isCloseTo(vectors.get(i)[d] / Math.sqrt(length), within(1e-6));
                }
            }
            assertThat(fast.embedIds(texts, plain)).as("native").usingRecursiveComparison().isEqualTo(vectors);
        }
    }

    @ParameterizedTest
    @EnumSource(Pooling.class)
    void manyTextsGiveWhatEachGivesAlone(Pooling pooling) {
        Random random = new Random(4);
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            texts.add(randomIds(random, 256));
        }
        texts.add(texts.getFirst());
        EmbeddingOptions options = EmbeddingOptions.defaults().pooling(pooling);
        List<float[]> together;
        try (Llama llama = Llama.load(ModelFolders.tiny("base"))) {
            together = llama.embedIds(texts, options);
        }
        try (Llama llama = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().threads(1))) {
            for (int i = 0; i < texts.size(); i++) {
                assertThat(llama.embedIds(List.of(texts.get(i)), options).getFirst()).as("text %d", i).isEqualTo(together.get(i));
            }
        }
    }

    @Test
    void aTextIsItsIdsBehindTheBeginningOfSequence() {
        try (Llama llama = Llama.load(ModelFolders.tiny("base"))) {
            EmbeddingOptions options = EmbeddingOptions.defaults();
            int[] ids = llama.tokenizer().encode("床前明月光");
            int[] withBos = llama.tokenizer().encode("床前明月光", EncodeOptions.BOS);
            assertThat(llama.embed(List.of("床前明月光"), options).getFirst()).isEqualTo(llama.embedIds(List.of(withBos), options).getFirst());
            assertThat(llama.embed(List.of("床前明月光"), options.bos(false)).getFirst()).isEqualTo(llama.embedIds(List.of(ids), options).getFirst());
            assertThat(llama.embed(List.of(), options)).isEmpty();
            assertThat(llama.embed(List.of(""), options).getFirst()).as("the beginning of sequence alone").hasSize(64);
        }
    }

    @Test
    void whatCannotBeEmbeddedIsSaid() {
        Llama llama = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().context(10));
        EmbeddingOptions options = EmbeddingOptions.defaults();
        assertThatThrownBy(() -> llama.embedIds(List.of(new int[10], new int[11]), options)).isInstanceOf(ContextLengthException.class)
                .hasMessageContainingAll("text 2 has 11 tokens", "context takes 10", "shorten text 2");
        assertThatIllegalArgumentException().isThrownBy(() -> llama.embed(List.of("a", ""), options.bos(false))).withMessageContaining("text 2 is empty");
        assertThatIllegalArgumentException().isThrownBy(() -> llama.embedIds(List.of(new int[] {3000}), options)).withMessageContaining("3000");
        assertThatIllegalArgumentException().isThrownBy(() -> Pooling.of("max")).withMessageContainingAll("'max'", "mean, last");
        llama.close();
        assertThatIllegalStateException().isThrownBy(() -> llama.embed(List.of("a"), options)).withMessageContaining("closed");
    }

    @Test
    void statesThatAreNoNumbersAreTakenForDamage() {
        Embedding embedding = new Embedding(new int[] {1, 2}, EmbeddingOptions.defaults(), 2);
        embedding.accept(0, 2, new float[] {1f, 2f, 3f, Float.NaN});
        assertThatThrownBy(embedding::vector).isInstanceOf(YangtuoException.class).hasMessageContainingAll("NaN", "weights are probably damaged");
        Embedding zero = new Embedding(new int[] {1}, EmbeddingOptions.defaults(), 2);
        zero.accept(0, 1, new float[] {0f, 0f});
        assertThat(zero.vector()).containsExactly(0f, 0f);
    }
}
