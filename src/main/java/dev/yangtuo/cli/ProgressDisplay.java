package dev.yangtuo.cli;

import dev.yangtuo.LoadProgress;
import java.io.PrintWriter;
import java.util.function.Consumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows how far loading has come once it takes longer than a second: a bar on a terminal, a line every few seconds elsewhere.
 */
final class LoadProgressDisplay implements Consumer<LoadProgress>, AutoCloseable {
    private static final long PATIENCE_NANOS = 1_000_000_000L;
    private static final long LINE_NANOS = 5_000_000_000L;

    private final PrintWriter err;
    private final boolean terminal = System.console() != null && System.console().isTerminal();
    private final long startNanos = System.nanoTime();
    private long lastLineNanos = startNanos;
    private @Nullable ProgressBar bar;

    LoadProgressDisplay(PrintWriter err) {
        this.err = err;
    }

    @Override
    public void accept(LoadProgress progress) {
        long now = System.nanoTime();
        if (now - startNanos < PATIENCE_NANOS) {
            return;
        }
        if (terminal) {
            if (bar == null) {
                bar = new ProgressBarBuilder()
                        .setTaskName("loading")
                        .setInitialMax(progress.tensorCount())
                        .setUnit(" tensors", 1)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(200)
                        .build();
            }
            bar.stepTo(progress.tensorsDone());
        } else if (now - lastLineNanos > LINE_NANOS) {
            lastLineNanos = now;
            err.println("loading: %d of %d tensors".formatted(progress.tensorsDone(), progress.tensorCount()));
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
