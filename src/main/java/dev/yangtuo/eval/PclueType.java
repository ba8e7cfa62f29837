package dev.yangtuo.eval;

import dev.yangtuo.checkpoint.Quoted;

/** What pCLUE sorts its tasks into. */
public enum PclueType {
    /** Classification, and which word a pronoun stands for: {@code classify}, {@code anaphora_resolution}. Scored by accuracy. */
    CLASSIFY,
    /** Whether a sentence follows from another: {@code nli}. Scored by accuracy. */
    NLI,
    /** Text comprehension: {@code mrc}. Scored by exact match and F1. */
    MRC,
    /** Text that is written freely: {@code generate}. Scored by ROUGE-L. */
    GENERATE;

    /**
     * The type of this name in a file.
     *
     * @throws IllegalArgumentException if there is none
     */
    static PclueType of(String name) {
        return switch (name) {
            case "classify", "anaphora_resolution" -> CLASSIFY;
            case "nli" -> NLI;
            case "mrc" -> MRC;
            case "generate" -> GENERATE;
            default -> throw new IllegalArgumentException(
                    "%s is not a type of task; there are classify, anaphora_resolution, nli, mrc, generate".formatted(Quoted.text(name)));
        };
    }
}
