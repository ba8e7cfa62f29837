package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StreamingDecoderTest {
    private final Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);

    private int byteId(int value) {
        return tokenizer.id("<0x%02X>".formatted(value)).orElseThrow();
    }

    private int id(String piece) {
        return tokenizer.id(piece).orElseThrow();
    }

    @Test
    void partsTogetherEqualTheWholeForRandomIds() {
        for (long seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            int[] ids = random.ints(random.nextInt(30), 0, tokenizer.vocabSize())
                    .map(id -> random.nextInt(3) > 0 ? 3 + id % 256 : id).toArray();
            StreamingDecoder decoder = tokenizer.streamingDecoder();
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                String part = decoder.accept(id);
                assertThat(part.isEmpty() || !Character.isHighSurrogate(part.charAt(part.length() - 1))).isTrue();
                text.append(part);
            }
            text.append(decoder.flush());
            assertThat(text.toString()).as("seed %d, ids %s", seed, Arrays.toString(ids)).isEqualTo(tokenizer.decode(ids));
        }
    }

    @Test
    void holdsACharacterBackUntilItsLastByte() {
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        assertThat(decoder.accept(byteId(0xF0))).isEmpty();
        assertThat(decoder.accept(byteId(0x9F))).isEmpty();
        assertThat(decoder.accept(byteId(0xA6))).isEmpty();
        assertThat(decoder.accept(byteId(0x99))).isEqualTo("🦙");
        assertThat(decoder.flush()).isEmpty();
    }

    @Test
    void doesNotHoldBackWhatCanNoLongerBecomeACharacter() {
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        assertThat(decoder.accept(byteId(0xFF))).isEqualTo("\uFFFD");
        assertThat(decoder.accept(byteId(0xE4))).isEmpty();
        assertThat(decoder.accept(byteId(0x41))).isEqualTo("\uFFFDA");
        assertThat(decoder.accept(byteId(0xED))).isEmpty();
        assertThat(decoder.accept(byteId(0xA0))).as("the beginning of a surrogate").isEqualTo("\uFFFD\uFFFD");
    }

    @Test
    void anotherPieceEndsARunOfBytes() {
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        decoder.accept(byteId(0xE4));
        decoder.accept(byteId(0xBD));
        assertThat(decoder.accept(tokenizer.eosId())).as("an invisible one too").isEqualTo("\uFFFD\uFFFD");
        decoder.accept(byteId(0xE4));
        assertThat(decoder.flush()).isEqualTo("\uFFFD");
    }

    @Test
    void everyByteOfABrokenRunIsOneReplacementCharacter() {
        assertThat(tokenizer.decode(byteId(0xC0), byteId(0xAF))).as("overlong").isEqualTo("\uFFFD\uFFFD");
        assertThat(tokenizer.decode(byteId(0xF4), byteId(0x90), byteId(0x80), byteId(0x80))).as("above U+10FFFF")
                .isEqualTo("\uFFFD".repeat(4));
        assertThat(tokenizer.decode(byteId(0xEF), byteId(0xBF), byteId(0xBD))).as("a true U+FFFD").isEqualTo("\uFFFD");
    }

    @Test
    void continuationKeepsTheLeadingSpace() {
        int[] prompt = tokenizer.encode("The", EncodeOptions.BOS);
        int word = id("▁the");
        assertThat(tokenizer.continuationDecoder(prompt).accept(word)).isEqualTo(" the");
        assertThat(tokenizer.streamingDecoder().accept(word)).isEqualTo("the");
        assertThat(tokenizer.continuationDecoder(new int[] {tokenizer.bosId()}).accept(word)).isEqualTo("the");
    }

    @Test
    void continuationFinishesACharacterThatThePromptBegan() {
        StreamingDecoder decoder = tokenizer.continuationDecoder(new int[] {byteId(0xE7), byteId(0xBE)});
        assertThat(decoder.accept(byteId(0x8A))).isEqualTo("羊");
    }

    @Test
    void unknownIsItsSurfaceAndControlIsInvisible() {
        assertThat(tokenizer.decode(tokenizer.bosId(), tokenizer.unkId(), tokenizer.eosId())).isEqualTo(" ⁇ ");
    }

    @ParameterizedTest
    @CsvSource({
        // add_dummy_prefix, remove_extra_whitespaces, text of the pieces ▁ ▁ ▁a ▁a
        "true, false, '|  a a'",
        "true, true, '|a a'",
        "false, true, '|a a'",
        "false, false, '|   a a'"
    })
    void leadingSpacesAreStrippedByTheRulesOfTheModel(boolean dummyPrefix, boolean removeExtra, String expected) {
        Vocabulary vocabulary = new PieceList().specials().add("▁", 0).add("▁a", 0).vocabulary();
        Tokenizer made = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, vocabulary,
                new NormalizerSpec("identity", new byte[0], dummyPrefix, removeExtra, true), new SpecialTokens(1, 2, -1, true, false)));
        // With both flags, remove_extra_whitespaces decides: every leading space goes.
        assertThat("|" + made.decode(1, 3, 3, 4, 4)).isEqualTo(expected);
    }

    @Test
    void idOutsideTheVocabularyIsRefusedByName() {
        assertThatThrownBy(() -> tokenizer.decode(1, tokenizer.vocabSize())).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("id %d at index 1 is outside the vocabulary of %d pieces", tokenizer.vocabSize(), tokenizer.vocabSize());
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        decoder.accept(byteId(0xE7));
        assertThatThrownBy(() -> decoder.accept(-1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("id -1");
        decoder.accept(byteId(0xBE));
        assertThat(decoder.accept(byteId(0x8A))).as("the decoder is as it was").isEqualTo("羊");
    }
}
