package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ByteLevelEncoderTest {
    private static final String CHARACTERS = "ab é中1🦙\n";

    private static ByteLevelModels withUserDefined(ByteLevelModels made) {
        return made.add("<a>", PieceType.USER_DEFINED).add("<a>b", PieceType.USER_DEFINED).add("b<", PieceType.USER_DEFINED)
                .add("é é", PieceType.USER_DEFINED).add("<x>", PieceType.CONTROL);
    }

    private static String randomText(Random random, int maxCharacters) {
        int[] characters = (CHARACTERS + "<<a>x").codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(maxCharacters + 1); i > 0; i--) {
            text.appendCodePoint(characters[random.nextInt(characters.length)]);
        }
        return text.toString();
    }

    private static int[] ids(TokenBuffer tokens) {
        int[] ids = new int[tokens.size()];
        tokens.copyTo(ids, 0);
        return ids;
    }

    private static int[] ends(TokenBuffer tokens) {
        return IntStream.range(0, tokens.size()).map(tokens::end).toArray();
    }

    private static ByteLevelEncoder encoder(ByteLevelModel model) {
        return new ByteLevelEncoder(model, PieceMatcher.of(model, EnumSet.of(PieceType.USER_DEFINED)));
    }

    /** Ready for a text of that length, whose offsets are asked for. */
    private static TokenBuffer tokens(ByteLevelModel model, int length) {
        TokenBuffer tokens = TokenBuffer.of(model);
        tokens.setOrigins(IntStream.rangeClosed(0, length).toArray());
        tokens.begin();
        return tokens;
    }

    private static TokenBuffer encode(ByteLevelModel model, ByteLevelEncoder encoder, String text) {
        TokenBuffer tokens = tokens(model, text.length());
        Encoder.Worker worker = encoder.newWorker();
        worker.begin();
        assertThat(worker.encode(text.toCharArray(), 0, text.length(), true, tokens)).isEqualTo(text.length());
        return tokens;
    }

    @ParameterizedTest
    @EnumSource
    void idsAreThoseOfTheTextbook(PreTokenizerType type) {
        for (long seed = 0; seed < 20; seed++) {
            ByteLevelModels made = withUserDefined(ByteLevelModels.random(seed, CHARACTERS, 300));
            ByteLevelModel model = made.model(type);
            ByteLevelEncoder encoder = encoder(model);
            TextbookByteLevel textbook = new TextbookByteLevel(model, made.merges());
            Random random = new Random(seed);
            for (int i = 0; i < 200; i++) {
                String text = i % 20 == 0 ? "ab中é".repeat(random.nextInt(40)) + randomText(random, 80) : randomText(random, 20);
                int[] expected = textbook.encode(text).stream().mapToInt(id -> id).toArray();
                int[] actual = ids(encode(model, encoder, text));
                if (!Arrays.equals(actual, expected)) {
                    assertThat(actual).as("seed %d, text %d '%s'", seed, i, text).containsExactly(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void partsOfATextGiveTheTokensOfTheText(PreTokenizerType type) {
        ByteLevelModel model = withUserDefined(ByteLevelModels.random(7, CHARACTERS, 300)).model(type);
        ByteLevelEncoder encoder = encoder(model);
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            String text = randomText(random, 30);
            TokenBuffer tokens = tokens(model, text.length());
            Encoder.Worker worker = encoder.newWorker();
            worker.begin();
            int at = 0;
            int to = 0;
            while (at < text.length()) {
                to = Math.min(text.length(), Math.max(to, at) + 1 + random.nextInt(6));
                to += to < text.length() && Character.isLowSurrogate(text.charAt(to)) ? 1 : 0;
                // Nothing behind the part is there to be looked at.
                char[] part = text.substring(0, to).toCharArray();
                int end = worker.encode(part, at, to, to == text.length(), tokens);
                assertThat(end).as("seed %d", seed).isBetween(at, to);
                at = end;
            }
            TokenBuffer whole = encode(model, encoder, text);
            if (!Arrays.equals(ids(tokens), ids(whole)) || !Arrays.equals(ends(tokens), ends(whole))) {
                assertThat(ids(tokens)).as("seed %d, '%s'", seed, text).containsExactly(ids(whole));
                assertThat(ends(tokens)).as("seed %d, '%s'", seed, text).containsExactly(ends(whole));
            }
        }
    }

    @Test
    void aTokenThatEndsInsideACharacterEndsWhereTheCharacterBegins() {
        String a = ByteLevelModels.spelled("a");
        String llama = ByteLevelModels.spelled("🦙");
        ByteLevelModel model = new ByteLevelModels().merge(a + " " + llama.charAt(0), llama.charAt(1) + " " + llama.charAt(2))
                .model(PreTokenizerType.DEEPSEEK_CODER);
        TokenBuffer tokens = encode(model, encoder(model), "🦙é");
        assertThat(ids(tokens)).hasSize(5);
        assertThat(ends(tokens)).containsExactly(0, 0, 2, 2, 3);
    }

    @Test
    void aWordThatIsAPieceIsTakenWholeOnlyWhereTheModelSaysSo() {
        // The merges make "ab" and "c" of the word; no merge leads to the piece.
        ByteLevelModels made = new ByteLevelModels().merge("a b", "b c", "a bc");
        int whole = made.vocabulary().id("abc").orElseThrow();
        Tokenizer llama = Tokenizer.of(made.model(PreTokenizerType.LLAMA_BPE));
        Tokenizer other = Tokenizer.of(made.model(PreTokenizerType.CHATGLM_BPE));
        assertThat(llama.encode("abc")).containsExactly(whole);
        for (int time = 0; time < 2; time++) {
            assertThat(other.encodeAsPieces("abc")).as("time %d", time).containsExactly("ab", "c");
            assertThat(other.encodeAsPieces("bc")).as("time %d", time).containsExactly("bc");
        }
    }

    @Test
    void userDefinedPiecesMatchFirstAndTheLongestOfThem() {
        Tokenizer tokenizer = Tokenizer.of(withUserDefined(new ByteLevelModels().merge("b b")).model(PreTokenizerType.GPT_2));
        assertThat(tokenizer.encodeAsPieces("x<a>b<a>")).containsExactly("x", "<a>b", "<a>");
        assertThat(tokenizer.encodeAsPieces("bbb<a>")).as("the leftmost first").containsExactly("bb", "b<", "a", ">");
    }

    @Test
    void controlPiecesNeverComeFromText() {
        Tokenizer tokenizer = Tokenizer.of(withUserDefined(new ByteLevelModels()).model(PreTokenizerType.LLAMA_BPE));
        assertThat(tokenizer.encodeAsPieces("<x>")).containsExactly("<", "x", ">");
    }

    @Test
    void aByteWithoutAPieceIsLeftOut() {
        char first = ByteAlphabet.charOf(0xF1);
        Tokenizer tokenizer = Tokenizer.of(new ByteLevelModels().remove(String.valueOf(first)).merge("a b").model(PreTokenizerType.GPT_2));
        String text = new StringBuilder("a").appendCodePoint(0x40000).append("ab").toString();
        assertThat(text.getBytes(StandardCharsets.UTF_8)[1]).isEqualTo((byte) 0xF1);
        assertThat(tokenizer.encode(text)).hasSize(5);
    }

    @Test
    void textIsNotNormalized() {
        Tokenizer tokenizer = Tokenizer.of(new ByteLevelModels().model(PreTokenizerType.QWEN2));
        for (String text : List.of("  e\u0301  ﬁ\u3000", "\uFEFFa\r\n\u0000", "", " ")) {
            assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        }
        assertThat(tokenizer.decode(tokenizer.encode("a\uD800"))).isEqualTo("a\uFFFD");
    }

    @ParameterizedTest
    @EnumSource(names = {"GPT_2", "LLAMA_BPE", "DEEPSEEK_LLM", "DEEPSEEK_V3"})
    void aMegabyteOfOneWordTakesNoMoreThanNLogN(PreTokenizerType type) {
        ByteLevelModel model = ByteLevelModels.random(3, "ab中 \n1", 400).model(type);
        Tokenizer tokenizer = Tokenizer.of(model);
        Random random = new Random(1);
        StringBuilder mixed = new StringBuilder();
        for (int i = 0; i < 1 << 20; i++) {
            mixed.append("ab".charAt(random.nextInt(2)));
        }
        for (String text : List.of("a".repeat(1 << 20), " ".repeat(1 << 20), "\n".repeat(1 << 20), "1".repeat(1 << 20), "中".repeat(1 << 18),
                mixed.toString())) {
            assertTimeoutPreemptively(Duration.ofSeconds(20), () -> assertThat(tokenizer.encode(text)).isNotEmpty());
        }
    }
}
