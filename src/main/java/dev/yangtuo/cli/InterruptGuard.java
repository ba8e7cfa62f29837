package dev.yangtuo.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * While it is open, an interrupt (Ctrl-C) ends the work instead of the program, so that what was computed is still written; the program
 * then ends by itself. Five seconds later it ends in any case.
 */
final class InterruptGuard implements AutoCloseable {
    /** Of a command that was interrupted: 128 and the number of the signal, as shells and the JVM have it. */
    static final int EXIT_CODE = 130;

    private static final long PATIENCE_SECONDS = 5;

    private final CountDownLatch written = new CountDownLatch(1);
    private final Thread hook;

    /** @param cancel makes the work end soon */
    InterruptGuard(Runnable cancel) {
        hook = new Thread(() -> {
            cancel.run();
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
