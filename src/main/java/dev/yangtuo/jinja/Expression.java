package dev.yangtuo.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What has a value. */
sealed interface Expression {
    /** A value that is written in the template. */
    record Constant(@Nullable Object value) implements Expression {}

    /** What a name stands for. */
    record Name(String name) implements Expression {}

    /** {@code [a, b]}. */
    record Elements(List<Expression> elements) implements Expression {}

    /** {@code (a, b)}. */
    record TupleOf(List<Expression> elements) implements Expression {}

    /** {@code {a: b}}, keys and values in their order. */
    record Dictionary(List<Expression> keys, List<Expression> values) implements Expression {}

    /** {@code a.name}. */
    record Attribute(Expression of, String name) implements Expression {}

    /** {@code a[index]}. */
    record Item(Expression of, Expression index) implements Expression {}

    /** {@code a[start:stop:step]}, each of which may be missing. */
    record Slice(Expression of, @Nullable Expression start, @Nullable Expression stop, @Nullable Expression step) implements Expression {}

    /** {@code a(...)}. */
    record Call(Expression function, ArgumentList arguments) implements Expression {}

    /** {@code a | name(...)}; of the block of a filter {@code a} is the {@link Block}. */
    record Filter(Expression input, String name, ArgumentList arguments) implements Expression {}

    /** {@code a is name(...)}. */
    record Test(Expression input, String name, ArgumentList arguments) implements Expression {}

    /** The text of a block that is being filtered. */
    record Block() implements Expression {}

    /** {@code -a}, {@code +a}. */
    record Sign(boolean negative, Expression operand) implements Expression {}

    /** {@code not a}. */
    record Not(Expression operand) implements Expression {}

    /** {@code a and b}, {@code a or b}. */
    record Logical(boolean and, Expression left, Expression right) implements Expression {}

    /** {@code a + b} and the like. */
    record Arithmetic(String operator, Expression left, Expression right) implements Expression {}

    /** {@code a < b <= c}: one operator more than there are operands behind the first. */
    record Comparison(Expression first, List<String> operators, List<Expression> others) implements Expression {}

    /** {@code a ~ b}. */
    record Concatenation(List<Expression> parts) implements Expression {}

    /** {@code a if b else c}; undefined where there is no else. */
    record Conditional(Expression condition, Expression then, @Nullable Expression otherwise) implements Expression {}

    /**
     * What is between the parentheses of a call.
     *
     * @param positional by place
     * @param names of those given by name
     * @param named values of these
     * @param more a list of further ones; null if none
     * @param moreNamed a dictionary of further ones; null if none
     */
    record ArgumentList(
            List<Expression> positional, List<String> names, List<Expression> named, @Nullable Expression more, @Nullable Expression moreNamed) {
        static final ArgumentList NONE = new ArgumentList(List.of(), List.of(), List.of(), null, null);
    }
}
