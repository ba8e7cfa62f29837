package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.ForeignModel;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What llama.cpp knows of a vocabulary, in Java's memory.
 *
 * @param pieces the pieces as the file writes them
 * @param bytes what each is as text, control pieces included
 * @param special the ids of special tokens, those that llama.cpp assumes where a file says nothing not among them
 * @param cutsByExpressions whether words are cut by regular expressions
 */
record VocabularyCopy(Vocabulary pieces, List<byte[]> bytes, SpecialTokens special, ForeignModel.Rules rules, boolean cutsByExpressions) {
    private static final String BOS_ID = "tokenizer.ggml.bos_token_id";
    private static final String EOS_ID = "tokenizer.ggml.eos_token_id";
    private static final String PADDING_ID = "tokenizer.ggml.padding_token_id";
    private static final String ADD_SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";
    private static final String KIND = "tokenizer.ggml.model";

    private static final Pattern BYTE_NAME = Pattern.compile("<0x[0-9A-F]{2}>");
    private static final Pattern ACROSS_LINES = Pattern.compile("[\\p{L}\\p{N}]\n");
    /** Longer than most pieces, so that one call gives them. */
    private static final int PIECE_ROOM = 256;

    /** Copies what {@code llama_vocab *} has. */
    static VocabularyCopy of(Path file, GgufMetadata metadata, MemorySegment vocab) {
        int count = LlamaCpp.llama_vocab_n_tokens(vocab);
        if (count > Vocabulary.MAX_PIECES) {
            throw new TokenizerFormatException(file, "%d pieces are more than the %d that are supported".formatted(count, Vocabulary.MAX_PIECES));
        }
        PieceType[] types = types(vocab, count);
        List<String> names = names(vocab, count);
        keepBytesWhereComplete(types, names);
        float[] scores = new float[count];
        for (int id = 0; id < count; id++) {
            float score = LlamaCpp.llama_vocab_get_score(vocab, id);
            scores[id] = Float.isNaN(score) ? 0 : score;
        }
        Vocabulary pieces = Vocabulary.of(file, names, scores, Arrays.stream(types).mapToInt(PieceType::number).toArray());
        int type = LlamaCpp.llama_vocab_type(vocab);
        boolean byteLevel = type == LlamaCpp.LLAMA_VOCAB_TYPE_BPE();
        return new VocabularyCopy(pieces, bytes(vocab, count), special(metadata, vocab, byteLevel), rules(metadata, type, pieces), byteLevel);
    }

    private static PieceType[] types(MemorySegment vocab, int count) {
        PieceType[] types = new PieceType[count];
        boolean unknownSeen = false;
        for (int id = 0; id < count; id++) {
            types[id] = type(LlamaCpp.llama_vocab_get_attr(vocab, id));
            if (types[id] == PieceType.UNKNOWN && unknownSeen) {
                types[id] = PieceType.CONTROL; // as invisible, and there is one unknown piece
            }
            unknownSeen |= types[id] == PieceType.UNKNOWN;
        }
        return types;
    }

    private static PieceType type(int attributes) {
        if ((attributes & LlamaCpp.LLAMA_TOKEN_ATTR_CONTROL()) != 0) {
            return PieceType.CONTROL;
        } else if ((attributes & LlamaCpp.LLAMA_TOKEN_ATTR_UNKNOWN()) != 0) {
            return PieceType.UNKNOWN;
        } else if ((attributes & LlamaCpp.LLAMA_TOKEN_ATTR_USER_DEFINED()) != 0) {
            return PieceType.USER_DEFINED;
        } else if ((attributes & LlamaCpp.LLAMA_TOKEN_ATTR_BYTE()) != 0) {
            return PieceType.BYTE;
        }
        return (attributes & LlamaCpp.LLAMA_TOKEN_ATTR_NORMAL()) != 0 ? PieceType.NORMAL : PieceType.UNUSED;
    }

    /** The pieces as the file writes them. One that cannot be told from another, as where C ends a text, is named by its number. */
    private static List<String> names(MemorySegment vocab, int count) {
        List<String> names = new ArrayList<>(count);
        Set<String> seen = new HashSet<>();
        for (int id = 0; id < count; id++) {
            String name = LlamaCpp.llama_vocab_get_text(vocab, id).reinterpret(Long.MAX_VALUE).getString(0);
            if (name.isEmpty() || !seen.add(name)) {
                name = "[PIECE_%d]".formatted(id);
                seen.add(name);
            }
            names.add(name);
        }
        return names;
    }

    /** A vocabulary here has a piece for each byte, or none that is called so. */
    private static void keepBytesWhereComplete(PieceType[] types, List<String> names) {
        int[] ids = IntStream.range(0, types.length).filter(id -> types[id] == PieceType.BYTE).toArray();
        boolean complete = ids.length == 256 && IntStream.of(ids).allMatch(id -> BYTE_NAME.matcher(names.get(id)).matches());
        if (!complete) {
            IntStream.of(ids).forEach(id -> types[id] = PieceType.NORMAL);
        }
    }

    private static List<byte[]> bytes(MemorySegment vocab, int count) {
        List<byte[]> bytes = new ArrayList<>(count);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(PIECE_ROOM);
            for (int id = 0; id < count; id++) {
                int length = LlamaCpp.llama_token_to_piece(vocab, id, room, (int) room.byteSize(), 0, true);
                if (length < 0) {
                    room = arena.allocate(-length);
                    length = LlamaCpp.llama_token_to_piece(vocab, id, room, (int) room.byteSize(), 0, true);
                }
                bytes.add(room.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
            }
        }
        return bytes;
    }

    private static SpecialTokens special(GgufMetadata metadata, MemorySegment vocab, boolean byteLevel) {
        // Where a file does not say them, byte-level models get GPT-2's, whatever these are in their vocabulary.
        int bos = byteLevel && !metadata.contains(BOS_ID) ? -1 : LlamaCpp.llama_vocab_bos(vocab);
        int eos = byteLevel && !metadata.contains(EOS_ID) ? -1 : LlamaCpp.llama_vocab_eos(vocab);
        return new SpecialTokens(bos, eos, metadata.integer(PADDING_ID, -1),
                bos >= 0 && LlamaCpp.llama_vocab_get_add_bos(vocab), eos >= 0 && LlamaCpp.llama_vocab_get_add_eos(vocab));
    }

    private static ForeignModel.Rules rules(GgufMetadata metadata, int type, Vocabulary pieces) {
        boolean wordPiece = type == LlamaCpp.LLAMA_VOCAB_TYPE_WPM();
        boolean byteLevel = type == LlamaCpp.LLAMA_VOCAB_TYPE_BPE();
        boolean dropsFirstSpace = wordPiece || metadata.flag(ADD_SPACE_PREFIX, type == LlamaCpp.LLAMA_VOCAB_TYPE_SPM());
        // No expression that llama.cpp has takes a line feed into the word of a letter before it. DNA is read over lines, from tag to tag.
        boolean linesAreApart = (wordPiece || byteLevel && !metadata.string(KIND).equals("hybriddna"))
                && IntStream.range(0, pieces.size()).noneMatch(id -> pieces.type(id) == PieceType.USER_DEFINED && ACROSS_LINES.matcher(pieces.piece(id)).find());
        return new ForeignModel.Rules(dropsFirstSpace, linesAreApart);
    }
}
