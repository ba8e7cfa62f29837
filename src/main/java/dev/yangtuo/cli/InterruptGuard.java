package dev.yangtuo.cli;

import dev.yangtuo.Generation;

/**
 * While it is open, an interrupt (Ctrl-C) ends the generation instead of the program, so that what was computed is still written; the program
 * then ends by itself. A second later it ends in any case.
 */
final class InterruptGuard implements AutoCloseable {
    private static final long PATIENCE_MILLIS = 5_000;

    private final Thread hook;

    InterruptGuard(Generation generation) {
        Thread writer = Thread.currentThread();
        hook = new Thread(() -> {
            generation.cancel();
            try {
                writer.join(PATIENCE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is already ending: the hook waits for the writer, which is about to finish.
        }
    }
}
