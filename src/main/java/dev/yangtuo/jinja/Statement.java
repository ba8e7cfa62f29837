package dev.yangtuo.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is done. */
sealed interface Statement {
    /** Where it begins; the first line is 1. */
    int line();

    /** Text as it stands. */
    record Data(int line, Text text) implements Statement {}

    /** {@code {{ a }}}. */
    record Output(int line, Expression value) implements Statement {}

    /** {@code if}; {@code elif} is another one in {@code otherwise}. */
    record If(int line, Expression condition, List<Statement> then, List<Statement> otherwise) implements Statement {}

    /** {@code for target in elements if condition}. */
    record For(int line, Expression target, Expression elements, @Nullable Expression condition, List<Statement> body, List<Statement> otherwise)
            implements Statement {}

    /** {@code set target = value}. */
    record Assign(int line, Expression target, Expression value) implements Statement {}

    /** {@code set target}...{@code endset}; the value is made of the {@link Expression.Block}. */
    record AssignBlock(int line, Expression target, Expression value, List<Statement> body) implements Statement {}

    /** {@code filter name}...{@code endfilter}; the value is made of the {@link Expression.Block}. */
    record FilterBlock(int line, Expression value, List<Statement> body) implements Statement {}

    /**
     * {@code macro name(parameters)}; without a name the block of a call.
     *
     * @param defaults of the last parameters
     */
    record Macro(int line, String name, List<String> parameters, List<Expression> defaults, List<Statement> body) implements Statement {}

    /** {@code call(parameters) a(...)}...{@code endcall}. */
    record CallBlock(int line, Expression.Call call, Macro block) implements Statement {}

    /** {@code with target = value}...{@code endwith}, and {@code generation} with none. */
    record Scoped(int line, List<Expression> targets, List<Expression> values, List<Statement> body) implements Statement {}

    /** {@code break}. */
    record Break(int line) implements Statement {}

    /** {@code continue}. */
    record Continue(int line) implements Statement {}
}
