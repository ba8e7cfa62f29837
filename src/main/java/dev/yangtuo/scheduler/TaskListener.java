package dev.yangtuo.scheduler;

import org.jspecify.annotations.Nullable;

/** Follows one text. Called by the scheduler's thread, which all texts share: it must not wait for anything. */
public interface TaskListener {
    /**
     * The text has ended; nothing follows.
     *
     * @param failure what went wrong, for {@link EndCause#FAILED}; else null
     */
    void ended(EndCause cause, TaskStatistics statistics, @Nullable Throwable failure);
}
