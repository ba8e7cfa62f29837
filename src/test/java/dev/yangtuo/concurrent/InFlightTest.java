package dev.yangtuo.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many things at a time. */
@Timeout(60)
class InFlightTest {
    private static final Runnable NOTHING = () -> { };

    @Test
    void resultsComeInOrderAndNoMoreAreWorkedOnThanAllowed() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Integer> seen = new ArrayList<>();
        InFlight.run(IntStream.range(0, 200).iterator(), 7, (Integer i) -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Thread.yield();
            now.decrementAndGet();
            return 2 * i;
        }, NOTHING, result -> {
            seen.add(result);
            return true;
        });
        assertThat(seen).isEqualTo(IntStream.range(0, 200).map(i -> 2 * i).boxed().toList());
        assertThat(most.get()).isLessThanOrEqualTo(7);
    }

    @Test
    void workIsDoneAtTheSameTime() {
        CountDownLatch all = new CountDownLatch(4);
        InFlight.run(IntStream.range(0, 4).iterator(), 4, (Integer i) -> {
            all.countDown();
            await(all); // none ends before all have begun
            return i;
        }, NOTHING, _ -> true);
        assertThat(all.getCount()).isZero();
    }

    @Test
    void whoeverHasEnoughCancelsTheRestAndTakesNoMore() {
        CountDownLatch cancelled = new CountDownLatch(1);
        AtomicInteger taken = new AtomicInteger();
        Iterator<Integer> endless = IntStream.iterate(0, i -> i + 1).peek(_ -> taken.incrementAndGet()).iterator();
        InFlight.run(endless, 3, (Integer i) -> {
            if (i > 0) {
                await(cancelled);
            }
            return i;
        }, cancelled::countDown, _ -> false);
        assertThat(taken.get()).isEqualTo(3);
    }

    @Test
    void aFailureIsThrownAtItsTurn() {
        List<Integer> seen = new ArrayList<>();
        assertThatThrownBy(() -> InFlight.run(IntStream.range(0, 10).iterator(), 4, (Integer i) -> {
            if (i == 5) {
                throw new IllegalArgumentException("five");
            }
            return i;
        }, NOTHING, result -> seen.add(result))).isInstanceOf(IllegalArgumentException.class).hasMessage("five");
        assertThat(seen).containsExactly(0, 1, 2, 3, 4);
        assertThatThrownBy(() -> InFlight.run(List.of(1).iterator(), 0, i -> i, NOTHING, _ -> true)).hasMessageContaining("0 texts");
    }

    @Test
    void noMoreItemsAreTakenThanAreWorkedOn() {
        AtomicInteger taken = new AtomicInteger();
        List<Integer> ahead = new ArrayList<>();
        InFlight.run(IntStream.range(0, 30).peek(i -> taken.incrementAndGet()).boxed().iterator(), 3, item -> item, NOTHING, item -> ahead.add(taken.get() - item));
        assertThat(ahead).hasSize(30).allSatisfy(items -> assertThat(items).isBetween(1, 4)); // an iterator of a stream takes one ahead
    }

    @Test
    void whatTheReceiverThrowsEndsIt() {
        assertThatThrownBy(() -> InFlight.run(List.of(1, 2).iterator(), 2, item -> item, NOTHING, item -> {
            throw new IllegalArgumentException("full");
        })).isInstanceOf(IllegalArgumentException.class).hasMessage("full");
    }

    @Test
    void anInterruptEndsIt() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> InFlight.run(List.of(1, 2).iterator(), 2, item -> {
            await(new CountDownLatch(1));
            return item;
        }, NOTHING, item -> true)).isInstanceOf(CancellationException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
