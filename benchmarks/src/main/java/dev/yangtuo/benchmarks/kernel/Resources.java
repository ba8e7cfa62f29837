package dev.yangtuo.benchmarks.kernel;

import java.util.ArrayDeque;
import java.util.Deque;

/** What a benchmark has to close, the last first. Not thread-safe. */
final class Resources implements AutoCloseable {
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();

    <T extends AutoCloseable> T own(T resource) {
        owned.push(resource);
        return resource;
    }

    /** Closing twice is harmless. */
    @Override
    public void close() {
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
