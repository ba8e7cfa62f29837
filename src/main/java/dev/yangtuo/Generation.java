package dev.yangtuo;

import dev.yangtuo.sampling.LogProbabilities;
import dev.yangtuo.sampling.Sampler;
import dev.yangtuo.scheduler.Drafter;
import dev.yangtuo.scheduler.EndCause;
import dev.yangtuo.scheduler.Scheduler;
import dev.yangtuo.scheduler.TaskStatistics;
import dev.yangtuo.scheduler.TextTask;
import dev.yangtuo.scheduler.TokenListener;
import dev.yangtuo.tokenizer.StreamingDecoder;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A text in the making. Nothing is computed before the text is first asked for; from then on it is computed together with the other texts of the model, by a thread of
 * the model's, whether somebody reads it or not. Iterated once, by one thread; {@link #cancel()} and {@link #close()} may be called by any.
 *
 * <p>A generation that was begun and is not read to its end is to be closed; one that is forgotten is cancelled when the garbage collector finds it.
 */
public final class Generation implements Iterable<String>, AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Llama llama; // keeps the model reachable
    private final Text text;
    private final Cleaner.Cleanable cleanable;
    private boolean iterated;

    /**
     * Everything that was decided before the first token.
     *
     * @param prompt ids, at least one
     * @param maxTokens tokens to generate at most
     * @param endIds ids that end the text
     * @param logProbabilities as {@link TextTask} has them
     * @param promptListener is told how far the prompt has come
     */
    record Request(int[] prompt, int maxTokens, int[] endIds, long seed, int priority, int logProbabilities, Consumer<? super PromptProgress> promptListener) {
        boolean isEnd(int id) {
            for (int end : endIds) {
                if (end == id) {
                    return true;
                }
            }
            return false;
        }
    }

    Generation(Llama llama, Scheduler scheduler, Request request, Sampler sampler, Drafter drafter, StreamingDecoder decoder, StopText stopText) {
        this.llama = llama;
        this.text = new Text(scheduler, request, sampler, drafter, decoder, stopText);
        this.cleanable = CLEANER.register(this, text::cancel);
    }

    /**
     * Begins, and has a future told of the end. The text has the future, and the future this, so that a text whose future nobody keeps comes to its end, too.
     */
    CompletableFuture<GenerationResult> begin() {
        CompletableFuture<GenerationResult> future = new CompletableFuture<>();
        future.whenComplete((result, failure) -> {
            if (failure != null) {
                cancel(); // harmless if it is the text that has failed
            }
        });
        text.begin(future);
        return future;
    }

    /** Begins texts, all at the same moment, so that what they have in common is computed once. */
    static void beginAll(List<Generation> generations, Scheduler scheduler) {
        Text.beginAll(generations.stream().map(generation -> generation.text).toList(), scheduler);
    }

    /** The text itself, which the scheduler knows; it does not know the {@link Generation}, so that one that is forgotten can be found. */
    private static final class Text implements TokenListener {
        private final Scheduler scheduler;
        private final Request request;
        private final StreamingDecoder decoder;
        private final StopText stopText;
        private @Nullable TextTask task;
        private Scheduler.@Nullable Handle handle;

        private final StringBuilder all = new StringBuilder();
        private final Deque<String> unread = new ArrayDeque<>();
        private int[] ids = new int[64];
        private int idCount;
        private final List<LogProbabilities> logProbabilities = new ArrayList<>();
        private int generatedTokens;
        private @Nullable FinishReason finishReason;
        private @Nullable TaskStatistics statistics;
        private @Nullable Throwable failure;
        private @Nullable CompletableFuture<GenerationResult> future;

        Text(Scheduler scheduler, Request request, Sampler sampler, Drafter drafter, StreamingDecoder decoder, StopText stopText) {
            this.scheduler = scheduler;
            this.request = request;
            this.decoder = decoder;
            this.stopText = stopText;
            this.task = new TextTask(request.prompt(), sampler, request.priority(), drafter, request.logProbabilities(), this);
        }

        synchronized void begin() {
            if (task != null && finishReason == null) {
                TextTask begun = task;
                task = null;
                try {
                    handle = scheduler.submit(begun);
                } catch (RuntimeException e) {
                    failure = e;
                    finish(FinishReason.CANCELLED, "");
                    complete();
                }
            }
        }

        /** Begins texts that nobody else knows yet, all at the same moment. */
        static void beginAll(List<Text> texts, Scheduler scheduler) {
            List<Scheduler.Handle> handles = scheduler.submit(texts.stream().map(text -> Objects.requireNonNull(text.task)).toList());
            for (int i = 0; i < handles.size(); i++) {
                Text text = texts.get(i);
                synchronized (text) {
                    text.task = null;
                    text.handle = handles.get(i);
                }
            }
        }

        /** @param result gets what comes of the text */
        synchronized void begin(CompletableFuture<GenerationResult> result) {
            future = result;
            begin();
        }

        /** Not on this thread, which all texts share: whatever waits for the future runs where it wants to. */
        private void complete() {
            if (future == null) {
                return;
            }
            Throwable problem = failure;
            if (problem == null) {
                GenerationResult result = toResult();
                future.completeAsync(() -> result);
            } else {
                CompletableFuture<GenerationResult> failed = future;
                failed.defaultExecutor().execute(() -> failed.completeExceptionally(problem));
            }
        }

        @Override
        public void promptProgressed(int tokensDone) {
            request.promptListener().accept(new PromptProgress(tokensDone, request.prompt().length));
        }

        @Override
        public synchronized boolean accept(int id) {
            if (finishReason != null) {
                return false;
            }
            generatedTokens++;
            if (request.isEnd(id)) {
                finish(FinishReason.END_OF_TEXT, "");
                return false;
            }
            addId(id);
            String piece = stopText.accept(decoder.accept(id));
            if (stopText.found()) {
                finish(FinishReason.STOP_TEXT, piece);
            } else if (generatedTokens == request.maxTokens()) {
                finish(FinishReason.MAX_TOKENS, piece);
            } else {
                add(piece);
            }
            return finishReason == null;
        }

        @Override
        public synchronized boolean accept(int id, LogProbabilities of) {
            int before = idCount;
            boolean goesOn = accept(id);
            if (idCount > before) {
                logProbabilities.add(of);
            }
            return goesOn;
        }

        @Override
        public synchronized void ended(EndCause cause, TaskStatistics taken, @Nullable Throwable problem) {
            statistics = taken;
            if (finishReason == null) {
                if (cause == EndCause.FAILED) {
                    failure = problem;
                }
                finish(cause == EndCause.CONTEXT_FULL ? FinishReason.CONTEXT_FULL : FinishReason.CANCELLED, "");
            }
            complete();
            notifyAll();
        }

        /** What was held back comes, and with it the end. */
        private void finish(FinishReason reason, String piece) {
            String rest = piece + stopText.accept(decoder.flush());
            finishReason = stopText.found() ? FinishReason.STOP_TEXT : reason;
            add(rest + stopText.finish());
        }

        private void add(String piece) {
            if (!piece.isEmpty()) {
                all.append(piece);
                unread.add(piece);
            }
            notifyAll();
        }

        private void addId(int id) {
            if (idCount == ids.length) {
                ids = Arrays.copyOf(ids, idCount * 2);
            }
            ids[idCount++] = id;
        }

        /** The next piece that is not empty, or null at the end. */
        @Nullable String nextPiece() {
            synchronized (this) {
                if (finishReason == null && unread.isEmpty()) {
                    scheduler.requireMayWait();
                }
                begin();
                Monitor.await(this, () -> finishReason != null || !unread.isEmpty());
                String piece = unread.poll();
                if (piece == null && failure != null) {
                    throw Failure.here(failure);
                }
                return piece;
            }
        }

        GenerationResult result() {
            synchronized (this) {
                if (finishReason == null) {
                    scheduler.requireMayWait();
                }
                begin();
                Monitor.await(this, () -> finishReason != null);
                if (failure != null) {
                    throw Failure.here(failure);
                }
                // They come right behind the last token, but for a text that was cancelled before it was computed.
                Monitor.await(this, () -> statistics != null || handle == null || finishReason == FinishReason.CANCELLED);
                return toResult();
            }
        }

        private GenerationResult toResult() {
            TaskStatistics taken = statistics == null ? new TaskStatistics(0, 0, 0, 0, 0, 0, 0) : statistics;
            return new GenerationResult(
                    all.toString(),
                    IntStream.of(Arrays.copyOf(ids, idCount)).boxed().toList(),
                    finishReason == null ? FinishReason.CANCELLED : finishReason,
                    request.prompt().length,
                    generatedTokens,
                    Duration.ofNanos(taken.queueNanos() + taken.promptNanos()),
                    Duration.ofNanos(taken.generationNanos()),
                    request.seed(),
                    Duration.ofNanos(taken.queueNanos()),
                    taken.reusedTokens(),
                    taken.drafted(),
                    taken.accepted(),
                    logProbabilities.stream().map(Text::toTokenLogProbabilities).toList());
        }

        private static TokenLogProbabilities toTokenLogProbabilities(LogProbabilities of) {
            return new TokenLogProbabilities(of.id(), of.logProbability(),
                    IntStream.range(0, of.best().length).mapToObj(i -> new TokenLogProbability(of.bestIds()[i], of.best()[i])).toList());
        }

        synchronized void cancel() {
            if (finishReason == null) {
                finish(FinishReason.CANCELLED, "");
            }
            if (handle != null) {
                handle.cancel();
            }
        }
    }

    /**
     * The text in pieces as they are computed; no piece is empty, and none ends within a character.
     *
     * @throws IllegalStateException if it was asked for before
     */
    @Override
    public Iterator<String> iterator() {
        if (iterated) {
            throw new IllegalStateException("a generation can be iterated once; result() gives the text again");
        }
        iterated = true;
        return new Iterator<>() {
            private @Nullable String next;

            @Override
            public boolean hasNext() {
                try {
                    if (next == null) {
                        next = text.nextPiece();
                    }
                    return next != null;
                } finally {
                    Reference.reachabilityFence(Generation.this); // else it counts as forgotten, and the text is cancelled while somebody waits for it
                }
            }

            @Override
            public String next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                String piece = next;
                next = null;
                return piece;
            }
        };
    }

    /** The pieces as a stream, to be closed if it is not read to its end. */
    public Stream<String> stream() {
        return StreamSupport.stream(spliterator(), false).onClose(this::close);
    }

    /**
     * Waits for the end of the text, and says what came of it.
     *
     * @throws IllegalStateException if the model was closed before the text was complete
     * @throws WrongThreadException in a listener or logits processor, whose thread computes all texts, if it would have to wait
     */
    public GenerationResult result() {
        try {
            return text.result();
        } finally {
            Reference.reachabilityFence(this); // as above
        }
    }

    /** Ends the text at once, also while it waits or its prompt is computed. What was computed so far stays. */
    public void cancel() {
        text.cancel();
    }

    /** Cancels, if the text is not complete. Closing twice is harmless. */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** The model that generates. */
    public Llama llama() {
        return llama;
    }
}
