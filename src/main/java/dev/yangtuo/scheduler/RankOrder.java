package dev.yangtuo.scheduler;

import java.util.Comparator;

/** Who goes first: a higher priority, which waiting raises, then who came first. One is kept for all passes, each of which has a time of its own. */
final class RankOrder implements Comparator<RunningTask> {
    private final long agingNanos;
    private long now;

    /** @param agingNanos waiting as long is as good as one more of priority; at least 1 */
    RankOrder(long agingNanos) {
        this.agingNanos = agingNanos;
    }

    /** From when on waiting is counted back; not to change while something is sorted. */
    void setNow(long nanos) {
        now = nanos;
    }

    @Override
    public int compare(RunningTask one, RunningTask other) {
        int byPriority = Long.compare(other.priority(now, agingNanos), one.priority(now, agingNanos));
        return byPriority != 0 ? byPriority : Long.compare(one.arrival(), other.arrival());
    }
}
