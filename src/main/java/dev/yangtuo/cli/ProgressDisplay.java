package dev.yangtuo.cli;

import dev.yangtuo.LoadProgress;
import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows how far work has come once it takes longer than a second: a bar on a terminal, a line every few seconds elsewhere.
 */
final class ProgressDisplay implements AutoCloseable {
    /** How much there is to do, where nobody knows. */
    static final long UNKNOWN_TOTAL = -1;

    private static final long PATIENCE_NANOS = 1_000_000_000L;
    private static final long LINE_NANOS = 5_000_000_000L;

    private final PrintWriter err;
    private final String task;
    private final Unit unit;
    private final boolean terminal = Terminal.isErrors();
    private final long startNanos = System.nanoTime();
    private long lastLineNanos = startNanos;
    private @Nullable ProgressBar bar;

    /**
     * What is counted.
     *
     * @param name for several of them
     * @param size what one of them is of what is reported
     */
    record Unit(String name, long size) {
        static final Unit MEGABYTES = new Unit("MB", 1_000_000);
        static final Unit RUNS = new Unit("runs", 1);
        static final Unit TOKENS = new Unit("tokens", 1);
    }

    /** @param task what is being done */
    ProgressDisplay(PrintWriter err, String task, Unit unit) {
        this.err = err;
        this.task = task;
        this.unit = unit;
    }

    /**
     * Cheap enough for every line of a file.
     *
     * @param done how much is done
     * @param total of how much, or {@link #UNKNOWN_TOTAL}
     */
    void update(long done, long total) {
        update(done, total, "");
    }

    /** Bytes, tensors and the time left of a model. */
    void update(LoadProgress progress) {
        update(progress.bytesDone(), progress.byteCount(), "%d of %d tensors".formatted(progress.tensorsDone(), progress.tensorCount()));
    }

    /**
     * The same.
     *
     * @param detail what else is known, such as the tensors finished; may be empty
     */
    void update(long done, long total, String detail) {
        long now = System.nanoTime();
        if (now - startNanos < PATIENCE_NANOS) {
            return;
        }
        if (terminal) {
            if (bar == null) {
                bar = new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(total)
                        .setUnit(" " + unit.name, unit.size)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(200)
                        .build();
            }
            bar.setExtraMessage(detail.isEmpty() ? "" : " " + detail);
            bar.stepTo(done);
        } else if (now - lastLineNanos > LINE_NANOS) {
            lastLineNanos = now;
            String of = total == UNKNOWN_TOTAL ? "" : " of %d".formatted(total / unit.size);
            err.println("%s: %d%s %s%s%s".formatted(
                    task, done / unit.size, of, unit.name, detail.isEmpty() ? "" : ", " + detail, timeLeft(done, total, now - startNanos)));
        }
    }

    /** At the speed so far. */
    private static String timeLeft(long done, long total, long nanos) {
        if (total == UNKNOWN_TOTAL || done <= 0 || done >= total) {
            return "";
        }
        double seconds = nanos / 1e9 / done * (total - done);
        return seconds < 90 ? ", %d s left".formatted(Math.round(seconds)) : ", %d min left".formatted(Math.round(seconds / 60));
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
