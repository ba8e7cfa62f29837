package dev.yangtuo.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Python does with its values, which are here: null (None), Boolean, Long, Double, {@link Text}, List, {@link Tuple}, Map, {@link Undefined},
 * {@link Namespace}, {@link Loop} and {@link Callable}.
 */
final class Values {
    private Values() {}

    /** Python's name of a value's type. */
    static String typeName(@Nullable Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean _ -> "bool";
            case Long _ -> "int";
            case Double _ -> "float";
            case Text _ -> "str";
            case Tuple _ -> "tuple";
            case List<?> _ -> "list";
            case Map<?, ?> _ -> "dict";
            case Undefined _ -> "undefined value";
            case Namespace _ -> "namespace";
            default -> "function";
        };
    }

    static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean b -> b;
            case Long l -> l != 0;
            case Double d -> d != 0;
            case Text t -> !t.isEmpty();
            case List<?> l -> !l.isEmpty();
            case Map<?, ?> m -> !m.isEmpty();
            case Undefined _ -> false;
            default -> true;
        };
    }

    static boolean isNumber(@Nullable Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static boolean isInteger(@Nullable Object value) {
        return value instanceof Long || value instanceof Boolean;
    }

    static double toDouble(@Nullable Object value) {
        return switch (value) {
            case Long l -> l;
            case Double d -> d;
            case Boolean b -> b ? 1 : 0;
            case Undefined u -> throw u.used();
            case null, default -> throw new JinjaException("expected a number, found %s".formatted(typeName(value)));
        };
    }

    static long requireInteger(@Nullable Object value) {
        return switch (value) {
            case Long l -> l;
            case Boolean b -> b ? 1 : 0;
            case Undefined u -> throw u.used();
            case null, default -> throw new JinjaException("expected a whole number, found %s".formatted(typeName(value)));
        };
    }

    static Text requireText(@Nullable Object value) {
        return switch (value) {
            case Text t -> t;
            case Undefined u -> throw u.used();
            case null, default -> throw new JinjaException("expected a string, found %s".formatted(typeName(value)));
        };
    }

    /** What a loop over the value visits. */
    static List<? extends @Nullable Object> elements(@Nullable Object value, Budget budget) {
        return switch (value) {
            case List<?> l -> l;
            case Map<?, ?> m -> {
                budget.spendElements(m.size());
                yield new ArrayList<Object>(m.keySet());
            }
            case Text t -> characters(t, budget);
            case Undefined _ -> List.of();
            case null, default -> throw new JinjaException("%s has no elements to loop over".formatted(typeName(value)));
        };
    }

    private static List<Text> characters(Text text, Budget budget) {
        budget.spendElements(text.length());
        List<Text> characters = new ArrayList<>();
        for (int i = 0; i < text.chars(); ) {
            int end = i + Character.charCount(text.value().codePointAt(i));
            characters.add(text.part(i, end));
            i = end;
        }
        return characters;
    }

    static long length(@Nullable Object value) {
        return switch (value) {
            case Text t -> t.length();
            case List<?> l -> l.size();
            case Map<?, ?> m -> m.size();
            case Undefined _ -> 0;
            case null, default -> throw new JinjaException("%s has no length".formatted(typeName(value)));
        };
    }

    /** Whether a value can be a key of a dictionary; tuples, which Python allows, are none here, since to look for one could take for ever. */
    static boolean isKey(@Nullable Object value) {
        return value == null || value instanceof Text || isNumber(value);
    }

    /** {@code a == b}; each element that is looked at is a step. */
    static boolean areEqual(@Nullable Object a, @Nullable Object b, Budget budget) {
        budget.step();
        if (isNumber(a) && isNumber(b)) {
            return isInteger(a) && isInteger(b) ? requireInteger(a) == requireInteger(b) : toDouble(a) == toDouble(b);
        }
        return switch (a) {
            case Text t -> {
                budget.spendChars(t.chars());
                yield t.equals(b);
            }
            case List<?> l -> b instanceof List<?> other && a instanceof Tuple == b instanceof Tuple && areEqual(l, other, budget);
            case Map<?, ?> m -> b instanceof Map<?, ?> other && areEqual(m, other, budget);
            case Undefined _ -> b instanceof Undefined;
            case null, default -> a == b;
        };
    }

    private static boolean areEqual(List<?> a, List<?> b, Budget budget) {
        boolean equal = a.size() == b.size();
        for (int i = 0; equal && i < a.size(); i++) {
            equal = areEqual(a.get(i), b.get(i), budget);
        }
        return equal;
    }

    private static boolean areEqual(Map<?, ?> a, Map<?, ?> b, Budget budget) {
        return a.size() == b.size()
                && a.entrySet().stream().allMatch(entry -> b.containsKey(entry.getKey()) && areEqual(entry.getValue(), b.get(entry.getKey()), budget));
    }

    /** Less than 0, 0, or more, as {@code a} comes before, with or after {@code b}; each element that is looked at is a step. */
    static int compare(@Nullable Object a, @Nullable Object b, Budget budget) {
        budget.step();
        if (isNumber(a) && isNumber(b)) {
            return isInteger(a) && isInteger(b) ? Long.compare(requireInteger(a), requireInteger(b)) : Double.compare(toDouble(a), toDouble(b));
        }
        if (a instanceof Text left && b instanceof Text right) {
            budget.spendChars((long) left.chars() + right.chars());
            return left.compareTo(right);
        }
        if (a instanceof List<?> left && b instanceof List<?> right) {
            for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
                if (!areEqual(left.get(i), right.get(i), budget)) {
                    return compare(left.get(i), right.get(i), budget);
                }
            }
            return Integer.compare(left.size(), right.size());
        }
        if (a instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (b instanceof Undefined undefined) {
            throw undefined.used();
        }
        throw new JinjaException("%s and %s cannot be compared".formatted(typeName(a), typeName(b)));
    }

    /** {@code element in container}. */
    static boolean contains(@Nullable Object container, @Nullable Object element, Budget budget) {
        return switch (container) {
            case Text t -> {
                budget.spendChars(t.chars());
                yield t.value().contains(requireText(element).value());
            }
            case Map<?, ?> m -> isKey(element) && m.containsKey(element);
            case List<?> l -> l.stream().anyMatch(other -> areEqual(other, element, budget));
            case Undefined _ -> false;
            case null, default -> throw new JinjaException("'in' needs a list, a dictionary or a string, found %s".formatted(typeName(container)));
        };
    }

    /** Python's {@code str}. */
    static Text toText(@Nullable Object value, Rendering rendering) {
        if (value instanceof Text text) {
            return text;
        }
        TextBuilder out = rendering.text();
        if (!(value instanceof Undefined)) {
            appendRepr(value, out, 0);
        }
        return out.build();
    }

    /** Python's {@code repr}. */
    static Text repr(@Nullable Object value, Rendering rendering) {
        TextBuilder out = rendering.text();
        appendRepr(value, out, 0);
        return out.build();
    }

    private static void appendRepr(@Nullable Object value, TextBuilder out, int depth) {
        if (depth > Json.MAX_DEPTH) {
            throw new JinjaException("a value is nested more than %d levels deep".formatted(Json.MAX_DEPTH));
        }
        switch (value) {
            case null -> out.append("None");
            case Boolean b -> out.append(b ? "True" : "False");
            case Long l -> out.append(l.toString());
            case Double d -> out.append(ofDouble(d));
            case Text t -> appendRepr(t, out);
            case Undefined u -> out.append("Undefined");
            case List<?> l -> appendRepr(l, out, depth);
            case Map<?, ?> m -> {
                String separator = "{";
                for (Map.Entry<?, ?> entry : m.entrySet()) {
                    out.append(separator);
                    appendRepr(entry.getKey(), out, depth + 1);
                    out.append(": ");
                    appendRepr(entry.getValue(), out, depth + 1);
                    separator = ", ";
                }
                out.append(m.isEmpty() ? "{}" : "}");
            }
            default -> throw new JinjaException("a %s cannot be written".formatted(typeName(value)));
        }
    }

    private static void appendRepr(List<?> list, TextBuilder out, int depth) {
        boolean tuple = list instanceof Tuple;
        String separator = tuple ? "(" : "[";
        out.append(list.isEmpty() ? separator : "");
        for (Object element : list) {
            out.append(separator);
            appendRepr(element, out, depth + 1);
            separator = ", ";
        }
        out.append(tuple ? list.size() == 1 ? ",)" : ")" : "]");
    }

    private static void appendRepr(Text text, TextBuilder out) {
        String value = text.value();
        String quote = value.contains("'") && !value.contains("\"") ? "\"" : "'";
        out.append(quote);
        for (int i = 0; i < value.length(); ) {
            int c = value.codePointAt(i);
            String shown = Character.toString(c);
            out.append(shown.equals(quote) ? "\\" + shown : escaped(c, shown), text, i);
            i += Character.charCount(c);
        }
        out.append(quote);
    }

    private static String escaped(int c, String shown) {
        boolean printable = switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\\' -> "\\\\";
            default -> printable ? shown : c < 0x100 ? "\\x%02x".formatted(c) : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c);
        };
    }

    /** Python's {@code repr} of a float: the shortest digits that give it, with an exponent below 1e-4 and from 1e16 on. */
    static String ofDouble(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = decimal.precision() - decimal.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = decimal.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = decimal.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return "%s%se%s%02d".formatted(value < 0 ? "-" : "", mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
}
