package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.CodePoints.Range;
import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Repeat;
import dev.yangtuo.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Reads regular expressions: what Java's and ECMAScript's have in common and mean alike, with the classes {@code \d \w \s} of ASCII alone. What is not regular,
 * such as a backreference, or means different things in different dialects, is an error.
 */
final class RegexParser {
    /** Each takes a look at all of Unicode. */
    private static final int MAX_PROPERTIES = 8;

    private static final CodePoints DIGITS = CodePoints.range('0', '9');
    private static final CodePoints WORD = CodePoints.union(List.of(new Range('0', '9'), new Range('A', 'Z'), new Range('a', 'z'), new Range('_', '_')));
    private static final CodePoints SPACE = CodePoints.of(" \t\n\u000B\f\r");
    /** What ECMAScript counts as space besides. */
    private static final CodePoints MORE_SPACE = CodePoints.union(List.of(new Range(0xA0, 0xA0), new Range(0x1680, 0x1680), new Range(0x2000, 0x200A),
            new Range(0x2028, 0x2029), new Range(0x202F, 0x202F), new Range(0x205F, 0x205F), new Range(0x3000, 0x3000), new Range(0xFEFF, 0xFEFF)));
    private static final CodePoints NO_LINE_END = CodePoints.of("\n\r\u0085\u2028\u2029").not();

    private final Cursor cursor;
    private final Map<String, CodePoints> properties = new HashMap<>();
    private int depth;

    /**
     * One of the alternatives of a whole expression.
     *
     * @param atStart whether it says that it begins where the text begins
     * @param atEnd whether it says that it ends where the text ends
     */
    record Alternative(Expression expression, boolean atStart, boolean atEnd) {}

    /** A set of characters, as each of the dialects understands it. */
    private record Meaning(CodePoints java, CodePoints ecmaScript) {
        static Meaning ofBoth(CodePoints set) {
            return new Meaning(set, set);
        }

        Meaning or(Meaning other) {
            return new Meaning(java.or(other.java), ecmaScript.or(other.ecmaScript));
        }

        Meaning not() {
            return new Meaning(java.not(), ecmaScript.not());
        }

        /** What is in the set in both. */
        CodePoints common() {
            return java.minus(ecmaScript.not());
        }
    }

    private RegexParser(String name, String pattern) {
        cursor = new Cursor(name, pattern);
    }

    /**
     * @param name what the expression is, for messages
     * @throws GrammarException with the column of what is wrong
     */
    static List<Alternative> parse(String name, String pattern) {
        return new RegexParser(name, Limits.checkSource(name, pattern)).whole();
    }

    /** What a text is that matches from its beginning to its end. */
    static Expression parseWhole(String name, String pattern) {
        return Expression.choice(parse(name, pattern).stream().map(Alternative::expression).toList());
    }

    private List<Alternative> whole() {
        List<Alternative> alternatives = new ArrayList<>();
        do {
            boolean atStart = cursor.take("^");
            Expression expression = sequence();
            boolean atEnd = cursor.startsWith("$");
            if (atEnd && !cursor.startsWith("$|") && !cursor.endsWith("$")) {
                throw unexpected();
            }
            cursor.take("$");
            alternatives.add(new Alternative(expression, atStart, atEnd));
        } while (cursor.take("|"));
        if (cursor.peek() != Cursor.END) {
            throw unexpected();
        }
        return alternatives;
    }

    private GrammarException unexpected() {
        int c = cursor.peek();
        return switch (c) {
            case '^', '$' -> cursor.error("'%c' is supported at the ends of the alternatives of the whole expression alone".formatted(c));
            case '*', '+', '?', '{' -> cursor.error("'%c' repeats what stands before it, and there is nothing; written \\%c it is a character".formatted(c, c));
            case ')' -> cursor.error("a ')' without its '('; written \\) it is a character");
            default -> cursor.error("expected the end, found " + cursor.found());
        };
    }

    private Expression sequence() {
        List<Expression> parts = new ArrayList<>();
        for (Expression atom = atom(); atom != null; atom = atom()) {
            parts.add(quantified(atom));
        }
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    /** Null where none begins. */
    private @Nullable Expression atom() {
        int c = cursor.peek();
        switch (c) {
            case Cursor.END, '|', ')', '^', '$', '*', '+', '?', '{' -> {
                return null;
            }
            case '(' -> {
                return group();
            }
            case '[' -> {
                return new Chars(characterClass());
            }
            case '.' -> {
                cursor.next();
                return new Chars(NO_LINE_END);
            }
            case '\\' -> {
                cursor.next();
                Meaning set = classEscape();
                return new Chars(set == null ? CodePoints.of(characterEscape()) : set.common());
            }
            default -> {
                cursor.next();
                return new Chars(CodePoints.of(c));
            }
        }
    }

    private Expression group() {
        Limits.checkDepth("the regular expression", ++depth);
        cursor.next();
        if (cursor.take("?")) {
            groupKind();
        }
        List<Expression> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence());
        } while (cursor.take("|"));
        if (!cursor.take(")")) {
            throw cursor.peek() == Cursor.END ? cursor.error("a '(' without its ')'; written \\( it is a character") : unexpected();
        }
        depth--;
        return Expression.choice(alternatives);
    }

    /** What stands behind (? where the group is one that can be matched. */
    private void groupKind() {
        if (cursor.take(":")) {
            return;
        }
        boolean named = cursor.startsWith("<") && !cursor.startsWith("<=") && !cursor.startsWith("<!");
        if (!named) {
            throw cursor.error("lookahead, lookbehind, atomic groups and flags are not supported; found (?%s".formatted(
                    cursor.peek() == Cursor.END ? "" : Character.toString(cursor.peek())));
        }
        while (cursor.next() != '>') {
            if (cursor.peek() == '(' || cursor.peek() == ')') {
                throw cursor.error("expected '>', which ends the name of a group");
            }
        }
    }

    private Expression quantified(Expression atom) {
        Expression whole = atom;
        for (int count = 0; ; count++) {
            Limits.checkDepth("the regular expression", depth + count);
            switch (cursor.peek()) {
                case '*' -> whole = quantifier(whole, 0, Repeat.UNBOUNDED);
                case '+' -> whole = quantifier(whole, 1, Repeat.UNBOUNDED);
                case '?' -> whole = quantifier(whole, 0, 1);
                case '{' -> whole = counted(whole);
                default -> {
                    return whole;
                }
            }
            // Which of several matches is preferred is all the same where the whole text must match.
            cursor.take("?");
            if (cursor.peek() == '+') {
                throw cursor.error("a possessive quantifier is not supported");
            }
            if (cursor.peek() == '*' || cursor.peek() == '?' || cursor.peek() == '{') {
                throw cursor.error("a quantifier behind a quantifier; put what is repeated into a group (?: )");
            }
        }
    }

    private Expression quantifier(Expression body, int min, int max) {
        cursor.next();
        return new Repeat(body, min, max);
    }

    private Expression counted(Expression body) {
        cursor.next();
        int min = cursor.number("a repetition", Limits.MAX_REPETITIONS);
        int max = min;
        if (cursor.take(",")) {
            max = cursor.atDigit() ? cursor.number("a repetition", Limits.MAX_REPETITIONS) : Repeat.UNBOUNDED;
        }
        cursor.expect("}");
        if (max < min) {
            throw cursor.error("a repetition of at least %d and at most %d times is none".formatted(min, max));
        }
        return new Repeat(body, min, max);
    }

    private CodePoints characterClass() {
        int start = cursor.at();
        cursor.next();
        boolean negated = cursor.take("^");
        Meaning set = Meaning.ofBoth(CodePoints.NONE);
        List<Range> ranges = new ArrayList<>();
        while (cursor.peek() != ']') {
            Meaning escaped = classMember(ranges);
            set = escaped == null ? set : set.or(escaped);
        }
        cursor.next();
        if (ranges.isEmpty() && set.java().isEmpty()) {
            throw cursor.error(start, "an empty class; write ] as \\]");
        }
        set = set.or(Meaning.ofBoth(CodePoints.union(ranges)));
        return negated ? set.not().common() : set.common();
    }

    /** The set that an escape stands for; null if it was a character or a range, which is added. */
    private @Nullable Meaning classMember(List<Range> ranges) {
        if (cursor.startsWith("[") || cursor.startsWith("&&")) {
            throw cursor.error("%s in a class means different things in different dialects; put a \\ before a character that is meant".formatted(cursor.found()));
        }
        Meaning escaped = cursor.startsWith("\\") ? classEscapeInClass() : null;
        if (escaped != null) {
            if (cursor.startsWith("-") && !cursor.startsWith("-]")) {
                throw cursor.error("a range cannot begin with a class; write - as \\-");
            }
            return escaped;
        }
        int first = memberCharacter();
        int last = first;
        if (cursor.startsWith("-") && !cursor.startsWith("-]")) {
            cursor.next();
            last = memberCharacter();
        }
        if (last < first) {
            throw cursor.error("the range from U+%04X to U+%04X runs backwards".formatted(first, last));
        }
        ranges.add(new Range(first, last));
        return null;
    }

    /** The set of an escape; null, with nothing taken, if it stands for a character. */
    private @Nullable Meaning classEscapeInClass() {
        for (String each : List.of("\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\p", "\\P")) {
            if (cursor.startsWith(each)) {
                cursor.next();
                return classEscape();
            }
        }
        return null;
    }

    private int memberCharacter() {
        if (cursor.startsWith("[")) {
            throw cursor.error("'[' in a class means different things in different dialects; put a \\ before it");
        }
        return cursor.take("\\") ? characterEscape() : cursor.next();
    }

    /** What stands behind a \, if it is a class; else null, with nothing taken. */
    private @Nullable Meaning classEscape() {
        int kind = cursor.peek();
        if ("dDwWsSpP".indexOf(kind) < 0) {
            return null;
        }
        cursor.next();
        Meaning set = switch (kind) {
            case 'd', 'D' -> Meaning.ofBoth(DIGITS);
            case 'w', 'W' -> Meaning.ofBoth(WORD);
            case 's', 'S' -> new Meaning(SPACE, SPACE.or(MORE_SPACE));
            default -> Meaning.ofBoth(property());
        };
        return Character.isUpperCase(kind) ? set.not() : set;
    }

    /** A property of Unicode, as {@link Pattern} names it: {@code {L}}, {@code {IsHan}}. */
    private CodePoints property() {
        int start = cursor.at();
        cursor.expect("{");
        while (cursor.peek() != '}') {
            cursor.next();
        }
        cursor.next();
        String name = cursor.since(start);
        CodePoints known = properties.get(name);
        if (known == null) {
            if (properties.size() == MAX_PROPERTIES) {
                throw cursor.error(start, "more than the %d properties that are supported in one expression".formatted(MAX_PROPERTIES));
            }
            known = allOf(name, start);
            properties.put(name, known);
        }
        return known;
    }

    private CodePoints allOf(String name, int start) {
        Matcher matcher;
        try {
            matcher = Pattern.compile("\\p" + name).matcher("");
        } catch (PatternSyntaxException e) {
            throw cursor.error(start, "there is no property \\p" + name);
        }
        List<Range> ranges = new ArrayList<>();
        int first = -1;
        for (int c = 0; c <= CodePoints.MAX + 1; c++) {
            boolean in = c <= CodePoints.MAX && matcher.reset(Character.toString(c)).matches();
            if (in && first < 0) {
                first = c;
            } else if (!in && first >= 0) {
                ranges.add(new Range(first, c - 1));
                first = -1;
            }
        }
        return CodePoints.union(ranges);
    }

    /** What stands behind a \, as a character. */
    private int characterEscape() {
        int start = cursor.at();
        int c = cursor.next();
        switch (c) {
            case 't' -> {
                return '\t';
            }
            case 'n' -> {
                return '\n';
            }
            case 'r' -> {
                return '\r';
            }
            case 'f' -> {
                return '\f';
            }
            case 'x' -> {
                return cursor.startsWith("{") ? bracedHex() : cursor.hex(2);
            }
            case 'u' -> {
                return cursor.startsWith("{") ? bracedHex() : cursor.hex(4);
            }
            default -> {
                if (c >= '1' && c <= '9' || c == 'k') {
                    throw cursor.error(start, "a backreference is not regular and not supported");
                }
                if (c >= 0x80 || Character.isLetterOrDigit(c)) {
                    throw cursor.error(start, "\\%s is not supported".formatted(Character.toString(c)));
                }
                return c;
            }
        }
    }

    private int bracedHex() {
        cursor.next();
        int start = cursor.at();
        int digits = 0;
        while (digits < 6 && Character.digit(cursor.peek(), 16) >= 0) {
            cursor.next();
            digits++;
        }
        String hex = cursor.since(start);
        if (digits == 0 || !cursor.take("}")) {
            throw cursor.error("expected 1 to 6 hexadecimal digits and '}'");
        }
        return new Cursor("the escape", "0".repeat(6 - digits) + hex).hex(6);
    }
}
