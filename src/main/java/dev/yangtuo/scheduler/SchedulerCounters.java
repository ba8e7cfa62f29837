package dev.yangtuo.scheduler;

/** What has happened, as {@link SchedulerStatistics} counts it. Used by the scheduler's thread. */
final class SchedulerCounters {
    long texts;
    long passes;
    long columns;
    long generated;
    long prompts;
    long reused;
    long preemptions;
    long drafted;
    long accepted;
    long passNanos;
    long busyNanos;

    SchedulerStatistics snapshot() {
        return new SchedulerStatistics(texts, passes, columns, generated, prompts, reused, preemptions, drafted, accepted, passNanos, busyNanos);
    }
}
