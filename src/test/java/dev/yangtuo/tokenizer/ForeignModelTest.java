package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A tokenizer whose pieces are bytes, letters of lower case and a few words, cut by a function that takes the longest piece. */
class ForeignModelTest {
    private static final int CONTROL = 0;
    private static final List<String> WORDS = List.of("ab", "abc", " ab", "<s>", "\n\n", "羊");

    /** Texts that the function was given. */
    private final List<String> given = new ArrayList<>();

    private static List<String> pieces() {
        List<String> pieces = new ArrayList<>(List.of("<s>"));
        for (int value = 0; value < 256; value++) {
            pieces.add("byte %d".formatted(value));
        }
        WORDS.stream().filter(word -> !word.equals("<s>")).forEach(pieces::add);
        return pieces;
    }

    private static byte[] bytes(int id) {
        return id > 0 && id <= 256 ? new byte[] {(byte) (id - 1)} : pieces().get(id).getBytes(StandardCharsets.UTF_8);
    }

    private Tokenizer tokenizer(boolean dropsFirstSpace, boolean linesAreApart) {
        List<String> pieces = pieces();
        int[] types = new int[pieces.size()];
        Arrays.fill(types, PieceType.NORMAL.number());
        types[CONTROL] = PieceType.CONTROL.number();
        List<byte[]> bytes = IntStream.range(0, pieces.size()).mapToObj(ForeignModelTest::bytes).toList();
        return Tokenizer.of(new ForeignModel(TestModels.MADE, Vocabulary.of(TestModels.MADE, pieces, new float[pieces.size()], types), bytes,
                new SpecialTokens(CONTROL, CONTROL, -1, true, false), new ForeignModel.Rules(dropsFirstSpace, linesAreApart), text -> {
            given.add(text);
            return longestFirst(text.getBytes(StandardCharsets.UTF_8), bytes);
        }));
    }

    private static int[] longestFirst(byte[] text, List<byte[]> bytes) {
        IntStream.Builder ids = IntStream.builder();
        for (int at = 0; at < text.length; ) {
            int best = (text[at] & 0xFF) + 1;
            for (int id = 0; id < bytes.size(); id++) {
                byte[] piece = bytes.get(id);
                if (piece.length > bytes.get(best).length && at + piece.length <= text.length && Arrays.equals(piece, 0, piece.length, text, at, at + piece.length)) {
                    best = id;
                }
            }
            ids.add(best);
            at += bytes.get(best).length;
        }
        return ids.build().toArray();
    }

    @Test
    void idsAreTheFunctionsAndTheTextComesBack() {
        Tokenizer tokenizer = tokenizer(false, true);
        String text = "abc ab\0é羊🦙 \n\nz";
        assertThat(tokenizer.encode(text)).startsWith(tokenizer.id("abc").orElseThrow(), tokenizer.id(" ab").orElseThrow(), 1);
        assertThat(given).containsExactly(text);
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        StringBuilder decoded = new StringBuilder();
        IntStream.of(tokenizer.encode(text)).mapToObj(decoder::accept).forEach(decoded::append);
        assertThat(decoded).hasToString(text);
        assertThat(tokenizer.encode("ab", EncodeOptions.BOS)).containsExactly(CONTROL, tokenizer.id("ab").orElseThrow());
    }

    @Test
    void aHalfSurrogatePairIsAReplacementCharacter() {
        Tokenizer tokenizer = tokenizer(false, true);
        assertThat(tokenizer.decode(tokenizer.encode("a\ud83db"))).isEqualTo("a\uFFFDb");
        assertThat(given).containsExactly("a\uFFFDb");
        assertThat(tokenizer.decode(tokenizer.encode(new byte[] {'a', (byte) 0xFF, 'b'}, EncodeOptions.PLAIN))).isEqualTo("a\uFFFDb");
    }

    @Test
    void unfinishedCharactersAreHeldBack() {
        StreamingDecoder decoder = tokenizer(false, true).streamingDecoder();
        byte[] llama = "🦙".getBytes(StandardCharsets.UTF_8);
        assertThat(decoder.accept((llama[0] & 0xFF) + 1)).isEmpty();
        assertThat(decoder.accept((llama[1] & 0xFF) + 1)).isEmpty();
        assertThat(decoder.heldBack()).hasSize(2);
        assertThat(decoder.accept((int) 'a' + 1)).isEqualTo("\uFFFD\uFFFDa");
    }

    @Test
    void theSpaceOfTheFirstPieceIsDroppedWhereTheModelPutsOne() {
        Tokenizer tokenizer = tokenizer(true, true);
        int spaceAb = tokenizer.id(" ab").orElseThrow();
        assertThat(tokenizer.decode(spaceAb, spaceAb)).isEqualTo("ab ab");
        assertThat(tokenizer.firstBytes(spaceAb)).containsExactly('a', 'b');
        assertThat(tokenizer.bytes(spaceAb)).containsExactly(' ', 'a', 'b');
        assertThat(tokenizer.continuationDecoder(new int[] {spaceAb}).accept(spaceAb)).isEqualTo(" ab");
        assertThat(tokenizer(false, true).decode(spaceAb, spaceAb)).isEqualTo(" ab ab");
    }

    @Test
    void controlPiecesInTextAreTextUnlessAskedFor() {
        Tokenizer tokenizer = tokenizer(false, true);
        assertThat(tokenizer.encode("<s><s>")).doesNotContain(CONTROL);
        assertThat(tokenizer.decode(tokenizer.encode("x<s>ab<s>"))).isEqualTo("x<s>ab<s>");
        assertThat(tokenizer.encode("<s>ab", new EncodeOptions(false, false, false, true))).containsExactly(CONTROL, tokenizer.id("ab").orElseThrow());
        assertThat(tokenizer.bytes(CONTROL)).isEmpty();
    }

    @Test
    void placesFollowTheBytes() {
        Tokenizer tokenizer = tokenizer(false, true);
        String text = "ab🦙羊x";
        List<Token> tokens = tokenizer.encodeAsTokens(text, EncodeOptions.PLAIN);
        assertThat(tokens.stream().map(Token::charStart)).containsExactly(0, 2, 2, 2, 2, 4, 5);
        assertThat(tokens.stream().map(Token::charEnd)).containsExactly(2, 2, 2, 2, 4, 5, 6);
        assertThat(tokens.getLast().byteStart()).isEqualTo(2 + 4 + 3);
    }

    @Test
    void longTextsAreCutBeforeLineFeedsOnly() {
        Tokenizer tokenizer = tokenizer(false, true);
        StringBuilder text = new StringBuilder();
        SplittableRandom random = new SplittableRandom(5);
        while (text.length() < 100_000) {
            text.append("abc ab\n\n羊 ".charAt(random.nextInt(10)));
        }
        int[] ids = tokenizer.encode(text);
        assertThat(String.join("", given)).isEqualTo(text.toString());
        assertThat(given).hasSizeBetween(12, 25).allSatisfy(part -> assertThat(part.length()).isLessThan(10_000));
        assertThat(given.subList(1, given.size())).allMatch(part -> part.startsWith("\n"));
        List<Integer> streamed = new ArrayList<>();
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, (some, count) -> IntStream.range(0, count).forEach(i -> streamed.add(some[i])));
        text.chars().forEach(c -> encoder.append(String.valueOf((char) c)));
        encoder.finish();
        assertThat(streamed.stream().mapToInt(Integer::intValue).toArray()).isEqualTo(ids);
    }

    @Test
    void aTextThatCannotBeCutIsGivenWholeOrRefused() {
        Tokenizer tokenizer = tokenizer(false, false);
        tokenizer.encode("a\n".repeat(50_000));
        assertThat(given).hasSize(1);
        String tooLong = "a".repeat(ForeignModel.MAX_PART_CHARS + 1);
        assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.encode(tooLong)).withMessageContaining("262144");
        assertThatIllegalArgumentException().isThrownBy(() -> tokenizer(false, true).encode(tooLong));
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, (ids, count) -> { });
        assertThatIllegalArgumentException().as("memory is bounded").isThrownBy(() -> {
            for (int i = 0; i < 10; i++) {
                encoder.append("b".repeat(100_000));
            }
        });
    }

    @Test
    void partsThatDoNotFitAreRefused() {
        Vocabulary vocabulary = Vocabulary.of(TestModels.MADE, List.of("a"), new float[1], new int[] {1});
        ForeignModel.Rules rules = new ForeignModel.Rules(false, false);
        assertThatExceptionOfType(TokenizerFormatException.class).isThrownBy(() -> new ForeignModel(TestModels.MADE, vocabulary, List.of(),
                new SpecialTokens(-1, -1, -1, false, false), rules, text -> new int[0])).withMessageContaining("1 pieces, but 0 texts");
        assertThatExceptionOfType(TokenizerFormatException.class).isThrownBy(() -> new ForeignModel(TestModels.MADE, vocabulary, List.of(new byte[1]),
                new SpecialTokens(5, -1, -1, false, false), rules, text -> new int[0])).withMessageContaining("the bos id 5");
    }

    @Test
    void itCannotBeSampledFrom() {
        Tokenizer tokenizer = tokenizer(false, true);
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> tokenizer.sample("ab", 0.1, new SplittableRandom(1)));
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> tokenizer.nBest("ab", 2));
    }
}
