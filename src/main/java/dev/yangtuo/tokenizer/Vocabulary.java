package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The pieces of a model by id, checked: no piece is empty, none occurs twice among those that text can match (normal, user-defined,
 * unused) nor among the reserved ones (control, unknown, byte), at most one is UNKNOWN, no score is NaN, and byte pieces are
 * {@code <0x00>} to {@code <0xFF>}, all or none. Immutable and thread-safe.
 */
public final class Vocabulary {
    /** More pieces than any model has by a factor of eight; a bound on what a prepared file can make the JVM allocate. */
    public static final int MAX_PIECES = 1 << 21;

    /** Longest piece, in chars. Trainers stop at 16 characters unless told otherwise. */
    public static final int MAX_PIECE_CHARS = 1 << 16;

    /** Chars of all pieces together; twice what the 900,000 pieces of the largest known model need. */
    private static final int MAX_TOTAL_CHARS = 1 << 24;

    private static final int SHOWN_CHARS = 40;
    private static final String BYTE_PREFIX = "<0x";

    private final String[] pieces;
    private final float[] scores;
    private final PieceType[] types;
    /** Pieces that text can match. */
    private final PieceIndex matchable;
    /** CONTROL, UNKNOWN and BYTE pieces. */
    private final PieceIndex reserved;
    /** How many pieces there are of each type, by its ordinal. */
    private final int[] typeCounts;
    private final int longestPiece;
    private final int unkId;
    /** Id of the piece of each byte, int32, [256]; null without byte pieces. */
    private final int @Nullable [] byteIds;

    private Vocabulary(Path source, String[] pieces, float[] scores, PieceType[] types, int @Nullable [] offsets) {
        this.pieces = pieces;
        this.scores = scores;
        this.types = types;
        Checker checker = new Checker(source, offsets);
        for (PieceType type : types) {
            checker.count(type);
        }
        matchable = new PieceIndex(pieces, pieces.length - checker.reservedCount());
        reserved = new PieceIndex(pieces, checker.reservedCount());
        // What is done for each piece stands in a method of its own: that is compiled after some hundred calls, a long loop much later.
        for (int id = 0; id < pieces.length; id++) {
            checker.check(id);
        }
        checker.checkBytes();
        typeCounts = checker.counts;
        longestPiece = checker.longest;
        unkId = checker.unknown;
        byteIds = count(PieceType.BYTE) == 0 ? null : checker.bytes;
    }

    /** Enters the pieces one after the other. */
    private final class Checker {
        private final Path source;
        private final int @Nullable [] offsets;
        private final int[] bytes = new int[256];
        private final int[] counts = new int[PieceType.values().length];
        private int totalChars;
        private int longest;
        private int unknown = -1;

        Checker(Path source, int @Nullable [] offsets) {
            this.source = source;
            this.offsets = offsets;
            Arrays.fill(bytes, -1);
        }

        void count(PieceType type) {
            counts[type.ordinal()]++;
        }

        int reservedCount() {
            int reservedPieces = 0;
            for (PieceType type : PieceType.values()) {
                reservedPieces += type.isReserved() ? counts[type.ordinal()] : 0;
            }
            return reservedPieces;
        }

        void check(int id) {
            checkPiece(source, id, offsets);
            String piece = pieces[id];
            PieceType type = types[id];
            longest = Math.max(longest, piece.length());
            totalChars += piece.length();
            if (totalChars > MAX_TOTAL_CHARS) {
                throw new TokenizerFormatException(source, "the pieces up to %s have more than %d characters together".formatted(
                        place(id, offsets), MAX_TOTAL_CHARS));
            }
            int earlier = (type.isReserved() ? reserved : matchable).add(id);
            if (earlier >= 0) {
                throw new TokenizerFormatException(source, "%s %s occurs before as %s; every piece must be unique".formatted(
                        place(id, offsets), shown(piece), place(earlier, offsets)));
            }
            if (type == PieceType.UNKNOWN) {
                if (unknown >= 0) {
                    throw new TokenizerFormatException(source, "%s %s is of type UNKNOWN, but so is %s; there must be one".formatted(
                            place(id, offsets), shown(piece), place(unknown, offsets)));
                }
                unknown = id;
            } else if (type == PieceType.BYTE) {
                bytes[byteOf(source, id, offsets)] = id;
            }
        }

        /** Byte pieces are valid and unique here, so 256 of them are all. */
        void checkBytes() {
            int count = counts[PieceType.BYTE.ordinal()];
            if (count != 0 && count != bytes.length) {
                int missing = 0;
                while (bytes[missing] >= 0) {
                    missing++;
                }
                throw new TokenizerFormatException(source, "there are %d byte pieces, expected 256: <0x%02X> is missing".formatted(
                        count, missing));
            }
        }
    }

    /**
     * Makes a vocabulary of plain arrays, such as a GGUF's {@code tokenizer.ggml.tokens}, {@code scores} and {@code token_type}.
     *
     * @param source the file that they come from; error messages begin with it
     * @param pieces the pieces by id, spaces written as U+2581
     * @param scores their scores, as many
     * @param types numbers of their {@linkplain PieceType types}, as many
     * @return the vocabulary; the arrays are copied
     * @throws TokenizerFormatException if the lengths differ or one of the rules above is broken; the message names the piece
     */
    public static Vocabulary of(Path source, List<String> pieces, float[] scores, int[] types) {
        return of(source, pieces, scores, types, null);
    }

    /** As {@link #of(Path, List, float[], int[])}, with the byte of the file at which each piece stands, for messages. */
    static Vocabulary of(Path source, List<String> pieces, float[] scores, int[] types, int @Nullable [] offsets) {
        int size = pieces.size();
        if (scores.length != size || types.length != size) {
            throw new TokenizerFormatException(source, "%d pieces, but %d scores and %d types; there must be one of each for a piece"
                    .formatted(size, scores.length, types.length));
        }
        if (size > MAX_PIECES) {
            throw new TokenizerFormatException(source, "%d pieces are more than the %d that are supported".formatted(size, MAX_PIECES));
        }
        PieceType[] typesById = new PieceType[size];
        for (int id = 0; id < size; id++) {
            typesById[id] = type(source, id, types[id], offsets);
        }
        return new Vocabulary(source, pieces.toArray(new String[0]), scores.clone(), typesById, offsets);
    }

    private static PieceType type(Path source, int id, int number, int @Nullable [] offsets) {
        PieceType type = PieceType.orNull(number);
        if (type == null) {
            throw new TokenizerFormatException(source, "%s has the unknown type %d, expected 1 to 6".formatted(place(id, offsets), number));
        }
        return type;
    }

    /** {@return a vocabulary with more pieces behind these, with score 0} */
    Vocabulary withAdded(Path source, List<String> added, List<PieceType> addedTypes) {
        if (added.size() != addedTypes.size()) {
            throw new IllegalArgumentException("%d pieces, but %d types".formatted(added.size(), addedTypes.size()));
        }
        List<String> all = new ArrayList<>(Arrays.asList(pieces));
        all.addAll(added);
        int[] numbers = new int[all.size()];
        for (int id = 0; id < numbers.length; id++) {
            numbers[id] = (id < pieces.length ? types[id] : addedTypes.get(id - pieces.length)).number();
        }
        return of(source, all, Arrays.copyOf(scores, numbers.length), numbers);
    }

    private static String place(int id, int @Nullable [] offsets) {
        return offsets == null ? "piece " + id : "piece %d (byte %d)".formatted(id, offsets[id]);
    }

    private void checkPiece(Path source, int id, int @Nullable [] offsets) {
        String piece = pieces[id];
        if (piece.isEmpty()) {
            throw new TokenizerFormatException(source, place(id, offsets) + " is empty");
        }
        if (piece.length() > MAX_PIECE_CHARS) {
            throw new TokenizerFormatException(source, "%s has %d characters, more than the %d that are supported".formatted(
                    place(id, offsets), piece.length(), MAX_PIECE_CHARS));
        }
        if (hasHalfPair(piece)) {
            throw new TokenizerFormatException(source, "%s holds half a surrogate pair".formatted(place(id, offsets)));
        }
        if (Float.isNaN(scores[id])) {
            throw new TokenizerFormatException(source, "%s %s has the score NaN".formatted(place(id, offsets), shown(piece)));
        }
        // SentencePiece's matcher reads these as C strings; what it does with a NUL is an accident that nobody should rely on.
        if (types[id] == PieceType.USER_DEFINED && piece.indexOf('\0') >= 0) {
            throw new TokenizerFormatException(source, "%s is user-defined and holds a NUL character".formatted(place(id, offsets)));
        }
    }

    private static boolean hasHalfPair(String piece) {
        for (int i = 0; i < piece.length(); i++) {
            if (Character.isSurrogate(piece.charAt(i))) {
                if (!Character.isHighSurrogate(piece.charAt(i)) || i + 1 == piece.length() || !Character.isLowSurrogate(piece.charAt(i + 1))) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    private int byteOf(Path source, int id, int @Nullable [] offsets) {
        String piece = pieces[id];
        if (piece.length() == 6 && piece.startsWith(BYTE_PREFIX) && piece.endsWith(">")
                && isUpperHex(piece.charAt(3)) && isUpperHex(piece.charAt(4))) {
            return byteValue(piece);
        }
        throw new TokenizerFormatException(source, "%s %s is of type BYTE, expected a name from <0x00> to <0xFF>".formatted(
                place(id, offsets), shown(piece)));
    }

    private static boolean isUpperHex(char c) {
        return c >= '0' && c <= '9' || c >= 'A' && c <= 'F';
    }

    /** {@return a piece for a message: quoted, control characters escaped, cut after some characters} */
    static String shown(String piece) {
        StringBuilder text = new StringBuilder("'");
        int end = Math.min(piece.length(), SHOWN_CHARS);
        for (int i = 0; i < end; i++) {
            char c = piece.charAt(i);
            text.append(Character.isISOControl(c) ? "\\u%04X".formatted((int) c) : String.valueOf(c));
        }
        return text.append(end < piece.length() ? "...'" : "'").toString();
    }

    /** {@return the number of pieces; ids are 0 to this minus 1} */
    public int size() {
        return pieces.length;
    }

    /**
     * {@return the piece with that id, spaces written as U+2581}
     *
     * @param id from 0 to {@code size() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public String piece(int id) {
        return pieces[check(id)];
    }

    /**
     * {@return the score of the piece with that id: the higher, the earlier it is merged (BPE) or the more probable it is (unigram)}
     *
     * @param id from 0 to {@code size() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public float score(int id) {
        return scores[check(id)];
    }

    /**
     * {@return the type of the piece with that id}
     *
     * @param id from 0 to {@code size() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public PieceType type(int id) {
        return types[check(id)];
    }

    /**
     * {@return the id of a piece, empty where there is none; where a reserved piece and an ordinary one are written alike, the reserved
     * one's, as in SentencePiece}
     *
     * @param piece spaces written as U+2581
     */
    public OptionalInt id(String piece) {
        int id = pieceToId(piece);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** {@return the id of the piece of type UNKNOWN, or -1; every SentencePiece model has one} */
    public int unkId() {
        return unkId;
    }

    /** {@return how many pieces are of that type} */
    int count(PieceType type) {
        return typeCounts[type.ordinal()];
    }

    /** {@return length of the longest piece in chars} */
    int longestPiece() {
        return longestPiece;
    }

    /** {@return whether there is a piece for each of the 256 bytes} */
    public boolean hasBytePieces() {
        return byteIds != null;
    }

    /** {@return the id of the piece of a byte, 0 to 255} Only for a vocabulary that has them. */
    int byteId(int value) {
        if (byteIds == null) {
            throw new IllegalStateException("the vocabulary has no byte pieces");
        }
        return byteIds[value];
    }

    /** {@return the byte, 0 to 255, that a piece of type BYTE stands for} */
    static int byteValue(String piece) {
        return HexFormat.fromHexDigits(piece, 3, 5);
    }

    /** {@return id of a piece, reserved ones first, or -1} */
    int pieceToId(String piece) {
        int id = reserved.id(piece);
        return id >= 0 ? id : matchable.id(piece);
    }

    /** {@return id of the reserved piece that is written so, or -1} */
    int reservedId(String piece) {
        return reserved.id(piece);
    }

    /** {@return the pieces that text can match} */
    PieceIndex matchable() {
        return matchable;
    }

    private int check(int id) {
        if (id < 0 || id >= pieces.length) {
            throw new IllegalArgumentException("id %d is outside the vocabulary of %d pieces".formatted(id, pieces.length));
        }
        return id;
    }
}
