package dev.yangtuo.scheduler;

/** What has happened, as {@link SchedulerStatistics} counts it. Used by one thread at a time. */
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

    /** Takes over what others have counted. */
    void set(SchedulerCounters other) {
        texts = other.texts;
        passes = other.passes;
        columns = other.columns;
        generated = other.generated;
        prompts = other.prompts;
        reused = other.reused;
        preemptions = other.preemptions;
        drafted = other.drafted;
        accepted = other.accepted;
        passNanos = other.passNanos;
        busyNanos = other.busyNanos;
    }

    SchedulerStatistics snapshot() {
        return new SchedulerStatistics(texts, passes, columns, generated, prompts, reused, preemptions, drafted, accepted, passNanos, busyNanos);
    }
}
