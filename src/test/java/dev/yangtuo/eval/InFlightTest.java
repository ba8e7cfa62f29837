package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Many questions at the same time. */
class InFlightTest {
    @Test
    void asManyAreAskedAtOnceAsAreAllowed() {
        CountDownLatch together = new CountDownLatch(4);
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Integer> answers = new ArrayList<>();
        InFlight.ask(IntStream.range(0, 40).boxed().iterator(), 4, question -> {
            most.accumulateAndGet(asked.incrementAndGet(), Math::max);
            together.countDown();
            await(together); // returns only when four are asked together
            asked.decrementAndGet();
            return question * 2;
        }, answers::add);
        assertThat(answers).isEqualTo(IntStream.range(0, 40).mapToObj(i -> i * 2).toList());
        assertThat(most.get()).isEqualTo(4);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void noMoreQuestionsAreReadThanAreAsked() {
        AtomicInteger read = new AtomicInteger();
        List<Integer> ahead = new ArrayList<>();
        InFlight.ask(IntStream.range(0, 30).peek(i -> read.incrementAndGet()).boxed().iterator(), 3, question -> question, answer -> ahead.add(read.get() - answer));
        assertThat(ahead).hasSize(30).allSatisfy(questions -> assertThat(questions).isBetween(1, 4)); // an iterator of a stream reads one ahead
    }

    @Test
    void whatIsThrownEndsIt() {
        List<Integer> answers = new ArrayList<>();
        assertThatThrownBy(() -> InFlight.ask(List.of(1, 2, 0, 3).iterator(), 2, question -> 6 / question, answers::add)).isInstanceOf(ArithmeticException.class);
        assertThat(answers).containsExactly(6, 3);
        assertThatThrownBy(() -> InFlight.ask(List.of(1, 2).iterator(), 2, question -> question, answer -> {
            throw new IllegalArgumentException("full");
        })).isInstanceOf(IllegalArgumentException.class).hasMessage("full");
    }

    @Test
    void anInterruptEndsIt() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> InFlight.ask(List.of(1).iterator(), 1, question -> {
            await(new CountDownLatch(1));
            return question;
        }, answer -> {})).isInstanceOf(CancellationException.class);
        assertThat(Thread.interrupted()).isTrue();
    }
}
