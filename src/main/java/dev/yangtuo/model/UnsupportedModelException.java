package dev.yangtuo.model;

import dev.yangtuo.exception.CheckpointFormatException;
import java.nio.file.Path;

/** A GGUF file that is not damaged as far as is known, but of a kind that our own engine cannot run; llama.cpp may. */
public final class UnsupportedModelException extends CheckpointFormatException {
    private static final long serialVersionUID = 1L;

    UnsupportedModelException(Path file, String problem) {
        super(file, problem);
    }
}
