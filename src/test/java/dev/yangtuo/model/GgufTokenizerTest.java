package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.ByteLevelModel;
import dev.yangtuo.tokenizer.ModelType;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.PreTokenizerType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.TokenizerModel;
import dev.yangtuo.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers in the metadata of GGUF files, as converters write them. */
class GgufTokenizerTest {
    private static final SpecialTokens NONE = new SpecialTokens(-1, -1, -1, false, false);

    @TempDir
    private Path folder;

    /** What goes into a file; beginning with a model's own arrays. */
    private static final class Arrays3 {
        final List<String> pieces = new ArrayList<>();
        final List<Float> scores = new ArrayList<>();
        final List<PieceType> types = new ArrayList<>();

        static Arrays3 of(Vocabulary vocabulary) {
            Arrays3 arrays = new Arrays3();
            for (int id = 0; id < vocabulary.size(); id++) {
                arrays.add(vocabulary.piece(id), vocabulary.score(id), vocabulary.type(id));
            }
            return arrays;
        }

        /** The bytes in the order of their characters, then some merges. */
        static Arrays3 byteLevel(String... merges) {
            Arrays3 arrays = new Arrays3();
            for (int c = 0; c < 0x144; c++) {
                boolean visible = c > ' ' && c < 0x7F || c > 0xA0 && c != 0xAD;
                if (visible) {
                    arrays.add(Character.toString(c), 0, PieceType.NORMAL);
                }
            }
            for (String merge : merges) {
                arrays.add(merge.replace(" ", ""), 0, PieceType.NORMAL);
            }
            return arrays;
        }

        Arrays3 add(String piece, float score, PieceType type) {
            pieces.add(piece);
            scores.add(score);
            types.add(type);
            return this;
        }

        int id(String piece) {
            return pieces.indexOf(piece);
        }

        GgufBuilder builder(String kind) {
            float[] floats = new float[scores.size()];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = scores.get(i);
            }
            return new GgufBuilder().put("general.architecture", "llama").put("tokenizer.ggml.model", kind)
                    .put("tokenizer.ggml.tokens", pieces.toArray(String[]::new)).put("tokenizer.ggml.scores", floats)
                    .put("tokenizer.ggml.token_type", types.stream().mapToInt(PieceType::number).toArray());
        }
    }

    private Path write(GgufBuilder builder) {
        return builder.write(folder.resolve("v.gguf"));
    }

    private TokenizerModel read(GgufBuilder builder) {
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(write(builder))) {
            return GgufTokenizer.read(checkpoint.path(), checkpoint.metadata());
        }
    }

    private static GgufBuilder byteLevel(Arrays3 arrays, String pre, String... merges) {
        return arrays.builder("gpt2").put("tokenizer.ggml.pre", pre).put("tokenizer.ggml.merges", merges);
    }

    @Test
    void byteLevelModelIsRead() {
        Arrays3 arrays = Arrays3.byteLevel("a b", "Ġ ab").add("<|eot|>", 0, PieceType.CONTROL).add("  ", 0, PieceType.USER_DEFINED);
        int eot = arrays.id("<|eot|>");
        ByteLevelModel model = (ByteLevelModel) read(byteLevel(arrays, "qwen2", "a b", "Ġ ab")
                .put("tokenizer.ggml.eos_token_id", eot).put("tokenizer.ggml.padding_token_id", eot).put("tokenizer.ggml.add_eos_token", true));
        assertThat(model.preTokenizer()).isEqualTo(PreTokenizerType.QWEN2);
        assertThat(model.merges().size()).isEqualTo(2);
        assertThat(model.special()).isEqualTo(new SpecialTokens(-1, eot, eot, false, true));
        Tokenizer tokenizer = Tokenizer.of(model);
        assertThat(tokenizer.encodeAsPieces("ab ab  <|eot|>")).containsExactly("ab", "Ġab", "  ", "<", "|", "e", "o", "t", "|", ">");
        assertThat(tokenizer.decode(arrays.id("Ġab"), eot, arrays.id("  "))).isEqualTo(" ab  ");
    }

    @Test
    void modelsLikeLlama3ExpectABeginningUnlessTheySayOtherwise() {
        Arrays3 arrays = Arrays3.byteLevel().add("<|b|>", 0, PieceType.CONTROL);
        GgufBuilder llama = byteLevel(arrays, "llama-bpe").put("tokenizer.ggml.bos_token_id", arrays.id("<|b|>"));
        assertThat(read(llama).special()).isEqualTo(new SpecialTokens(arrays.id("<|b|>"), -1, -1, true, false));
        assertThat(read(llama.put("tokenizer.ggml.add_bos_token", false)).special().addBos()).isFalse();
        assertThat(read(byteLevel(arrays, "gpt-2")).special()).isEqualTo(NONE);
    }

    @Test
    void otherWaysToCutWordsAreRefusedByName() {
        assertThatThrownBy(() -> read(byteLevel(Arrays3.byteLevel(), "tekken"))).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith(folder.resolve("v.gguf") + ": ").hasMessageContaining("'tekken'")
                .hasMessageContaining("llama-bpe").hasMessageContaining("deepseek-v3").hasMessageContaining("gpt-2");
        assertThatThrownBy(() -> read(byteLevel(Arrays3.byteLevel(), "x".repeat(1_000_000)))).isInstanceOf(TokenizerFormatException.class)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1500));
        assertThatThrownBy(() -> read(Arrays3.byteLevel().builder("gpt2").put("tokenizer.ggml.merges", new String[0])))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("tokenizer.ggml.pre").hasMessageContaining("convert");
        assertThatThrownBy(() -> read(Arrays3.byteLevel().builder("bert"))).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("'bert'").hasMessageContaining("'gpt2'");
    }

    @Test
    void damagedByteLevelFilesAreRefused() {
        Arrays3 arrays = Arrays3.byteLevel("a b");
        assertThatThrownBy(() -> read(arrays.builder("gpt2").put("tokenizer.ggml.pre", "gpt-2")))
                .isInstanceOf(CheckpointFormatException.class).hasMessageContaining("tokenizer.ggml.merges");
        assertThatThrownBy(() -> read(byteLevel(arrays, "gpt-2", "b b"))).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("merge 0 is 'b b', but there is no piece 'bb'");
        assertThatThrownBy(() -> read(arrays.builder("gpt2").put("tokenizer.ggml.pre", "gpt-2").put("tokenizer.ggml.merges", 1)))
                .isInstanceOf(CheckpointFormatException.class).hasMessageContaining("tokenizer.ggml.merges");
        assertThatThrownBy(() -> read(byteLevel(arrays, "gpt-2").put("tokenizer.ggml.eos_token_id", 1_000_000)))
                .isInstanceOf(CheckpointFormatException.class).hasMessageContaining("1000000");
        String[] many = new String[(1 << 21) + 1];
        Arrays.fill(many, "a b");
        assertThatThrownBy(() -> read(byteLevel(arrays, "gpt-2", many))).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("2097153 merges");
    }

    @Test
    void anyByteChangedGivesATokenizerOrAClearException() throws IOException {
        Arrays3 arrays = Arrays3.byteLevel("a b", "Ġ ab").add("<|eot|>", 0, PieceType.CONTROL).add("ab ", 0, PieceType.USER_DEFINED);
        byte[] whole = Files.readAllBytes(write(byteLevel(arrays, "llama-bpe", "a b", "Ġ ab").put("tokenizer.ggml.eos_token_id", 258)));
        int loaded = 0;
        for (long seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            byte[] changed = whole.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                // The last bytes are the merges and the special ids.
                int last = random.nextBoolean() ? changed.length : 200;
                changed[changed.length - 1 - random.nextInt(last)] = (byte) random.nextInt(256);
            }
            try {
                Tokenizer tokenizer = TokenizerFiles.load(Files.write(folder.resolve("v.gguf"), changed));
                tokenizer.decode(tokenizer.encode("ab ab  中🦙"));
                loaded++;
            } catch (YangtuoException expected) {
                assertThat(expected.getMessage()).as("seed %d", seed).startsWith(folder.toString());
            }
        }
        assertThat(loaded).isBetween(100, 1900);
    }

    @Test
    void aByteThatAModelPadsWithIsTextAllTheSame() {
        Arrays3 arrays = Arrays3.byteLevel().add("ö", 0, PieceType.USER_DEFINED);
        arrays.types.set(arrays.id("!"), PieceType.CONTROL);
        arrays.pieces.remove(arrays.id("ö"));
        arrays.types.removeLast();
        arrays.scores.removeLast();
        arrays.types.set(arrays.id("ö"), PieceType.USER_DEFINED);
        Tokenizer tokenizer = Tokenizer.of(read(byteLevel(arrays, "llama-bpe")));
        assertThat(tokenizer.encodeAsPieces("!")).containsExactly("!");
        assertThat(tokenizer.decode(arrays.id("!"))).isEqualTo("!");
        // 0xF6, written ö, occurs in no text; so the letter can be a piece of its own.
        assertThat(tokenizer.encodeAsPieces("ö")).containsExactly("ö");
        assertThat(tokenizer.decode(arrays.id("ö"))).isEqualTo("ö");
    }

    private static SentencePieceModel demo(String name) {
        return SentencePieceModel.read(ModelFolders.DEMO.resolve(name).resolve("tokenizer.model"));
    }

    private static List<String> texts(Path golden) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<String> texts = new ArrayList<>(List.of("[PAD3005] [PAD3005]", "<unk></s>", "a[PAD12190]b"));
        for (String line : Files.readAllLines(golden)) {
            texts.add(mapper.readTree(line).get("text").asText());
        }
        return texts;
    }

    private static Path data(String name) {
        String folder = System.getProperty("YANGTUO_TEST_DATA", System.getenv("YANGTUO_TEST_DATA"));
        assumeTrue(folder != null && Files.exists(Path.of(folder, name)), "YANGTUO_TEST_DATA names no folder with " + name);
        return Path.of(folder, name);
    }

    /** As the converter does where a configuration declares the first pieces special and the embedding has more rows than there are pieces. */
    private static GgufBuilder converted(SentencePieceModel model) {
        Arrays3 arrays = Arrays3.of(model.vocabulary());
        for (int id = 0; id < 3; id++) {
            arrays.types.set(id, PieceType.CONTROL);
            arrays.scores.set(id, -1000f);
        }
        while (arrays.pieces.size() % 64 != 0) {
            arrays.add("[PAD%d]".formatted(arrays.pieces.size()), -10_000, PieceType.UNUSED);
        }
        return arrays.builder("llama").put("tokenizer.ggml.pre", "default").put("tokenizer.ggml.bos_token_id", 1)
                .put("tokenizer.ggml.eos_token_id", 2).put("tokenizer.ggml.unknown_token_id", 0);
    }

    private void assertSameIds(SentencePieceModel expected, GgufBuilder builder, Path golden, IntPredicate isUnk) throws IOException {
        Tokenizer reference = Tokenizer.of(expected);
        Tokenizer tokenizer = Tokenizer.of(read(builder));
        for (String text : texts(golden)) {
            int[] ids = reference.encode(text);
            assertThat(tokenizer.encode(text)).as("'%s'", text).containsExactly(ids);
            assertThat(tokenizer.decode(ids)).as("'%s'", text).isEqualTo(reference.decode(ids));
        }
        assertThat(tokenizer.unkId()).isEqualTo(reference.unkId()).matches(isUnk::test);
        assertThat(tokenizer.bosId()).isEqualTo(reference.bosId());
        assertThat(tokenizer.eosId()).isEqualTo(reference.eosId());
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "chinese-lora"})
    void idsEqualThoseOfTheModelFile(String name) throws IOException {
        Path golden = Path.of("src/test/resources/tokenizer", name.equals("base") ? "demo-base.jsonl" : "demo-chinese.jsonl");
        SentencePieceModel model = demo(name);
        assertSameIds(model, Arrays3.of(model.vocabulary()).builder("llama"), golden, id -> id == 0);
        assertSameIds(model, converted(model), golden, id -> id == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "chinese-llama-2"})
    void idsEqualThoseOfTheModelFilesOfTheDataFolder(String name) throws IOException {
        SentencePieceModel model = SentencePieceModel.read(data("tokenizers/" + name + ".model"));
        Path golden = data("tokenizers/golden/" + name + ".jsonl");
        assertSameIds(model, Arrays3.of(model.vocabulary()).builder("llama"), golden, id -> id == 0);
        assertSameIds(model, converted(model), golden, id -> id == 0);
    }

    @Test
    void idsEqualThoseOfTheMergedVocabulary() throws IOException {
        SentencePieceModel llama = SentencePieceModel.read(data("tokenizers/llama.model"));
        Vocabulary chinese = SentencePieceModel.read(data("tokenizers/chinese-sp-20k.model")).vocabulary();
        List<String> added = new ArrayList<>();
        for (int id = 0; id < chinese.size(); id++) {
            if (llama.vocabulary().id(chinese.piece(id)).isEmpty()) {
                added.add(chinese.piece(id));
            }
        }
        SentencePieceModel merged = llama.withAdded(added, added.stream().map(piece -> PieceType.NORMAL).toList());
        assertThat(merged.vocabulary().size()).isEqualTo(49_953);
        assertSameIds(merged, converted(merged), data("tokenizers/golden/chinese-llama.jsonl"), id -> id == 0);
    }

    @Test
    void addedPiecesKeepTheTypesThatTheFileGivesThem() {
        Arrays3 arrays = Arrays3.of(demo("base").vocabulary()).add("[INST]", -1000, PieceType.CONTROL)
                .add("two words", -1000, PieceType.USER_DEFINED);
        Tokenizer tokenizer = Tokenizer.of(read(arrays.builder("llama")));
        assertThat(tokenizer.encode("[INST]")).doesNotContain(arrays.id("[INST]"));
        assertThat(tokenizer.encode("two words")).as("after the dummy space").contains(arrays.id("two words"));
        assertThat(tokenizer.encodeAsPieces("a two words b")).contains("two▁words");
        assertThat(tokenizer.decode(arrays.id("[INST]"), arrays.id("two words"))).isEqualTo("two words");
    }

    @Test
    void rowsWithoutAPieceThatOldConvertersCalledUnknownAreUnused() {
        Arrays3 arrays = Arrays3.of(demo("base").vocabulary());
        arrays.types.set(0, PieceType.CONTROL);
        arrays.add("[PAD3000]", 0, PieceType.UNKNOWN).add("[PAD3001]", 0, PieceType.UNKNOWN);
        Tokenizer named = Tokenizer.of(read(arrays.builder("llama").put("tokenizer.ggml.unknown_token_id", 0)));
        assertThat(named.unkId()).isZero();
        assertThat(named.type(3000)).isEqualTo(PieceType.UNUSED);
        Tokenizer unnamed = Tokenizer.of(read(arrays.builder("llama")));
        assertThat(unnamed.unkId()).as("the first one").isEqualTo(3000);
    }

    @Test
    void aModelFileWithoutTheUnknownPieceIsRefused() {
        Arrays3 arrays = new Arrays3().add("a", 0, PieceType.NORMAL);
        assertThatThrownBy(() -> read(arrays.builder("llama"))).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("none of the 1 pieces is of type UNKNOWN");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theDummySpaceIsTheFilesToDecide(boolean prefix) {
        SentencePieceModel model = demo("base");
        GgufBuilder builder = Arrays3.of(model.vocabulary()).builder("llama").put("tokenizer.ggml.add_space_prefix", prefix);
        Tokenizer tokenizer = Tokenizer.of(read(builder));
        assertThat(tokenizer.encodeAsPieces("the").getFirst().startsWith("▁")).isEqualTo(prefix);
    }

    @Test
    void idsEqualThoseOfTheUnigramModelFile() throws IOException {
        SentencePieceModel model = SentencePieceModel.read(data("tokenizers/chinese-sp-20k.model"));
        byte[] charsmap = model.normalizer().precompiledCharsmap();
        GgufBuilder builder = Arrays3.of(model.vocabulary()).add("[PAD20000]", -10_000, PieceType.UNUSED).builder("t5")
                .array("tokenizer.ggml.precompiled_charsmap", 1, charsmap.length, charsmap)
                .put("tokenizer.ggml.add_space_prefix", model.normalizer().addDummyPrefix())
                .put("tokenizer.ggml.remove_extra_whitespaces", model.normalizer().removeExtraWhitespaces())
                .put("tokenizer.ggml.bos_token_id", 1);
        assertSameIds(model, builder, data("tokenizers/golden/chinese-sp-20k.jsonl"), id -> id == 0);
    }

    @Test
    void unigramModelIsRead() {
        Arrays3 arrays = new Arrays3().add("<pad>", 0, PieceType.CONTROL).add("</s>", 0, PieceType.CONTROL)
                .add("<unk>", 0, PieceType.UNKNOWN).add("▁a", -1.5f, PieceType.NORMAL).add("[PAD4]", -10_000, PieceType.UNUSED);
        SentencePieceModel model = (SentencePieceModel) read(arrays.builder("t5").put("tokenizer.ggml.add_space_prefix", true)
                .put("tokenizer.ggml.remove_extra_whitespaces", true)
                .array("tokenizer.ggml.precompiled_charsmap", 1, 3, new byte[] {1, -1, 3}));
        assertThat(model.type()).isEqualTo(ModelType.UNIGRAM);
        assertThat(model.normalizer().addDummyPrefix()).isTrue();
        assertThat(model.normalizer().removeExtraWhitespaces()).isTrue();
        assertThat(model.normalizer().escapeWhitespaces()).isTrue();
        assertThat(model.normalizer().precompiledCharsmap()).containsExactly(1, 255, 3);
        assertThat(model.vocabulary().score(3)).isEqualTo(-1.5f);
        assertThat(model.byteFallback()).isFalse();
        assertThat(model.special()).isEqualTo(new SpecialTokens(-1, 1, 0, false, true));
        byte[] unsigned = ((SentencePieceModel) read(arrays.builder("t5")
                .array("tokenizer.ggml.precompiled_charsmap", 0, 2, new byte[] {-1, 2}))).normalizer().precompiledCharsmap();
        assertThat(unsigned).containsExactly(255, 2);
        SentencePieceModel plain = (SentencePieceModel) read(arrays.builder("t5"));
        assertThat(plain.normalizer().addDummyPrefix()).isFalse();
        assertThat(plain.normalizer().precompiledCharsmap()).isEmpty();
        assertThatThrownBy(() -> read(arrays.builder("t5").put("tokenizer.ggml.precompiled_charsmap", new int[] {1, 256})))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("element 1 is 256; expected a byte");
    }
}
