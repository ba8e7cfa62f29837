package dev.yangtuo.jinja;

/** What one rendering may still do. */
final class Budget {
    /** Nodes that are evaluated, elements that are visited. Real templates take some hundreds for each message. */
    private static final long MAX_STEPS = 20_000_000;
    /** Elements of all lists and dictionaries that are made. */
    private static final long MAX_ELEMENTS = 2_000_000;
    /** Macros in macros. */
    private static final int MAX_DEPTH = 100;

    private long steps = MAX_STEPS;
    private long elements = MAX_ELEMENTS;
    private long chars;
    private int depth;

    /** @param chars that all texts together may have that are made or searched */
    Budget(long chars) {
        this.chars = chars;
    }

    void step() {
        if (--steps < 0) {
            throw new JinjaException("the template takes more than %,d steps; it may loop without end".formatted(MAX_STEPS));
        }
    }

    /** Before a list or a dictionary is made. */
    void spendElements(long count) {
        elements -= count;
        if (elements < 0) {
            throw new JinjaException("the template makes lists of more than %,d elements".formatted(MAX_ELEMENTS));
        }
    }

    /** Before a text is made, or searched. */
    void spendChars(long count) {
        chars -= count;
        if (chars < 0) {
            throw new JinjaException("the template makes or searches far more text than it was given");
        }
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new JinjaException("macros call each other more than %d levels deep".formatted(MAX_DEPTH));
        }
    }

    void leave() {
        depth--;
    }
}
