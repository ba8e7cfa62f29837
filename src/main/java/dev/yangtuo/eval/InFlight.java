package dev.yangtuo.eval;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/** Many questions at the same time, so that the model computes them together; their answers in the order of the questions. */
final class InFlight {
    private InFlight() {}

    /**
     * Asks every question. No more of them are in memory than are being answered.
     *
     * @param questions read by the calling thread
     * @param width questions that are being answered at the same time, at least 1
     * @param answer called by threads of its own
     * @param answers told in the order of the questions, by the calling thread. What it throws, as what {@code answer} throws, ends the work
     * @throws CancellationException if the calling thread is interrupted
     */
    static <Q, A> void ask(Iterator<Q> questions, int width, Function<Q, A> answer, Consumer<A> answers) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Deque<Future<A>> asked = new ArrayDeque<>();
            try {
                while (questions.hasNext() || !asked.isEmpty()) {
                    if (questions.hasNext() && asked.size() < width) {
                        Q question = questions.next();
                        asked.add(threads.submit(() -> answer.apply(question)));
                    } else {
                        answers.accept(answerOf(asked.remove()));
                    }
                }
            } finally {
                asked.forEach(future -> future.cancel(true)); // of those that did not begin, none does
            }
        }
    }

    private static <A> A answerOf(Future<A> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            future.cancel(true);
            Thread.currentThread().interrupt();
            throw new CancellationException("the evaluation was interrupted");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }
}
