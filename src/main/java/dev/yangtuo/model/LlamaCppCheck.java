package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.CheckpointFormatException;
import java.nio.file.Path;

/** Refuses GGUF files of any architecture on which llama.cpp would end the process. */
final class LlamaCppCheck {
    private final Path file;
    private final GgufMetadata metadata;
    private final String architecture;

    private LlamaCppCheck(GgufCheckpoint gguf) {
        file = gguf.path();
        metadata = gguf.metadata();
        architecture = metadata.string("general.architecture");
    }

    /** @throws CheckpointFormatException if a value is out of its range, or values do not fit each other */
    static void check(GgufCheckpoint gguf) {
        LlamaCppCheck check = new LlamaCppCheck(gguf);
        check.requireRange("block_count", 1, ModelConfig.MAX_LAYERS);
        check.requireRange("embedding_length", 1, 1 << 20);
        check.requireRange("context_length", 1, Integer.MAX_VALUE);
    }

    private void requireRange(String name, long least, long most) {
        String key = architecture + "." + name;
        long value = metadata.longInteger(key);
        if (value < least || value > most) {
            throw new CheckpointFormatException(file, "key '%s' is %d; expected %d to %d".formatted(key, value, least, most));
        }
    }
}
