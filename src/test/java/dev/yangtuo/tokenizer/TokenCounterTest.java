package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Texts, characters, bytes and tokens are counted as a person would count them. */
class TokenCounterTest {
    private static final SpecialTokens BOS_EOS = new SpecialTokens(1, 2, -1, true, false);
    private static final PieceList WITH_BYTES = new PieceList().specials().bytes().add("a", -1).add("b", -2).add("ab", -3).add("床", -4);
    private static final PieceList WITHOUT_BYTES = new PieceList().specials().add("a", -1).add("b", -2).add("ab", -3).add("床", -4);

    private static Tokenizer made(PieceList pieces) {
        return Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, pieces.vocabulary(), NormalizerSpec.identity(false), BOS_EOS));
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Test
    void tokensOfAKnownTextAreCountedByKind() {
        // ab | 床 | three bytes of 前 | a | four bytes of 😀
        TokenStatistics statistics = TokenStatistics.of(made(WITH_BYTES), "ab床前a😀");
        assertThat(statistics).isEqualTo(new TokenStatistics(1, 6, 3 + 3 + 3 + 4, 0, 10, 7, 0));
        assertThat(statistics.charactersPerToken()).isEqualTo(0.6);
        assertThat(statistics.bytesPerToken()).isEqualTo(1.3);
        assertThat(statistics.byteTokenShare()).isEqualTo(0.7);
    }

    @Test
    void withoutBytePiecesTokensAreUnknown() {
        Tokenizer tokenizer = made(WITHOUT_BYTES);
        TokenStatistics statistics = TokenStatistics.of(tokenizer, "前a前前b");
        assertThat(tokenizer.encode("前a前前b")).containsExactly(0, 3, 0, 4);
        assertThat(statistics).isEqualTo(new TokenStatistics(1, 5, 11, 0, 4, 0, 2));
    }

    @Test
    void everyInvalidByteIsACharacter() {
        TokenCounter counter = new TokenCounter(made(WITH_BYTES));
        counter.add(bytes('a', 0xFF, 0xE5, 0xBA, 'b')); // U+FFFD is three byte tokens
        assertThat(counter.statistics()).isEqualTo(new TokenStatistics(1, 5, 5, 3, 11, 9, 0));
        counter.add(bytes(0xEF, 0xBF, 0xBD)); // U+FFFD itself is valid
        assertThat(counter.statistics()).isEqualTo(new TokenStatistics(2, 6, 8, 3, 14, 12, 0));
    }

    @Test
    void halfASurrogatePairIsACharacterOfThreeBytes() {
        assertThat(TokenStatistics.of(made(WITH_BYTES), "\uD83Da\uDE00")).isEqualTo(new TokenStatistics(1, 3, 7, 2, 7, 6, 0));
    }

    @Test
    void everyTextIsFramedWhereThatIsAskedFor() {
        TokenCounter counter = new TokenCounter(made(WITH_BYTES), new EncodeOptions(true, true));
        counter.add("ab");
        counter.add("");
        assertThat(counter.statistics()).isEqualTo(new TokenStatistics(2, 2, 2, 0, 5, 0, 0));
    }

    @Test
    void aModelWithoutTheFrameIsRefusedBeforeTheFirstText() {
        Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, WITH_BYTES.vocabulary(), NormalizerSpec.identity(false),
                new SpecialTokens(-1, -1, -1, false, false)));
        assertThatThrownBy(() -> new TokenCounter(tokenizer, EncodeOptions.BOS)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no begin-of-sequence piece");
    }

    @Test
    void emptyTextsAreTextsAndRatesOfNothingAreNotNumbers() {
        TokenCounter counter = new TokenCounter(Tokenizer.load(TestModels.DEMO_BASE));
        assertThat(counter.statistics()).isEqualTo(TokenStatistics.NONE);
        counter.add("");
        counter.add(new byte[0]);
        assertThat(counter.statistics()).isEqualTo(new TokenStatistics(2, 0, 0, 0, 0, 0, 0));
        assertThat(counter.statistics().charactersPerToken()).isNaN();
        assertThat(counter.statistics().byteTokenShare()).isNaN();
    }

    @Test
    void bytesAndCharsGiveTheSameAndSumsAreThoseOfTheParts() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            TokenCounter ofChars = new TokenCounter(tokenizer);
            TokenCounter ofBytes = new TokenCounter(tokenizer);
            TokenStatistics sum = TokenStatistics.NONE;
            for (int i = 0; i < 10; i++) {
                String text = randomText(random);
                ofChars.add(text);
                ofBytes.add(text.getBytes(StandardCharsets.UTF_8));
                sum = sum.plus(TokenStatistics.of(tokenizer, text));
            }
            assertThat(ofChars.statistics()).as("seed %d", seed).isEqualTo(ofBytes.statistics()).isEqualTo(sum);
        }
    }

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            int codePoint = switch (random.nextInt(5)) {
                case 0 -> random.nextInt(0x80);
                case 1 -> 0x80 + random.nextInt(0x780);
                case 2 -> 0x4E00 + random.nextInt(0x5000);
                case 3 -> 0xE000 + random.nextInt(0x2000);
                default -> 0x10000 + random.nextInt(0x100000);
            };
            text.appendCodePoint(codePoint);
        }
        return text.toString();
    }

    @Test
    void chineseTextBecomesFewerTokensWithChinesePieces() throws IOException {
        TokenCounter base = new TokenCounter(Tokenizer.load(TestModels.DEMO_BASE));
        TokenCounter chinese = new TokenCounter(Tokenizer.load(TestModels.DEMO_CHINESE));
        for (String line : Files.readAllLines(Path.of("examples/demo-model/text/poems.txt"))) {
            base.add(line);
            chinese.add(line);
        }
        assertThat(chinese.statistics().characters()).isEqualTo(base.statistics().characters());
        assertThat(chinese.statistics().tokens()).isLessThan(base.statistics().tokens() / 2);
        assertThat(base.statistics().byteTokenShare()).isGreaterThan(0.9);
        assertThat(chinese.statistics().byteTokenShare()).isLessThan(0.01);
    }

    /** The figure of the README, line by line as it was computed. */
    @Test
    void chineseLlama2HalvesTheTokensOfThePoems() throws IOException {
        Path llama = TestModels.data("tokenizers/llama.model").orElse(null);
        Path chinese = TestModels.data("tokenizers/chinese-llama-2.model").orElse(null);
        Assumptions.assumeTrue(llama != null && chinese != null, "the tokenizers are not here");
        TokenCounter llamaCounter = new TokenCounter(Tokenizer.load(llama));
        TokenCounter chineseCounter = new TokenCounter(Tokenizer.load(chinese));
        for (String line : Files.readAllLines(Path.of("examples/demo-model/text/poems.txt"))) {
            llamaCounter.add(line);
            chineseCounter.add(line);
        }
        assertThat(llamaCounter.statistics().tokens()).isEqualTo(74_959);
        assertThat(chineseCounter.statistics().tokens()).isEqualTo(41_344);
        assertThat(llamaCounter.statistics().byteTokenShare()).isCloseTo(0.640, Offset.offset(0.001));
    }
}
