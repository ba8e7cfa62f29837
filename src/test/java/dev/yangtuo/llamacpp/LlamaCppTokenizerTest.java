package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.ByteLevelModel;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.ForeignModel;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.StreamingDecoder;
import dev.yangtuo.tokenizer.StreamingEncoder;
import dev.yangtuo.tokenizer.Token;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** llama.cpp's own tokenizers, of the kinds that ours has and of those that it has not. */
class LlamaCppTokenizerTest {
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final EncodeOptions PARSING = new EncodeOptions(false, false, false, true);

    /** What tokenizers stumble over: line ends, spaces, digits, bytes of characters, characters beyond the first plane, NUL, half of a pair, marks. */
    static final List<String> NASTY = List.of(
            "", " ", "  ", "\n", "\n\n\n", "a", "a\nb", "a \n b", " The License", "The  License\tshall\r\nnot", "don't DON'T we'LL", "1234567 89,000.50",
            "羊驼是一种动物。", "é e\u0301 ﬁ ½", "🦙🦙 and 👩‍👩‍👧", "nul\0in\0the middle", "half \ud83d pair", "<s></s><unk>[INST]", "<|im_end|> <0x41>",
            "\u2581under \u2581\u2581", "\u00a0\u3000\u2028wide", "--==!!??...", "Ġspelled Ċ", "\ufeffbom", "ᄀ각 राम ก็", "x".repeat(300), " ".repeat(300));

    @TempDir
    static Path directory;

    private static LlamaCppLibrary library;

    @BeforeAll
    static void loadLibrary() {
        library = SharedLibrary.assumed();
    }

    private static Path file(VocabularyKind kind) {
        Path file = directory.resolve(kind + ".gguf");
        return Files.exists(file) ? file : SyntheticGguf.qwen2(kind, true).write(file);
    }

    @ParameterizedTest
    @EnumSource
    void everyTextIsEncodedAsLlamaCppDoes(VocabularyKind kind) {
        try (LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file(kind))) {
            Tokenizer tokenizer = own.tokenizer();
            for (String text : NASTY) {
                assertThat(tokenizer.encode(text, PARSING)).as(text).isEqualTo(own.encode(text, false, true));
                if (kind == VocabularyKind.RWKV && text.contains("<s>")) {
                    continue; // it reads <s> in any text as its control piece
                }
                assertThat(tokenizer.encode(text)).as(text).isEqualTo(own.encode(text, false, false));
                byte[] utf8 = text.replace("\ud83d ", "\uFFFD ").getBytes(StandardCharsets.UTF_8);
                assertThat(tokenizer.encode(utf8, EncodeOptions.PLAIN)).as(text).isEqualTo(own.encode(text, false, false));
            }
        }
    }

    @Test
    void aControlPieceThatIsWrittenInATextIsText() {
        try (LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file(VocabularyKind.RWKV))) {
            assertThat(own.encode("a<s>", false, false)).contains(0);
            int[] ids = own.tokenizer().encode("a<s><s>b<");
            assertThat(ids).doesNotContain(0);
            assertThat(own.tokenizer().decode(ids)).isEqualTo("a<s><s>b<");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"QWEN2", "TEKKEN", "RWKV"})
    void everyTextComesBack(VocabularyKind kind) {
        Tokenizer tokenizer = LlamaCppTokenizers.own(library, file(kind));
        for (String text : NASTY) {
            String expected = text.replace("\ud83d ", "\uFFFD ");
            int[] ids = tokenizer.encode(text);
            assertThat(tokenizer.decode(ids)).isEqualTo(expected);
            StreamingDecoder decoder = tokenizer.streamingDecoder();
            StringBuilder parts = new StringBuilder();
            IntStream.of(ids).forEach(id -> parts.append(decoder.accept(id)));
            assertThat(parts.append(decoder.flush())).hasToString(expected);
        }
    }

    @Test
    void wordsOfLowerCaseComeBackWithoutTheSpaceOfTheFirst() {
        Tokenizer tokenizer = LlamaCppTokenizers.own(library, file(VocabularyKind.WORD_PIECE));
        assertThat(tokenizer.decode(tokenizer.encode("The License  shall"))).isEqualTo("the license shall");
        assertThat(tokenizer.type(tokenizer.unkId())).isEqualTo(PieceType.UNKNOWN);
        assertThat(tokenizer.encode("羊")).containsExactly(tokenizer.unkId());
    }

    @ParameterizedTest
    @EnumSource(names = {"QWEN2", "TEKKEN", "RWKV"})
    void placesOfTokensAreThoseOfTheirText(VocabularyKind kind) {
        Tokenizer tokenizer = LlamaCppTokenizers.own(library, file(kind));
        for (String text : NASTY) {
            int end = 0;
            for (Token token : tokenizer.encodeAsTokens(text, EncodeOptions.PLAIN)) {
                assertThat(token.charStart()).as(text).isEqualTo(end);
                String part = text.substring(token.charStart(), token.charEnd());
                String piece = new String(tokenizer.bytes(token.id()), StandardCharsets.UTF_8);
                assertThat(piece.contains("\uFFFD") || piece.equals(part)).as("'%s' for '%s'", piece, part).isTrue();
                end = token.charEnd();
            }
            assertThat(end).isEqualTo(text.length());
        }
    }

    @Test
    void placesAreFoundWhereTheTextIsWrittenInAnotherWay() {
        Tokenizer tokenizer = LlamaCppTokenizers.own(library, file(VocabularyKind.WORD_PIECE));
        String text = "The  license\n!";
        List<Token> tokens = tokenizer.encodeAsTokens(text, EncodeOptions.PLAIN);
        assertThat(tokens.stream().map(Token::piece)).containsExactly("\u2581the", "\u2581license", "\u2581!");
        assertThat(tokens.stream().map(token -> text.substring(token.charStart(), token.charEnd()))).containsExactly("", "The  license", "\n!");
    }

    @ParameterizedTest
    @EnumSource
    void aTextInPartsHasTheIdsOfTheWhole(VocabularyKind kind) throws Exception {
        String text = Files.readString(Path.of("LICENSE")) + String.join("", NASTY.subList(0, 10));
        try (LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file(kind))) {
            int[] whole = own.encode(text, false, false);
            Tokenizer tokenizer = own.tokenizer();
            assertThat(tokenizer.encode(text)).isEqualTo(whole);
            List<Integer> ids = new ArrayList<>();
            StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, (some, count) -> IntStream.range(0, count).forEach(i -> ids.add(some[i])));
            for (int from = 0; from < text.length(); from += 1000) {
                encoder.append(text.substring(from, Math.min(text.length(), from + 1000)));
            }
            encoder.finish();
            assertThat(ids.stream().mapToInt(Integer::intValue).toArray()).isEqualTo(whole);
        }
    }

    /** All 89 expressions of version 0.5.0 were tried with twelve such texts each; these have rules of their own for lines, spaces, or words that go on over them. */
    @ParameterizedTest
    @ValueSource(strings = {"default", "tekken", "gpt-4o", "bloom", "falcon", "viking", "superbpe", "tiny_aya", "kimi-k2", "jais-2", "chameleon", "afmoe", "youtu"})
    void noExpressionJoinsALineFeedWithTheLetterBeforeIt(String pre) {
        int[] characters = "aAbBst  \n\n\n\t\r'12.,!é\u0301羊驼你好🦙\u00a0\u3000<>/_()|=+".codePoints().toArray();
        SplittableRandom random = new SplittableRandom(1);
        StringBuilder text = new StringBuilder();
        while (text.length() < 20_000) {
            text.appendCodePoint(characters[random.nextInt(characters.length)]);
        }
        Path file = SyntheticGguf.vocabulary(pairs -> VocabularyKind.putChatMl(pairs, pre)).write(directory.resolve("pre.gguf"));
        try (LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file)) {
            Tokenizer tokenizer = own.tokenizer();
            assertThat(tokenizer.encode(text)).isEqualTo(own.encode(text.toString(), false, false));
            assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text.toString());
        }
    }

    /** The expression of Tekken calls itself for each letter: on the stack of this thread the process would end. */
    @Test
    void aLongWordDoesNotNeedMoreStackThanThereIs() {
        Tokenizer tokenizer = LlamaCppTokenizers.own(library, file(VocabularyKind.TEKKEN));
        String word = "q".repeat(ForeignModel.MAX_PART_CHARS);
        assertThat(tokenizer.decode(tokenizer.encode(word))).isEqualTo(word);
        assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.encode(word + "q"))
                .withMessageContaining("more than 262144 chars").withMessageContaining("cut it into shorter texts");
    }

    @Test
    void whatAPromptQuotesIsNeverSpecial() {
        Tokenizer tokenizer = LlamaCppTokenizers.own(library, file(VocabularyKind.TEKKEN));
        int begin = tokenizer.id("[INST]").orElseThrow();
        String prompt = "[INST][INST]x";
        BitSet quoted = new BitSet();
        quoted.set(6, 12);
        assertThat(tokenizer.encodePrompt(prompt, new BitSet(), List.of())).startsWith(begin, begin);
        int[] ids = tokenizer.encodePrompt(prompt, quoted, List.of());
        assertThat(ids).startsWith(begin);
        assertThat(IntStream.of(ids).skip(1)).doesNotContain(begin);
        assertThat(tokenizer.decode(ids)).isEqualTo("[INST]x");
    }

    @Test
    void specialTokensAreThoseOfTheFile() {
        Tokenizer tekken = LlamaCppTokenizers.own(library, file(VocabularyKind.TEKKEN));
        assertThat(tekken.bosId()).isEqualTo(1);
        assertThat(tekken.eosId()).isEqualTo(2);
        assertThat(tekken.model().special().addBos()).isTrue();
        assertThat(tekken.bytes(1)).isEmpty();
        Tokenizer qwen = LlamaCppTokenizers.own(library, file(VocabularyKind.QWEN2));
        assertThat(qwen.bosId()).as("llama.cpp assumes GPT-2's").isEqualTo(-1);
        assertThat(qwen.piece(qwen.eosId())).isEqualTo("<|im_end|>");
    }

    @Test
    void textOfIdsIsLlamaCppsWhichRemovesSpaces() {
        try (LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file(VocabularyKind.WORD_PIECE))) {
            int[] ids = own.encode("a .b", true, false);
            assertThat(own.decode(ids, false, true)).isEqualTo("[CLS] a. b[SEP]");
            assertThat(own.decode(ids, true, false)).isEqualTo(" a. b");
            assertThat(own.decode(new int[0], true, false)).isEmpty();
            assertThatIllegalArgumentException().isThrownBy(() -> own.decode(new int[] {5, 1 << 20}, false, false))
                    .withMessageContaining("id 1048576 at index 1 is outside the vocabulary");
            assertThatIllegalArgumentException().isThrownBy(() -> own.decode(new int[] {-1}, false, false));
        }
    }

    @Test
    void useAfterCloseIsAnException() {
        LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file(VocabularyKind.TEKKEN));
        Tokenizer tokenizer = own.tokenizer();
        own.close();
        own.close();
        assertThatIllegalStateException().isThrownBy(() -> own.encode("a", false, false)).withMessageContaining("is closed");
        assertThatIllegalStateException().isThrownBy(() -> tokenizer.encode("a")).withMessageContaining("is closed");
        assertThat(tokenizer.decode(tokenizer.bosId(), 100)).as("needs nothing native").isNotEmpty();
    }

    @Test
    void closingWaitsForThoseWhoEncode() {
        LlamaCppTokenizer own = LlamaCppTokenizer.load(library, file(VocabularyKind.TEKKEN));
        int[] expected = own.encode("The License ".repeat(50), false, false);
        List<CompletableFuture<Long>> users = IntStream.range(0, 4).mapToObj(i -> CompletableFuture.supplyAsync(() -> {
            long count = 0;
            try {
                while (true) {
                    assertThat(own.encode("The License ".repeat(50), false, false)).isEqualTo(expected);
                    count++;
                }
            } catch (IllegalStateException e) {
                return count;
            }
        })).toList();
        own.close();
        assertThat(users).allSatisfy(user -> assertThat(user.join()).isNotNegative());
    }

    @Test
    void aFileThatIsCutOffIsAnException() throws Exception {
        byte[] whole = Files.readAllBytes(file(VocabularyKind.TEKKEN));
        for (int length : new int[] {0, 10, 5000, whole.length / 2}) {
            Path cut = Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(whole, length));
            assertThatExceptionOfType(YangtuoException.class).isThrownBy(() -> LlamaCppTokenizer.load(library, cut)).withMessageContaining("cut.gguf");
        }
    }

    @Test
    void oursIsTakenWhereItKnowsTheKind() {
        assertThat(Llama.loadTokenizer(file(VocabularyKind.QWEN2)).model()).isInstanceOf(ByteLevelModel.class);
        assertThat(Llama.loadTokenizer(file(VocabularyKind.TEKKEN)).model()).isInstanceOf(ForeignModel.class);
        assertThat(Llama.loadTokenizer(file(VocabularyKind.RWKV)).model()).isInstanceOf(ForeignModel.class);
        assertThat(Llama.loadTokenizer(file(VocabularyKind.QWEN2), LoadOptions.defaults().engine(Engine.LLAMA_CPP)).model()).isInstanceOf(ForeignModel.class);
        assertThatExceptionOfType(TokenizerFormatException.class)
                .isThrownBy(() -> Llama.loadTokenizer(file(VocabularyKind.RWKV), LoadOptions.defaults().engine(Engine.YANGTUO)))
                .withMessageContaining("its tokenizer is 'rwkv'");
    }

    @Test
    void oursAgreesWhereBothKnowTheKind() {
        Tokenizer ours = Llama.loadTokenizer(file(VocabularyKind.QWEN2), LoadOptions.defaults().engine(Engine.YANGTUO));
        Tokenizer theirs = LlamaCppTokenizers.own(library, file(VocabularyKind.QWEN2));
        for (String text : NASTY) {
            assertThat(theirs.encode(text)).as(text).isEqualTo(ours.encode(text));
            assertThat(theirs.encode(text, PARSING)).as(text).isEqualTo(ours.encode(text, PARSING));
        }
    }

    static Stream<Arguments> whatWouldEndTheProcess() {
        return Stream.of(
                Arguments.of("a piece twice", Map.of(TOKENS, new String[] {"a", "b", "a"}), "piece 2 'a' occurs before"),
                Arguments.of("no kind", Map.of("tokenizer.ggml.model", "none"), "its tokenizer is 'none'"),
                Arguments.of("a kind that is none", Map.of("tokenizer.ggml.model", "magic"), "its tokenizer is 'magic'"),
                Arguments.of("words of embedding models", Map.of("tokenizer.ggml.pre", "whitespace"), "cuts words at spaces alone"),
                Arguments.of("no bytes", Map.of("tokenizer.ggml.model", "llama", TOKENS, new String[] {"<unk>", "a", "b"}, TYPES, new int[] {2, 1, 1}), "<0x00>"),
                Arguments.of("long pieces", Map.of("tokenizer.ggml.model", "plamo2", TOKENS, new String[] {"x".repeat(1000), "a", "b"}), "piece 0 has 1000 characters"),
                Arguments.of("bytes missing", Map.of("tokenizer.ggml.model", "plamo2"), "llama.cpp"),
                Arguments.of("an expression that nobody has", Map.of("tokenizer.ggml.pre", "nobody's"), "nobody's"),
                Arguments.of("merges that are no texts", Map.of("tokenizer.ggml.merges", new int[] {1}), "merges"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void whatWouldEndTheProcess(String name, Map<String, Object> changes, String message) {
        GgufBuilder gguf = new GgufBuilder().put("general.architecture", "qwen2");
        Map<String, Object> pairs = new LinkedHashMap<>(Map.of("tokenizer.ggml.model", "gpt2", "tokenizer.ggml.pre", "tekken", TOKENS, new String[] {"a", "b", "ab"},
                TYPES, new int[] {1, 1, 1}, "tokenizer.ggml.scores", new float[3], "tokenizer.ggml.merges", new String[] {"a b"}));
        pairs.putAll(changes);
        pairs.forEach(gguf::put);
        assertThatExceptionOfType(TokenizerFormatException.class)
                .isThrownBy(() -> LlamaCppTokenizer.load(library, gguf.write(directory.resolve("broken.gguf"))))
                .withMessageContaining(message);
    }
}
