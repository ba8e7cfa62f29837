package dev.yangtuo.grammar;

import java.util.Map;

/**
 * A context-free grammar.
 *
 * @param rules by their names; all that are referred to are there
 * @param root name of the rule that a whole text follows
 */
record Rules(Map<String, Expression> rules, String root) {
    /** A text that follows one expression without rules. */
    static Rules of(Expression expression) {
        return new Rules(Map.of("root", expression), "root");
    }
}
