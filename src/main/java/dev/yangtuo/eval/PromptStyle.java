package dev.yangtuo.eval;

/** What stands around a task, for models that were trained to follow instructions. */
public enum PromptStyle {
    /** Nothing: the task as it is. For models that were not tuned to instructions. */
    PLAIN("plain"),
    /** Chinese-Alpaca's, with the line feeds that it was trained with. */
    ALPACA("alpaca"),
    /** Chinese-Alpaca-2's, with its system prompt. */
    ALPACA_2("alpaca-2");

    private static final String ALPACA_SYSTEM =
            "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n";
    private static final String ALPACA_2_SYSTEM = "You are a helpful assistant. 你是一个乐于助人的助手。";

    private final String label;

    PromptStyle(String label) {
        this.label = label;
    }

    /** Its name on the command line. */
    public String label() {
        return label;
    }

    /** The prompt of a task. */
    public String apply(String task) {
        return switch (this) {
            case PLAIN -> task;
            case ALPACA -> ALPACA_SYSTEM + "### Instruction:\n" + task + "\n\n### Response: ";
            case ALPACA_2 -> "[INST] <<SYS>>\n" + ALPACA_2_SYSTEM + "\n<</SYS>>\n\n" + task + " [/INST]";
        };
    }

    /**
     * The style of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static PromptStyle of(String name) {
        for (PromptStyle style : values()) {
            if (style.label.equalsIgnoreCase(name)) {
                return style;
            }
        }
        throw new IllegalArgumentException("'%s' is not a style of prompts; there are plain, alpaca, alpaca-2".formatted(name));
    }
}
