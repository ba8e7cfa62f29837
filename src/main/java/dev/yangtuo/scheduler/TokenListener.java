package dev.yangtuo.scheduler;

import org.jspecify.annotations.Nullable;

/** Follows one text. Called by the scheduler's thread, which all texts share: it must not wait for anything. */
public interface TokenListener {
    /**
     * The next token of the text.
     *
     * @return whether the text goes on; false ends it with this token
     */
    boolean accept(int id);

    /**
     * The text has ended; nothing follows.
     *
     * @param failure what went wrong, for {@link EndCause#FAILED}; else null
     */
    void ended(EndCause cause, TaskStatistics statistics, @Nullable Throwable failure);
}
