package dev.yangtuo.batch;

import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.exception.ChatTemplateException;
import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Requests on their way through the model. A thread of its own reads them and hands them to the scheduler, which finds their common beginnings; a virtual thread waits for
 * each text; whoever asks for results takes them from a queue. All is bounded: how many texts are in flight, and how many requests are read and not handed out.
 *
 * <p>{@link #next}, {@link #isReady} and {@link #close} are one thread's; {@link #cancel} may be called by any.
 */
final class BatchRun implements AutoCloseable {
    /** Requests that are read and not handed out at most, for each that may be in flight. */
    private static final int WINDOW = 4;
    private static final long CLOSE_MILLIS = 1000;

    private final Llama llama;
    private final Settings settings;
    private final RequestReader reader;
    private final LongPredicate done;

    private final Semaphore inFlight;
    private final Semaphore window;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Set<Generation> generations = ConcurrentHashMap.newKeySet();
    private final Thread readerThread;
    private final Runnable cancel = this::cancel;
    private volatile boolean cancelled;
    private volatile long skippedBytes;

    // Of the thread that takes results.
    private final Map<Long, Ready> early = new HashMap<>();
    private long nextSequence;
    private @Nullable Ready head;
    private @Nullable Throwable broken;
    private long begun = Long.MAX_VALUE;
    private long handedOut;

    /**
     * What all requests have in common.
     *
     * @param seed of which those of requests are made
     * @param chatTemplate null for the model's own
     * @param inFlight texts that the model knows at the same time
     * @param keepsPrompts whether results are to have them
     * @param cancellation ends the run
     */
    record Settings(
            GenerateOptions defaults,
            long seed,
            @Nullable ChatTemplate chatTemplate,
            BatchOrder order,
            int inFlight,
            boolean keepsPrompts,
            BatchCancellation cancellation) {}

    /** What comes through the queue. */
    private sealed interface Event {}

    /** @param sequence of the requests of this run, from 0 */
    private record Ready(long sequence, Finished finished) implements Event {}

    /** @param requests that were begun in all */
    private record End(long requests) implements Event {}

    /** A failure that is not of a request. */
    private record Broken(Throwable cause) implements Event {}

    /**
     * Begins.
     *
     * @param reader is closed with this
     * @param done places of records, from 1, that are to be passed over
     */
    BatchRun(Llama llama, Settings settings, RequestReader reader, LongPredicate done) {
        this.llama = llama;
        this.settings = settings;
        this.reader = reader;
        this.done = done;
        this.inFlight = new Semaphore(settings.inFlight());
        this.window = new Semaphore(WINDOW * settings.inFlight());
        this.readerThread = Thread.ofPlatform().name("yangtuo-batch-reader").daemon().start(this::read);
        settings.cancellation().add(cancel);
    }

    private void read() {
        long begins = 0;
        try {
            long place = 0;
            for (InputRecord record = reader.next(); record != null && !cancelled; record = reader.next()) {
                place++;
                if (done.test(place)) {
                    skippedBytes += record.bytes();
                    continue;
                }
                window.acquire();
                begin(begins++, place, record);
            }
            events.add(new End(begins));
        } catch (InterruptedException e) {
            events.add(new End(begins)); // by cancel or close: nobody else knows this thread
        } catch (IOException | RuntimeException | Error e) {
            events.add(cancelled ? new End(begins) : new Broken(e));
        }
    }

    private void begin(long sequence, long place, InputRecord record) throws InterruptedException {
        InputRecord.Problem problem = record.problem();
        if (problem != null) {
            finish(sequence, place, record, null, new BatchResult.Failed(record.number(), record.id().text(), problem.error(), problem.message()));
            return;
        }
        BatchRequest request = Objects.requireNonNull(record.request());
        inFlight.acquire();
        Generation generation;
        try {
            generation = open(request);
        } catch (RuntimeException e) {
            inFlight.release();
            finish(sequence, place, record, null, failed(record, e));
            return;
        }
        generations.add(generation);
        InputRecord rest = record.withoutRequest();
        String prompt = settings.keepsPrompts() && request.prompt() instanceof BatchPrompt.Text text ? text.text() : null;
        Thread.ofVirtual().start(() -> await(sequence, place, rest, prompt, generation));
        if (cancelled) {
            generation.cancel(); // it may have come behind those that were cancelled
        }
    }

    private Generation open(BatchRequest request) {
        GenerateOptions options = request.options().apply(settings.defaults().seed(Digests.seed(settings.seed(), request.id())));
        return switch (request.prompt()) {
            case BatchPrompt.Text text -> llama.generate(text.text(), options);
            case BatchPrompt.Tokens tokens -> llama.generate(tokens.ids().stream().mapToInt(Integer::intValue).toArray(), options);
            case BatchPrompt.Chat chat -> llama.chat(chatTemplate(), chat.messages(), options);
        };
    }

    /** @throws YangtuoException if the model's cannot be read; that is not the fault of the request, as what a template refuses is */
    private ChatTemplate chatTemplate() {
        ChatTemplate given = settings.chatTemplate();
        try {
            return given == null ? llama.chatTemplate() : given;
        } catch (ChatTemplateException e) {
            throw new YangtuoException(String.valueOf(e.getMessage()), e);
        }
    }

    private void await(long sequence, long place, InputRecord record, @Nullable String prompt, Generation generation) {
        try (generation) {
            GenerationResult result = generation.result();
            if (result.finishReason() != FinishReason.CANCELLED) {
                finish(sequence, place, record, prompt, new BatchResult.Generated(record.number(), record.id().text(), result));
            }
        } catch (RuntimeException e) {
            try {
                finish(sequence, place, record, null, failed(record, e));
            } catch (RuntimeException failure) {
                events.add(new Broken(failure));
            }
        } catch (Error e) {
            events.add(new Broken(e));
        } finally {
            generations.remove(generation);
            inFlight.release();
        }
    }

    private void finish(long sequence, long place, InputRecord record, @Nullable String prompt, BatchResult result) {
        events.add(new Ready(sequence, new Finished(place, record.withoutRequest(), prompt, result)));
    }

    /**
     * The result of a request that cannot be generated; what is wrong with the model, not with the request, is thrown on.
     */
    private static BatchResult failed(InputRecord record, RuntimeException e) {
        BatchError error = switch (e) {
            case ContextLengthException _ -> BatchError.PROMPT_TOO_LONG;
            case ChatTemplateException _ -> BatchError.INVALID_REQUEST;
            case KernelException _ -> throw e;
            case IllegalArgumentException _ -> BatchError.INVALID_REQUEST;
            case YangtuoException _ -> BatchError.FAILED;
            default -> throw e;
        };
        return new BatchResult.Failed(record.number(), record.id().text(), error, "%s: %s".formatted(record.where(), e.getMessage()));
    }

    /**
     * The next result, or null at the end, or where it was cancelled and no more is complete.
     *
     * @param idle is called about once a second while there is none
     * @throws YangtuoException if the input cannot be read, or the model fails
     */
    @Nullable Finished next(Runnable idle) {
        try {
            while (head == null && handedOut < begun) {
                if (broken != null) {
                    throw thrown(broken);
                }
                Event event = cancelled ? events.poll() : events.poll(1, TimeUnit.SECONDS);
                if (event != null) {
                    accept(event);
                } else if (cancelled) {
                    return null;
                } else {
                    idle.run();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            cancel();
            return null;
        }
        return takeHead();
    }

    private @Nullable Finished takeHead() {
        Ready ready = head;
        if (ready == null) {
            return null;
        }
        head = null;
        handedOut++;
        window.release();
        if (settings.order() == BatchOrder.INPUT) {
            nextSequence++;
            head = early.remove(nextSequence);
        }
        return ready.finished();
    }

    private void accept(Event event) {
        switch (event) {
            case End end -> begun = end.requests();
            case Broken failure -> broken = failure.cause();
            case Ready ready -> {
                if (settings.order() == BatchOrder.COMPLETION || ready.sequence() == nextSequence) {
                    head = ready;
                } else {
                    early.put(ready.sequence(), ready);
                }
            }
        }
    }

    private static RuntimeException thrown(Throwable cause) {
        return switch (cause) {
            case YangtuoException e -> e;
            case IllegalStateException e -> new IllegalStateException(e.getMessage(), e);
            case IOException e -> new UncheckedIOException("the input cannot be read: " + e.getMessage(), e);
            case Error e -> throw e;
            default -> new IllegalStateException("the batch failed: " + cause, cause);
        };
    }

    /** Whether {@link #next} has a result without waiting. */
    boolean isReady() {
        for (Event event = head == null ? events.poll() : null; event != null; event = head == null ? events.poll() : null) {
            accept(event);
        }
        return head != null;
    }

    /** Bytes of the input that belong to records that were passed over so far. */
    long skippedBytes() {
        return skippedBytes;
    }

    /** Whether it was cancelled before all was handed out. */
    boolean isCancelled() {
        return cancelled;
    }

    /** Gives up what is in flight. What is complete can still be taken. */
    void cancel() {
        cancelled = true;
        readerThread.interrupt();
        generations.forEach(Generation::cancel);
    }

    @Override
    public void close() {
        settings.cancellation().remove(cancel);
        cancel();
        boolean interrupted = Thread.interrupted();
        try {
            readerThread.join(CLOSE_MILLIS); // one that waits for a pipe ends with the program
            if (!readerThread.isAlive()) {
                reader.close();
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } catch (IOException e) {
            System.getLogger(BatchRun.class.getName()).log(System.Logger.Level.WARNING, "the input could not be closed: {0}", e.getMessage());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
