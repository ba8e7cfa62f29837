package dev.yangtuo.scheduler;

/** Why the scheduler has ended a text. */
public enum EndCause {
    /** Its listener wanted no more. */
    COMPLETE,
    /** The context is full, or there has been no memory for keys and values for a while although no other text has any. */
    CONTEXT_FULL,
    /** It was cancelled. */
    CANCELLED,
    /** Computing it failed, or the model was closed. */
    FAILED
}
