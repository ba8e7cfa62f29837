package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;

/** What a grammar may ask for. Each bound is far above what people write, and keeps hostile ones from taking the machine. */
final class Limits {
    /** Characters of a grammar, a schema or an expression. */
    static final int MAX_SOURCE = 1 << 20;

    /** Groups within groups, schemas within schemas. */
    static final int MAX_DEPTH = 100;

    static final int MAX_RULES = 20_000;

    /** Times that something may be repeated where it is counted. */
    static final int MAX_REPETITIONS = 1_000_000;

    /** Nodes of the network that a grammar becomes; about one for each character of its literals and some for each class. */
    static final int MAX_NODES = 500_000;

    /** Places in the grammar where a text may be at the same time. */
    static final int MAX_CONFIGURATIONS = 50_000;

    /** Places that are looked at for one step of a text, or for all tokens that may come next. */
    static final long MAX_STEPS = 3_000_000;

    /** States of one grammar and vocabulary that are remembered; about 300 bytes each, and more where the grammar is ambiguous. */
    static final int MAX_STATES = 20_000;

    /** Frames of stacks that are remembered; about 100 bytes each. */
    static final int MAX_FRAMES = 200_000;

    /** Places of all remembered states together. */
    static final int MAX_REMEMBERED_CONFIGURATIONS = 2_000_000;

    /** Memory for sets of tokens of one grammar and vocabulary. */
    static final long MAX_MASK_BYTES = 32L << 20;

    private Limits() {}

    static String checkSource(String name, String text) {
        if (text.length() > MAX_SOURCE) {
            throw new GrammarException("%s has %,d characters, more than the %,d that are supported".formatted(name, text.length(), MAX_SOURCE));
        }
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw new GrammarException("%s holds half a surrogate pair, which is no character".formatted(name));
        }
        return text;
    }

    static void checkDepth(String name, int depth) {
        if (depth > MAX_DEPTH) {
            throw new GrammarException("%s is nested more than %d deep; name its parts as rules".formatted(name, MAX_DEPTH));
        }
    }

    static void checkRules(int rules) {
        if (rules > MAX_RULES) {
            throw new GrammarException("the grammar has more than the %,d rules that are supported".formatted(MAX_RULES));
        }
    }

    static void checkNodes(int nodes) {
        if (nodes > MAX_NODES) {
            throw new GrammarException("the grammar is larger than the %,d places that are supported".formatted(MAX_NODES));
        }
    }

    static void checkConfigurations(int configurations) {
        if (configurations > MAX_CONFIGURATIONS) {
            throw new GrammarException(("the grammar is too ambiguous: a text may be at more than %,d places in it at the same time; "
                    + "make alternatives and repetitions begin with different characters").formatted(MAX_CONFIGURATIONS));
        }
    }

    static void checkSteps(long steps) {
        if (steps > MAX_STEPS) {
            throw new GrammarException(("the grammar is too ambiguous: to know what may come next takes more than %,d steps; "
                    + "make alternatives and repetitions begin with different characters").formatted(MAX_STEPS));
        }
    }
}
