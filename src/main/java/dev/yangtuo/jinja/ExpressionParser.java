package dev.yangtuo.jinja;

import dev.yangtuo.jinja.Expression.ArgumentList;
import dev.yangtuo.jinja.Lexeme.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads expressions; each method one level of precedence, in the order of jinja2's parser. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    /** Names that a test's argument cannot begin with. */
    private static final Set<String> NO_ARGUMENT = Set.of("else", "or", "and", "is", "if", "not", "in");

    private final Words words;

    ExpressionParser(Words words) {
        this.words = words;
    }

    /** An expression, or several with commas between them, which are a tuple. */
    Expression tuple() {
        return tuple(expression(), true);
    }

    private Expression tuple(Expression first, boolean conditional) {
        if (!words.peek().isOperator(",")) {
            return first;
        }
        List<Expression> elements = new ArrayList<>(List.of(first));
        while (words.skipOperator(",") && !endsTuple()) {
            elements.add(conditional ? expression() : or());
        }
        return new Expression.TupleOf(List.copyOf(elements));
    }

    /** What a loop runs over: its {@code if} is the loop's. */
    Expression tupleWithoutCondition() {
        return tuple(or(), false);
    }

    private boolean endsTuple() {
        Lexeme next = words.peek();
        return next.is(Kind.STATEMENT_END) || next.is(Kind.OUTPUT_END) || next.isOperator(")") || next.isOperator("=");
    }

    /** Names with commas between them, in parentheses or not: what can be assigned to. */
    Expression target() {
        List<Expression> targets = new ArrayList<>();
        boolean several = false;
        do {
            if (words.peek().isName("in") || words.peek().isOperator("=")) {
                break;
            }
            targets.add(oneTarget());
            several |= words.peek().isOperator(",");
        } while (words.skipOperator(","));
        if (targets.isEmpty()) {
            throw words.unexpected("a name");
        }
        return several ? new Expression.TupleOf(List.copyOf(targets)) : targets.getFirst();
    }

    private Expression oneTarget() {
        if (words.skipOperator("(")) {
            words.enter();
            Expression inner = target();
            words.leave();
            words.expectOperator(")");
            return inner;
        }
        String name = words.expectName();
        if (words.skipOperator(".")) {
            return new Expression.Attribute(new Expression.Name(name), words.expectName());
        }
        return new Expression.Name(name);
    }

    /** One expression. */
    Expression expression() {
        words.enter();
        Expression value = or();
        while (words.skipName("if")) {
            Expression condition = or();
            value = new Expression.Conditional(condition, value, words.skipName("else") ? expression() : null);
        }
        words.leave();
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (words.skipName("or")) {
            left = new Expression.Logical(false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (words.skipName("and")) {
            left = new Expression.Logical(true, left, not());
        }
        return left;
    }

    private Expression not() {
        if (!words.skipName("not")) {
            return comparison();
        }
        words.enter();
        Expression operand = not();
        words.leave();
        return new Expression.Not(operand);
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> others = new ArrayList<>();
        while (true) {
            Lexeme next = words.peek();
            if (next.is(Kind.OPERATOR) && COMPARISONS.contains(next.text()) || next.isName("in")) {
                operators.add(words.next().text());
            } else if (next.isName("not") && words.second().isName("in")) {
                words.next();
                words.next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(first, List.copyOf(operators), List.copyOf(others));
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (words.peek().isOperator("+") || words.peek().isOperator("-")) {
            left = new Expression.Arithmetic(words.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression first = product();
        if (!words.peek().isOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (words.skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(List.copyOf(parts));
    }

    private Expression product() {
        Expression left = power();
        while (words.peek().isOperator("*") || words.peek().isOperator("/") || words.peek().isOperator("//") || words.peek().isOperator("%")) {
            left = new Expression.Arithmetic(words.next().text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (words.skipOperator("**")) {
            left = new Expression.Arithmetic("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        Expression value;
        if (words.peek().isOperator("-") || words.peek().isOperator("+")) {
            words.enter();
            value = new Expression.Sign(words.next().isOperator("-"), unary(false));
            words.leave();
        } else {
            value = primary();
        }
        value = postfix(value);
        return withFilters ? filters(value) : value;
    }

    private Expression primary() {
        Lexeme next = words.next();
        return switch (next.kind()) {
            case NAME -> switch (next.text()) {
                case "true", "True" -> new Expression.Constant(true);
                case "false", "False" -> new Expression.Constant(false);
                case "none", "None" -> new Expression.Constant(null);
                default -> new Expression.Name(next.text());
            };
            case STRING -> {
                StringBuilder value = new StringBuilder(next.text());
                while (words.peek().is(Kind.STRING)) {
                    value.append(words.next().text());
                }
                yield new Expression.Constant(Text.of(value.toString()));
            }
            case INTEGER -> new Expression.Constant(integer(next));
            case FLOAT -> new Expression.Constant(Double.valueOf(next.text()));
            default -> enclosed(next);
        };
    }

    private static Long integer(Lexeme lexeme) {
        try {
            return Long.valueOf(lexeme.text());
        } catch (NumberFormatException e) {
            throw new JinjaException(lexeme.line(), "%s is larger than any number here may be".formatted(lexeme.shown()));
        }
    }

    private Expression enclosed(Lexeme open) {
        if (!open.is(Kind.OPERATOR) || !Set.of("(", "[", "{").contains(open.text())) {
            throw new JinjaException(open.line(), "found %s, expected an expression".formatted(open.shown()));
        }
        words.enter();
        Expression value = switch (open.text()) {
            case "(" -> parenthesized();
            case "[" -> new Expression.Elements(list("]"));
            default -> dictionary();
        };
        words.leave();
        return value;
    }

    private Expression parenthesized() {
        if (words.skipOperator(")")) {
            return new Expression.TupleOf(List.of());
        }
        Expression value = tuple();
        words.expectOperator(")");
        return value;
    }

    private List<Expression> list(String close) {
        List<Expression> elements = new ArrayList<>();
        while (!words.skipOperator(close)) {
            elements.add(expression());
            if (!words.peek().isOperator(close)) {
                words.expectOperator(",");
            }
        }
        return List.copyOf(elements);
    }

    private Expression dictionary() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!words.skipOperator("}")) {
            keys.add(expression());
            words.expectOperator(":");
            values.add(expression());
            if (!words.peek().isOperator("}")) {
                words.expectOperator(",");
            }
        }
        return new Expression.Dictionary(List.copyOf(keys), List.copyOf(values));
    }

    private Expression postfix(Expression of) {
        Expression value = of;
        while (true) {
            if (words.skipOperator(".")) {
                value = words.peek().is(Kind.INTEGER)
                        ? new Expression.Item(value, new Expression.Constant(integer(words.next()))) : new Expression.Attribute(value, words.expectName());
            } else if (words.skipOperator("[")) {
                value = subscript(value);
            } else if (words.peek().isOperator("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression of) {
        words.enter();
        Expression start = words.peek().isOperator(":") ? null : expression();
        Expression result;
        if (start != null && !words.peek().isOperator(":")) {
            result = new Expression.Item(of, start);
        } else {
            words.expectOperator(":");
            Expression stop = sliceBound();
            Expression step = words.skipOperator(":") ? sliceBound() : null;
            result = new Expression.Slice(of, start, stop, step);
        }
        words.leave();
        words.expectOperator("]");
        return result;
    }

    private @Nullable Expression sliceBound() {
        return words.peek().isOperator(":") || words.peek().isOperator("]") ? null : expression();
    }

    /** Filters, tests and calls behind a value. */
    Expression filters(Expression of) {
        Expression value = of;
        while (true) {
            if (words.skipOperator("|")) {
                value = filter(value);
            } else if (words.skipName("is")) {
                value = test(value);
            } else if (words.peek().isOperator("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression filter(Expression input) {
        return new Expression.Filter(input, dottedName(), words.peek().isOperator("(") ? arguments() : ArgumentList.NONE);
    }

    /** The filters of a block: a name and, behind bars, more of them. */
    Expression blockFilters() {
        Expression value = filter(new Expression.Block());
        while (words.skipOperator("|")) {
            value = filter(value);
        }
        return value;
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(words.expectName());
        while (words.skipOperator(".")) {
            name.append('.').append(words.expectName());
        }
        return name.toString();
    }

    private Expression test(Expression input) {
        boolean negated = words.skipName("not");
        String name = dottedName();
        ArgumentList arguments = ArgumentList.NONE;
        Lexeme next = words.peek();
        if (next.isOperator("(")) {
            arguments = arguments();
        } else if (next.is(Kind.NAME) && !NO_ARGUMENT.contains(next.text()) || next.is(Kind.STRING) || next.is(Kind.INTEGER) || next.is(Kind.FLOAT)
                || next.isOperator("[") || next.isOperator("{")) {
            arguments = new ArgumentList(List.of(postfix(primary())), List.of(), List.of(), null, null);
        }
        Expression test = new Expression.Test(input, name, arguments);
        return negated ? new Expression.Not(test) : test;
    }

    ArgumentList arguments() {
        words.expectOperator("(");
        words.enter();
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        Expression more = null;
        Expression moreNamed = null;
        while (!words.skipOperator(")")) {
            if (words.skipOperator("**")) {
                moreNamed = expression();
            } else if (words.skipOperator("*")) {
                more = expression();
            } else if (words.peek().is(Kind.NAME) && words.second().isOperator("=")) {
                names.add(words.next().text());
                words.next();
                named.add(expression());
            } else {
                positional.add(expression());
            }
            if (!words.peek().isOperator(")")) {
                words.expectOperator(",");
            }
        }
        words.leave();
        return new ArgumentList(List.copyOf(positional), List.copyOf(names), List.copyOf(named), more, moreNamed);
    }
}
