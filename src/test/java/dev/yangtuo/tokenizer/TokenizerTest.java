package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final SpecialTokens BOS_EOS = new SpecialTokens(1, 2, -1, true, false);
    private static final NormalizerSpec PLAIN = NormalizerSpec.identity(false);

    private static Tokenizer made(PieceList pieces, NormalizerSpec rules) {
        return Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, pieces.vocabulary(), rules, BOS_EOS));
    }

    @Test
    void vocabularyIsReadable() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        assertThat(tokenizer.vocabSize()).isEqualTo(Tokenizer.load(TestModels.DEMO_BASE).vocabSize() + 9183);
        assertThat(tokenizer.bosId()).isEqualTo(1);
        assertThat(tokenizer.eosId()).isEqualTo(2);
        assertThat(tokenizer.unkId()).isZero();
        assertThat(tokenizer.padId()).isEqualTo(-1);
        assertThat(tokenizer.piece(1)).isEqualTo("<s>");
        assertThat(tokenizer.type(1)).isEqualTo(PieceType.CONTROL);
        assertThat(tokenizer.type(3)).isEqualTo(PieceType.BYTE);
        assertThat(tokenizer.score(tokenizer.vocabSize() - 1)).isZero();
        assertThat(tokenizer.id("</s>")).hasValue(2);
        assertThat(tokenizer.id("no such piece")).isEmpty();
        assertThatThrownBy(() -> tokenizer.piece(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("id -1 is outside the vocabulary of %d pieces", tokenizer.vocabSize());
    }

    @Test
    void padOfTheInstructionAdapterIsAnOrdinaryPiece() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_ALPACA);
        assertThat(tokenizer.id("[PAD]")).hasValue(tokenizer.vocabSize() - 1);
        assertThat(tokenizer.type(tokenizer.vocabSize() - 1)).isEqualTo(PieceType.NORMAL);
        assertThat(tokenizer.padId()).isEqualTo(-1);
    }

    @Test
    void bosAndEosOnlyWhenAskedFor() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        int[] plain = tokenizer.encode("羊驼");
        assertThat(plain).doesNotContain(1, 2);
        int[] framed = tokenizer.encode("羊驼", EncodeOptions.BOS.withEos(true));
        assertThat(framed).hasSize(plain.length + 2).startsWith(1).endsWith(2).containsSequence(plain);
        assertThat(tokenizer.encode("", EncodeOptions.BOS)).containsExactly(1);
        assertThat(tokenizer.encode("")).isEmpty();
    }

    @Test
    void askingForAnIdThatTheModelLacksIsRefused() {
        Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, new PieceList().specials().vocabulary(), PLAIN,
                new SpecialTokens(-1, -1, -1, false, false)));
        assertThatThrownBy(() -> tokenizer.encode("a", EncodeOptions.BOS)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no begin-of-sequence piece");
    }

    @Test
    void reservedPiecesNeverComeFromText() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        String text = "<s></s><unk><0x41>";
        int[] ids = tokenizer.encode(text);
        assertThat(ids).doesNotContain(0, 1, 2);
        assertThat(tokenizer.decode(ids)).isEqualTo(text);
    }

    @Test
    void aLoneSurrogateIsOneReplacementCharacter() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        assertThat(tokenizer.encode("a\uD83Db\uDE00")).containsExactly(tokenizer.encode("a\uFFFDb\uFFFD"));
        assertThat(tokenizer.encode("\uDE00\uD83D")).containsExactly(tokenizer.encode("\uFFFD\uFFFD"));
        assertThat(tokenizer.decode(tokenizer.encode("\uD83D\uDE00"))).isEqualTo("😀");
    }

    @Test
    void everyInvalidByteIsOneReplacementCharacter() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        byte[] utf8 = {'a', (byte) 0xE4, (byte) 0xBD, 'b', (byte) 0xED, (byte) 0xA0, (byte) 0x80, (byte) 0xF0};
        assertThat(tokenizer.encode(utf8, EncodeOptions.PLAIN))
                .containsExactly(tokenizer.encode("a\uFFFD\uFFFDb\uFFFD\uFFFD\uFFFD\uFFFD"));
    }

    @Test
    void equalScoresMergeTheLeftmostPairAndBothZerosAreEqual() {
        assertThat(made(new PieceList().specials().add("a", -1).add("aa", 0), PLAIN).encodeAsPieces("aaa")).containsExactly("aa", "a");
        PieceList zeros = new PieceList().specials().add("a", -1).add("b", -1).add("c", -1).add("ab", -0.0f).add("bc", 0.0f);
        assertThat(made(zeros, PLAIN).encodeAsPieces("abc")).containsExactly("ab", "c");
        PieceList better = new PieceList().specials().add("a", -1).add("b", -1).add("c", -1).add("ab", -1).add("bc", 0.0f);
        assertThat(made(better, PLAIN).encodeAsPieces("abc")).containsExactly("a", "bc");
    }

    @Test
    void charactersThatAreNoPiecesThemselvesMerge() {
        Tokenizer tokenizer = made(new PieceList().specials().bytes().add("ab", 0), PLAIN);
        assertThat(tokenizer.encodeAsPieces("abba")).containsExactly("ab", "<0x62>", "<0x61>");
    }

    @Test
    void unusedPiecesMergeAndAreSplitAgain() {
        PieceList pieces = new PieceList().specials().add("a", -1).add("b", -1).add("c", -1)
                .add("ab", -2, PieceType.UNUSED).add("abc", -3, PieceType.UNUSED).add("bc", -4);
        Tokenizer tokenizer = made(pieces, PLAIN);
        assertThat(tokenizer.encodeAsPieces("abc")).as("bc is never reached, as ab is better").containsExactly("a", "b", "c");
        assertThat(tokenizer.encodeAsPieces("bc")).containsExactly("bc");
        Tokenizer single = made(new PieceList().specials().add("a", 0, PieceType.UNUSED), PLAIN);
        assertThat(single.encode("a")).as("nothing to split a character into").containsExactly(3);
    }

    @Test
    void userDefinedPiecesStayWholeTheLongestFirst() {
        PieceList pieces = new PieceList().specials().add("a", -1).add("b", -1).add("ab", 0)
                .add("b<x>", -9, PieceType.USER_DEFINED).add("<x>", -9, PieceType.USER_DEFINED);
        Tokenizer tokenizer = made(pieces, PLAIN);
        assertThat(tokenizer.encodeAsPieces("ab<x>ab<x")).containsExactly("a", "b<x>", "ab", "<x");
        assertThat(tokenizer.encodeAsPieces("a<x>b")).containsExactly("a", "<x>", "b");
    }

    @Test
    void aRunOfUnknownCharactersIsOneIdWithoutByteFallback() {
        Tokenizer tokenizer = made(new PieceList().specials().add("a", 0), PLAIN);
        assertThat(tokenizer.encode("你好a😀")).containsExactly(0, 3, 0);
        assertThat(tokenizer.encodeAsPieces("你好a😀")).containsExactly("你好", "a", "😀");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '"', value = {
        // dummy prefix; remove extra; escape; suffix; text; normalized text
        "true;  false; true;  false; \" a  b \"; \"▁▁a▁▁b▁\"",
        "false; false; true;  false; \" a  b \"; \"▁a▁▁b▁\"",
        "true;  true;  true;  false; \"  a   b  \"; \"▁a▁b\"",
        "true;  true;  false; false; \"  a   b  \"; \" a b\"",
        "true;  true;  true;  true;  \"  a   b  \"; \"a▁b▁\"",
        "true;  false; true;  true;  \"a b\"; \"a▁b▁\"",
        "true;  true;  true;  false; \"   \"; \"\"",
        "true;  false; true;  false; \"\"; \"\"",
        // A written U+2581 is a space at the end, but none at the beginning.
        "true;  true;  true;  false; \"▁a▁ ▁\"; \"▁▁a\"",
        "true;  true;  true;  false; \"▁ ▁\"; \"\"",
        // Spaces inside the user-defined piece "x  y" stay.
        "true;  true;  true;  false; \"a  x  y  b\"; \"▁a▁x▁▁y▁b\"",
    })
    void whitespaceRules(boolean dummy, boolean removeExtra, boolean escape, boolean suffix, String text, String expected) {
        Vocabulary vocabulary = new PieceList().specials().add("x  y", 0, PieceType.USER_DEFINED).vocabulary();
        SentencePieceModel model = new SentencePieceModel(TestModels.MADE, ModelType.BPE, vocabulary,
                new NormalizerSpec("identity", new byte[0], dummy, removeExtra, escape), false, suffix, "?", BOS_EOS);
        assertThat(Tokenizer.of(model).normalize(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "ab", "\n", "中", "春江", "\uD800"})
    void aMillionRepetitionsTakeNoQuadraticTime(String unit) {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        String text = unit.repeat((1 << 20) / unit.length());
        // Quadratic time would be hours; the limit leaves room for a busy machine.
        int[] ids = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> tokenizer.encode(text));
        assertThat(tokenizer.decode(ids)).isEqualTo(text.replace('\uD800', '\uFFFD'));
    }

    @Test
    void unusedPiecesTakeNoQuadraticTimeEither() {
        PieceList pieces = new PieceList().specials().add("a", 0);
        for (int length = 2; length <= 64; length *= 2) {
            pieces.add("a".repeat(length), -length, length > 2 ? PieceType.UNUSED : PieceType.NORMAL);
        }
        Tokenizer tokenizer = made(pieces, PLAIN);
        int[] ids = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> tokenizer.encode("a".repeat(1 << 20)));
        assertThat(ids).hasSize(1 << 19).containsOnly(4);
    }

    private static Stream<Path> modelsForThreads() {
        return Stream.of(TestModels.DEMO_CHINESE, TestModels.made("bpe-nfkc"), TestModels.made("unigram-nfkc-cf"));
    }

    @ParameterizedTest
    @MethodSource("modelsForThreads")
    void oneInstanceGivesEightThreadsTheSameIds(Path model) throws Exception {
        Tokenizer tokenizer = Tokenizer.load(model);
        RandomTexts texts = new RandomTexts(tokenizer.model().vocabulary());
        Random random = new Random(1);
        List<String> different = Stream.generate(() -> texts.next(random)).limit(200).toList();
        // Each thread begins elsewhere, so that at any time all of them encode something else.
        List<int[]> expected = different.stream().map(Tokenizer.load(model)::encode).toList();
        List<Future<?>> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int thread = 0; thread < 8; thread++) {
                int first = 25 * thread;
                results.add(threads.submit(() -> {
                    for (int i = 0; i < 1000; i++) {
                        int text = (first + i) % different.size();
                        assertThat(tokenizer.encode(different.get(text))).containsExactly(expected.get(text));
                    }
                }));
            }
        }
        for (Future<?> result : results) {
            result.get();
        }
    }
}
