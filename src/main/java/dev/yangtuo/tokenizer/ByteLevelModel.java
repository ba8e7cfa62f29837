package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.file.Path;

/**
 * Everything that decides how a byte-level BPE model, as GPT-2, Llama 3, Qwen and DeepSeek have, encodes and decodes. Its normal pieces
 * spell bytes, one character for each; user-defined and control pieces are plain text. A vocabulary need have no piece of type
 * UNKNOWN: every text is bytes. A byte that has no piece, which some vocabularies allow themselves for bytes that hardly ever occur, is
 * left out. Immutable and thread-safe.
 *
 * @param source the file that it comes from; error messages begin with it
 * @param vocabulary the pieces
 * @param merges the pairs of pieces that are joined
 * @param preTokenizer how text is cut into words
 * @param special the ids of special tokens
 */
public record ByteLevelModel(
        Path source, Vocabulary vocabulary, Merges merges, PreTokenizerType preTokenizer, SpecialTokens special)
        implements TokenizerModel {

    /** Longer than any that is known; user-defined pieces are looked for at every character of a text. */
    public static final int MAX_USER_DEFINED_CHARS = 1024;

    /**
     * Checks what its parts cannot check alone.
     *
     * @throws TokenizerFormatException if a printable ASCII character or the line end has no normal piece, a piece is of type BYTE, a
     *     user-defined piece is too long, or an id of the merges or a special one is not in the vocabulary
     */
    public ByteLevelModel {
        for (int value = '\n'; value < 0x7F; value = value == '\n' ? ' ' : value + 1) {
            String piece = String.valueOf(ByteAlphabet.charOf(value));
            int id = vocabulary.matchable().id(piece);
            if (id < 0 || vocabulary.type(id) != PieceType.NORMAL) {
                throw new TokenizerFormatException(source, ("byte 0x%02X, written %s, has no piece of type NORMAL; expected the vocabulary"
                        + " of a byte-level model").formatted(value, Vocabulary.shown(piece)));
            }
        }
        if (vocabulary.hasBytePieces()) {
            throw new TokenizerFormatException(source, "there are pieces of type BYTE, which a byte-level model has no use for");
        }
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.type(id) == PieceType.USER_DEFINED && vocabulary.piece(id).length() > MAX_USER_DEFINED_CHARS) {
                throw new TokenizerFormatException(source, "piece %d is user-defined and has %d characters, more than the %d supported"
                        .formatted(id, vocabulary.piece(id).length(), MAX_USER_DEFINED_CHARS));
            }
        }
        for (int rank = 0; rank < merges.size(); rank++) {
            if (Math.max(Math.max(merges.left(rank), merges.right(rank)), merges.merged(rank)) >= vocabulary.size()) {
                throw new TokenizerFormatException(source, "merge %d belongs to a larger vocabulary than the %d pieces here".formatted(
                        rank, vocabulary.size()));
            }
        }
        special.check(source, vocabulary);
    }

    /**
     * {@return whether a piece is how byte-level vocabularies write a byte that occurs in UTF-8}
     *
     * @param piece any
     */
    public static boolean isByteOfText(String piece) {
        return piece.length() == 1 && ByteAlphabet.byteOf(piece.charAt(0)) >= 0
                && ByteAlphabet.occursInUtf8(ByteAlphabet.byteOf(piece.charAt(0)));
    }
}
