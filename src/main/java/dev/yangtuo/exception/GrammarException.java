package dev.yangtuo.exception;

import org.jspecify.annotations.Nullable;

/**
 * A grammar, JSON schema or regular expression is wrong, asks for what is not supported, or is too ambiguous to be followed; or a tokenizer has no tokens
 * for what it demands.
 */
public class GrammarException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    /** @param message where in the grammar, what was found, what was expected, and the remedy where there is one */
    public GrammarException(String message) {
        this(message, null);
    }

    /**
     * @param message where in the grammar, what was found, what was expected, and the remedy where there is one
     * @param cause what caused it
     */
    public GrammarException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
