package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.CodePoints.Range;
import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Literal;
import dev.yangtuo.grammar.Expression.Reference;
import dev.yangtuo.grammar.Expression.Repeat;
import dev.yangtuo.grammar.Expression.Sequence;
import dev.yangtuo.grammar.Expression.TokenReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads GBNF, llama.cpp's notation for grammars (its {@code grammars/README.md} and {@code llama-grammar.cpp}). Beyond what llama.cpp does, a rule that is defined
 * twice, an empty class, a range that runs backwards and an upper bound of a repetition below the lower one are errors, and all repetitions are exact.
 */
final class GbnfParser {
    private static final String ROOT = "root";

    private final Cursor cursor;
    private final Map<String, Expression> rules = new LinkedHashMap<>();
    /** Rules that were referred to, and where first. */
    private final Map<String, Integer> references = new LinkedHashMap<>();
    private int depth;

    private GbnfParser(String text) {
        cursor = new Cursor("the grammar", text);
    }

    /** @throws GrammarException with the line and column of what is wrong */
    static Rules parse(String text) {
        return new GbnfParser(Limits.checkSource("the grammar", text)).parse();
    }

    private Rules parse() {
        skipSpace(true);
        while (cursor.peek() != Cursor.END) {
            rule();
        }
        references.forEach((name, place) -> {
            if (!rules.containsKey(name)) {
                throw cursor.error(place, "there is no rule '%s'".formatted(name));
            }
        });
        if (!rules.containsKey(ROOT)) {
            throw new GrammarException("the grammar has no rule 'root', where a text begins; write root ::= ...");
        }
        return new Rules(rules, ROOT);
    }

    private void rule() {
        int start = cursor.at();
        String name = name();
        skipSpace(false);
        cursor.expect("::=");
        skipSpace(true);
        if (rules.containsKey(name)) {
            throw cursor.error(start, "a second definition of the rule '%s'; put the alternatives of a rule behind each other with |".formatted(name));
        }
        Limits.checkRules(rules.size() + 1);
        rules.put(name, alternatives(false));
        if (cursor.peek() != Cursor.END && !isNewline(cursor.peek())) {
            throw cursor.error("expected the end of the rule '%s', found %s; a rule goes on in the next line within ( ) or after |".formatted(name, cursor.found()));
        }
        skipSpace(true);
    }

    private Expression alternatives(boolean nested) {
        List<Expression> alternatives = new ArrayList<>();
        alternatives.add(sequence(nested));
        while (cursor.take("|")) {
            skipSpace(true);
            alternatives.add(sequence(nested));
        }
        return Expression.choice(alternatives);
    }

    private Expression sequence(boolean nested) {
        List<Expression> parts = new ArrayList<>();
        for (Expression part = symbol(); part != null; part = symbol()) {
            skipSpace(nested);
            parts.add(repeated(part, nested));
        }
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    /** Null where no symbol begins. */
    private @Nullable Expression symbol() {
        int c = cursor.peek();
        return switch (c) {
            case '"' -> literal();
            case '[' -> characterClass();
            case '(' -> group();
            case '<', '!' -> token();
            case '.' -> {
                cursor.next();
                yield new Chars(CodePoints.ALL);
            }
            case '*', '+', '?', '{' -> throw cursor.error("'%c' repeats what stands before it, and there is nothing".formatted(c));
            default -> isNameCharacter(c) ? reference() : null;
        };
    }

    private Expression reference() {
        int start = cursor.at();
        String name = name();
        references.putIfAbsent(name, start);
        return new Reference(name);
    }

    private Expression literal() {
        cursor.next();
        StringBuilder text = new StringBuilder();
        while (cursor.peek() != '"') {
            text.appendCodePoint(character());
        }
        cursor.next();
        return new Literal(text.toString());
    }

    private Expression characterClass() {
        int start = cursor.at();
        cursor.next();
        boolean negated = cursor.take("^");
        List<Range> ranges = new ArrayList<>();
        while (cursor.peek() != ']') {
            int first = character();
            int last = first;
            if (cursor.startsWith("-") && !cursor.startsWith("-]")) {
                cursor.next();
                last = character();
            }
            if (last < first) {
                throw cursor.error("the range from U+%04X to U+%04X runs backwards".formatted(first, last));
            }
            ranges.add(new Range(first, last));
        }
        cursor.next();
        if (ranges.isEmpty()) {
            throw cursor.error(start, "an empty class; write the characters between [ and ]");
        }
        CodePoints set = CodePoints.union(ranges);
        return new Chars(negated ? set.not() : set);
    }

    private Expression group() {
        Limits.checkDepth("the grammar", ++depth);
        cursor.next();
        skipSpace(true);
        Expression inner = alternatives(true);
        cursor.expect(")");
        depth--;
        return inner;
    }

    private Expression token() {
        boolean negated = cursor.take("!");
        int start = cursor.at();
        cursor.expect("<");
        if (cursor.take("[")) {
            int id = cursor.number("a token id", Integer.MAX_VALUE);
            cursor.expect("]>");
            return new TokenReference(null, id, negated);
        }
        while (cursor.next() != '>') {
            if (isNewline(cursor.peek())) {
                throw cursor.error("expected '>', which ends the text of a token");
            }
        }
        return new TokenReference(cursor.since(start), 0, negated);
    }

    /** A character of a literal or a class. */
    private int character() {
        int c = cursor.next();
        if (c != '\\') {
            return c;
        }
        int escape = cursor.next();
        return switch (escape) {
            case 'x' -> cursor.hex(2);
            case 'u' -> cursor.hex(4);
            case 'U' -> cursor.hex(8);
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'n' -> '\n';
            case '\\', '"', '[', ']', '-' -> escape;
            default -> throw cursor.error("\\%s is no escape; these are: \\t \\r \\n \\\\ \\\" \\[ \\] \\- \\xNN \\uNNNN \\UNNNNNNNN".formatted(Character.toString(escape)));
        };
    }

    /** A symbol with the repetitions behind it, which apply to all before them. */
    private Expression repeated(Expression symbol, boolean nested) {
        Expression whole = symbol;
        for (int count = 0; ; count++) {
            Limits.checkDepth("the grammar", depth + count);
            switch (cursor.peek()) {
                case '*' -> whole = repeat(whole, 0, Repeat.UNBOUNDED);
                case '+' -> whole = repeat(whole, 1, Repeat.UNBOUNDED);
                case '?' -> whole = repeat(whole, 0, 1);
                case '{' -> whole = counted(whole, nested);
                default -> {
                    return whole;
                }
            }
            skipSpace(nested);
        }
    }

    private Expression repeat(Expression body, int min, int max) {
        cursor.next();
        return new Repeat(body, min, max);
    }

    private Expression counted(Expression body, boolean nested) {
        cursor.next();
        skipSpace(nested);
        int min = cursor.number("a repetition", Limits.MAX_REPETITIONS);
        int max = min;
        skipSpace(nested);
        if (cursor.take(",")) {
            skipSpace(nested);
            max = cursor.atDigit() ? cursor.number("a repetition", Limits.MAX_REPETITIONS) : Repeat.UNBOUNDED;
            skipSpace(nested);
        }
        cursor.expect("}");
        if (max < min) {
            throw cursor.error("a repetition of at least %d and at most %d times is none".formatted(min, max));
        }
        return new Repeat(body, min, max);
    }

    private String name() {
        int start = cursor.at();
        while (isNameCharacter(cursor.peek())) {
            cursor.next();
        }
        if (cursor.at() == start) {
            throw cursor.error("expected the name of a rule (letters of ASCII, digits, -), found " + cursor.found());
        }
        return cursor.since(start);
    }

    private static boolean isNameCharacter(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-';
    }

    private static boolean isNewline(int c) {
        return c == '\n' || c == '\r';
    }

    /** Skips spaces and comments. */
    private void skipSpace(boolean newlines) {
        while (true) {
            int c = cursor.peek();
            if (c == '#') {
                while (cursor.peek() != Cursor.END && !isNewline(cursor.peek())) {
                    cursor.next();
                }
            } else if (c == ' ' || c == '\t' || newlines && isNewline(c)) {
                cursor.next();
            } else {
                return;
            }
        }
    }
}
