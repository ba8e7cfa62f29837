package dev.yangtuo.model;

import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * llama2.c's {@code tokenizer.bin}: the pieces of a SentencePiece BPE model with byte fallback, in order; the length of the longest, then for each
 * its score (float32), its length (int32) and its UTF-8, with spaces for U+2581 and line feeds around the names of begin and end
 * ({@code tokenizer.py} there).
 */
final class Llama2cTokenizer {
    private static final int UNK_ID = 0;
    private static final int BOS_ID = 1;
    private static final int EOS_ID = 2;
    private static final int SHORTEST_PIECE_BYTES = Float.BYTES + Integer.BYTES;
    private static final int MAX_BYTES = 1 << 28;
    private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");

    private final Path file;
    private final ByteBuffer in;

    private Llama2cTokenizer(Path file, byte[] bytes) {
        this.file = file;
        this.in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a file.
     *
     * @param pieces how many it must hold
     * @throws TokenizerFormatException if it cannot be read, or does not hold them
     */
    static SentencePieceModel read(Path file, int pieces) {
        try {
            long size = Files.size(file);
            if (!Files.isRegularFile(file) || size > MAX_BYTES) {
                throw new TokenizerFormatException(file, "it has %d bytes; expected a tokenizer.bin of llama2.c, of at most %d".formatted(size, MAX_BYTES));
            }
            return new Llama2cTokenizer(file, Files.readAllBytes(file)).read(pieces);
        } catch (IOException e) {
            throw new TokenizerFormatException(file, "cannot be read: " + e, e);
        }
    }

    private SentencePieceModel read(int count) {
        if (in.remaining() < Integer.BYTES || (in.remaining() - Integer.BYTES) / SHORTEST_PIECE_BYTES < count || count <= EOS_ID) {
            throw new TokenizerFormatException(file, "it has %d bytes, too few for the %d pieces of the model; take the tokenizer that belongs to it"
                    .formatted(in.capacity(), count));
        }
        in.getInt(); // the length of the longest piece
        List<String> pieces = new ArrayList<>(count);
        float[] scores = new float[count];
        int[] types = new int[count];
        for (int id = 0; id < count; id++) {
            readPiece(id, pieces, scores, types);
        }
        if (in.hasRemaining()) {
            throw new TokenizerFormatException(file, "at byte %d: %d bytes follow the %d pieces of the model; take the tokenizer that belongs to it"
                    .formatted(in.position(), in.remaining(), count));
        }
        Vocabulary vocabulary = Vocabulary.of(file, pieces, scores, types);
        return SentencePieceModel.bpe(file, vocabulary, NormalizerSpec.identity(true), new SpecialTokens(BOS_ID, EOS_ID, -1, true, false));
    }

    private void readPiece(int id, List<String> pieces, float[] scores, int[] types) {
        int at = in.position();
        if (in.remaining() < SHORTEST_PIECE_BYTES) {
            throw new TokenizerFormatException(file, "at byte %d: it ends before piece %d".formatted(at, id));
        }
        scores[id] = in.getFloat();
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new TokenizerFormatException(file, "at byte %d: piece %d has a length of %d bytes, but %d are left".formatted(at, id, length, in.remaining()));
        }
        ByteBuffer utf8 = in.slice(in.position(), length);
        in.position(in.position() + length);
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw new TokenizerFormatException(file, "at byte %d: piece %d is no UTF-8".formatted(at, id), e);
        }
        PieceType type = switch (id) {
            case UNK_ID -> PieceType.UNKNOWN;
            case BOS_ID, EOS_ID -> PieceType.CONTROL;
            default -> BYTE.matcher(text).matches() ? PieceType.BYTE : PieceType.NORMAL;
        };
        types[id] = type.number();
        pieces.add(type == PieceType.CONTROL ? text.strip() : text.replace(' ', '\u2581'));
    }
}
