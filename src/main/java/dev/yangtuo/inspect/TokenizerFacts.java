package dev.yangtuo.inspect;

import dev.yangtuo.tokenizer.PieceType;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a tokenizer, also of one that cannot be used.
 *
 * @param kind how it cuts text: {@code sentencepiece_bpe}, {@code sentencepiece_unigram}, {@code byte_level_bpe}; {@code other} where that is not
 *     known here
 * @param name what its file calls the kind, null for SentencePiece's own files, which have no name for it
 * @param preTokenizer the name of the expression that cuts words, null for kinds without one
 * @param source the file it is from
 * @param pieces how many it has, those added by other files included; null where that cannot be told
 * @param pieceTypes how many of each type; empty where that cannot be told
 * @param special the pieces with a meaning to programs, by role: {@code bos}, {@code eos}, {@code unk}, {@code pad} and others
 * @param addBos whether the model expects {@code bos} before a prompt, null where that cannot be told
 * @param addEos whether it expects {@code eos} after a text
 * @param added pieces that files beside the tokenizer's own add
 * @param specialPieces all pieces that are control, unknown or user-defined ones, in the order of ids
 */
public record TokenizerFacts(
        String kind,
        @Nullable String name,
        @Nullable String preTokenizer,
        Path source,
        @Nullable Integer pieces,
        SequencedMap<PieceType, Integer> pieceTypes,
        SequencedMap<String, Piece> special,
        @Nullable Boolean addBos,
        @Nullable Boolean addEos,
        List<Piece> added,
        List<Piece> specialPieces) {
    /**
     * A piece.
     *
     * @param text null where the file does not say
     * @param type null where it cannot be told
     */
    public record Piece(long id, @Nullable String text, @Nullable PieceType type) {}
}
