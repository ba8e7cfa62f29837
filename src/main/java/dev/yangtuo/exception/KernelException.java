package dev.yangtuo.exception;

/** A device could not do what it was asked for: out of memory, a kernel that the processor does not have, no more threads. */
public class KernelException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    /** @param message what was asked for, why it failed, and the remedy where there is one */
    public KernelException(String message) {
        super(message);
    }
}
