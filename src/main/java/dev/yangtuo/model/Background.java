package dev.yangtuo.model;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Something that a thread of its own makes while others go on. */
final class Background<T> {
    private final FutureTask<T> task;

    private Background(Supplier<T> maker) {
        task = new FutureTask<>(maker::get);
    }

    /** Begins to make it. */
    static <T> Background<T> start(String threadName, Supplier<T> maker) {
        Background<T> background = new Background<>(maker);
        Thread.ofPlatform().name(threadName).daemon().start(background.task);
        return background;
    }

    /** Waits for it, also when interrupted, for its maker uses what the caller may close afterwards. Throws what making it threw. */
    T join() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    switch (e.getCause()) {
                        case RuntimeException failure -> throw failure;
                        case Error failure -> throw failure;
                        default -> throw new IllegalStateException(e.getCause());
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits for it and closes it; if making it failed, there is nothing to do. */
    void discard(Consumer<? super T> close) {
        T made;
        try {
            made = join();
        } catch (RuntimeException e) {
            return; // whoever wanted it has been told, or has another reason to give up
        }
        close.accept(made);
    }
}
