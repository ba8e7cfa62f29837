package dev.yangtuo.exception;

/** A prompt is longer than the context of the model. */
public class ContextLengthException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    private final int tokens;
    private final int context;

    /**
     * @param tokens tokens of the prompt
     * @param context tokens that the context takes
     */
    public ContextLengthException(int tokens, int context) {
        super("the prompt has %d tokens, the context takes %d; shorten the prompt, or load the model with a larger context".formatted(tokens, context));
        this.tokens = tokens;
        this.context = context;
    }

    /** Tokens of the prompt. */
    public int tokens() {
        return tokens;
    }

    /** Tokens that the context takes. */
    public int context() {
        return context;
    }
}
