package dev.yangtuo.model;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Things to be closed together, the last first. In a try-with-resources around a construction of several steps it undoes the finished ones when
 * a later one fails, unless {@link #keep()} was reached.
 */
final class CloseStack implements AutoCloseable {
    private final Deque<AutoCloseable> stack = new ArrayDeque<>();

    <T extends AutoCloseable> T push(T resource) {
        stack.push(resource);
        return resource;
    }

    /** Closes nothing after all: the construction succeeded. */
    void keep() {
        stack.clear();
    }

    @Override
    public void close() {
        RuntimeException failure = null;
        while (!stack.isEmpty()) {
            try {
                stack.pop().close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
