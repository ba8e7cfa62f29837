package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.ModelType;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.PreTokenizerType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids of Yangtuo's tokenizers against those of llama.cpp's with the same file: where they are the same, and the few places where they are not. */
class LlamaCppTokenParityTest {
    private static final EncodeOptions PARSING = new EncodeOptions(false, false, false, true);
    private static final Path MODELS = Path.of("src/test/resources/tokenizer/models");
    private static final String ALPHABET = "aAbB  \n\t\r'12.,!é\u0301羊驼你好🦙\u00a0\u3000\u200d<>/s\0_\u2581ﬁ½각राक";
    private static final int RANDOM_TEXTS = 150;
    private static final long SEED = 3;

    @TempDir
    private Path folder;

    @BeforeAll
    static void requireLibrary() {
        SharedLibrary.assumed();
    }

    private static List<String> texts() {
        List<String> texts = new ArrayList<>(LlamaCppTokenizerTest.NASTY);
        int[] characters = ALPHABET.codePoints().toArray();
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < RANDOM_TEXTS; i++) {
            int[] text = IntStream.range(0, random.nextInt(1, 13)).map(at -> characters[random.nextInt(characters.length)]).toArray();
            texts.add(new String(text, 0, text.length));
        }
        return texts;
    }

    /** A SentencePiece model as llama.cpp's converter writes it. */
    private Path gguf(Path model) {
        SentencePieceModel read = SentencePieceModel.read(model);
        Vocabulary vocabulary = read.vocabulary();
        int size = vocabulary.size();
        float[] scores = new float[size];
        for (int id = 0; id < size; id++) {
            scores[id] = vocabulary.score(id);
        }
        GgufBuilder gguf = SyntheticGguf.vocabulary(pairs -> {
            pairs.put("tokenizer.ggml.model", read.type() == ModelType.UNIGRAM ? "t5" : "llama")
                    .put("tokenizer.ggml.tokens", IntStream.range(0, size).mapToObj(vocabulary::piece).toArray(String[]::new))
                    .put("tokenizer.ggml.scores", scores)
                    .put("tokenizer.ggml.token_type", IntStream.range(0, size).map(id -> vocabulary.type(id).number()).toArray())
                    .put("tokenizer.ggml.unknown_token_id", vocabulary.unkId())
                    .put("tokenizer.ggml.add_space_prefix", read.normalizer().addDummyPrefix())
                    .put("tokenizer.ggml.remove_extra_whitespaces", read.normalizer().removeExtraWhitespaces());
            byte[] charsmap = read.normalizer().precompiledCharsmap();
            if (charsmap.length > 0) {
                pairs.array("tokenizer.ggml.precompiled_charsmap", 0, charsmap.length, charsmap);
            }
            return size;
        });
        return gguf.write(folder.resolve(model.getFileName() + ".gguf"));
    }

    /**
     * Requires the same ids of all texts but some.
     *
     * @param known whether ids may differ: those of a text, with the types of ours
     * @return how many of these do
     */
    private static int differences(Path file, BiPredicate<String, List<PieceType>> known) {
        Tokenizer ours = Llama.loadTokenizer(file, LoadOptions.defaults().engine(Engine.YANGTUO));
        int differences = 0;
        try (LlamaCppTokenizer theirs = LlamaCppTokenizer.load(SharedLibrary.assumed(), file)) {
            Tokenizer theirDecoder = theirs.tokenizer();
            for (String text : texts()) {
                int[] ids = ours.encode(text);
                int[] other = theirs.encode(text, false, false);
                if (known.test(text, Arrays.stream(ids).mapToObj(ours::type).toList())) {
                    differences += Arrays.equals(ids, other) ? 0 : 1;
                    continue;
                }
                assertThat(other).as("'%s', seed %d", text, SEED).isEqualTo(ids);
                assertThat(theirs.encode(text, false, true)).as("'%s' with special tokens", text).isEqualTo(ours.encode(text, PARSING));
                assertThat(theirDecoder.decode(ids)).as(text).isEqualTo(ours.decode(ids));
            }
        }
        return differences;
    }

    private static void requireSameIds(Path file) {
        differences(file, (text, types) -> false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "chinese-lora"})
    void sentencePieceBpeIsTheSame(String vocabulary) {
        requireSameIds(gguf(ModelFolders.DEMO.resolve(vocabulary).resolve("tokenizer.model")));
    }

    static Stream<String> expressions() {
        return Arrays.stream(PreTokenizerType.values()).flatMap(type -> type.ggufNames().stream());
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void byteLevelBpeIsTheSameWithEveryExpressionThatWeKnow(String pre) {
        requireSameIds(SyntheticGguf.vocabulary(pairs -> VocabularyKind.putChatMl(pairs, pre)).write(folder.resolve("pre.gguf")));
    }

    @Test
    void unigramIsTheSame() {
        requireSameIds(gguf(MODELS.resolve("unigram-suffix.model")));
    }

    /** SentencePiece puts its space before every text that is not empty, llama.cpp before the first character that is no space. */
    @Test
    void unigramTextsOfSpacesAloneHaveOneMoreWithUs() {
        assertThat(differences(gguf(MODELS.resolve("unigram-rules.model")), (text, types) -> !text.isEmpty() && text.replaceAll("[ \\t\u3000\u00a0]", "").isEmpty()))
                .isPositive();
    }

    /**
     * llama.cpp's unigram has no pieces for the bytes of a character without a piece; it is unknown there. And a U+2581 in the text is one character among others,
     * where SentencePiece removes it with the spaces that it looks like.
     */
    @Test
    void unigramFallsBackToBytesAndRemovesSpaceSymbolsWithUsAlone() {
        assertThat(differences(gguf(MODELS.resolve("unigram-nfkc-cf.model")), (text, types) -> types.contains(PieceType.BYTE) || text.indexOf('\u2581') >= 0))
                .isPositive();
    }
}
