package dev.yangtuo;

import java.util.Objects;
import java.util.function.Consumer;

/** How perplexity is measured. Immutable: each method returns a changed copy. */
public final class PerplexityOptions {
    private static final int USUAL_CONTEXT = 256;
    /** The smallest in which both methods score a token. */
    private static final int SMALLEST_CONTEXT = 3;

    private static final PerplexityOptions DEFAULTS = new PerplexityOptions(PerplexityMethod.WINDOWS, 0, perplexity -> {});

    private final PerplexityMethod method;
    private final int context;
    private final Consumer<? super Perplexity> listener;

    private PerplexityOptions(PerplexityMethod method, int context, Consumer<? super Perplexity> listener) {
        this.method = method;
        this.context = context;
        this.listener = listener;
    }

    /** {@link PerplexityMethod#WINDOWS} with a context of 256 tokens, or the model's if that is shorter. */
    public static PerplexityOptions defaults() {
        return DEFAULTS;
    }

    /** Which tokens are scored. */
    public PerplexityOptions method(PerplexityMethod value) {
        return new PerplexityOptions(Objects.requireNonNull(value), context, listener);
    }

    /**
     * Tokens of a window, the beginning of sequence included.
     *
     * @throws IllegalArgumentException if it is less than 3
     */
    public PerplexityOptions context(int tokens) {
        if (tokens < SMALLEST_CONTEXT) {
            throw new IllegalArgumentException("context is %d, must be at least %d".formatted(tokens, SMALLEST_CONTEXT));
        }
        return new PerplexityOptions(method, tokens, listener);
    }

    /** Is told after each window what the windows so far amount to. What it throws ends the measurement. */
    public PerplexityOptions onProgress(Consumer<? super Perplexity> progress) {
        return new PerplexityOptions(method, context, Objects.requireNonNull(progress));
    }

    PerplexityMethod method() {
        return method;
    }

    Consumer<? super Perplexity> listener() {
        return listener;
    }

    /** @throws IllegalArgumentException if the model cannot take the context that was asked for, or none that is long enough */
    int contextFor(int contextOfModel) {
        if (contextOfModel < SMALLEST_CONTEXT) {
            throw new IllegalArgumentException("the model's context of %d is too short to measure in, at least %d tokens are needed; load the model with a larger context"
                    .formatted(contextOfModel, SMALLEST_CONTEXT));
        }
        if (context > contextOfModel) {
            throw new IllegalArgumentException("windows of %d tokens are longer than the model's context of %d; measure with a context of %d or less"
                    .formatted(context, contextOfModel, contextOfModel));
        }
        return context == 0 ? Math.min(USUAL_CONTEXT, contextOfModel) : context;
    }
}
