package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.ModelFolders;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Made-up models are models: the same every time, readable by the loader, with activations that stay sane. */
class SyntheticModelTest {
    private static final SyntheticShape SHAPE = SyntheticShape.of("dim=128,layers=3,heads=4,kv=2,ffn=256,vocab=700");
    private static final Path TOKENIZER = ModelFolders.DEMO.resolve("base/tokenizer.model");

    @TempDir
    private Path directory;

    private static LoadSettings settings(@Nullable TypeMix types, int threads) {
        return new LoadSettings(LoraStack.NONE, types, TensorType.F32, () -> NativeBackend.open(threads), threads, 64, 1,
                (name, done, count, bytes, byteCount) -> {});
    }

    private ExportedModel write(String name, SyntheticShape shape, @Nullable Path tokenizer, @Nullable TypeMix types, int threads) {
        return SyntheticModel.write(shape, tokenizer, directory.resolve(name), new ExportSettings(settings(types, threads), Long.MAX_VALUE, false));
    }

    private float[] logits(String name, int... tokens) {
        try (Model model = ModelLoader.load(directory.resolve(name), settings(null, 1)).model(); Sequence sequence = model.newSequence()) {
            float[] logits = new float[model.vocabSize()];
            model.prefill(sequence, tokens, 8, logits, () -> true);
            return logits;
        }
    }

    @Test
    void aFileIsReadAsItWasAskedFor() {
        ExportedModel written = write("m.gguf", SHAPE, null, TypeMix.of(TensorType.Q4_0), 2);
        assertThat(written.weightTypes()).startsWith("Q4_0");
        LoadedModel loaded = ModelLoader.load(directory.resolve("m.gguf"), settings(null, 1));
        try (Model model = loaded.model()) {
            ModelConfig config = ((KernelModel) model).config();
            assertThat(config).isEqualTo(new ModelConfig(128, 256, 3, 4, 2, 32, 700, 32_768, 1e-5f, RopeConfig.plain(10_000f), SlidingWindow.NONE, false,
                    config.eosIds()));
            assertThat(model.costs().layerWeights()).isEqualTo(3L * 128 * (128 + 64 + 64 + 128 + 3 * 256));
            assertThat(model.costs().outputWeights()).isEqualTo(700L * 128);
            assertThat(model.costs().keyValueBytes()).isEqualTo(2L * 3 * 64 * Float.BYTES);
        }
    }

    @Test
    void theSameShapeGivesTheSameBytesWithAnyNumberOfThreads() {
        write("a.gguf", SHAPE, null, TypeMix.of(TensorType.Q8_0), 1);
        write("b.gguf", SHAPE, null, TypeMix.of(TensorType.Q8_0), 3);
        assertThat(directory.resolve("a.gguf")).hasSameBinaryContentAs(directory.resolve("b.gguf"));
    }

    @Test
    void logitsAreThoseOfAFreshModelAndDependOnTheTokens() {
        write("m.gguf", SHAPE, null, TypeMix.of(TensorType.F32), 2);
        float[] one = logits("m.gguf", 5, 300, 12);
        float[] other = logits("m.gguf", 5, 301, 12);
        double squares = IntStream.range(0, one.length).mapToDouble(i -> one[i] * one[i]).sum();
        assertThat(Math.sqrt(squares / one.length)).as("deviation of the logits").isBetween(0.5, 2.0);
        assertThat(one).isNotEqualTo(other);
    }

    @Test
    void aDirectoryCanBeWrittenToo() {
        write("hf", SHAPE, null, TypeMix.of(TensorType.F16), 2);
        write("m.gguf", SHAPE, null, TypeMix.of(TensorType.F16), 2);
        assertThat(logits("hf", 1, 2, 3)).containsExactly(logits("m.gguf", 1, 2, 3));
    }

    @Test
    void piecesAreDistinctAndTextPassesThroughThem() {
        SentencePieceModel pieces = SyntheticVocabulary.of(Path.of("made-up"), 49_953);
        Vocabulary vocabulary = pieces.vocabulary();
        Set<String> distinct = new HashSet<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            assertThat(distinct.add(vocabulary.piece(id))).as(vocabulary.piece(id)).isTrue();
        }
        Tokenizer tokenizer = Tokenizer.of(pieces);
        assertThat(tokenizer.decode(tokenizer.encode("一丁 and bytes"))).isEqualTo("一丁 and bytes");
    }

    @Test
    void aTokenizerCanBeTaken() {
        write("m.gguf", SHAPE.withVocabulary(3100), TOKENIZER, TypeMix.of(TensorType.Q8_0), 2);
        LoadedModel loaded = ModelLoader.load(directory.resolve("m.gguf"), settings(null, 1));
        try (Model model = loaded.model()) {
            Vocabulary expected = SentencePieceModel.read(TOKENIZER).vocabulary();
            assertThat(model.vocabSize()).isEqualTo(3100);
            assertThat(loaded.tokenizer().model().vocabulary().piece(expected.size() - 1)).isEqualTo(expected.piece(expected.size() - 1));
        }
    }

    @Test
    void aTokenizerWithTooManyPiecesIsRefused() {
        assertThatThrownBy(() -> write("m.gguf", SHAPE, TOKENIZER, TypeMix.of(TensorType.Q8_0), 2))
                .isInstanceOf(YangtuoException.class)
                .hasMessageContaining("tokenizer.model")
                .hasMessageContaining("more than the vocabulary of 700");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void randomRowsAreTheSameHoweverTheyAreReadAndDistributedAsAsked() {
        RandomRows rows = new RandomRows(500, 33, 7, 0.25);
        float[] all = new float[500 * 33];
        rows.read(0, 500, all, 0);
        float[] some = new float[2 + 3 * 33];
        rows.read(100, 3, some, 2);
        for (int i = 0; i < 3 * 33; i++) {
            assertThat(some[2 + i]).isEqualTo(all[100 * 33 + i]);
        }
        double mean = IntStream.range(0, all.length).mapToDouble(i -> all[i]).average().orElseThrow();
        double variance = IntStream.range(0, all.length).mapToDouble(i -> all[i] * all[i]).average().orElseThrow();
        assertThat(mean).isCloseTo(0, within(0.01));
        assertThat(Math.sqrt(variance)).isCloseTo(0.25, within(0.005));
        float[] others = new float[all.length];
        new RandomRows(500, 33, 8, 0.25).read(0, 500, others, 0);
        assertThat(others).isNotEqualTo(all);
    }
}
