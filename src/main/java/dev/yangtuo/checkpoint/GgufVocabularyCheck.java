package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.nio.file.Path;
import java.util.List;

/** Checks that the parts of a GGUF's tokenizer fit each other, so that its readers can index one by another. */
final class GgufVocabularyCheck {
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String ID_PREFIX = "tokenizer.ggml.";
    private static final String ID_SUFFIX = "_token_id";

    private GgufVocabularyCheck() {}

    static void check(Path file, GgufMetadata metadata) {
        if (!metadata.contains(TOKENS)) {
            return;
        }
        int tokens = metadata.strings(TOKENS).length;
        for (String parallel : List.of("tokenizer.ggml.scores", "tokenizer.ggml.token_type")) {
            if (metadata.contains(parallel) && metadata.arrayLength(parallel) != tokens) {
                throw new CheckpointFormatException(file, "key '%s' has %d elements, but '%s' has %d; expected as many".formatted(
                        parallel, metadata.arrayLength(parallel), TOKENS, tokens));
            }
        }
        for (String key : metadata.keys()) {
            if (key.startsWith(ID_PREFIX) && key.endsWith(ID_SUFFIX)) {
                long id = metadata.longInteger(key);
                if (id < 0 || id >= tokens) {
                    throw new CheckpointFormatException(file, "key %s is %d, outside the vocabulary of %d tokens; expected 0 to %d".formatted(
                            Quoted.text(key), id, tokens, tokens - 1));
                }
            }
        }
    }
}
