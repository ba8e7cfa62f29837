package dev.yangtuo.model;

import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A SentencePiece BPE vocabulary of any size that is no one's: control pieces, bytes, a space, ideographs, then pairs of them. */
final class SyntheticVocabulary {
    private static final int BYTES = 256;
    private static final List<String> CONTROLS = List.of("<unk>", "<s>", "</s>");
    /** Pieces that every vocabulary has. */
    static final int FIXED_PIECES = CONTROLS.size() + BYTES;

    private static final String SPACE = "\u2581";
    private static final int FIRST_IDEOGRAPH = 0x4E00;
    private static final int IDEOGRAPHS = 20_000;
    /** Ideographs of a pair are further apart from round to round, so that no pair comes twice within 500 rounds. */
    private static final int ROUND_STEP = 37;

    private SyntheticVocabulary() {}

    /**
     * Makes it.
     *
     * @param source for messages
     * @param size more than {@link #FIXED_PIECES}, at most {@link SyntheticShape#LARGEST_VOCABULARY}
     */
    static SentencePieceModel of(Path source, int size) {
        List<String> pieces = new ArrayList<>();
        float[] scores = new float[size];
        int[] types = new int[size];
        for (int id = 0; id < size; id++) {
            int rank = id - FIXED_PIECES;
            if (id < CONTROLS.size()) {
                pieces.add(CONTROLS.get(id));
                types[id] = (id == 0 ? PieceType.UNKNOWN : PieceType.CONTROL).number();
            } else if (rank < 0) {
                pieces.add("<0x%02X>".formatted(id - CONTROLS.size()));
                types[id] = PieceType.BYTE.number();
            } else {
                pieces.add(text(rank));
                types[id] = PieceType.NORMAL.number();
                scores[id] = -rank;
            }
        }
        Vocabulary vocabulary = Vocabulary.of(source, pieces, scores, types);
        return SentencePieceModel.bpe(source, vocabulary, NormalizerSpec.identity(true), new SpecialTokens(1, 2, -1, true, false));
    }

    private static String text(int rank) {
        if (rank == 0) {
            return SPACE;
        }
        int number = rank - 1;
        String first = Character.toString(FIRST_IDEOGRAPH + number % IDEOGRAPHS);
        int round = number / IDEOGRAPHS;
        return round == 0 ? first : first + Character.toString(FIRST_IDEOGRAPH + (number + ROUND_STEP * round) % IDEOGRAPHS);
    }
}
