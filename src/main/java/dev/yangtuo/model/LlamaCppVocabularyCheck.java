package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.TokenizerFormatException;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a GGUF's tokenizer must be for llama.cpp to read it and to encode with it: where one of these does not hold, it ends the process (by an assertion, or an
 * exception that leaves C++) instead of saying so.
 */
public final class LlamaCppVocabularyCheck {
    /** The kinds that generate text. Those of models that embed text only have sessions of their own, which assert more. */
    private static final List<String> KINDS = List.of("llama", "t5", "gpt2", "gemma4", "bert", "rwkv", "plamo2", "hybriddna");
    /** Its tables have a row for each beginning of each end of each piece. */
    private static final int LONGEST_PLAMO_PIECE = 512;

    private LlamaCppVocabularyCheck() {}

    /**
     * Returns if llama.cpp can load the tokenizer of a file.
     *
     * @throws TokenizerFormatException if not
     * @throws dev.yangtuo.exception.CheckpointFormatException if there is none, or a value is of another type
     */
    public static void requireLoadable(GgufCheckpoint checkpoint) {
        Path file = checkpoint.path();
        GgufMetadata metadata = checkpoint.metadata();
        String kind = metadata.string(GgufTokenizer.KIND);
        if (!KINDS.contains(kind)) {
            throw new TokenizerFormatException(file, "its tokenizer is '%s'; with llama.cpp these generate text: %s".formatted(
                    shown(kind), String.join(", ", KINDS)));
        }
        if (metadata.string(GgufTokenizer.PRE, "").equals("whitespace")) {
            throw new TokenizerFormatException(file, "its tokenizer cuts words at spaces alone (%s), which is for models that embed text"
                    .formatted(GgufTokenizer.PRE));
        }
        List<String> pieces = checkpoint.rawStrings(GgufTokenizer.TOKENS);
        require(!pieces.isEmpty(), file, "its vocabulary is empty");
        requireDifferent(file, pieces);
        requireId(file, metadata, "bos", kind.equals("llama") && pieces.size() > 1);
        requireId(file, metadata, "eos", kind.equals("llama") && pieces.size() > 2);
        if (kind.equals("rwkv")) {
            requireFirstBytes(file, pieces);
        }
        if (kind.equals("plamo2")) {
            requireShort(file, metadata);
        }
    }

    /**
     * Returns if llama.cpp can also encode any text with it.
     *
     * @throws TokenizerFormatException if not
     * @throws dev.yangtuo.exception.CheckpointFormatException if there is none, or a value is of another type
     */
    public static void requireEncoding(GgufCheckpoint checkpoint) {
        requireLoadable(checkpoint);
        if (GgufTokenizer.knows(checkpoint.metadata())) {
            GgufTokenizer.read(checkpoint.path(), checkpoint.metadata()); // its tables are checked here
        }
        if (checkpoint.metadata().string(GgufTokenizer.KIND).equals("llama")) {
            requireBytes(checkpoint.path(), checkpoint.metadata());
        }
    }

    /** A character without a piece becomes the pieces of its bytes, which are looked for by their names. */
    private static void requireBytes(Path file, GgufMetadata metadata) {
        Set<String> pieces = new HashSet<>(Arrays.asList(metadata.strings(GgufTokenizer.TOKENS)));
        for (int value = 0; value < 256; value++) {
            String name = "<0x%02X>".formatted(value);
            if (!pieces.contains(name)) {
                throw new TokenizerFormatException(file, "it has no piece %s, so that llama.cpp cannot encode every text; use yangtuo's tokenizer".formatted(name));
            }
        }
    }

    private static void requireShort(Path file, GgufMetadata metadata) {
        String[] pieces = metadata.strings(GgufTokenizer.TOKENS);
        for (int id = 0; id < pieces.length; id++) {
            if (pieces[id].length() > LONGEST_PLAMO_PIECE) {
                throw new TokenizerFormatException(file, "piece %d has %d characters, more than the %d that are supported".formatted(
                        id, pieces[id].length(), LONGEST_PLAMO_PIECE));
            }
        }
    }

    /** In C a text ends at a NUL; an empty one is given a name. */
    private static void requireDifferent(Path file, List<String> pieces) {
        Set<String> seen = HashSet.newHashSet(pieces.size());
        for (int id = 0; id < pieces.size(); id++) {
            String piece = pieces.get(id);
            int end = piece.indexOf('\0');
            piece = end < 0 ? piece : piece.substring(0, end);
            require(seen.add(piece.isEmpty() ? "[EMPTY_%d]".formatted(id) : piece), file,
                    "piece %d '%s' occurs before (up to the first NUL); every piece must be unique".formatted(id, shown(piece)));
        }
    }

    /** Where a special token is put around every text, there must be one. */
    private static void requireId(Path file, GgufMetadata metadata, String name, boolean hasDefault) {
        boolean added = metadata.flag("tokenizer.ggml.add_%s_token".formatted(name), false);
        require(!added || hasDefault || metadata.contains("tokenizer.ggml.%s_token_id".formatted(name)), file,
                "it has tokenizer.ggml.add_%s_token, but no tokenizer.ggml.%s_token_id".formatted(name, name));
    }

    /** RWKV's search for the longest piece would not move on from a byte that begins pieces and is none. */
    private static void requireFirstBytes(Path file, List<String> pieces) {
        boolean[] begins = new boolean[256];
        boolean[] single = new boolean[256];
        for (String piece : pieces) {
            byte[] bytes = unescaped(piece);
            if (bytes.length > 0) {
                begins[bytes[0] & 0xFF] = true;
                single[bytes[0] & 0xFF] |= bytes.length == 1;
            }
        }
        for (int first = 0; first < begins.length; first++) {
            require(!begins[first] || single[first], file, "pieces begin with the byte %d, but there is none of it alone".formatted(first));
        }
    }

    /** A piece with the escapes that it is written with undone. */
    private static byte[] unescaped(String piece) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < piece.length(); i++) {
            char c = piece.charAt(i);
            if (c != '\\' || i + 1 == piece.length()) {
                out.write(c);
                continue;
            }
            char escape = piece.charAt(++i);
            if (escape == 'x' && i + 2 < piece.length()) {
                out.write(Character.digit(piece.charAt(i + 1), 16) << 4 | Character.digit(piece.charAt(i + 2), 16));
                i += 2;
            } else {
                out.write(switch (escape) {
                    case 't' -> '\t';
                    case 'n' -> '\n';
                    case 'r' -> '\r';
                    default -> escape;
                });
            }
        }
        return out.toByteArray();
    }

    private static void require(boolean holds, Path file, String problem) {
        if (!holds) {
            throw new TokenizerFormatException(file, problem + ". The file is damaged, or not made for llama.cpp");
        }
    }

    private static String shown(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }
}
