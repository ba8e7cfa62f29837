package dev.yangtuo.batch;

import java.util.LinkedHashSet;
import java.util.Set;

/** Ends batches from another thread: {@link BatchJob#cancellation} gives it to a job. Thread-safe. */
public final class BatchCancellation {
    private final Set<Runnable> runs = new LinkedHashSet<>();
    private boolean cancelled;

    /** One that has not been used. */
    public BatchCancellation() {}

    /** Gives up what is being generated, now and later; what is complete is still written. Cancelling twice is harmless. */
    public void cancel() {
        Set<Runnable> told;
        synchronized (this) {
            cancelled = true;
            told = Set.copyOf(runs);
        }
        told.forEach(Runnable::run);
    }

    /** Whether it was cancelled. */
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** @param end is called when it is cancelled, at once if it already is */
    void add(Runnable end) {
        boolean now;
        synchronized (this) {
            runs.add(end);
            now = cancelled;
        }
        if (now) {
            end.run();
        }
    }

    synchronized void remove(Runnable end) {
        runs.remove(end);
    }
}
