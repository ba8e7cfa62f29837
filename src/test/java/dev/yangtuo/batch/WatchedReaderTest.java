package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Readers that do not come to an end. */
@Timeout(60)
class WatchedReaderTest {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Duration SHORT = Duration.ofMillis(20);

    /** Requests 1 to {@code count}; then the end, or what happens there. */
    private static RequestReader counting(int count, Runnable then, CountDownLatch closed) {
        return new RequestReader() {
            private int number;

            @Override
            public @Nullable InputRecord next() {
                if (number == count) {
                    then.run();
                    return null;
                }
                number++;
                return new InputRecord(number, "row " + number, RecordId.ofLine(number), 0, InputRecord.Reply.COMPLETION, null, null);
            }

            @Override
            public void close() {
                closed.countDown();
            }
        };
    }

    private static void forEver() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void givesAllAndEnds() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        try (WatchedReader reader = WatchedReader.open(() -> counting(300, () -> {}, closed), "x", LONG)) {
            for (int i = 1; i <= 300; i++) {
                assertThat(reader.next()).isNotNull().satisfies(record -> assertThat(record.number()).isPositive());
            }
            assertThat(reader.next()).isNull();
            assertThat(reader.next()).isNull();
        }
        closed.await();
    }

    @Test
    void whatNeverComesIsNotWaitedFor() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        try (WatchedReader reader = WatchedReader.open(() -> counting(1, WatchedReaderTest::forEver, closed), "x.parquet", SHORT.multipliedBy(100))) {
            assertThat(reader.next()).isNotNull();
            assertThatThrownBy(reader::next).isInstanceOf(YangtuoException.class).hasMessageContaining("x.parquet: cannot be read: nothing has come of it for 2 s");
        }
        closed.await();
        assertThatThrownBy(() -> WatchedReader.open(() -> {
            forEver();
            return counting(1, () -> {}, closed);
        }, "x.parquet", SHORT)).isInstanceOf(YangtuoException.class).hasMessageContaining("x.parquet: cannot be read");
    }

    @Test
    void failuresAreThrownWhereTheyAreMet() throws Exception {
        assertThatThrownBy(() -> WatchedReader.open(() -> {
            throw new IOException("no");
        }, "x", LONG)).isInstanceOf(IOException.class).hasMessage("no");
        CountDownLatch closed = new CountDownLatch(1);
        try (WatchedReader reader = WatchedReader.open(() -> counting(1, () -> {
            throw new YangtuoException("row 2");
        }, closed), "x", LONG)) {
            assertThat(reader.next()).isNotNull();
            assertThatThrownBy(reader::next).isInstanceOf(YangtuoException.class).hasMessage("row 2");
        }
        closed.await();
    }

    @Test
    void closingDoesNotWaitForTheRest() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        try (WatchedReader reader = WatchedReader.open(() -> counting(1_000_000, () -> {}, closed), "x", LONG)) {
            assertThat(reader.next()).isNotNull();
        }
        closed.await();
    }
}
