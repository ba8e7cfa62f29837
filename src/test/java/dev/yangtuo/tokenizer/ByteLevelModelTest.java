package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.TokenizerFormatException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a model is made of is checked before it is used; and ids become text again. */
class ByteLevelModelTest {
    private static Merges merges(Vocabulary vocabulary, String... lines) {
        return Merges.parse(TestModels.MADE, vocabulary, List.of(lines));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "ab|merge 1 is 'ab', expected two pieces with one space between",
        "\"\"|merge 1 is '', expected two pieces",
        "\" ab\"|merge 1 is ' ab', expected two pieces",
        "\"ab \"|merge 1 is 'ab ', expected two pieces",
        "\"a  b\"|merge 1 is 'a  b', expected two pieces",
        "\"a b c\"|merge 1 is 'a b c', expected two pieces",
        "b b|merge 1 is 'b b', but there is no piece 'bb'",
        "ab xx|merge 1 is 'ab xx', but there is no piece 'xx'",
        "< x>|merge 1 is '< x>', but piece 258, '<x>', is of type CONTROL; expected NORMAL",
        "y y|merge 1 is 'y y', but piece 259, 'yy', is of type USER_DEFINED; expected NORMAL",
    })
    void aMalformedMergeIsRefused(String line, String message) {
        Vocabulary vocabulary = new ByteLevelModels().merge("a b").add("x>", PieceType.NORMAL).add("<x>", PieceType.CONTROL)
                .add("yy", PieceType.USER_DEFINED).vocabulary();
        assertThatThrownBy(() -> merges(vocabulary, "a b", line)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith("made.model: " + message);
    }

    @Test
    void ofTwoMergesOfAPairTheFirstCounts() {
        ByteLevelModels made = new ByteLevelModels().merge("a b", "b c", "a b");
        assertThat(Tokenizer.of(made.model(PreTokenizerType.GPT_2)).encodeAsPieces("abc")).containsExactly("ab", "c");
    }

    @Test
    void aVocabularyThatIsNotByteLevelIsRefused() {
        assertThatThrownBy(() -> new ByteLevelModels().remove("A").model(PreTokenizerType.GPT_2))
                .isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("byte 0x41, written 'A', has no piece of type NORMAL");
        assertThatThrownBy(() -> new ByteLevelModels().remove("Ċ").add("Ċ", PieceType.CONTROL).model(PreTokenizerType.GPT_2))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("byte 0x0A, written 'Ċ', has no piece");
        ByteLevelModels bytePieces = new ByteLevelModels();
        for (int value = 0; value < 256; value++) {
            bytePieces.add("<0x%02X>".formatted(value), PieceType.BYTE);
        }
        assertThatThrownBy(() -> bytePieces.model(PreTokenizerType.GPT_2)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("there are pieces of type BYTE");
    }

    @Test
    void tooLongUserDefinedPiecesAndForeignIdsAreRefused() {
        assertThatThrownBy(() -> new ByteLevelModels().add("u".repeat(1025), PieceType.USER_DEFINED).model(PreTokenizerType.GPT_2))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("piece 256 is user-defined and has 1025 characters");
        Merges merges = merges(new ByteLevelModels().merge("a b").vocabulary(), "a b");
        Vocabulary smaller = new ByteLevelModels().vocabulary();
        assertThatThrownBy(() -> new ByteLevelModel(TestModels.MADE, smaller, merges, PreTokenizerType.GPT_2,
                new SpecialTokens(-1, -1, -1, false, false)))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("merge 0 belongs to a larger vocabulary");
        assertThatThrownBy(() -> new ByteLevelModel(TestModels.MADE, smaller, merges(smaller), PreTokenizerType.GPT_2,
                new SpecialTokens(256, -1, -1, false, false)))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("the bos id 256 is outside the vocabulary");
    }

    @Test
    void bytesArePrintedAsGpt2PrintsThem() {
        assertThat(ByteLevelModels.spelled(" \n\u0000a\u007Fé\u00AD")).isEqualTo("ĠĊĀaġÃ©ÂŃ");
        for (int value = 0; value < 256; value++) {
            assertThat(ByteAlphabet.byteOf(ByteAlphabet.charOf(value))).isEqualTo(value);
        }
        assertThat(ByteAlphabet.byteOf('\u0144')).isEqualTo(-1);
        assertThat(ByteAlphabet.byteOf(' ')).isEqualTo(-1);
    }

    @Test
    void anUnfinishedCharacterIsHeldBackAcrossPieces() {
        String llama = ByteLevelModels.spelled("🦙");
        ByteLevelModel model = new ByteLevelModels().merge(llama.charAt(1) + " " + llama.charAt(2)).model(PreTokenizerType.GPT_2);
        Tokenizer tokenizer = Tokenizer.of(model);
        int[] ids = tokenizer.encode("x🦙y");
        assertThat(ids).hasSize(5);
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        assertThat(decoder.accept(ids[0])).isEqualTo("x");
        assertThat(decoder.accept(ids[1])).isEmpty();
        assertThat(decoder.accept(ids[2])).isEmpty();
        assertThat(decoder.accept(ids[3])).isEqualTo("🦙");
        assertThat(decoder.accept(ids[1])).isEmpty();
        assertThat(decoder.accept(ids[4])).as("a broken one").isEqualTo("\uFFFDy");
        decoder.accept(ids[1]);
        assertThat(decoder.accept(ids[2]) + decoder.flush()).isEqualTo("\uFFFD\uFFFD\uFFFD");
    }

    @Test
    void piecesOfOtherTypesAreTheirOwnText() {
        ByteLevelModel model = new ByteLevelModels().add("<s>", PieceType.CONTROL).add("Ġé", PieceType.USER_DEFINED)
                .add("‼", PieceType.NORMAL).add("<unk>", PieceType.UNKNOWN).add("[PAD]", PieceType.UNUSED).model(PreTokenizerType.GPT_2);
        Tokenizer tokenizer = Tokenizer.of(model);
        assertThat(tokenizer.decode(256)).as("control").isEmpty();
        assertThat(tokenizer.decode(257)).as("user-defined").isEqualTo("Ġé");
        assertThat(tokenizer.decode(258)).as("normal, but of characters that are no bytes").isEqualTo("‼");
        assertThat(tokenizer.decode(259)).as("unknown").isEqualTo(" ⁇ ");
        assertThat(tokenizer.decode(260)).as("unused").isEqualTo("[PAD]");
        assertThat(tokenizer.encode("[PAD]")).as("unused pieces are never found").hasSize(5);
        assertThat(tokenizer.unkId()).isEqualTo(259);
        assertThat(Tokenizer.of(new ByteLevelModels().model(PreTokenizerType.GPT_2)).unkId()).isEqualTo(-1);
    }

    @Test
    void partsTogetherEqualTheWholeForRandomIds() {
        Tokenizer tokenizer = Tokenizer.of(
                ByteLevelModels.random(5, "aé中🦙", 200).add("é", PieceType.CONTROL).model(PreTokenizerType.GPT_2));
        for (long seed = 0; seed < 2000; seed++) {
            int[] ids = new Random(seed).ints(20, 0, tokenizer.vocabSize()).toArray();
            StreamingDecoder decoder = tokenizer.streamingDecoder();
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(decoder.accept(id));
            }
            text.append(decoder.flush());
            assertThat(text.toString()).as("seed %d", seed).isEqualTo(tokenizer.decode(ids));
        }
    }

    @Test
    void everyGgufNameIsFoundAndNoneTwice() {
        List<String> names = Arrays.stream(PreTokenizerType.values()).flatMap(type -> type.ggufNames().stream()).toList();
        assertThat(names).doesNotHaveDuplicates().contains("llama-bpe", "qwen2", "deepseek-llm", "gpt-2");
        assertThat(names).allSatisfy(name -> assertThat(PreTokenizerType.ofName(name)).isPresent());
        assertThat(PreTokenizerType.ofName("default")).isEmpty();
    }
}
