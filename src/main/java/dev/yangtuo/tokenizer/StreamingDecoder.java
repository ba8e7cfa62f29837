package dev.yangtuo.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Turns ids into text one at a time, by SentencePiece's rules: U+2581 becomes a space, the dummy space at the beginning is dropped,
 * control pieces are invisible, the unknown piece is its surface (" ⁇ "), and a run of byte pieces is read as UTF-8, each byte that
 * belongs to no valid character becoming U+FFFD. A character whose bytes are not all there yet is held back. The parts put together
 * equal {@link Tokenizer#decode(int...)} of all ids. Used by one thread at a time.
 *
 * <p>The normal pieces of byte-level models spell bytes, which are read in the same way across pieces; nothing is dropped at the
 * beginning, and a piece that has other characters than those that spell bytes is its own text. The pieces of a {@link ForeignModel} are
 * read as the bytes that the model says they are.
 */
public final class StreamingDecoder {
    private static final int LONGEST_CHARACTER = 4;

    private final Vocabulary vocabulary;
    private final boolean byteLevel;
    private final @Nullable ForeignModel foreign;
    private final String unkSurface;
    private final boolean stripsOne;
    private final boolean stripsAll;
    private final StringBuilder text = new StringBuilder();
    /** Bytes that may be the beginning of a character, [pendingCount]. */
    private final byte[] pending = new byte[LONGEST_CHARACTER];
    private int pendingCount;
    /** Whether any text came out so far. */
    private boolean textSeen;
    /** Whether the dummy space was dropped. */
    private boolean dummyDropped;

    StreamingDecoder(TokenizerModel model) {
        this.vocabulary = model.vocabulary();
        SentencePieceModel sentencePiece = model instanceof SentencePieceModel it ? it : null;
        byteLevel = sentencePiece == null;
        foreign = model instanceof ForeignModel it ? it : null;
        unkSurface = sentencePiece == null ? SentencePieceModel.DEFAULT_UNK_SURFACE : sentencePiece.unkSurface();
        // Where extra whitespace is removed, every space at the beginning is; elsewhere only the one that was added.
        stripsAll = sentencePiece != null && sentencePiece.normalizer().removeExtraWhitespaces();
        stripsOne = sentencePiece != null && sentencePiece.normalizer().addDummyPrefix() || foreign != null && foreign.rules().dropsFirstSpace();
    }

    /**
     * Takes the next id.
     *
     * @param id from 0 to the vocabulary's size minus 1
     * @return the text that is certain now, possibly empty; never half a surrogate pair
     * @throws IllegalArgumentException if there is no such id; the decoder stays as it was
     */
    public String accept(int id) {
        append(id);
        return take();
    }

    /**
     * Ends the text: bytes that are held back become one U+FFFD each. The next id, if any, goes on with the same text.
     *
     * @return what was held back, possibly empty
     */
    public String flush() {
        endBytes();
        return take();
    }

    /** {@return whether a space that the next piece begins with is dropped; a byte piece keeps it} So it is until there is text. */
    public boolean dropsSpace() {
        return !textSeen && !dummyDropped && (stripsOne || stripsAll);
    }

    /** {@return whether it drops the spaces of all pieces that come before the text, and not of the first alone} */
    public boolean dropsAllSpaces() {
        return stripsAll;
    }

    /** {@return the bytes that are held back: the beginning of a character, possibly none} */
    public byte[] heldBack() {
        return Arrays.copyOf(pending, pendingCount);
    }

    /** Takes the next id, leaving the text to {@link #take}. */
    void append(int id) {
        PieceType type = vocabulary.type(id);
        String piece = vocabulary.piece(id);
        if (foreign != null && type != PieceType.CONTROL && type != PieceType.UNKNOWN) {
            appendForeign(foreign, id);
            return;
        }
        if (byteLevel) {
            appendByteLevel(type, piece);
            return;
        }
        if (!type.isReserved()) {
            // The reference decodes by name, and asks the reserved pieces first.
            int reserved = vocabulary.reservedId(piece);
            type = reserved < 0 ? type : vocabulary.type(reserved);
        }
        if (type == PieceType.BYTE) {
            pending[pendingCount++] = (byte) Vocabulary.byteValue(piece);
            drainBytes(false);
            return;
        }
        endBytes();
        switch (type) {
            case CONTROL -> { }
            case UNKNOWN -> emit(unkSurface);
            default -> appendPiece(piece);
        }
    }

    /** Takes a piece by its name. One that the vocabulary does not have is text as it stands, as in the reference. */
    void append(String piece) {
        int id = vocabulary.pieceToId(piece);
        if (id >= 0) {
            append(id);
        } else {
            endBytes();
            emit(piece);
        }
    }

    private void appendByteLevel(PieceType type, String piece) {
        if (type == PieceType.NORMAL && ByteAlphabet.spells(piece)) {
            for (int i = 0; i < piece.length(); i++) {
                pending[pendingCount++] = (byte) ByteAlphabet.byteOf(piece.charAt(i));
                drainBytes(false);
            }
            return;
        }
        endBytes();
        switch (type) {
            case CONTROL -> { }
            case UNKNOWN -> emit(unkSurface);
            default -> emit(piece);
        }
    }

    private void appendForeign(ForeignModel model, int id) {
        int from = model.start(id);
        if (dropsSpace() && model.beginsWithSpace(id)) {
            from++;
            dummyDropped = true;
        }
        for (int i = from; i < model.end(id); i++) {
            pending[pendingCount++] = model.bytes()[i];
            drainBytes(false);
        }
    }

    private void appendPiece(String piece) {
        int from = 0;
        if (dropsSpace() && piece.charAt(0) == Normalizer.SPACE_SYMBOL) {
            from = 1;
            dummyDropped = !stripsAll;
        }
        emit(piece.substring(from).replace(Normalizer.SPACE_SYMBOL, ' '));
    }

    private void emit(String part) {
        text.append(part);
        textSeen |= !part.isEmpty();
    }

    void endBytes() {
        if (pendingCount > 0) {
            drainBytes(true);
        }
    }

    /** Turns bytes into characters as far as they are certain; all of them at the end of a run. */
    private void drainBytes(boolean atEnd) {
        int from = 0;
        while (from < pendingCount) {
            int length = Utf8.characterLength(pending, from, pendingCount);
            if (length == Utf8.UNFINISHED && !atEnd) {
                break;
            }
            if (length > 0) {
                text.appendCodePoint(Utf8.codePoint(pending, from, length));
                from += length;
            } else {
                text.append('\uFFFD');
                from++;
            }
            textSeen = true;
        }
        System.arraycopy(pending, from, pending, 0, pendingCount - from);
        pendingCount -= from;
    }

    /** {@return the text since the last call} */
    String take() {
        String result = text.toString();
        text.setLength(0);
        return result;
    }
}
