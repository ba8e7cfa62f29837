package dev.yangtuo.exception;

/** A prompt, or another text, is longer than the context of the model. */
public class ContextLengthException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    private final int tokens;
    private final int context;

    /**
     * @param tokens tokens of the prompt
     * @param context tokens that the context takes
     */
    public ContextLengthException(int tokens, int context) {
        this("the prompt", tokens, context);
    }

    /**
     * @param text what is too long: "the prompt"
     * @param tokens tokens of it
     * @param context tokens that the context takes
     */
    public ContextLengthException(String text, int tokens, int context) {
        super("%1$s has %2$d tokens, the context takes %3$d; shorten %1$s, or load the model with a larger context".formatted(text, tokens, context));
        this.tokens = tokens;
        this.context = context;
    }

    /** Tokens of the text. */
    public int tokens() {
        return tokens;
    }

    /** Tokens that the context takes. */
    public int context() {
        return context;
    }
}
