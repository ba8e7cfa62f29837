package dev.yangtuo.jinja;

import dev.yangtuo.jinja.Lexeme.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into words, as jinja2's lexer does it with {@code trim_blocks} and {@code lstrip_blocks}: the line feed behind a statement or a
 * comment goes, and so do the spaces before one that begins its line; {@code -} takes all white space on its side, {@code +} keeps it.
 */
final class Lexer {
    private static final Pattern NEWLINE = Pattern.compile("\r\n|\r|\n");
    private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%\\}", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}", Pattern.UNICODE_CHARACTER_CLASS);
    private static final List<String> OPERATORS = List.of("**", "//", "==", "!=", ">=", "<=");
    private static final String SINGLE_OPERATORS = "+-/*%~[](){}><=.:|,;";

    private final String source;
    private final List<Lexeme> lexemes = new ArrayList<>();
    private int position;
    private int line = 1;
    /** Up to where lines have been counted. */
    private int counted;
    /** Whether what was read last ended with a line feed. */
    private boolean lineStarts = true;

    private Lexer(String source) {
        String unified = NEWLINE.matcher(source).replaceAll("\n");
        this.source = unified.endsWith("\n") ? unified.substring(0, unified.length() - 1) : unified;
    }

    static List<Lexeme> lex(String source) {
        return new Lexer(source).lex();
    }

    private List<Lexeme> lex() {
        while (position < source.length()) {
            int begin = nextBegin();
            if (begin < 0) {
                add(Kind.DATA, source.substring(position));
                position = source.length();
            } else {
                enter(begin);
            }
        }
        add(Kind.END, "");
        return lexemes;
    }

    private int nextBegin() {
        for (int i = source.indexOf('{', position); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    private void enter(int begin) {
        char kind = source.charAt(begin + 1);
        char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
        addData(source.substring(position, begin), sign, kind == '{');
        position = begin;
        Matcher raw = RAW.matcher(source).region(begin, source.length());
        if (kind == '%' && raw.lookingAt()) {
            position = raw.end();
            skipSpaces(raw.group(1).equals("-"));
            readRaw();
            return;
        }
        position = begin + (sign == '-' || sign == '+' ? 3 : 2);
        switch (kind) {
            case '#' -> readComment();
            case '%' -> readCode(Kind.STATEMENT_BEGIN, Kind.STATEMENT_END, "%}");
            default -> readCode(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
        }
    }

    /** Adds text without the white space that the tag behind it takes. */
    private void addData(String text, char sign, boolean output) {
        String kept = text;
        if (sign == '-') {
            kept = Text.of(text).strip(false, true, Text::isSpace).value();
        } else if (sign != '+' && !output) {
            int lineBegin = text.lastIndexOf('\n') + 1;
            if ((lineBegin > 0 || lineStarts) && text.codePoints().skip(text.codePointCount(0, lineBegin)).allMatch(Text::isSpace)) {
                kept = text.substring(0, lineBegin);
            }
        }
        if (!kept.isEmpty()) {
            add(Kind.DATA, kept);
        }
    }

    private void readRaw() {
        Matcher end = END_RAW.matcher(source).region(position, source.length());
        if (!end.find()) {
            throw new JinjaException(line(), "'raw' has no 'endraw'");
        }
        lineStarts = false;
        addData(source.substring(position, end.start()), end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0), false);
        position = end.end();
        endTag(end.group(2), true);
    }

    private void readComment() {
        int end = source.indexOf("#}", position);
        if (end < 0) {
            throw new JinjaException(line(), "a comment has no end");
        }
        String sign = end > position && "-+".indexOf(source.charAt(end - 1)) >= 0 ? source.substring(end - 1, end) : "";
        position = end + 2;
        endTag(sign, true);
    }

    /** Takes the white space behind a tag. */
    private void endTag(String sign, boolean trims) {
        int before = position;
        if (trims && sign.isEmpty() && position < source.length() && source.charAt(position) == '\n') {
            position++;
        }
        skipSpaces(sign.equals("-"));
        lineStarts = position > before && source.charAt(position - 1) == '\n';
    }

    private void skipSpaces(boolean skip) {
        while (skip && position < source.length() && Text.isSpace(source.charAt(position))) {
            position++;
        }
    }

    private void readCode(Kind begin, Kind end, String close) {
        add(begin, close.equals("%}") ? "{%" : "{{");
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            skipSpaces(true);
            if (position == source.length()) {
                throw new JinjaException(line(), "'%s' is missing".formatted(close));
            }
            if (open.isEmpty()) {
                String sign = signBefore(close);
                if (source.startsWith(sign + close, position)) {
                    add(end, close);
                    position += sign.length() + close.length();
                    endTag(sign, close.equals("%}"));
                    return;
                }
            }
            readWord(open);
        }
    }

    /** The sign that stands before the end of a tag; variables have no {@code +}. */
    private String signBefore(String close) {
        char c = source.charAt(position);
        return c == '-' || c == '+' && close.equals("%}") ? String.valueOf(c) : "";
    }

    private void readWord(Deque<Character> open) {
        int c = source.codePointAt(position);
        if (c == '\'' || c == '"') {
            readString((char) c);
        } else if (Character.isDigit(c)) {
            readNumber();
        } else if (isNamePart(c)) {
            int from = position;
            while (position < source.length() && isNamePart(source.codePointAt(position))) {
                position += Character.charCount(source.codePointAt(position));
            }
            add(Kind.NAME, source.substring(from, position));
        } else {
            readOperator(open);
        }
    }

    private static boolean isNamePart(int c) {
        return c == '_' || Character.isLetterOrDigit(c);
    }

    private void readOperator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, position)) {
                add(Kind.OPERATOR, operator);
                position += operator.length();
                return;
            }
        }
        char c = source.charAt(position);
        if (SINGLE_OPERATORS.indexOf(c) < 0) {
            throw new JinjaException(line(), "'%s' is not understood".formatted(Character.toString(source.codePointAt(position))));
        }
        switch (c) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty() || open.pop() != c) {
                    throw new JinjaException(line(), "'%s' closes what was not opened".formatted(c));
                }
            }
            default -> { }
        }
        add(Kind.OPERATOR, String.valueOf(c));
        position++;
    }

    private void readNumber() {
        int from = position;
        skipDigits();
        boolean afterDot = from > 0 && source.charAt(from - 1) == '.';
        boolean isFloat = false;
        if (!afterDot && isDigitAt(position + 1) && source.charAt(position) == '.') {
            position++;
            skipDigits();
            isFloat = true;
        }
        if (!afterDot && position < source.length() && (source.charAt(position) == 'e' || source.charAt(position) == 'E')) {
            int sign = position + 1 < source.length() && "+-".indexOf(source.charAt(position + 1)) >= 0 ? 1 : 0;
            if (isDigitAt(position + 1 + sign)) {
                position += 1 + sign;
                skipDigits();
                isFloat = true;
            }
        }
        add(isFloat ? Kind.FLOAT : Kind.INTEGER, source.substring(from, position).replace("_", ""));
    }

    private boolean isDigitAt(int index) {
        return index < source.length() && Character.isDigit(source.charAt(index));
    }

    private void skipDigits() {
        while (isDigitAt(position) || position + 1 < source.length() && source.charAt(position) == '_' && isDigitAt(position + 1)) {
            position++;
        }
    }

    private void readString(char quote) {
        int start = position++;
        StringBuilder value = new StringBuilder();
        while (position < source.length() && source.charAt(position) != quote) {
            char c = source.charAt(position++);
            if (c == '\\' && position < source.length()) {
                readEscape(value);
            } else {
                value.append(c);
            }
        }
        if (position == source.length()) {
            position = start;
            throw new JinjaException(line(), "a string has no end");
        }
        position = start;
        add(Kind.STRING, value.toString());
        position = endOfString(start, quote);
    }

    private int endOfString(int start, char quote) {
        int i = start + 1;
        while (source.charAt(i) != quote) {
            i += source.charAt(i) == '\\' ? 2 : 1;
        }
        return i + 1;
    }

    /** Python's escapes; those that it does not know stand for themselves. */
    private void readEscape(StringBuilder value) {
        char c = source.charAt(position++);
        switch (c) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case 'a' -> value.append('\u0007');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'v' -> value.append('\u000B');
            case '\n' -> { }
            case '\\', '\'', '"' -> value.append(c);
            case 'x' -> readCodePoint(value, 2);
            case 'u' -> readCodePoint(value, 4);
            case 'U' -> readCodePoint(value, 8);
            case '0', '1', '2', '3', '4', '5', '6', '7' -> readOctal(value, c);
            default -> value.append('\\').append(c);
        }
    }

    private void readCodePoint(StringBuilder value, int digits) {
        int end = Math.min(position + digits, source.length());
        try {
            int codePoint = Integer.parseUnsignedInt(source.substring(position, end), 16);
            if (end - position < digits || !Character.isValidCodePoint(codePoint)) {
                throw new NumberFormatException();
            }
            value.appendCodePoint(codePoint);
        } catch (NumberFormatException e) {
            throw new JinjaException(line(), "a string has an escape that is no character");
        }
        position = end;
    }

    private void readOctal(StringBuilder value, char first) {
        int codePoint = first - '0';
        for (int i = 0; i < 2 && position < source.length() && source.charAt(position) >= '0' && source.charAt(position) <= '7'; i++) {
            codePoint = codePoint * 8 + source.charAt(position++) - '0';
        }
        value.appendCodePoint(codePoint);
    }

    private void add(Kind kind, String text) {
        lexemes.add(new Lexeme(kind, text, line()));
    }

    /** The line of the position. */
    private int line() {
        for (; counted < Math.min(position, source.length()); counted++) {
            line += source.charAt(counted) == '\n' ? 1 : 0;
        }
        return line;
    }
}
