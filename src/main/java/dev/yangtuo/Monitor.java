package dev.yangtuo;

import java.util.function.BooleanSupplier;

/** Waiting that an interrupt does not end: texts are ended by cancelling them. */
final class Monitor {
    private Monitor() {}

    /**
     * Waits until something is so. An interrupt of the thread is kept for later.
     *
     * @param monitor held by the thread; whoever changes what is waited for notifies all that wait on it
     * @param reached asked with the monitor held
     */
    static void await(Object monitor, BooleanSupplier reached) {
        boolean interrupted = false;
        while (!reached.getAsBoolean()) {
            try {
                monitor.wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
