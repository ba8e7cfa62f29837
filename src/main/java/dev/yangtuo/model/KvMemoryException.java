package dev.yangtuo.model;

/** No page of keys and values is left. What was asked for did not happen; it can when another sequence has given pages back. */
public final class KvMemoryException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /** @param message what is full, and what can be done */
    public KvMemoryException(String message) {
        super(message);
    }
}
