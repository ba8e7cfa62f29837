package dev.yangtuo.grammar;

import static dev.yangtuo.grammar.Expression.any;
import static dev.yangtuo.grammar.Expression.choice;
import static dev.yangtuo.grammar.Expression.literal;
import static dev.yangtuo.grammar.Expression.optional;
import static dev.yangtuo.grammar.Expression.sequence;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.yangtuo.grammar.CodePoints.Range;
import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Literal;
import dev.yangtuo.grammar.Expression.Reference;
import dev.yangtuo.grammar.Expression.Repeat;
import dev.yangtuo.grammar.Expression.Sequence;
import dev.yangtuo.grammar.Expression.TokenReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** The pieces of JSON (RFC 8259). Whitespace stands where people put it: a space, or the next line and up to {@value #MAX_INDENT} more. */
final class JsonText {
    private static final int MAX_INDENT = 20;

    /** Digits of the whole part of a number, and behind its point: as many as a double tells apart. */
    static final int MAX_DIGITS = 16;

    /** What a string may hold without an escape. */
    private static final CodePoints RAW = CodePoints.union(List.of(new Range(0, 0x1F), new Range('"', '"'), new Range('\\', '\\'))).not();

    static final Expression DIGIT = new Chars(CodePoints.range('0', '9'));

    static final Expression SPACE = new Choice(List.of(
            Expression.EMPTY,
            literal(" "),
            sequence(literal("\n"), new Repeat(new Chars(CodePoints.of(" \t")), 0, MAX_INDENT))));

    /** One character of a string. Escapes of surrogates are left out, so that it is always one, and characters beyond U+FFFF stand for themselves. */
    static final Expression CHARACTER = new Choice(List.of(
            new Chars(RAW.minus(CodePoints.of(0x7F))),
            sequence(literal("\\"), new Choice(List.of(new Chars(CodePoints.of("\"\\/bfnrt")), sequence(literal("u"), codeUnit()))))));

    static final Expression STRING = string(any(CHARACTER));

    static final Expression INTEGER = new Choice(List.of(
            literal("0"),
            sequence(optional(literal("-")), new Chars(CodePoints.range('1', '9')), new Repeat(DIGIT, 0, MAX_DIGITS - 1))));

    static final Expression NUMBER = sequence(
            optional(literal("-")),
            new Choice(List.of(literal("0"), sequence(new Chars(CodePoints.range('1', '9')), new Repeat(DIGIT, 0, MAX_DIGITS - 1)))),
            optional(sequence(literal("."), new Repeat(DIGIT, 1, MAX_DIGITS))),
            optional(sequence(new Chars(CodePoints.of("eE")), optional(new Chars(CodePoints.of("+-"))), new Repeat(DIGIT, 1, 2))));

    static final Expression BOOLEAN = new Choice(List.of(literal("true"), literal("false")));
    static final Expression NULL = literal("null");

    private static final String VALUE_RULE = "JSON value";
    private static final String OBJECT_RULE = "JSON object";
    private static final String ARRAY_RULE = "JSON array";

    static final Expression VALUE = new Reference(VALUE_RULE);
    static final Expression OBJECT = new Reference(OBJECT_RULE);
    static final Expression ARRAY = new Reference(ARRAY_RULE);

    private JsonText() {}

    /** Adds the rules that {@link #VALUE}, {@link #OBJECT} and {@link #ARRAY} name. */
    static void addRules(Map<String, Expression> rules) {
        rules.put(VALUE_RULE, new Choice(List.of(OBJECT, ARRAY, STRING, NUMBER, BOOLEAN, NULL)));
        rules.put(OBJECT_RULE, enclosed("{", list(member(STRING, VALUE), 0, Repeat.UNBOUNDED), "}"));
        rules.put(ARRAY_RULE, enclosed("[", list(VALUE, 0, Repeat.UNBOUNDED), "]"));
    }

    /** A code unit of UTF-16 in hexadecimal that is no surrogate. */
    private static Expression codeUnit() {
        Expression hex = new Chars(CodePoints.of("0123456789abcdefABCDEF"));
        return new Choice(List.of(
                sequence(new Chars(CodePoints.of("0123456789abcefABCEF")), hex, hex, hex),
                sequence(new Chars(CodePoints.of("dD")), new Chars(CodePoints.range('0', '7')), hex, hex)));
    }

    /** @param inner characters as they are written in JSON */
    static Expression string(Expression inner) {
        return sequence(literal("\""), inner, literal("\""));
    }

    /** A string with this value alone. */
    static Expression string(String value) {
        return literal("\"" + new String(JsonStringEncoder.getInstance().quoteAsString(value)) + "\"");
    }

    static Expression member(Expression key, Expression value) {
        return sequence(key, literal(":"), SPACE, value);
    }

    static Expression comma() {
        return sequence(literal(","), SPACE);
    }

    static Expression enclosed(String begin, Expression inner, String end) {
        return sequence(literal(begin), SPACE, inner, SPACE, literal(end));
    }

    /** Items with commas between them. */
    static Expression list(Expression item, int min, int max) {
        if (max == 0) {
            return Expression.EMPTY;
        }
        int more = max == Repeat.UNBOUNDED ? max : max - 1;
        Expression some = sequence(item, new Repeat(sequence(comma(), item), Math.max(0, min - 1), more));
        return min == 0 ? optional(some) : some;
    }

    /** What an expression matches as it is written within a string: with escapes where JSON wants them, and nowhere else. */
    static Expression escaped(Expression expression) {
        return switch (expression) {
            case Chars(CodePoints set) -> escaped(set);
            case Literal(String text) -> new Literal(new String(JsonStringEncoder.getInstance().quoteAsString(text)));
            case Sequence(List<Expression> parts) -> new Sequence(parts.stream().map(JsonText::escaped).toList());
            case Choice(List<Expression> alternatives) -> new Choice(alternatives.stream().map(JsonText::escaped).toList());
            case Repeat(Expression body, int min, int max) -> new Repeat(escaped(body), min, max);
            case Reference _, TokenReference _ -> throw new IllegalArgumentException("no part of a regular expression: " + expression);
        };
    }

    private static Expression escaped(CodePoints set) {
        List<Expression> alternatives = new ArrayList<>();
        alternatives.add(new Chars(set.minus(RAW.not())));
        for (Range range : set.minus(RAW).ranges()) {
            for (int c = range.first(); c <= range.last(); c++) {
                alternatives.add(literal(new String(JsonStringEncoder.getInstance().quoteAsString(Character.toString(c)))));
            }
        }
        return choice(alternatives);
    }

    /**
     * Strings without escapes that are not among these: keys beside those that are known.
     *
     * @param rule makes an expression a rule
     */
    static Expression otherKey(List<String> known, UnaryOperator<Expression> rule) {
        KeyNode root = new KeyNode();
        known.forEach(root::add);
        return string(root.others(rule));
    }

    /** Known keys, by their characters. */
    private static final class KeyNode {
        private static final CodePoints PLAIN = RAW.minus(CodePoints.of(0x7F));
        private static final Expression REST = any(new Chars(PLAIN));

        private final Map<Integer, KeyNode> children = new TreeMap<>();
        private boolean isKey;

        void add(String key) {
            KeyNode node = this;
            for (int c : key.codePoints().toArray()) {
                node = node.children.computeIfAbsent(c, _ -> new KeyNode());
            }
            node.isKey = true;
        }

        /** What may follow the characters that lead here, so that it is none of the known keys. Recursion goes as deep as the longest key that is allowed. */
        Expression others(UnaryOperator<Expression> rule) {
            List<Expression> alternatives = new ArrayList<>();
            if (!isKey) {
                alternatives.add(Expression.EMPTY);
            }
            CodePoints different = PLAIN;
            for (Map.Entry<Integer, KeyNode> child : children.entrySet()) {
                CodePoints c = CodePoints.of(child.getKey());
                different = different.minus(c);
                if (PLAIN.contains(child.getKey())) {
                    alternatives.add(sequence(new Chars(c), child.getValue().others(rule)));
                }
            }
            alternatives.add(sequence(new Chars(different), REST));
            return rule.apply(new Choice(alternatives));
        }
    }
}
