package dev.yangtuo.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What each piece adds to a text, in bytes of UTF-8: those of {@link StreamingDecoder}, where bytes of a character that is spread over several pieces
 * stand for themselves. Immutable and thread-safe.
 */
final class PieceBytes {
    private static final byte[] NONE = {};

    private final Vocabulary vocabulary;
    private final boolean byteLevel;
    private final @Nullable ForeignModel foreign;

    PieceBytes(TokenizerModel model) {
        this.vocabulary = model.vocabulary();
        this.byteLevel = !(model instanceof SentencePieceModel);
        this.foreign = model instanceof ForeignModel it ? it : null;
    }

    /** {@return the type that decoding goes by} The reference decodes by name, and asks the reserved pieces first. */
    private PieceType type(int id) {
        PieceType type = vocabulary.type(id);
        if (byteLevel || type.isReserved()) {
            return type;
        }
        int reserved = vocabulary.reservedId(vocabulary.piece(id));
        return reserved < 0 ? type : vocabulary.type(reserved);
    }

    /**
     * {@return the bytes that a piece adds behind others; empty for control pieces and the unknown piece, which stand for no text of their own}
     *
     * @throws IllegalArgumentException if there is no such id
     */
    byte[] of(int id) {
        String piece = vocabulary.piece(id);
        if (foreign != null) {
            PieceType type = vocabulary.type(id);
            return type == PieceType.CONTROL || type == PieceType.UNKNOWN ? NONE : Arrays.copyOfRange(foreign.bytes(), foreign.start(id), foreign.end(id));
        }
        return switch (type(id)) {
            case CONTROL, UNKNOWN -> NONE;
            case BYTE -> byteLevel ? utf8(piece) : new byte[] {(byte) Vocabulary.byteValue(piece)};
            case NORMAL -> byteLevel && ByteAlphabet.spells(piece) ? ByteAlphabet.bytes(piece) : text(piece);
            case USER_DEFINED, UNUSED -> text(piece);
        };
    }

    /** {@return whether a piece loses its first space where the text begins} */
    boolean beginsWithSpaceSymbol(int id) {
        PieceType type = type(id);
        if (foreign != null) {
            return foreign.rules().dropsFirstSpace() && type != PieceType.CONTROL && type != PieceType.UNKNOWN && foreign.beginsWithSpace(id);
        }
        return !byteLevel && !type.isReserved() && vocabulary.piece(id).charAt(0) == Normalizer.SPACE_SYMBOL;
    }

    private byte[] text(String piece) {
        return utf8(byteLevel ? piece : piece.replace(Normalizer.SPACE_SYMBOL, ' '));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
