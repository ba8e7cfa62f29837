package dev.yangtuo.scheduler;

/** Why the scheduler has ended a text. */
public enum EndCause {
    /** Its listener wanted no more. */
    COMPLETE,
    /** The context is full, or no memory is left for keys and values although no other text has any. */
    CONTEXT_FULL,
    /** It was cancelled. */
    CANCELLED,
    /** Computing it failed, or the model was closed. */
    FAILED
}
