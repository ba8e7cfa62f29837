package dev.yangtuo.eval;

/** How a model is asked for an answer. */
public enum AnswerMethod {
    /** The most probable of the answers that there are. */
    LOG_PROBABILITY("log-probability"),
    /** What the model writes, greedily. */
    GENERATION("generation");

    private final String label;

    AnswerMethod(String label) {
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
    public static AnswerMethod of(String name) {
        for (AnswerMethod method : values()) {
            if (method.label.equalsIgnoreCase(name)) {
                return method;
            }
        }
        throw new IllegalArgumentException("'%s' is not a method of answering; there are log-probability, generation".formatted(name));
    }
}
