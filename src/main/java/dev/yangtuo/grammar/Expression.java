package dev.yangtuo.grammar;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a part of a text may be: the right side of a rule. Immutable. */
sealed interface Expression {
    Expression EMPTY = new Sequence(List.of());

    /** These characters, possibly none. */
    record Literal(String text) implements Expression {}

    /** One character of a set. */
    record Chars(CodePoints set) implements Expression {}

    /** One after the other; of none, the empty text. */
    record Sequence(List<Expression> parts) implements Expression {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of them; of none, no text at all. */
    record Choice(List<Expression> alternatives) implements Expression {
        public Choice {
            alternatives = List.copyOf(alternatives);
        }
    }

    /**
     * Several times.
     *
     * @param max {@link #UNBOUNDED} or at least {@code min}
     */
    record Repeat(Expression body, int min, int max) implements Expression {
        static final int UNBOUNDED = Integer.MAX_VALUE;
    }

    /**
     * What the rule with this name may be.
     *
     * @param nonEmpty all but the empty text
     */
    record Reference(String rule, boolean nonEmpty) implements Expression {
        public Reference(String rule) {
            this(rule, false);
        }
    }

    /**
     * One token of the vocabulary, or any other one.
     *
     * @param text of the piece; null if the id is given
     * @param id if there is no text
     * @param negated any token that stands for text but this one
     */
    record TokenReference(@Nullable String text, int id, boolean negated) implements Expression {}

    static Expression sequence(Expression... parts) {
        return parts.length == 1 ? parts[0] : new Sequence(List.of(parts));
    }

    static Expression choice(List<Expression> alternatives) {
        return alternatives.size() == 1 ? alternatives.getFirst() : new Choice(alternatives);
    }

    static Expression optional(Expression body) {
        return new Repeat(body, 0, 1);
    }

    static Expression any(Expression body) {
        return new Repeat(body, 0, Repeat.UNBOUNDED);
    }

    static Expression literal(String text) {
        return new Literal(text);
    }
}
