package dev.yangtuo.exception;

import org.jspecify.annotations.Nullable;

/** The native library is not there, does not fit this program or this machine, or could not be loaded. */
public class NativeLibraryException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message which file was tried, why it failed, and the remedy
     * @param cause what caused it
     */
    public NativeLibraryException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
