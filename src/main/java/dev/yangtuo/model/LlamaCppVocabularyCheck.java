package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.CheckpointFormatException;
import java.io.ByteArrayOutputStream;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What llama.cpp asserts of a vocabulary when it loads a model, or would never end with. */
final class LlamaCppVocabularyCheck {
    private static final Set<String> NO_TOKENIZER = Set.of("none", "no_vocab");

    private final GgufCheckpoint gguf;
    private final GgufMetadata metadata;

    LlamaCppVocabularyCheck(GgufCheckpoint gguf) {
        this.gguf = gguf;
        this.metadata = gguf.metadata();
    }

    /** @throws CheckpointFormatException if it does not hold */
    void check() {
        String kind = metadata.string("tokenizer.ggml.model");
        require(!NO_TOKENIZER.contains(kind), "tokenizer.ggml.model is '%s': texts cannot be tokenized".formatted(kind));
        List<String> tokens = gguf.rawStrings(GgufTokenizer.TOKENS);
        require(!tokens.isEmpty(), "its vocabulary is empty");
        requireDifferent(tokens);
        requireId("bos", kind.equals("llama") && tokens.size() > 1);
        requireId("eos", kind.equals("llama") && tokens.size() > 2);
        if (kind.equals("rwkv")) {
            requireFirstBytes(tokens);
        }
    }

    /** In C a text ends at a NUL; an empty one is given a name. */
    private void requireDifferent(List<String> tokens) {
        Set<String> seen = HashSet.newHashSet(tokens.size());
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            int end = token.indexOf('\0');
            token = end < 0 ? token : token.substring(0, end);
            require(seen.add(token.isEmpty() ? "[EMPTY_%d]".formatted(id) : token),
                    "its token %d has the same text as another one (%s, up to the first NUL)".formatted(id, GgufTokenizer.TOKENS));
        }
    }

    /** Where a special token is put around every text, there must be one. */
    private void requireId(String name, boolean hasDefault) {
        boolean added = metadata.flag("tokenizer.ggml.add_%s_token".formatted(name), false);
        require(!added || hasDefault || metadata.contains("tokenizer.ggml.%s_token_id".formatted(name)),
                "it has tokenizer.ggml.add_%s_token, but no tokenizer.ggml.%s_token_id".formatted(name, name));
    }

    /** RWKV's search for the longest token would not move on from a byte that begins tokens and is none. */
    private void requireFirstBytes(List<String> tokens) {
        boolean[] begins = new boolean[256];
        boolean[] single = new boolean[256];
        for (String token : tokens) {
            byte[] bytes = unescaped(token);
            if (bytes.length > 0) {
                begins[bytes[0] & 0xFF] = true;
                single[bytes[0] & 0xFF] |= bytes.length == 1;
            }
        }
        for (int first = 0; first < begins.length; first++) {
            require(!begins[first] || single[first], "tokens begin with the byte %d, but there is no token of it alone".formatted(first));
        }
    }

    /** A token with the escapes that it is written with undone. */
    private static byte[] unescaped(String token) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < token.length(); i++) {
            char c = token.charAt(i);
            if (c != '\\' || i + 1 == token.length()) {
                out.write(c);
                continue;
            }
            char escape = token.charAt(++i);
            if (escape == 'x' && i + 2 < token.length()) {
                out.write(Character.digit(token.charAt(i + 1), 16) << 4 | Character.digit(token.charAt(i + 2), 16));
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

    private void require(boolean holds, String problem) {
        if (!holds) {
            throw new CheckpointFormatException(gguf.path(), problem + ". The file is damaged, or not made for llama.cpp");
        }
    }
}
