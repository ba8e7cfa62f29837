package dev.yangtuo;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.scheduler.EndCause;
import dev.yangtuo.scheduler.ReadingListener;
import dev.yangtuo.scheduler.ReadingTask;
import dev.yangtuo.scheduler.Scheduler;
import dev.yangtuo.scheduler.TaskStatistics;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A text that is read for somebody who waits. */
abstract class Reading implements ReadingListener {
    private @Nullable EndCause cause;
    private @Nullable Throwable failure;

    /** What is to be read. */
    abstract ReadingTask task();

    /**
     * Reads texts, all of them at the same time, together with whatever else the scheduler has.
     *
     * @throws IllegalStateException if the model is closed
     * @throws WrongThreadException on the scheduler's own thread
     */
    static void readAll(List<? extends Reading> readings, Scheduler scheduler) {
        scheduler.requireMayWait();
        List<Scheduler.Handle> handles = scheduler.submit(readings.stream().map(Reading::task).toList());
        try {
            readings.forEach(Reading::await);
        } catch (RuntimeException e) {
            handles.forEach(Scheduler.Handle::cancel);
            throw e;
        }
    }

    @Override
    public synchronized void ended(EndCause why, TaskStatistics statistics, @Nullable Throwable problem) {
        cause = why;
        failure = problem;
        notifyAll();
    }

    private synchronized void await() {
        Monitor.await(this, () -> cause != null);
        if (failure != null) {
            throw Failure.here(failure);
        }
        if (cause != EndCause.COMPLETE) {
            throw new YangtuoException("the memory for keys and values does not suffice for a text of %d tokens; load the model with more"
                    .formatted(task().tokens().length));
        }
    }
}
