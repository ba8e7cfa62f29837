package dev.yangtuo.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Does what statements say. */
final class Interpreter {
    /** How statements ended. */
    private enum End { NORMAL, BREAK, CONTINUE }

    private final Rendering rendering;

    Interpreter(Rendering rendering) {
        this.rendering = rendering;
    }

    /** The text that statements write. */
    Text render(List<Statement> statements, Scope scope) {
        TextBuilder out = rendering.text();
        run(statements, scope, out, null);
        return out.build();
    }

    private End run(List<Statement> statements, Scope scope, TextBuilder out, @Nullable Loop loop) {
        for (Statement statement : statements) {
            End end;
            rendering.budget().step();
            try {
                end = run(statement, scope, out, loop);
            } catch (JinjaException e) {
                throw e.at(statement.line());
            }
            if (end != End.NORMAL) {
                return end;
            }
        }
        return End.NORMAL;
    }

    private End run(Statement statement, Scope scope, TextBuilder out, @Nullable Loop loop) {
        Evaluator evaluator = new Evaluator(rendering, scope);
        return switch (statement) {
            case Statement.Data data -> {
                out.append(data.text());
                yield End.NORMAL;
            }
            case Statement.Output output -> {
                out.append(Values.toText(evaluator.evaluate(output.value()), rendering));
                yield End.NORMAL;
            }
            case Statement.If choice -> run(evaluator.isTrue(choice.condition()) ? choice.then() : choice.otherwise(), scope, out, loop);
            case Statement.For each -> runLoop(each, scope, out, loop);
            case Statement.Assign assign -> {
                set(assign.target(), evaluator.evaluate(assign.value()), scope);
                yield End.NORMAL;
            }
            case Statement.AssignBlock assign -> {
                set(assign.target(), filtered(assign.value(), assign.body(), scope), scope);
                yield End.NORMAL;
            }
            case Statement.FilterBlock block -> {
                out.append(Values.toText(filtered(block.value(), block.body(), scope), rendering));
                yield End.NORMAL;
            }
            case Statement.Macro macro -> {
                scope.set(macro.name(), (Callable) (arguments, _) -> call(macro, arguments, scope));
                yield End.NORMAL;
            }
            case Statement.CallBlock block -> {
                out.append(callWithBlock(block, scope, evaluator));
                yield End.NORMAL;
            }
            case Statement.Scoped scoped -> {
                Scope inner = new Scope(scope);
                for (int i = 0; i < scoped.targets().size(); i++) {
                    set(scoped.targets().get(i), evaluator.evaluate(scoped.values().get(i)), inner);
                }
                yield run(scoped.body(), inner, out, loop);
            }
            case Statement.Break _ -> requireLoop(loop, End.BREAK);
            case Statement.Continue _ -> requireLoop(loop, End.CONTINUE);
        };
    }

    private static End requireLoop(@Nullable Loop loop, End end) {
        if (loop == null) {
            throw new JinjaException("'break' and 'continue' stand in loops only");
        }
        return end;
    }

    private End runLoop(Statement.For each, Scope scope, TextBuilder out, @Nullable Loop around) {
        List<? extends @Nullable Object> elements = chosen(each, Values.elements(new Evaluator(rendering, scope).evaluate(each.elements()), rendering.budget()), scope);
        if (elements.isEmpty()) {
            return run(each.otherwise(), new Scope(scope), out, around);
        }
        Loop loop = new Loop(elements);
        for (Object element : elements) {
            rendering.budget().step();
            loop.advance();
            Scope inner = new Scope(scope);
            inner.set("loop", loop);
            set(each.target(), element, inner);
            if (run(each.body(), inner, out, loop) == End.BREAK) {
                break;
            }
        }
        return End.NORMAL;
    }

    /** The elements that meet the condition of a loop. */
    private List<? extends @Nullable Object> chosen(Statement.For each, List<? extends @Nullable Object> elements, Scope scope) {
        Expression condition = each.condition();
        if (condition == null) {
            return elements;
        }
        rendering.budget().spendElements(elements.size());
        return elements.stream()
                .filter(element -> {
                    Scope inner = new Scope(scope);
                    set(each.target(), element, inner);
                    return new Evaluator(rendering, inner).isTrue(condition);
                })
                .toList();
    }

    private void set(Expression target, @Nullable Object value, Scope scope) {
        switch (target) {
            case Expression.Name name -> scope.set(name.name(), value);
            case Expression.TupleOf targets -> {
                List<? extends @Nullable Object> values = Values.elements(value, rendering.budget());
                if (values.size() != targets.elements().size()) {
                    throw new JinjaException("%d values cannot be given to %d names".formatted(values.size(), targets.elements().size()));
                }
                for (int i = 0; i < values.size(); i++) {
                    set(targets.elements().get(i), values.get(i), scope);
                }
            }
            case Expression.Attribute attribute -> {
                if (!(new Evaluator(rendering, scope).evaluate(attribute.of()) instanceof Namespace namespace)) {
                    throw new JinjaException("only attributes of a namespace can be set");
                }
                namespace.set(attribute.name(), value);
            }
            default -> throw new JinjaException("that cannot be set");
        }
    }

    private @Nullable Object filtered(Expression value, List<Statement> body, Scope scope) {
        return new Evaluator(rendering, scope, render(body, new Scope(scope))).evaluate(value);
    }

    private Text call(Statement.Macro macro, Arguments arguments, Scope around) {
        rendering.budget().enter();
        Scope scope = new Scope(around);
        int required = macro.parameters().size() - macro.defaults().size();
        for (int i = 0; i < macro.parameters().size(); i++) {
            String name = macro.parameters().get(i);
            Object value = arguments.has(i, name) ? arguments.get(i, name, null)
                    : i >= required ? new Evaluator(rendering, scope).evaluate(macro.defaults().get(i - required))
                    : new Undefined("the parameter '%s' was not given".formatted(name));
            scope.set(name, value);
        }
        if (arguments.named().containsKey("caller")) {
            scope.set("caller", arguments.named().get("caller"));
        }
        Text text = render(macro.body(), scope);
        rendering.budget().leave();
        return text;
    }

    private Text callWithBlock(Statement.CallBlock block, Scope scope, Evaluator evaluator) {
        Callable caller = (arguments, _) -> call(block.block(), arguments, scope);
        Arguments arguments = evaluator.arguments(block.call().arguments());
        Map<String, @Nullable Object> named = new LinkedHashMap<>(arguments.named());
        named.put("caller", caller);
        Object function = evaluator.evaluate(block.call().function());
        if (!(function instanceof Callable callable)) {
            throw new JinjaException("a %s cannot be called".formatted(Values.typeName(function)));
        }
        return Values.toText(callable.call(new Arguments(arguments.positional(), named), rendering), rendering);
    }
}
