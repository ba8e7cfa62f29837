package dev.yangtuo.eval;

import java.util.Objects;

/** How multiple-choice questions are asked. Immutable: each method returns a changed copy. */
public final class CevalOptions {
    private static final int MOST_SHOTS = 100;
    private static final int MOST_IN_FLIGHT = 1024;

    private static final CevalOptions DEFAULTS = new CevalOptions();

    // Assigned only to a fresh copy before it is handed out.
    private int shots = 5;
    private AnswerMethod method = AnswerMethod.LOG_PROBABILITY;
    private PromptStyle style = PromptStyle.PLAIN;
    private boolean cevalHeader;
    private int maxTokens = 20;
    private int inFlight = 32;
    private long seed;

    private CevalOptions() {}

    private CevalOptions copy() {
        CevalOptions copy = new CevalOptions();
        copy.shots = shots;
        copy.method = method;
        copy.style = style;
        copy.cevalHeader = cevalHeader;
        copy.maxTokens = maxTokens;
        copy.inFlight = inFlight;
        copy.seed = seed;
        return copy;
    }

    /** Five examples, by log-probability, plain prompts as those of Chinese-LLaMA-Alpaca. */
    public static CevalOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Examples with answers before each question; 5 unless set. A prompt that is longer than the context takes as many as fit.
     *
     * @param count 0 to 100
     */
    public CevalOptions shots(int count) {
        CevalOptions copy = copy();
        copy.shots = within("shots", count, 0, MOST_SHOTS);
        return copy;
    }

    /** By log-probability unless set. */
    public CevalOptions method(AnswerMethod value) {
        CevalOptions copy = copy();
        copy.method = Objects.requireNonNull(value);
        return copy;
    }

    /** Plain unless set. */
    public CevalOptions style(PromptStyle value) {
        CevalOptions copy = copy();
        copy.style = Objects.requireNonNull(value);
        return copy;
    }

    /**
     * Whether every prompt begins with C-Eval's own header, which has the Chinese name of the subject. Unless set, prompts are those of Chinese-LLaMA-Alpaca: a header only
     * where there are examples, with the subject's id.
     */
    public CevalOptions cevalHeader(boolean value) {
        CevalOptions copy = copy();
        copy.cevalHeader = value;
        return copy;
    }

    /**
     * Tokens of a generated answer at most; 20 unless set.
     *
     * @param count at least 1
     */
    public CevalOptions maxTokens(int count) {
        CevalOptions copy = copy();
        copy.maxTokens = within("maxTokens", count, 1, Integer.MAX_VALUE);
        return copy;
    }

    /**
     * Questions that are being answered at the same time; 32 unless set. Changes no answer.
     *
     * @param count 1 to 1024
     */
    public CevalOptions inFlight(int count) {
        CevalOptions copy = copy();
        copy.inFlight = within("inFlight", count, 1, MOST_IN_FLIGHT);
        return copy;
    }

    /** What decides where a generated text names no answer and one is guessed; 0 unless set. */
    public CevalOptions seed(long value) {
        CevalOptions copy = copy();
        copy.seed = value;
        return copy;
    }

    static int within(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("%s is %d, must be %d to %d".formatted(name, value, least, most));
        }
        return value;
    }

    int shots() {
        return shots;
    }

    AnswerMethod method() {
        return method;
    }

    PromptStyle style() {
        return style;
    }

    boolean cevalHeader() {
        return cevalHeader;
    }

    int maxTokens() {
        return maxTokens;
    }

    int inFlight() {
        return inFlight;
    }

    long seed() {
        return seed;
    }
}
