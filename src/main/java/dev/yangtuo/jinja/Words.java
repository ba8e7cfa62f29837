package dev.yangtuo.jinja;

import dev.yangtuo.jinja.Lexeme.Kind;
import java.util.List;

/** The words of a template, read one after the other. */
final class Words {
    /** Levels of parentheses, signs and statements in each other. */
    private static final int MAX_DEPTH = 200;

    private final List<Lexeme> lexemes;
    private int position;
    private int depth;

    /** @param lexemes the last is {@link Kind#END} */
    Words(List<Lexeme> lexemes) {
        this.lexemes = lexemes;
    }

    /** The one that comes next. */
    Lexeme peek() {
        return lexemes.get(position);
    }

    /** The one behind it. */
    Lexeme second() {
        return lexemes.get(Math.min(position + 1, lexemes.size() - 1));
    }

    Lexeme next() {
        Lexeme lexeme = peek();
        if (!lexeme.is(Kind.END)) {
            position++;
        }
        return lexeme;
    }

    boolean skipOperator(String operator) {
        boolean found = peek().isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    boolean skipName(String name) {
        boolean found = peek().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    String expectName() {
        if (!peek().is(Kind.NAME)) {
            throw unexpected("a name");
        }
        return next().text();
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    void expect(Kind kind, String words) {
        if (!peek().is(kind)) {
            throw unexpected("'" + words + "'");
        }
        next();
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new JinjaException(peek().line(), "is nested more than %d levels deep".formatted(MAX_DEPTH));
        }
    }

    void leave() {
        depth--;
    }

    JinjaException unexpected(String expected) {
        return new JinjaException(peek().line(), "found %s, expected %s".formatted(peek().shown(), expected));
    }
}
