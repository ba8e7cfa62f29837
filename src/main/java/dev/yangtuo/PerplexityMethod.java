package dev.yangtuo;

/** Which tokens of a text are scored, and what the model sees before each of them. Figures of different methods, or contexts, are not comparable. */
public enum PerplexityMethod {
    /**
     * Every token of the text: it is cut into consecutive windows of one token less than the context, the last one as long as what is left, and each
     * window follows a beginning-of-sequence token. Without such a token a window has as many tokens as the context, and its first is not scored.
     */
    WINDOWS("windows"),
    /**
     * What llama.cpp's {@code llama-perplexity} scores: the text without a line feed at its end, after a beginning-of-sequence token if the model
     * expects one, is cut into windows of as many tokens as the context; what is left over is not used. In each window the first token is replaced by
     * the beginning of sequence, and the tokens after the one in the middle are scored. The text must have two windows at least.
     */
    LLAMA_CPP("llama.cpp");

    private final String label;

    PerplexityMethod(String label) {
        this.label = label;
    }

    /** Its name on the command line. */
    public String label() {
        return label;
    }

    /**
     * The method of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static PerplexityMethod of(String name) {
        for (PerplexityMethod method : values()) {
            if (method.label.equalsIgnoreCase(name)) {
                return method;
            }
        }
        throw new IllegalArgumentException("'%s' is not a method of measuring perplexity; there are windows, llama.cpp".formatted(name));
    }
}
