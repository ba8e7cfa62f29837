package dev.yangtuo.exception;

import org.jspecify.annotations.Nullable;

/**
 * The common ancestor of everything that this library throws on purpose, beside the JDK's own {@link IllegalArgumentException}
 * (a caller's argument is out of range) and {@link IllegalStateException} (use after close). Messages are meant to be shown to
 * a person: they name the file, the value found, what was expected, and the remedy where there is one.
 */
public class YangtuoException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message what went wrong, readable on its own */
    public YangtuoException(String message) {
        super(message);
    }

    /**
     * @param message what went wrong, readable on its own
     * @param cause what caused it
     */
    public YangtuoException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
