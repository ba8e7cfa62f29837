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

    /** Numbers of types, for loops over whole vocabularies. */
    static final int NORMAL = 1;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;
    static final int BYTE = 6;

    private static final PieceType[] TYPES = PieceType.values();

    private final PieceTexts texts;
    private final float[] scores;
    /** Number of the type of each piece, int8, [pieces]. */
    private final byte[] types;
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

    private Vocabulary(Path source, PieceTexts texts, float[] scores, byte[] types, int @Nullable [] offsets) {
        this.texts = texts;
        this.scores = scores;
        this.types = types;
        texts.complete();
        Checker checker = new Checker(source, offsets);
        for (byte type : types) {
            checker.counts[type - 1]++;
        }
        matchable = new PieceIndex(texts, types.length - checker.reservedCount());
        reserved = new PieceIndex(texts, checker.reservedCount());
        // What is done for each piece stands in a method of its own: that is compiled after some hundred calls, a long loop much later.
        for (int id = 0; id < types.length; id++) {
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

        int reservedCount() {
            int reservedPieces = 0;
            for (PieceType type : PieceType.values()) {
                reservedPieces += type.isReserved() ? counts[type.ordinal()] : 0;
            }
            return reservedPieces;
        }

        void check(int id) {
            int start = texts.start(id);
            int length = texts.ends[id] - start;
            if (length == 0) {
                throw new TokenizerFormatException(source, place(id, offsets) + " is empty");
            }
            if (length > longest) {
                longest = checkLength(id, length);
            }
            totalChars += length;
            if (totalChars > MAX_TOTAL_CHARS) {
                throw new TokenizerFormatException(source, "the pieces up to %s have more than %d characters together".formatted(
                        place(id, offsets), MAX_TOTAL_CHARS));
            }
            if (scores[id] != scores[id]) {
                throw new TokenizerFormatException(source, "%s %s has the score NaN".formatted(place(id, offsets), shown(texts.text(id))));
            }
            int type = types[id];
            PieceIndex index = type == NORMAL || type == USER_DEFINED || type == UNUSED ? matchable : reserved;
            int earlier = index.add(id);
            if (earlier >= 0) {
                throw new TokenizerFormatException(source, "%s %s occurs before as %s; every piece must be unique".formatted(
                        place(id, offsets), shown(texts.text(id)), place(earlier, offsets)));
            }
            if (type != NORMAL) {
                checkSpecial(id, type(id));
            }
        }

        private int checkLength(int id, int length) {
            if (length > MAX_PIECE_CHARS) {
                throw new TokenizerFormatException(source, "%s has %d characters, more than the %d that are supported".formatted(
                        place(id, offsets), length, MAX_PIECE_CHARS));
            }
            return length;
        }

        private void checkSpecial(int id, PieceType type) {
            String piece = texts.text(id);
            if (type == PieceType.UNKNOWN) {
                if (unknown >= 0) {
                    throw new TokenizerFormatException(source, "%s %s is of type UNKNOWN, but so is %s; there must be one".formatted(
                            place(id, offsets), shown(piece), place(unknown, offsets)));
                }
                unknown = id;
            } else if (type == PieceType.BYTE) {
                bytes[byteOf(id, piece)] = id;
            } else if (type == PieceType.USER_DEFINED && piece.indexOf('\0') >= 0) {
                // SentencePiece's matcher reads these as C strings; what it does with a NUL is an accident that nobody should rely on.
                throw new TokenizerFormatException(source, "%s is user-defined and holds a NUL character".formatted(place(id, offsets)));
            }
        }

        private int byteOf(int id, String piece) {
            if (piece.length() == 6 && piece.startsWith(BYTE_PREFIX) && piece.endsWith(">")
                    && isUpperHex(piece.charAt(3)) && isUpperHex(piece.charAt(4))) {
                return byteValue(piece);
            }
            throw new TokenizerFormatException(source, "%s %s is of type BYTE, expected a name from <0x00> to <0xFF>".formatted(
                    place(id, offsets), shown(piece)));
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
        int size = pieces.size();
        if (scores.length != size || types.length != size) {
            throw new TokenizerFormatException(source, "%d pieces, but %d scores and %d types; there must be one of each for a piece"
                    .formatted(size, scores.length, types.length));
        }
        if (size > MAX_PIECES) {
            throw new TokenizerFormatException(source, "%d pieces are more than the %d that are supported".formatted(size, MAX_PIECES));
        }
        PieceTexts texts = new PieceTexts();
        long chars = 0;
        for (int id = 0; id < size; id++) {
            String piece = pieces.get(id);
            if (hasHalfPair(piece)) {
                throw new TokenizerFormatException(source, "piece %d holds half a surrogate pair".formatted(id));
            }
            chars += piece.length();
            if (chars > MAX_TOTAL_CHARS) {
                throw new TokenizerFormatException(source, "the pieces up to piece %d have more than %d characters together".formatted(
                        id, MAX_TOTAL_CHARS));
            }
            texts.add(piece);
        }
        return of(source, texts, scores.clone(), types, null);
    }

    /**
     * As {@link #of(Path, List, float[], int[])}.
     *
     * @param texts the pieces; kept
     * @param scores their scores; kept
     * @param types numbers of their types
     * @param offsets the byte of the file at which each piece stands, for messages; null where there is none
     */
    static Vocabulary of(Path source, PieceTexts texts, float[] scores, int[] types, int @Nullable [] offsets) {
        byte[] numbers = new byte[texts.count];
        for (int id = 0; id < numbers.length; id++) {
            int number = types[id];
            if (number < 1 || number > BYTE) {
                throw new TokenizerFormatException(source, "%s has the unknown type %d, expected 1 to 6".formatted(place(id, offsets), number));
            }
            numbers[id] = (byte) number;
        }
        return new Vocabulary(source, texts, scores, numbers, offsets);
    }

    /** {@return a vocabulary with more pieces behind these, with score 0} */
    Vocabulary withAdded(Path source, List<String> added, List<PieceType> addedTypes) {
        if (added.size() != addedTypes.size()) {
            throw new IllegalArgumentException("%d pieces, but %d types".formatted(added.size(), addedTypes.size()));
        }
        List<String> all = new ArrayList<>();
        for (int id = 0; id < size(); id++) {
            all.add(piece(id));
        }
        all.addAll(added);
        int[] numbers = new int[all.size()];
        for (int id = 0; id < numbers.length; id++) {
            numbers[id] = id < size() ? types[id] : addedTypes.get(id - size()).number();
        }
        return of(source, all, Arrays.copyOf(scores, numbers.length), numbers);
    }

    private static String place(int id, int @Nullable [] offsets) {
        return offsets == null ? "piece " + id : "piece %d (byte %d)".formatted(id, offsets[id]);
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
        return types.length;
    }

    /**
     * {@return the piece with that id, spaces written as U+2581}
     *
     * @param id from 0 to {@code size() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public String piece(int id) {
        return texts.text(check(id));
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
        return TYPES[types[check(id)] - 1];
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

    /** {@return the id of the piece of each byte, int32, [256], for reading} Only for a vocabulary that has them. */
    int[] byteIds() {
        if (byteIds == null) {
            throw new IllegalStateException("the vocabulary has no byte pieces");
        }
        return byteIds;
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

    /** {@return the texts of the pieces, for reading} */
    PieceTexts texts() {
        return texts;
    }

    /** {@return the scores, float32, [pieces], for reading} */
    float[] scores() {
        return scores;
    }

    /** {@return the numbers of the types, int8, [pieces], for reading} */
    byte[] types() {
        return types;
    }

    /** {@return the pieces that text can match} */
    PieceIndex matchable() {
        return matchable;
    }

    private int check(int id) {
        if (id < 0 || id >= types.length) {
            throw new IllegalArgumentException("id %d is outside the vocabulary of %d pieces".formatted(id, types.length));
        }
        return id;
    }
}
