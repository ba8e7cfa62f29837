package dev.yangtuo.batch;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads a little ahead in a thread of its own, and does not wait for ever: libraries that read damaged files may go in circles. The thread of one that does is left to itself;
 * it keeps no program alive.
 */
final class WatchedReader implements RequestReader {
    private static final int RECORDS_AHEAD = 64;
    private static final long CLOSE_MILLIS = 1000;

    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(RECORDS_AHEAD);
    private final String name;
    private final Duration patience;
    private final Thread thread;
    private boolean ended;

    /** What opens the reader. */
    interface Opener {
        RequestReader open() throws IOException;
    }

    /** What comes from the thread. */
    private sealed interface Event {}

    /** It is open. */
    private record Opened() implements Event {}

    private record Read(InputRecord record) implements Event {}

    /** @param failure null if the end was reached */
    private record End(@Nullable Throwable failure) implements Event {}

    private WatchedReader(Opener opener, String name, Duration patience) {
        this.name = name;
        this.patience = patience;
        this.thread = Thread.ofPlatform().name("yangtuo-batch-watched").daemon().start(() -> read(opener));
    }

    /**
     * Opens a reader.
     *
     * @param name what messages call the input
     * @param patience how long one step may take
     * @throws YangtuoException if it took longer, beside what opening throws
     */
    static WatchedReader open(Opener opener, String name, Duration patience) throws IOException {
        WatchedReader reader = new WatchedReader(opener, name, patience);
        if (reader.take() instanceof End end) {
            throw reader.failure(end);
        }
        return reader;
    }

    private void read(Opener opener) {
        try {
            try (RequestReader reader = opener.open()) {
                events.put(new Opened());
                for (InputRecord record = reader.next(); record != null; record = reader.next()) {
                    events.put(new Read(record));
                }
                events.put(new End(null));
            } catch (IOException | RuntimeException | Error e) {
                events.put(new End(e));
            }
        } catch (InterruptedException e) {
            // Closed: nobody reads on.
        }
    }

    private Event take() throws IOException {
        try {
            Event event = events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (event == null) {
                ended = true;
                throw new YangtuoException("%s: cannot be read: nothing has come of it for %d s; it is damaged, or its disk does not answer".formatted(name, patience.toSeconds()));
            }
            return event;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(name + ": the reading was interrupted");
        }
    }

    private RuntimeException failure(End end) throws IOException {
        return switch (end.failure()) {
            case IOException e -> throw e;
            case RuntimeException e -> e;
            case Error e -> throw e;
            case null, default -> new IllegalStateException("the reader ended before it was open", end.failure());
        };
    }

    @Override
    public @Nullable InputRecord next() throws IOException {
        if (ended) {
            return null;
        }
        return switch (take()) {
            case Read read -> read.record();
            case Opened _ -> next();
            case End end -> {
                ended = true;
                if (end.failure() != null) {
                    throw failure(end);
                }
                yield null;
            }
        };
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
