package dev.yangtuo.jinja;

import dev.yangtuo.jinja.Lexeme.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads statements. */
final class Parser {
    private final Words words;
    private final ExpressionParser expressions;

    private Parser(String source) {
        this.words = new Words(Lexer.lex(source));
        this.expressions = new ExpressionParser(words);
    }

    /** @throws JinjaException if it is no template, or uses what chat templates have no use for */
    static List<Statement> parse(String source) {
        Parser parser = new Parser(source);
        List<Statement> statements = parser.block(Set.of());
        if (!parser.words.peek().is(Kind.END)) {
            throw new JinjaException(parser.words.second().line(), "'%s' ends what was not begun".formatted(parser.words.second().text()));
        }
        return statements;
    }

    /** Statements up to one that begins with one of these names, which comes next then, its tag's begin included. */
    private List<Statement> block(Set<String> ends) {
        words.enter();
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Lexeme next = words.peek();
            if (next.is(Kind.DATA)) {
                statements.add(new Statement.Data(next.line(), Text.of(words.next().text())));
            } else if (next.is(Kind.OUTPUT_BEGIN)) {
                words.next();
                statements.add(new Statement.Output(next.line(), expressions.tuple()));
                words.expect(Kind.OUTPUT_END, "}}");
            } else if (next.is(Kind.STATEMENT_BEGIN) && !ends.contains(words.second().text()) && !isEnd(words.second().text())) {
                words.next();
                statements.add(statement());
            } else {
                words.leave();
                return List.copyOf(statements);
            }
        }
    }

    private static boolean isEnd(String name) {
        return name.startsWith("end") || name.equals("else") || name.equals("elif");
    }

    /** Statements up to the one with this name, and that one. */
    private List<Statement> blockTo(String end) {
        List<Statement> statements = block(Set.of(end));
        expectTag(Set.of(end));
        words.expect(Kind.STATEMENT_END, "%}");
        return statements;
    }

    /** The name of a statement, one of these. */
    private String expectTag(Set<String> names) {
        String expected = String.join("' or '", names.stream().sorted().toList());
        if (!words.peek().is(Kind.STATEMENT_BEGIN) || !names.contains(words.second().text())) {
            Lexeme found = words.peek().is(Kind.STATEMENT_BEGIN) ? words.second() : words.peek();
            throw new JinjaException(found.line(), "found %s, expected '%s'".formatted(found.shown(), expected));
        }
        words.next();
        return words.next().text();
    }

    private void endTag() {
        words.expect(Kind.STATEMENT_END, "%}");
    }

    private Statement statement() {
        int line = words.peek().line();
        String name = words.expectName();
        return switch (name) {
            case "if" -> ifStatement(line);
            case "for" -> forStatement(line);
            case "set" -> set(line);
            case "macro" -> macro(line);
            case "call" -> callBlock(line);
            case "filter" -> {
                Expression value = expressions.blockFilters();
                endTag();
                yield new Statement.FilterBlock(line, value, blockTo("endfilter"));
            }
            case "with" -> with(line);
            case "generation" -> {
                endTag();
                yield new Statement.Scoped(line, List.of(), List.of(), blockTo("endgeneration"));
            }
            case "break" -> {
                endTag();
                yield new Statement.Break(line);
            }
            case "continue" -> {
                endTag();
                yield new Statement.Continue(line);
            }
            default -> throw new JinjaException(line, "the statement '%s' is not understood".formatted(name));
        };
    }

    private Statement ifStatement(int line) {
        Expression condition = expressions.tuple();
        endTag();
        List<Statement> then = block(Set.of("elif", "else", "endif"));
        String end = expectTag(Set.of("elif", "else", "endif"));
        if (end.equals("elif")) {
            words.enter();
            Statement next = ifStatement(words.peek().line());
            words.leave();
            return new Statement.If(line, condition, then, List.of(next));
        }
        endTag();
        return new Statement.If(line, condition, then, end.equals("else") ? blockTo("endif") : List.of());
    }

    private Statement forStatement(int line) {
        Expression target = expressions.target();
        if (!words.skipName("in")) {
            throw words.unexpected("'in'");
        }
        Expression elements = expressions.tupleWithoutCondition();
        Expression condition = words.skipName("if") ? expressions.expression() : null;
        endTag();
        List<Statement> body = block(Set.of("else", "endfor"));
        String end = expectTag(Set.of("else", "endfor"));
        endTag();
        return new Statement.For(line, target, elements, condition, body, end.equals("else") ? blockTo("endfor") : List.of());
    }

    private Statement set(int line) {
        Expression target = expressions.target();
        if (words.skipOperator("=")) {
            Statement assign = new Statement.Assign(line, target, expressions.tuple());
            endTag();
            return assign;
        }
        Expression value = words.skipOperator("|") ? expressions.blockFilters() : new Expression.Block();
        endTag();
        return new Statement.AssignBlock(line, target, value, blockTo("endset"));
    }

    private Statement macro(int line) {
        String name = words.expectName();
        words.expectOperator("(");
        Parameters parameters = parameters();
        endTag();
        return new Statement.Macro(line, name, parameters.names(), parameters.defaults(), blockTo("endmacro"));
    }

    private record Parameters(List<String> names, List<Expression> defaults) {}

    /** Behind the parenthesis that opens them. */
    private Parameters parameters() {
        List<String> names = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        while (!words.skipOperator(")")) {
            names.add(words.expectName());
            if (words.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw words.unexpected("a default, as the parameter before has one");
            }
            if (!words.peek().isOperator(")")) {
                words.expectOperator(",");
            }
        }
        return new Parameters(List.copyOf(names), List.copyOf(defaults));
    }

    private Statement callBlock(int line) {
        Parameters parameters = words.skipOperator("(") ? parameters() : new Parameters(List.of(), List.of());
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw words.unexpected("a call");
        }
        endTag();
        return new Statement.CallBlock(line, call, new Statement.Macro(line, "caller", parameters.names(), parameters.defaults(), blockTo("endcall")));
    }

    private Statement with(int line) {
        List<Expression> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!words.peek().is(Kind.STATEMENT_END)) {
            if (!targets.isEmpty()) {
                words.expectOperator(",");
            }
            targets.add(expressions.target());
            words.expectOperator("=");
            values.add(expressions.expression());
        }
        endTag();
        return new Statement.Scoped(line, List.copyOf(targets), List.copyOf(values), blockTo("endwith"));
    }
}
