package dev.yangtuo.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Collects the tokens of a text, and ends it when it is long enough. */
final class CollectedText implements TokenListener {
    private final int most;
    private final List<Integer> ids = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable EndCause cause;
    private volatile @Nullable TaskStatistics statistics;
    private volatile @Nullable Throwable failure;
    private Runnable atToken = () -> {};

    CollectedText(int most) {
        this.most = most;
    }

    /** Does something behind every token, on the scheduler's thread. */
    CollectedText atToken(Runnable action) {
        atToken = action;
        return this;
    }

    @Override
    public synchronized boolean accept(int id) {
        ids.add(id);
        atToken.run();
        return ids.size() < most;
    }

    @Override
    public void ended(EndCause why, TaskStatistics taken, @Nullable Throwable problem) {
        cause = why;
        statistics = taken;
        failure = problem;
        ended.countDown();
    }

    synchronized List<Integer> ids() {
        return List.copyOf(ids);
    }

    EndCause await() {
        try {
            if (!ended.await(30, TimeUnit.SECONDS)) {
                throw new AssertionError("the text has not ended within 30 seconds; it has " + ids().size() + " tokens");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return cause;
    }

    TaskStatistics statistics() {
        return statistics;
    }

    @Nullable Throwable failure() {
        return failure;
    }
}
