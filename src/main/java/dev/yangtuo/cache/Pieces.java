package dev.yangtuo.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Work in numbered pieces, taken by several threads one after the other. */
final class Pieces {
    private Pieces() {}

    /** Works on one piece. */
    interface Work<T> {
        /** @param own what this thread alone has */
        void run(T own, int piece);
    }

    /**
     * Does all pieces; returns when no thread works any more, also when one has failed, whose failure is thrown.
     *
     * @param threads at least 1, the calling one included
     * @param own makes what each thread has for itself
     */
    static <T> void forEach(int count, int threads, Supplier<T> own, Work<T> work) {
        AtomicInteger next = new AtomicInteger();
        Callable<Void> all = () -> {
            T mine = own.get();
            try {
                for (int piece = next.getAndIncrement(); piece < count; piece = next.getAndIncrement()) {
                    work.run(mine, piece);
                }
            } catch (RuntimeException | Error e) {
                next.set(count); // the others need not go on; far from an overflow, for each adds one at most
                throw e;
            }
            return null;
        };
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < Math.min(threads, Math.max(1, count)); i++) {
            FutureTask<Void> task = new FutureTask<>(all);
            tasks.add(task);
            if (i > 0) {
                Thread.ofPlatform().name("yangtuo-cache").daemon().start(task);
            }
        }
        tasks.getFirst().run();
        await(tasks);
    }

    private static void await(List<FutureTask<Void>> tasks) {
        Throwable failure = null;
        boolean interrupted = false;
        for (FutureTask<Void> task : tasks) {
            for (boolean done = false; !done;) {
                try {
                    task.get();
                    done = true;
                } catch (ExecutionException e) {
                    failure = e.getCause();
                    done = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        switch (failure) {
            case null -> { }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }
}
