package dev.yangtuo.eval;

import java.util.Objects;

/** How pCLUE's tasks are given to a model. Immutable: each method returns a changed copy. */
public final class PclueOptions {
    private static final int MOST_IN_FLIGHT = 1024;

    private static final PclueOptions DEFAULTS = new PclueOptions();

    // Assigned only to a fresh copy before it is handed out.
    private AnswerMethod method = AnswerMethod.GENERATION;
    private boolean perToken;
    private PromptStyle style = PromptStyle.PLAIN;
    private int maxTokens = 64;
    private int inFlight = 32;

    private PclueOptions() {}

    private PclueOptions copy() {
        PclueOptions copy = new PclueOptions();
        copy.method = method;
        copy.perToken = perToken;
        copy.style = style;
        copy.maxTokens = maxTokens;
        copy.inFlight = inFlight;
        return copy;
    }

    /** By generation of at most 64 tokens, plain prompts. */
    public static PclueOptions defaults() {
        return DEFAULTS;
    }

    /** By generation unless set. By log-probability, tasks without choices are answered by generation all the same. */
    public PclueOptions method(AnswerMethod value) {
        PclueOptions copy = copy();
        copy.method = Objects.requireNonNull(value);
        return copy;
    }

    /** Whether log-probabilities of choices are divided by the numbers of their tokens before they are compared; false unless set. */
    public PclueOptions perToken(boolean value) {
        PclueOptions copy = copy();
        copy.perToken = value;
        return copy;
    }

    /** Plain unless set. */
    public PclueOptions style(PromptStyle value) {
        PclueOptions copy = copy();
        copy.style = Objects.requireNonNull(value);
        return copy;
    }

    /**
     * Tokens of a generated answer at most; 64 unless set.
     *
     * @param count at least 1
     */
    public PclueOptions maxTokens(int count) {
        PclueOptions copy = copy();
        copy.maxTokens = CevalOptions.within("maxTokens", count, 1, Integer.MAX_VALUE);
        return copy;
    }

    /**
     * Tasks that are being answered at the same time; 32 unless set. Changes no answer.
     *
     * @param count 1 to 1024
     */
    public PclueOptions inFlight(int count) {
        PclueOptions copy = copy();
        copy.inFlight = CevalOptions.within("inFlight", count, 1, MOST_IN_FLIGHT);
        return copy;
    }

    AnswerMethod method() {
        return method;
    }

    boolean perToken() {
        return perToken;
    }

    PromptStyle style() {
        return style;
    }

    int maxTokens() {
        return maxTokens;
    }

    int inFlight() {
        return inFlight;
    }
}
