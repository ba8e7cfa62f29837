package dev.yangtuo.concurrent;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Work on some items at a time, each on a virtual thread of its own, so that the model computes them together. What comes of them is handed on in
 * the items' order, by the calling thread; no more items are taken than are worked on, so an endless supply is fine.
 *
 * <p>A {@link dev.yangtuo.batch.BatchJob} writes texts and nothing else; here a text may be written and judged in one piece of work, and an answer may be scores.
 */
public final class InFlight {
    private static final long PATIENCE_MILLIS = 20;

    private InFlight() {}

    /**
     * Works until the items end or somebody has enough.
     *
     * @param items taken by the calling thread, one when there is room for it
     * @param most worked on at the same time, at least 1
     * @param work for any thread
     * @param cancel makes the work that is going on end soon; called, again and again, when what it gives is not wanted any more
     * @param goesOn receives what came of an item; says whether more is wanted
     * @throws RuntimeException what {@code work} throws, at the item's turn
     * @throws CancellationException if the calling thread is interrupted; it stays so
     */
    public static <T, R> void run(Iterator<T> items, int most, Function<? super T, ? extends R> work, Runnable cancel, Predicate<? super R> goesOn) {
        if (most < 1) {
            throw new IllegalArgumentException("%d texts at a time are not possible".formatted(most));
        }
        Queue<Future<R>> running = new ArrayDeque<>();
        AtomicBoolean stopped = new AtomicBoolean();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                do {
                    while (running.size() < most && items.hasNext()) {
                        T item = items.next();
                        running.add(threads.submit(() -> {
                            if (stopped.get()) {
                                throw new IllegalStateException("not begun, for no more was wanted"); // nobody asks for it
                            }
                            return work.apply(item);
                        }));
                    }
                } while (!running.isEmpty() && goesOn.test(result(running.remove())));
            } finally {
                stopped.set(true);
                if (!running.isEmpty()) {
                    threads.shutdownNow(); // for work that an interrupt ends
                }
                running.forEach(each -> end(each, cancel));
            }
        }
    }

    private static <R> R result(Future<R> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the work was interrupted");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }

    /** Waits until it has ended, however: work that was just about to begin when it was cancelled is cancelled again. */
    private static void end(Future<?> future, Runnable cancel) {
        boolean interrupted = false;
        while (!future.isDone()) {
            cancel.run();
            try {
                future.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                continue;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                break; // its result is not wanted, nor its failure
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
