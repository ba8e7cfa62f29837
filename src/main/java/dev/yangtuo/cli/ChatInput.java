package dev.yangtuo.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where the lines of a chat come from. */
interface ChatInput extends AutoCloseable {
    /**
     * The next line, or null at the end.
     *
     * @param goesOn whether it continues a message
     * @throws Interrupted if somebody interrupts while it is waited for, and the program shall go on
     */
    @Nullable String next(boolean goesOn) throws IOException, Interrupted;

    /** Whether a person types them. */
    boolean isInteractive();

    /**
     * Lets an interrupt end an answer.
     *
     * @param cancel ends it
     * @return what is closed when the answer is complete
     */
    Guard interrupting(Runnable cancel);

    @Override
    void close() throws IOException;

    /** Lets an interrupt end an answer until it is closed. */
    @FunctionalInterface
    interface Guard extends AutoCloseable {
        @Override
        void close();
    }

    /** An interrupt (Ctrl-C) at the prompt. */
    final class Interrupted extends Exception {
        private static final long serialVersionUID = 1L;
    }
}
