package dev.yangtuo.tokenizer;

import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads SentencePiece's {@code ModelProto} (sentencepiece_model.proto). Fields that do not matter for encoding and decoding are passed
 * over, known or not. Singular fields that occur again replace the earlier value and messages are merged, as protobuf demands.
 */
final class ModelReader {
    static final String DEFAULT_BOS = "<s>";
    static final String DEFAULT_EOS = "</s>";
    static final String DEFAULT_PAD = "<pad>";

    private static final int PIECE_TAG = 1 << 3 | ProtoReader.LENGTH_DELIMITED;
    private static final int TEXT_TAG = 1 << 3 | ProtoReader.LENGTH_DELIMITED;
    private static final int SCORE_TAG = 2 << 3 | ProtoReader.FIXED32;
    private static final int TYPE_TAG = 3 << 3 | ProtoReader.VARINT;

    private final Path source;
    private final ProtoReader model;

    private final PieceTexts pieces = new PieceTexts();
    /** Score, type number and byte offset in the file of each piece. */
    private float[] scores = new float[1024];
    private int[] types = new int[1024];
    private int[] offsets = new int[1024];
    private int piecesEnd;

    // Defaults are those of the .proto file.
    private boolean trainerSpecSeen;
    private ModelType type = ModelType.UNIGRAM;
    private boolean byteFallback;
    private boolean treatWhitespaceAsSuffix;
    private String unkSurface = SentencePieceModel.DEFAULT_UNK_SURFACE;
    private String bosPiece = DEFAULT_BOS;
    private String eosPiece = DEFAULT_EOS;
    private String padPiece = DEFAULT_PAD;

    private boolean normalizerSpecSeen;
    private String normalizerName = "";
    private byte[] charsmap = {};
    private boolean addDummyPrefix = true;
    private boolean removeExtraWhitespaces = true;
    private boolean escapeWhitespaces = true;

    ModelReader(Path source, byte[] bytes) {
        this.source = source;
        this.model = new ProtoReader(source, bytes, "the model");
    }

    SentencePieceModel read() {
        do {
            readPlainPieces();
        } while (readField());
        // Both are optional in the schema, but every trainer writes them; without them the defaults would silently change the ids.
        if (!trainerSpecSeen || !normalizerSpecSeen) {
            throw model.error(model.position(), "the model has no %s; the file is truncated or not a SentencePiece model".formatted(
                    trainerSpecSeen ? "normalizer_spec" : "trainer_spec"));
        }
        int size = pieces.count;
        Vocabulary vocabulary = Vocabulary.of(source, pieces, Arrays.copyOf(scores, size), types, offsets);
        SpecialTokens special = new SpecialTokens(controlId(vocabulary, bosPiece, DEFAULT_BOS),
                controlId(vocabulary, eosPiece, DEFAULT_EOS), controlId(vocabulary, padPiece, DEFAULT_PAD), true, false);
        return new SentencePieceModel(source, type, vocabulary,
                new NormalizerSpec(normalizerName, charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces),
                byteFallback, treatWhitespaceAsSuffix, unkSurface, special);
    }

    /** {@return the byte offset just after the last piece; known once the model has been read} */
    int piecesEnd() {
        return piecesEnd;
    }

    /**
     * Reads pieces of the form that trainers write: a string of less than 128 bytes of valid UTF-8, a score, perhaps a type, in this order and
     * nothing else. They are nearly all of a file, and this is its fastest reader: one loop with few calls, because the
     * interpreter runs it. What looks different in any way is left to {@link #readField}, which also knows what is wrong.
     */
    private void readPlainPieces() {
        byte[] data = model.data();
        int end = model.end();
        int at = model.position();
        while (end - at >= 9 && data[at] == PIECE_TAG && data[at + 2] == TEXT_TAG && pieces.count < Vocabulary.MAX_PIECES) {
            int length = data[at + 1];
            int textLength = data[at + 3];
            int scoreAt = at + 4 + textLength;
            int pieceEnd = at + 2 + length;
            // A length of two bytes or more is negative here.
            if (textLength < 0 || pieceEnd > end || length != textLength + 7 && length != textLength + 9 || data[scoreAt] != SCORE_TAG) {
                break;
            }
            int type = 1;
            if (length == textLength + 9) {
                type = data[scoreAt + 6];
                if (data[scoreAt + 5] != TYPE_TAG || type < 1 || type > 6) {
                    break;
                }
            }
            if (!pieces.addUtf8(data, at + 4, scoreAt)) {
                break;
            }
            note(Float.intBitsToFloat(data[scoreAt + 1] & 0xFF | (data[scoreAt + 2] & 0xFF) << 8 | (data[scoreAt + 3] & 0xFF) << 16
                    | (data[scoreAt + 4] & 0xFF) << 24), type, at);
            at = pieceEnd;
            piecesEnd = at;
        }
        model.continueAt(at);
    }

    /** {@return whether there was one} */
    private boolean readField() {
        if (!model.next()) {
            return false;
        }
        switch (model.field()) {
            case 1 -> {
                readPiece(model.readMessage("a piece"), model.offset());
                piecesEnd = model.position();
            }
            case 2 -> readTrainerSpec(model.readMessage("trainer_spec"));
            case 3 -> readNormalizerSpec(model.readMessage("normalizer_spec"));
            case 5 -> readDenormalizerSpec(model.readMessage("denormalizer_spec"));
            default -> model.skip();
        }
        return true;
    }

    private void readPiece(ProtoReader message, int offset) {
        String piece = "";
        float score = 0;
        int pieceType = PieceType.NORMAL.number();
        while (message.next()) {
            switch (message.field()) {
                case 1 -> piece = message.readString("the text of piece " + pieces.count);
                case 2 -> score = message.readFloat("the score of a piece");
                case 3 -> pieceType = typeOf(message, message.readVarint("the type of a piece"));
                default -> message.skip();
            }
        }
        pieces.add(piece);
        note(score, pieceType, offset);
    }

    private int typeOf(ProtoReader message, long number) {
        if (PieceType.ofNumber(number).isEmpty()) {
            throw message.error(message.offset(), "piece %d has the unknown type %d, expected 1 to 6".formatted(pieces.count, number));
        }
        return (int) number;
    }

    /** Notes what belongs to the piece that was added last. */
    private void note(float score, int pieceType, int offset) {
        int id = pieces.count - 1;
        if (id == Vocabulary.MAX_PIECES) {
            throw model.error(offset, "there are more than the %d pieces that are supported".formatted(Vocabulary.MAX_PIECES));
        }
        if (id == scores.length) {
            scores = Arrays.copyOf(scores, 2 * id);
            types = Arrays.copyOf(types, 2 * id);
            offsets = Arrays.copyOf(offsets, 2 * id);
        }
        scores[id] = score;
        types[id] = pieceType;
        offsets[id] = offset;
    }

    private void readTrainerSpec(ProtoReader message) {
        trainerSpecSeen = true;
        while (message.next()) {
            switch (message.field()) {
                case 3 -> type = readModelType(message);
                case 24 -> treatWhitespaceAsSuffix = message.readBool("treat_whitespace_as_suffix");
                case 35 -> byteFallback = message.readBool("byte_fallback");
                case 44 -> unkSurface = untilNul(message.readString("unk_surface"));
                case 46 -> bosPiece = message.readString("bos_piece");
                case 47 -> eosPiece = message.readString("eos_piece");
                case 48 -> padPiece = message.readString("pad_piece");
                default -> message.skip();
            }
        }
    }

    private static ModelType readModelType(ProtoReader message) {
        long number = message.readVarint("model_type");
        for (ModelType candidate : ModelType.values()) {
            if (candidate.number() == number) {
                return candidate;
            }
        }
        throw message.error(message.offset(), "the model type %d is unknown, expected 1 to 4".formatted(number));
    }

    private void readNormalizerSpec(ProtoReader message) {
        normalizerSpecSeen = true;
        while (message.next()) {
            switch (message.field()) {
                case 1 -> normalizerName = message.readString("the normalizer's name");
                case 2 -> charsmap = message.readBytes("precompiled_charsmap");
                case 3 -> addDummyPrefix = message.readBool("add_dummy_prefix");
                case 4 -> removeExtraWhitespaces = message.readBool("remove_extra_whitespaces");
                case 5 -> escapeWhitespaces = message.readBool("escape_whitespaces");
                default -> message.skip();
            }
        }
    }

    private static void readDenormalizerSpec(ProtoReader message) {
        while (message.next()) {
            if (message.field() == 2 && message.readBytes("precompiled_charsmap").length > 0) {
                throw message.error(message.offset(), "the model changes decoded text by a denormalizer, which is not supported");
            } else if (message.field() != 2) {
                message.skip();
            }
        }
    }

    /** SentencePiece knows the special ids by the pieces' names, not by the numbers in trainer_spec; an empty name is the default. */
    private static int controlId(Vocabulary vocabulary, String piece, String defaultPiece) {
        int id = vocabulary.pieceToId(piece.isEmpty() ? defaultPiece : piece);
        return id >= 0 && vocabulary.type(id) == PieceType.CONTROL ? id : -1;
    }

    /** SentencePiece reads this one as a C string. */
    private static String untilNul(String text) {
        int nul = text.indexOf('\0');
        return nul < 0 ? text : text.substring(0, nul);
    }
}
