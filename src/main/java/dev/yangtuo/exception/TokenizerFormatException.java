package dev.yangtuo.exception;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A tokenizer model is damaged, inconsistent, or of a kind that is not supported. */
public class TokenizerFormatException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    /**
     * @param file the file or directory that is at fault; the message begins with it
     * @param problem what was found, what was expected, and the remedy where there is one
     */
    public TokenizerFormatException(Path file, String problem) {
        this(file, problem, null);
    }

    /**
     * @param file the file or directory that is at fault; the message begins with it
     * @param problem what was found, what was expected, and the remedy where there is one
     * @param cause what caused it
     */
    public TokenizerFormatException(Path file, String problem, @Nullable Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
