package dev.yangtuo.recipe;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How instruction data is made. Immutable: each method returns a changed copy. */
public final class SelfInstructOptions {
    /** The one place in the template, where the examples and the beginning of the next task stand; at its end, that is. */
    public static final Set<String> PLACES = Set.of("tasks");

    private final RecipeLanguage language;
    private final PromptTemplate template;
    private final InstructionFilter filter;
    private final int count;
    private final int examples;
    private final double threshold;
    private final @Nullable Integer rounds;
    private final long seed;
    private final int inFlight;

    private SelfInstructOptions(RecipeLanguage language, PromptTemplate template, InstructionFilter filter, int count, int examples, double threshold,
            @Nullable Integer rounds, long seed, int inFlight) {
        this.language = language;
        this.template = template;
        this.filter = filter;
        this.count = count;
        this.examples = examples;
        this.threshold = threshold;
        this.rounds = rounds;
        this.seed = seed;
        this.inFlight = inFlight;
    }

    /**
     * 100 tasks, three seed tasks in each prompt as Stanford Alpaca has, similarity below 0.7 as Self-Instruct has, seed 0, eight prompts at a
     * time.
     */
    public static SelfInstructOptions of(RecipeLanguage language) {
        return new SelfInstructOptions(language, templateOf(language), InstructionFilter.of(language), 100, 3, 0.7, null, 0, 8);
    }

    /** The template that is used unless another is set. */
    public static PromptTemplate templateOf(RecipeLanguage language) {
        return PromptTemplate.builtIn("instruct", language, PLACES);
    }

    /** A template of one's own, with {@link #PLACES}. */
    public SelfInstructOptions template(PromptTemplate value) {
        return new SelfInstructOptions(language, value, filter, count, examples, threshold, rounds, seed, inFlight);
    }

    /** Which tasks are kept. */
    public SelfInstructOptions filter(InstructionFilter value) {
        return new SelfInstructOptions(language, template, value, count, examples, threshold, rounds, seed, inFlight);
    }

    /** Tasks that there are to be in the end, those that are there already included; at least 1. */
    public SelfInstructOptions count(int value) {
        require("count", value);
        return new SelfInstructOptions(language, template, filter, value, examples, threshold, rounds, seed, inFlight);
    }

    /** Seed tasks in each prompt, at least 1; fewer where they would not fit the context. */
    public SelfInstructOptions examples(int value) {
        require("examples", value);
        return new SelfInstructOptions(language, template, filter, count, value, threshold, rounds, seed, inFlight);
    }

    /** ROUGE-L from which on two instructions are the same; more than 0, at most 1. */
    public SelfInstructOptions threshold(double value) {
        if (!(value > 0 && value <= 1)) {
            throw new IllegalArgumentException("threshold is %s, must be more than 0 and at most 1".formatted(value));
        }
        return new SelfInstructOptions(language, template, filter, count, examples, value, rounds, seed, inFlight);
    }

    /** Prompts at most, those of earlier runs included, at least 1; four for each task that is wanted, and 20 at least, unless set. */
    public SelfInstructOptions rounds(int value) {
        require("rounds", value);
        return new SelfInstructOptions(language, template, filter, count, examples, threshold, value, seed, inFlight);
    }

    /** The same seed gives the same tasks. */
    public SelfInstructOptions seed(long value) {
        return new SelfInstructOptions(language, template, filter, count, examples, threshold, rounds, value, inFlight);
    }

    /** Prompts in the making at the same time, at least 1. Changes nothing but the time. */
    public SelfInstructOptions inFlight(int value) {
        require("inFlight", value);
        return new SelfInstructOptions(language, template, filter, count, examples, threshold, rounds, seed, value);
    }

    private static void require(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s is %d, must be at least 1".formatted(name, value));
        }
    }

    InstructionFormat format() {
        return new InstructionFormat(template, language);
    }

    InstructionFilter filter() {
        return filter;
    }

    int count() {
        return count;
    }

    int examples() {
        return examples;
    }

    double threshold() {
        return threshold;
    }

    int rounds() {
        return rounds == null ? (int) Math.min(Integer.MAX_VALUE, Math.max(20, 4L * count)) : rounds;
    }

    long seed() {
        return seed;
    }

    int inFlight() {
        return inFlight;
    }
}
