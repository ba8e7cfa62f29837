package dev.yangtuo.batch;

import dev.yangtuo.FinishReason;
import org.jspecify.annotations.Nullable;

/**
 * How a request ended: with a text or with an error.
 *
 * @param finishReason null for an error
 * @param error null for a text
 */
record Outcome(@Nullable FinishReason finishReason, @Nullable BatchError error) {
    private static final int FIRST_ERROR = 100;

    /** A number that a journal keeps. */
    int code() {
        return error == null ? finishReason == null ? 0 : 1 + finishReason.ordinal() : FIRST_ERROR + error.ordinal();
    }

    /** @throws IllegalArgumentException if no outcome has this code */
    static Outcome of(int code) {
        if (code >= 1 && code <= FinishReason.values().length) {
            return new Outcome(FinishReason.values()[code - 1], null);
        }
        if (code >= FIRST_ERROR && code < FIRST_ERROR + BatchError.values().length) {
            return new Outcome(null, BatchError.values()[code - FIRST_ERROR]);
        }
        throw new IllegalArgumentException("no outcome has the code " + code);
    }
}
