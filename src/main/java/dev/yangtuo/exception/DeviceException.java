package dev.yangtuo.exception;

/**
 * A device beside the processor, such as a GPU, failed or disappeared. What lies in its memory is lost: whatever computes on it can only be closed, and loaded again.
 */
public class DeviceException extends KernelException {
    private static final long serialVersionUID = 1L;

    /** @param message what was asked for, why it failed, and the remedy where there is one */
    public DeviceException(String message) {
        super(message);
    }
}
