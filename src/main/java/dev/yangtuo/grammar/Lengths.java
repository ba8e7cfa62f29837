package dev.yangtuo.grammar;

import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Literal;
import dev.yangtuo.grammar.Expression.Reference;
import dev.yangtuo.grammar.Expression.Repeat;
import dev.yangtuo.grammar.Expression.Sequence;
import dev.yangtuo.grammar.Expression.TokenReference;
import java.util.List;

/**
 * How many characters the texts of a regular expression have.
 *
 * @param max {@link Repeat#UNBOUNDED} where it is that much or more
 */
record Lengths(long min, long max) {
    static Lengths of(Expression expression) {
        return switch (expression) {
            case Chars _ -> new Lengths(1, 1);
            case Literal(String text) -> new Lengths(text.codePointCount(0, text.length()), text.codePointCount(0, text.length()));
            case Sequence(List<Expression> parts) -> parts.stream().map(Lengths::of)
                    .reduce(new Lengths(0, 0), (a, b) -> new Lengths(bounded(a.min + b.min), bounded(a.max + b.max)));
            case Choice(List<Expression> alternatives) -> alternatives.stream().map(Lengths::of)
                    .reduce(new Lengths(Repeat.UNBOUNDED, 0), (a, b) -> new Lengths(Math.min(a.min, b.min), Math.max(a.max, b.max)));
            case Repeat(Expression body, int min, int max) -> {
                Lengths once = of(body);
                yield new Lengths(bounded(once.min * min), bounded(once.max * max));
            }
            case Reference _, TokenReference _ -> throw new IllegalArgumentException("no part of a regular expression: " + expression);
        };
    }

    private static long bounded(long length) {
        return Math.min(length, Repeat.UNBOUNDED);
    }

    /** Of an expression that repeats one set of characters, the texts that are so long; of another one all. */
    static Expression limit(Expression expression, int min, int max) {
        if (expression instanceof Repeat(Chars each, int least, int most)) {
            int from = Math.max(min, least);
            int to = Math.min(max, most);
            return from <= to ? new Repeat(each, from, to) : new Choice(List.of());
        }
        return expression;
    }

    boolean within(int least, int most) {
        return least <= min && max <= most;
    }
}
