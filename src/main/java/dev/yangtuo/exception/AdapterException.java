package dev.yangtuo.exception;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A LoRA adapter is damaged, not understood, or does not fit the model that it is to be merged into. */
public class AdapterException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    /**
     * @param file the file or directory that is at fault; the message begins with it
     * @param problem what was found, what was expected, and the remedy where there is one
     */
    public AdapterException(Path file, String problem) {
        this(file, problem, null);
    }

    /**
     * @param file the file or directory that is at fault; the message begins with it
     * @param problem what was found, what was expected, and the remedy where there is one
     * @param cause what caused it
     */
    public AdapterException(Path file, String problem, @Nullable Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
