package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What can be asked for with a text. */
class EncodeOptionsTest {
    private static final EncodeOptions SPECIAL = EncodeOptions.PLAIN.withParseSpecial(true);
    private static final Tokenizer CHINESE = Tokenizer.load(TestModels.DEMO_CHINESE);

    private static int[] joined(int[]... parts) {
        return List.of(parts).stream().flatMapToInt(IntStream::of).toArray();
    }

    @Test
    void reversedIdsKeepTheirFrame() {
        int[] ids = CHINESE.encode("春眠不觉晓");
        int[] reversed = CHINESE.encode("春眠不觉晓", new EncodeOptions(true, true, true, false));
        assertThat(reversed).hasSize(ids.length + 2).startsWith(1).endsWith(2);
        for (int i = 0; i < ids.length; i++) {
            assertThat(reversed[1 + i]).isEqualTo(ids[ids.length - 1 - i]);
        }
        assertThat(CHINESE.encodeAsTokens("春眠不觉晓", new EncodeOptions(true, true, true, false))).extracting(Token::id)
                .containsExactlyElementsOf(IntStream.of(reversed).boxed().toList());
    }

    @Test
    void aTextThatGoesOnGetsNoSpaceAndKeepsItsOwn() {
        assertThat(CHINESE.encode("春眠")).as("a text of its own").isNotEqualTo(CHINESE.encodeContinuation("春眠"));
        for (String text : new String[] {"春眠", " 不觉晓", "  two", "a b", "", "\n"}) {
            assertThat(CHINESE.decode(joined(CHINESE.encode("x"), CHINESE.encodeContinuation(text)))).isEqualTo("x" + text);
        }
        PieceList pieces = new PieceList().specials().add("\u2581a", 0).add("a", -1).add("\u2581", -2).add("b", -3);
        Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, pieces.vocabulary(), new NormalizerSpec("made", new byte[0], true, true, true),
                new SpecialTokens(1, 2, -1, true, false)));
        assertThat(tokenizer.encode("  a  b ")).as("extra spaces go").containsExactly(3, 5, 6);
        assertThat(tokenizer.encodeContinuation("  a  b ")).as("one at the beginning stays").containsExactly(3, 5, 6);
        assertThat(tokenizer.encodeContinuation("a")).containsExactly(4);
        assertThat(tokenizer.encodeContinuation("")).isEmpty();
    }

    @Test
    void specialTokensInTextAreFoundWhenAskedFor() {
        String text = "<s>你好</s>再见<unk>";
        int[] expected = joined(new int[] {1}, CHINESE.encode("你好"), new int[] {2}, CHINESE.encode("再见"), new int[] {0});
        assertThat(CHINESE.encode(text, SPECIAL)).containsExactly(expected);
        assertThat(CHINESE.encode(text.getBytes(StandardCharsets.UTF_8), SPECIAL)).containsExactly(expected);
        assertThat(CHINESE.encode(text)).doesNotContain(0, 1, 2);
        assertThat(CHINESE.encode("</s></s>", SPECIAL)).containsExactly(2, 2);
        assertThat(CHINESE.encode("a </s", SPECIAL)).containsExactly(CHINESE.encode("a </s"));
    }

    @Test
    void theLongestSpecialTokenIsTaken() {
        PieceList pieces = new PieceList().specials().add("<x>", 0, PieceType.CONTROL).add("<x><y>", 0, PieceType.CONTROL).add("a", 0)
                .add("<", 0).add("x", 0).add(">", 0);
        Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, pieces.vocabulary(), NormalizerSpec.identity(false),
                new SpecialTokens(1, 2, -1, true, false)));
        assertThat(tokenizer.encode("a<x><y><x>a<x", SPECIAL)).containsExactly(5, 4, 3, 5, 6, 7);
        assertThat(tokenizer.encode("<x>")).containsExactly(6, 7, 8);
    }

    @Test
    void specialTokensHaveTheirPlaceInTheText() {
        List<Token> tokens = CHINESE.encodeAsTokens("你</s>好", new EncodeOptions(true, true, false, true));
        assertThat(tokens.getFirst()).isEqualTo(new Token(1, "<s>", 0, 0, 0, 0));
        assertThat(tokens.getLast()).isEqualTo(new Token(2, "</s>", 6, 6, 10, 10));
        assertThat(tokens).contains(new Token(2, "</s>", 1, 5, 3, 7));
        assertThat(tokens).filteredOn(token -> token.piece().contains("好")).singleElement()
                .satisfies(token -> assertThat(token.charEnd()).isEqualTo(6));
        byte[] broken = {'a', (byte) 0xFF, '<', '/', 's', '>', 'b'};
        assertThat(CHINESE.encodeAsTokens(broken, SPECIAL)).contains(new Token(2, "</s>", 2, 6, 2, 6));
    }

    @Test
    void anInvalidByteIsOneCharAndOneByte() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.made("bpe-nmt-nfkc-cf"));
        byte[] broken = {'a', (byte) 0xE4, (byte) 0xBD, 'b'};
        List<Token> tokens = tokenizer.encodeAsTokens(broken, EncodeOptions.PLAIN);
        // U+FFFD is no piece there: it is three bytes, of which the last one has the place.
        assertThat(tokens).extracting(token -> "%s %d-%d %d-%d".formatted(
                token.piece(), token.charStart(), token.charEnd(), token.byteStart(), token.byteEnd())).containsExactly(
                "a 0-1 0-1", "<0xEF> 1-1 1-1", "<0xBF> 1-1 1-1", "<0xBD> 1-2 1-2", "<0xEF> 2-2 2-2", "<0xBF> 2-2 2-2", "<0xBD> 2-3 2-3",
                "b 3-4 3-4", "▁ 4-4 4-4");
    }

    @Test
    void aByteThatIsNoCharacterIsNotMappedLikeAWrittenReplacementCharacter() {
        // This map turns U+FFFD into a space, but what the normalizer puts in place of a broken byte is not looked up again.
        Tokenizer tokenizer = Tokenizer.load(TestModels.made("unigram-suffix"));
        assertThat(tokenizer.normalize("a\uFFFDb")).isEqualTo("a▁b▁");
        List<Token> tokens = tokenizer.encodeAsTokens(new byte[] {'a', (byte) 0xFF, 'b'}, EncodeOptions.PLAIN);
        assertThat(String.join("", tokens.stream().map(Token::piece).toList())).isEqualTo("a\uFFFDb▁");
    }

    @Test
    void manyTextsInTheirOrder() {
        List<String> texts = IntStream.range(0, 2000).mapToObj(i -> "第%d首 poem %d".formatted(i, i % 7)).toList();
        List<int[]> all = CHINESE.encodeAll(texts, EncodeOptions.BOS);
        assertThat(all).hasSize(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            assertThat(all.get(i)).containsExactly(CHINESE.encode(texts.get(i), EncodeOptions.BOS));
        }
        assertThat(CHINESE.encodeAll(List.of(), EncodeOptions.PLAIN)).isEmpty();
    }

    @Test
    void anyCharSequenceWillDo() {
        assertThat(CHINESE.encode(new StringBuilder("羊驼😀"))).containsExactly(CHINESE.encode("羊驼😀"));
        assertThat(CHINESE.encode(CharBuffer.wrap("xx羊驼😀", 2, 6))).containsExactly(CHINESE.encode("羊驼😀"));
    }

    @Test
    void unknownPiecesAreDecodedAsTheyStand() {
        assertThat(CHINESE.decodePieces(List.of("▁", "春", "no such▁piece", "<0xE5>", "<0xA5>", "<0xBD>", "</s>"))).isEqualTo("春no such▁piece好");
    }
}
