package dev.yangtuo.exception;

import java.nio.file.Path;

/** A model is whole, as far as it was read, but of a kind that Yangtuo's own engine cannot run; llama.cpp may. */
public class UnsupportedModelException extends CheckpointFormatException {
    private static final long serialVersionUID = 1;

    /**
     * Says what cannot be run.
     *
     * @param file the model's file
     * @param problem what is not supported, and what is
     */
    public UnsupportedModelException(Path file, String problem) {
        super(file, problem);
    }

    /**
     * The same.
     *
     * @param cause what said so first
     */
    public UnsupportedModelException(Path file, String problem, Throwable cause) {
        super(file, problem, cause);
    }
}
