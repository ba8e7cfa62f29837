package dev.yangtuo.jinja;

import dev.yangtuo.jinja.Expression.ArgumentList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes what expressions are, in one scope. */
final class Evaluator {
    private final Rendering rendering;
    private final Scope scope;
    /** The text of a block that filters are applied to; undefined outside of one. */
    private final Object block;

    Evaluator(Rendering rendering, Scope scope) {
        this(rendering, scope, new Undefined("there is no block"));
    }

    /** @param block for {@link Expression.Block} */
    Evaluator(Rendering rendering, Scope scope, Object block) {
        this.rendering = rendering;
        this.scope = scope;
        this.block = block;
    }

    @Nullable Object evaluate(Expression expression) {
        rendering.budget().step();
        return switch (expression) {
            case Expression.Constant constant -> constant.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.Elements list -> list(list.elements());
            case Expression.TupleOf tuple -> new Tuple(list(tuple.elements()));
            case Expression.Dictionary dictionary -> dictionary(dictionary);
            case Expression.Attribute attribute -> Members.attribute(evaluate(attribute.of()), attribute.name(), rendering.budget());
            case Expression.Item item -> Members.item(evaluate(item.of()), evaluate(item.index()), rendering.budget());
            case Expression.Slice slice -> slice(slice);
            case Expression.Call call -> call(call);
            case Expression.Filter filter -> Filters.apply(filter.name(), evaluate(filter.input()), arguments(filter.arguments()), rendering);
            case Expression.Test test -> test(test);
            case Expression.Block _ -> block;
            case Expression.Sign sign -> Arithmetic.sign(sign.negative(), evaluate(sign.operand()));
            case Expression.Not not -> !Values.isTrue(evaluate(not.operand()));
            case Expression.Logical logical -> {
                Object left = evaluate(logical.left());
                yield Values.isTrue(left) == logical.and() ? evaluate(logical.right()) : left;
            }
            case Expression.Arithmetic arithmetic ->
                    Arithmetic.apply(arithmetic.operator(), evaluate(arithmetic.left()), evaluate(arithmetic.right()), rendering);
            case Expression.Comparison comparison -> comparison(comparison);
            case Expression.Concatenation concatenation -> {
                TextBuilder out = rendering.text();
                concatenation.parts().forEach(part -> out.append(Values.toText(evaluate(part), rendering)));
                yield out.build();
            }
            case Expression.Conditional conditional -> conditional(conditional);
        };
    }

    /** Whether an expression is true. */
    boolean isTrue(Expression expression) {
        return Values.isTrue(evaluate(expression));
    }

    private List<@Nullable Object> list(List<Expression> expressions) {
        rendering.budget().spendElements(expressions.size());
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression));
        }
        return values;
    }

    private Map<@Nullable Object, @Nullable Object> dictionary(Expression.Dictionary dictionary) {
        rendering.budget().spendElements(dictionary.keys().size());
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < dictionary.keys().size(); i++) {
            map.put(key(evaluate(dictionary.keys().get(i))), evaluate(dictionary.values().get(i)));
        }
        return map;
    }

    private static @Nullable Object key(@Nullable Object value) {
        if (!Values.isKey(value)) {
            throw new JinjaException("a %s cannot be a key".formatted(Values.typeName(value)));
        }
        return value;
    }

    private @Nullable Object slice(Expression.Slice slice) {
        return Members.slice(evaluate(slice.of()), bound(slice.start()), bound(slice.stop()), bound(slice.step()), rendering);
    }

    private @Nullable Long bound(@Nullable Expression expression) {
        Object value = expression == null ? null : evaluate(expression);
        return value == null ? null : Long.valueOf(Values.requireInteger(value));
    }

    private @Nullable Object call(Expression.Call call) {
        Object function = evaluate(call.function());
        return switch (function) {
            case Callable callable -> callable.call(arguments(call.arguments()), rendering);
            case Undefined undefined -> throw undefined.used();
            case null, default -> throw new JinjaException("a %s cannot be called".formatted(Values.typeName(function)));
        };
    }

    Arguments arguments(ArgumentList list) {
        if (list == ArgumentList.NONE) {
            return Arguments.NONE;
        }
        List<@Nullable Object> positional = list(list.positional());
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        for (int i = 0; i < list.names().size(); i++) {
            named.put(list.names().get(i), evaluate(list.named().get(i)));
        }
        if (list.more() != null) {
            List<? extends @Nullable Object> more = Values.elements(evaluate(list.more()), rendering.budget());
            rendering.budget().spendElements(more.size());
            positional.addAll(more);
        }
        if (list.moreNamed() != null) {
            if (!(evaluate(list.moreNamed()) instanceof Map<?, ?> map)) {
                throw new JinjaException("'**' needs a dictionary");
            }
            map.forEach((key, value) -> named.put(Values.requireText(key).value(), value));
        }
        return new Arguments(positional, named);
    }

    private boolean test(Expression.Test test) {
        return Tests.apply(test.name(), evaluate(test.input()), arguments(test.arguments()), rendering.budget());
    }

    private boolean comparison(Expression.Comparison comparison) {
        Object left = evaluate(comparison.first());
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = evaluate(comparison.others().get(i));
            if (!Tests.compare(comparison.operators().get(i), left, right, rendering.budget())) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private @Nullable Object conditional(Expression.Conditional conditional) {
        if (isTrue(conditional.condition())) {
            return evaluate(conditional.then());
        }
        Expression otherwise = conditional.otherwise();
        return otherwise == null ? new Undefined("the condition is false, and there is no 'else'") : evaluate(otherwise);
    }
}
