package dev.yangtuo;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.PassOutputs;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.Sequence;
import dev.yangtuo.sampling.Sampler;
import dev.yangtuo.tokenizer.StreamingDecoder;
import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A text in the making. Nothing is computed before the text is asked for: each step of the iteration computes what it returns, on the thread
 * that asks. Iterated once, by one thread; {@link #cancel()} and {@link #close()} may be called by any.
 *
 * <p>A generation that was iterated to its end has given back its memory; one that was not is to be closed.
 */
public final class Generation implements Iterable<String>, AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Llama llama; // keeps the model reachable
    private final Model model;
    private final Request request;
    private final Sampler sampler;
    private final StreamingDecoder decoder;
    private final StopText stopText;
    private final NextToken nextToken = new NextToken();

    private final StringBuilder text = new StringBuilder();
    private int[] ids = new int[64];
    private int idCount;
    private int generatedTokens;
    private long startNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;
    private @Nullable Sequence sequence;
    private Cleaner.@Nullable Cleanable cleanable;
    private @Nullable FinishReason finishReason;
    private @Nullable RuntimeException failure;
    private boolean iterated;
    private volatile boolean cancelled;

    /**
     * Everything that was decided before the first token.
     *
     * @param prompt ids, at least one
     * @param maxTokens tokens to generate at most
     * @param endIds ids that end the text
     */
    record Request(int[] prompt, int maxTokens, int[] endIds, long seed) {
        boolean isEnd(int id) {
            for (int end : endIds) {
                if (end == id) {
                    return true;
                }
            }
            return false;
        }
    }

    Generation(Llama llama, Model model, Request request, Sampler sampler, StreamingDecoder decoder, StopText stopText) {
        this.llama = llama;
        this.model = model;
        this.request = request;
        this.sampler = sampler;
        this.decoder = decoder;
        this.stopText = stopText;
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
                if (next == null) {
                    next = nextPiece();
                }
                return next != null;
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
     * Computes what is left of the text, and says what came of it.
     *
     * @throws IllegalStateException if the model was closed before the text was complete, or as many sequences are open as it was loaded for
     */
    public GenerationResult result() {
        while (nextPiece() != null) {
            // The pieces are collected in the text.
        }
        synchronized (this) {
            FinishReason reason = finishReason == null ? FinishReason.CANCELLED : finishReason;
            return new GenerationResult(
                    text.toString(),
                    IntStream.of(Arrays.copyOf(ids, idCount)).boxed().toList(),
                    reason,
                    request.prompt().length,
                    generatedTokens,
                    Duration.ofNanos(generatedTokens == 0 ? 0 : firstTokenNanos - startNanos),
                    Duration.ofNanos(lastTokenNanos - firstTokenNanos),
                    request.seed());
        }
    }

    /** Ends the text at the next step, at the latest after the forward pass that is running. What was computed so far stays. */
    public void cancel() {
        cancelled = true;
    }

    /** Cancels, if the text is not complete, and gives back its memory. Closing twice is harmless. */
    @Override
    public void close() {
        cancelled = true;
        synchronized (this) {
            release();
        }
    }

    /** The next piece that is not empty, or null at the end. */
    private synchronized @Nullable String nextPiece() {
        if (failure != null) {
            throw failure;
        }
        try {
            while (finishReason == null) {
                String piece = step();
                if (!piece.isEmpty()) {
                    text.append(piece);
                    return piece;
                }
            }
        } catch (RuntimeException e) {
            failure = e;
            release();
            throw e;
        }
        return null;
    }

    /** The token that follows, chosen within the pass, where the device has the logits. */
    private final class NextToken implements PassOutputs {
        private int id;
        /** All logits, for options that need them. */
        private float @Nullable [] logits;

        @Override
        public int candidateCount() {
            return sampler.candidateCount();
        }

        @Override
        public int choices() {
            return sampler.choices();
        }

        @Override
        public void addEdits(Candidates wanted, int outputs) {
            sampler.addEdits(wanted);
        }

        @Override
        public void accept(PassLogits result) {
            if (candidateCount() > 0) {
                id = sampler.sample(result.candidates(), 0);
                return;
            }
            if (logits == null) {
                logits = new float[model.config().vocabSize()];
            }
            result.read(0, logits);
            id = sampler.sample(logits);
        }
    }

    /** Computes one token. */
    private String step() {
        if (!cancelled) {
            compute();
        }
        if (cancelled) {
            return finish(FinishReason.CANCELLED, "");
        }
        int id = nextToken.id;
        countToken();
        if (request.isEnd(id)) {
            return finish(FinishReason.END_OF_TEXT, "");
        }
        addId(id);
        sampler.accept(id);
        String piece = stopText.accept(decoder.accept(id));
        if (stopText.found()) {
            return finish(FinishReason.STOP_TEXT, piece);
        }
        if (generatedTokens == request.maxTokens()) {
            return finish(FinishReason.MAX_TOKENS, piece);
        }
        return openSequence().remaining() == 0 ? finish(FinishReason.CONTEXT_FULL, piece) : piece;
    }

    /** The forward pass of the token before, or, at the start, of the prompt. */
    private void compute() {
        if (idCount > 0) {
            model.forward(List.of(PassPart.withLastOutput(openSequence(), ids, idCount - 1, 1)), nextToken);
            return;
        }
        startNanos = System.nanoTime();
        int[] prompt = request.prompt();
        for (int id : prompt) {
            sampler.accept(id);
        }
        openSequence().ropeLength(prompt.length);
        int before = (prompt.length - 1) / model.maxColumns() * model.maxColumns();
        model.prefill(openSequence(), Arrays.copyOf(prompt, before), model.maxColumns(), null, () -> !cancelled);
        if (!cancelled) {
            model.forward(List.of(PassPart.withLastOutput(openSequence(), prompt, before, prompt.length - before)), nextToken);
        }
    }

    private String finish(FinishReason reason, String piece) {
        finishReason = reason;
        String rest = piece + stopText.accept(decoder.flush());
        if (stopText.found()) {
            finishReason = FinishReason.STOP_TEXT;
        }
        release();
        return rest + stopText.finish();
    }

    private Sequence openSequence() {
        Sequence open = sequence;
        if (open == null) {
            open = model.newSequence();
            sequence = open;
            cleanable = CLEANER.register(this, open::close);
        }
        return open;
    }

    private void release() {
        if (finishReason == null) {
            finishReason = FinishReason.CANCELLED;
        }
        if (cleanable != null) {
            cleanable.clean();
            cleanable = null;
            sequence = null;
        }
    }

    private void countToken() {
        generatedTokens++;
        lastTokenNanos = System.nanoTime();
        if (generatedTokens == 1) {
            firstTokenNanos = lastTokenNanos;
        }
    }

    private void addId(int id) {
        if (idCount == ids.length) {
            ids = Arrays.copyOf(ids, idCount * 2);
        }
        ids[idCount++] = id;
    }

    /** The model that generates. */
    public Llama llama() {
        return llama;
    }
}
