package dev.yangtuo.cli;

import dev.yangtuo.Generation;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * While it is open, an interrupt (Ctrl-C) ends the generation instead of the program, so that what was computed is still written; the program
 * then ends by itself. Five seconds later it ends in any case.
 */
final class InterruptGuard implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 5;

    private final CountDownLatch written = new CountDownLatch(1);
    private final Thread hook;

    InterruptGuard(Generation generation) {
        hook = new Thread(() -> {
            generation.cancel();
            try {
                // Not the writing thread itself: it goes on to System.exit, which does not return while hooks run.
                written.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        written.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is already ending, and the hook has just been told that all is written.
        }
    }
}
