package dev.yangtuo.grammar;

import dev.yangtuo.tokenizer.ByteLevelModel;
import dev.yangtuo.tokenizer.Merges;
import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.PreTokenizerType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Tokenizers for tests of grammars. */
final class Vocabularies {
    /** The demonstration model's Chinese vocabulary: 12,183 pieces, 256 of them single bytes. */
    static final Path DEMO_CHINESE = Path.of("examples/demo-model/chinese-lora/tokenizer.model");

    static final Tokenizer DEMO = Tokenizer.load(DEMO_CHINESE);

    private static final Path MADE = Path.of("made.model");

    private Vocabularies() {}

    /** The end of text of a tokenizer. */
    static int[] ends(Tokenizer tokenizer) {
        return new int[] {tokenizer.eosId()};
    }

    /** A SentencePiece vocabulary without bytes: the unknown piece, {@code <s>}, {@code </s>} and these, from id 3 on. */
    static Tokenizer plain(boolean addDummyPrefix, String... pieces) {
        return plain(NormalizerSpec.identity(addDummyPrefix), pieces);
    }

    static Tokenizer plain(NormalizerSpec normalizer, String... pieces) {
        List<String> all = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        all.addAll(List.of(pieces));
        int[] types = IntStream.range(0, all.size()).map(id -> (id == 0 ? PieceType.UNKNOWN : id < 3 ? PieceType.CONTROL : PieceType.NORMAL).number()).toArray();
        Vocabulary vocabulary = Vocabulary.of(MADE, all, new float[all.size()], types);
        return Tokenizer.of(SentencePieceModel.bpe(MADE, vocabulary, normalizer, new SpecialTokens(1, 2, -1, true, false)));
    }

    /** How a byte-level vocabulary writes a byte. */
    private static String written(int value) {
        boolean visible = value > ' ' && value < 0x7F || value > 0xA0 && value != 0xAD;
        int shifted = (int) IntStream.range(0, value).filter(b -> !(b > ' ' && b < 0x7F || b > 0xA0 && b != 0xAD)).count();
        return Character.toString(visible ? value : 0x100 + shifted);
    }

    /** A byte-level vocabulary: all bytes, pieces of some of them that cut characters anywhere, an end of text and a user-defined piece. */
    static Tokenizer byteLevel() {
        List<String> pieces = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            pieces.add(written(value));
        }
        byte[] bytes = "中文诗歌 \"key\": {\"山\": [1, 23]}, é😀 true false null".getBytes(StandardCharsets.UTF_8);
        List<String> merges = new ArrayList<>();
        for (int length = 2; length <= 5; length++) {
            for (int from = 0; from + length <= bytes.length; from++) {
                String piece = IntStream.range(from, from + length).mapToObj(i -> written(bytes[i] & 0xFF)).reduce("", String::concat);
                if (!pieces.contains(piece)) {
                    pieces.add(piece);
                    merges.add(piece.substring(0, piece.length() - 1) + " " + piece.charAt(piece.length() - 1));
                }
            }
        }
        int[] types = IntStream.range(0, pieces.size() + 2)
                .map(id -> (id < pieces.size() ? PieceType.NORMAL : id == pieces.size() ? PieceType.CONTROL : PieceType.USER_DEFINED).number()).toArray();
        pieces.add("<|end|>");
        pieces.add("山水");
        Vocabulary vocabulary = Vocabulary.of(MADE, pieces, new float[pieces.size()], types);
        return Tokenizer.of(new ByteLevelModel(MADE, vocabulary, Merges.parse(MADE, vocabulary, merges), PreTokenizerType.LLAMA_BPE,
                new SpecialTokens(-1, pieces.size() - 2, -1, false, false)));
    }
}
