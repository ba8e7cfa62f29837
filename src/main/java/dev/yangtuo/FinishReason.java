package dev.yangtuo;

/** Why a text ended. */
public enum FinishReason {
    /** The model said that the text is complete. */
    END_OF_TEXT,
    /** A stop text appeared. */
    STOP_TEXT,
    /** As many tokens as were allowed. */
    MAX_TOKENS,
    /** The context is full. */
    CONTEXT_FULL,
    /** {@link Generation#cancel()} or {@link Generation#close()} was called. */
    CANCELLED
}
