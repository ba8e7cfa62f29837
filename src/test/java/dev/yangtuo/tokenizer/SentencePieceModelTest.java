package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.TestModels.Message;
import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SentencePieceModelTest {
    private static final Message RULES = Message.rules(true, false, true);

    private static SentencePieceModel parse(byte[] bytes) {
        return SentencePieceModel.parse(TestModels.MADE, bytes);
    }

    @Test
    void demonstrationModelIsRead() {
        SentencePieceModel model = SentencePieceModel.read(TestModels.DEMO_BASE);
        assertThat(model.type()).isEqualTo(ModelType.BPE);
        assertThat(model.byteFallback()).isTrue();
        assertThat(model.normalizer()).usingRecursiveComparison().isEqualTo(NormalizerSpec.identity(true));
        assertThat(model.unkSurface()).isEqualTo(" ⁇ ");
        assertThat(model.special()).isEqualTo(new SpecialTokens(1, 2, -1, true, false));
    }

    @Test
    void absentFieldsHaveTheDefaultsOfTheSchema() {
        byte[] file = new Message().message(1, new Message().string(1, "<unk>").varint(3, 2)).message(1, new Message().string(1, "a"))
                .message(2, new Message()).message(3, new Message()).bytes();
        SentencePieceModel model = parse(file);
        assertThat(model.type()).isEqualTo(ModelType.UNIGRAM);
        assertThat(model.vocabulary().type(1)).isEqualTo(PieceType.NORMAL);
        assertThat(model.vocabulary().score(1)).isZero();
        assertThat(model.normalizer().addDummyPrefix()).isTrue();
        assertThat(model.normalizer().removeExtraWhitespaces()).isTrue();
        assertThat(model.normalizer().escapeWhitespaces()).isTrue();
        assertThat(model.special()).isEqualTo(new SpecialTokens(-1, -1, -1, true, false));
    }

    @Test
    void unknownFieldsOfEveryWireTypeArePassedOver() {
        Message strange = new Message().varint(200, 1).number(201 << 3 | 1).raw(1, 2, 3, 4, 5, 6, 7, 8).string(202, "x").fixed32(203, 1)
                .raw(0xE3, 0x0C).varint(1, 7).raw(0xE4, 0x0C);
        byte[] file = new Message().raw(strange.bytes())
                .message(1, new Message().raw(strange.bytes()).string(1, "<unk>").varint(3, 2))
                .message(2, Message.bpe().raw(strange.bytes())).message(3, Message.rules(true, false, true).raw(strange.bytes()))
                .message(4, new Message().string(1, "self test")).message(5, new Message().string(1, "")).bytes();
        assertThat(parse(file).vocabulary().size()).isEqualTo(1);
    }

    @Test
    void aMessageThatOccursTwiceIsMergedAndTheLastValueCounts() {
        byte[] file = new PieceList().specials().modelFile(Message.bpe().string(44, "first"), RULES);
        byte[] twice = new Message().raw(file).message(2, new Message().string(44, "second")).bytes();
        SentencePieceModel model = parse(twice);
        assertThat(model.type()).isEqualTo(ModelType.BPE);
        assertThat(model.unkSurface()).isEqualTo("second");
    }

    @Test
    void theVocabularySizeThatTheTrainerWroteIsNotTrusted() {
        byte[] file = new PieceList().specials().modelFile(Message.bpe().varint(4, 1_000_000_000), RULES);
        assertThat(parse(file).vocabulary().size()).isEqualTo(3);
    }

    @Test
    void specialIdsFollowTheNamesOfThePieces() {
        byte[] file = new PieceList().specials().add("[BOS]", 0, PieceType.CONTROL).add("<pad>", 0)
                .modelFile(Message.bpe().varint(41, 1).string(46, "[BOS]"), RULES);
        assertThat(parse(file).special()).as("a <pad> that is no control piece is none")
                .isEqualTo(new SpecialTokens(3, 2, -1, true, false));
    }

    @ParameterizedTest
    @EnumSource(value = ModelType.class, names = {"WORD", "CHAR"})
    void wordAndCharacterModelsCanBeReadButNotEncodedWith(ModelType type) {
        SentencePieceModel model = parse(new PieceList().specials().modelFile(new Message().varint(3, type.number()), RULES));
        assertThat(model.type()).isEqualTo(type);
        assertThatThrownBy(() -> Tokenizer.of(model)).isInstanceOf(TokenizerFormatException.class)
                .hasMessage("made.model: the model is of kind %s, which is not supported; expected BPE or UNIGRAM", type);
    }

    @Test
    void theUnigramModelOfTheDataFolderIsRead() {
        var file = TestModels.data("tokenizers/chinese-sp-20k.model");
        assumeTrue(file.isPresent(), "YANGTUO_TEST_DATA names no folder with it");
        SentencePieceModel model = SentencePieceModel.read(file.orElseThrow());
        assertThat(model.type()).isEqualTo(ModelType.UNIGRAM);
        assertThat(model.vocabulary().size()).isEqualTo(20_000);
        assertThat(model.normalizer().precompiledCharsmap()).isNotEmpty();
    }

    @Test
    void plainArraysGiveTheSameIdsAsTheFile() {
        SentencePieceModel model = SentencePieceModel.read(TestModels.DEMO_CHINESE);
        Vocabulary vocabulary = model.vocabulary();
        List<String> pieces = new ArrayList<>();
        float[] scores = new float[vocabulary.size()];
        int[] types = new int[vocabulary.size()];
        for (int id = 0; id < vocabulary.size(); id++) {
            pieces.add(vocabulary.piece(id));
            scores[id] = vocabulary.score(id);
            types[id] = vocabulary.type(id).number();
        }
        Tokenizer fromArrays = Tokenizer.of(SentencePieceModel.bpe(TestModels.MADE, Vocabulary.of(TestModels.MADE, pieces, scores, types),
                NormalizerSpec.identity(true), new SpecialTokens(1, 2, -1, true, false)));
        String text = "白日依山尽，黄河入海流。 Once upon a time 🦙\n\t";
        assertThat(fromArrays.encode(text)).containsExactly(Tokenizer.of(model).encode(text));
    }

    @Test
    void arraysThatDoNotFitAreRefused() {
        assertThatThrownBy(() -> Vocabulary.of(TestModels.MADE, List.of("<unk>", "a"), new float[1], new int[] {2, 1}))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("2 pieces, but 1 scores and 2 types");
        assertThatThrownBy(() -> Vocabulary.of(TestModels.MADE, List.of("<unk>", "\uD800"), new float[2], new int[] {2, 1}))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("piece 1 holds half a surrogate pair");
        Vocabulary one = Vocabulary.of(TestModels.MADE, List.of("<unk>"), new float[1], new int[] {2});
        assertThatThrownBy(() -> SentencePieceModel.bpe(TestModels.MADE, one, NormalizerSpec.identity(true),
                new SpecialTokens(1, -1, -1, true, false)))
                .isInstanceOf(TokenizerFormatException.class).hasMessageContaining("the bos id 1 is outside the vocabulary of 1 pieces");
    }
}
