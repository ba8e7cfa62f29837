package dev.yangtuo.llamacpp;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What a GGUF's tokenizer must be for llama.cpp to read it and to encode with it: where one of these does not hold, it ends the process (by an assertion, or an
 * exception that leaves C++) instead of saying so.
 */
final class VocabularyCheck {
    private static final String KIND = "tokenizer.ggml.model";
    private static final String PRE = "tokenizer.ggml.pre";
    private static final String TOKENS = "tokenizer.ggml.tokens";

    /** The kinds that generate text. Those of models that embed text only have sessions of their own, which assert more. */
    private static final List<String> KINDS = List.of("llama", "t5", "gpt2", "gemma4", "bert", "rwkv", "plamo2", "hybriddna");
    /** Its tables have a row for each beginning of each end of each piece. */
    private static final int LONGEST_PLAMO_PIECE = 512;

    private VocabularyCheck() {}

    /**
     * Returns if llama.cpp can be given the tokenizer of a file.
     *
     * @throws TokenizerFormatException if not
     * @throws dev.yangtuo.exception.CheckpointFormatException if there is none, or a value is of another type
     */
    static void require(GgufCheckpoint checkpoint) {
        Path file = checkpoint.path();
        GgufMetadata metadata = checkpoint.metadata();
        String kind = metadata.string(KIND);
        if (!KINDS.contains(kind)) {
            throw new TokenizerFormatException(file, "its tokenizer is '%s'; with llama.cpp these generate text: %s".formatted(
                    shown(kind), String.join(", ", KINDS)));
        }
        if (metadata.string(PRE, "").equals("whitespace")) {
            throw new TokenizerFormatException(file, "its tokenizer cuts words at spaces alone (%s), which is for models that embed text".formatted(PRE));
        }
        OptionalInt repeated = checkpoint.firstRepeated(TOKENS);
        if (repeated.isPresent()) {
            throw new TokenizerFormatException(file, "piece %d '%s' occurs before; every piece must be unique".formatted(
                    repeated.getAsInt(), shown(metadata.strings(TOKENS)[repeated.getAsInt()])));
        }
        if (kind.equals("llama")) {
            requireBytes(file, metadata);
        } else if (kind.equals("plamo2")) {
            requireShort(file, metadata);
        }
    }

    /** A character without a piece becomes the pieces of its bytes, which are looked for by their names. */
    private static void requireBytes(Path file, GgufMetadata metadata) {
        Set<String> pieces = new HashSet<>(Arrays.asList(metadata.strings(TOKENS)));
        for (int value = 0; value < 256; value++) {
            String name = "<0x%02X>".formatted(value);
            if (!pieces.contains(name)) {
                throw new TokenizerFormatException(file, "it has no piece %s, so that llama.cpp cannot encode every text; use yangtuo's tokenizer".formatted(name));
            }
        }
    }

    private static void requireShort(Path file, GgufMetadata metadata) {
        String[] pieces = metadata.strings(TOKENS);
        for (int id = 0; id < pieces.length; id++) {
            if (pieces[id].length() > LONGEST_PLAMO_PIECE) {
                throw new TokenizerFormatException(file, "piece %d has %d characters, more than the %d that are supported".formatted(
                        id, pieces[id].length(), LONGEST_PLAMO_PIECE));
            }
        }
    }

    private static String shown(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }
}
