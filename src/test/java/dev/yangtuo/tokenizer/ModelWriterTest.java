package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is written is read as the same model, by this library and by SentencePiece. */
class ModelWriterTest {
    static List<Path> models() {
        return List.of(TestModels.DEMO_BASE, TestModels.DEMO_CHINESE, TestModels.made("bpe-identity"), TestModels.made("bpe-nmt-nfkc-cf"),
                TestModels.made("unigram-nfkc-cf"), TestModels.made("unigram-rules"), TestModels.made("unigram-suffix"));
    }

    private static void assertSame(SentencePieceModel actual, SentencePieceModel expected) {
        assertThat(actual).usingRecursiveComparison().ignoringFields("vocabulary").isEqualTo(expected);
        assertThat(actual.vocabulary().size()).isEqualTo(expected.vocabulary().size());
        for (int id = 0; id < expected.vocabulary().size(); id++) {
            assertThat(actual.vocabulary().piece(id)).isEqualTo(expected.vocabulary().piece(id));
            assertThat(actual.vocabulary().score(id)).isEqualTo(expected.vocabulary().score(id));
            assertThat(actual.vocabulary().type(id)).isEqualTo(expected.vocabulary().type(id));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void writtenModelIsTheSame(Path file) {
        SentencePieceModel model = SentencePieceModel.read(file);
        assertSame(SentencePieceModel.parse(file, model.toModelFile()), model);
    }

    @Test
    void specialIdsAreFoundByTheNamesOfTheirPieces() {
        Vocabulary vocabulary = new PieceList().specials().add("<|end|>", 0, PieceType.CONTROL).add("a", -1).vocabulary();
        for (SpecialTokens special : List.of(new SpecialTokens(3, 2, 1, true, false), new SpecialTokens(-1, 3, -1, true, false),
                new SpecialTokens(-1, -1, -1, true, false))) {
            SentencePieceModel model = SentencePieceModel.bpe(TestModels.MADE, vocabulary, NormalizerSpec.identity(false), special);
            assertSame(SentencePieceModel.parse(TestModels.MADE, model.toModelFile()), model);
        }
    }

    @Test
    void negativeNumbersTakeTenBytes() {
        assertThat(new ProtoWriter().varint(43, -1).toByteArray()).hasSize(12).endsWith(0xFF, 0x01);
    }
}
