package dev.yangtuo.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be asked of a value. */
final class Tests {
    private Tests() {}

    /** {@code value is name(arguments)}. */
    static boolean apply(String name, @Nullable Object value, Arguments arguments, Budget budget) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "number" -> Values.isNumber(value);
            case "string" -> value instanceof Text;
            case "mapping" -> value instanceof Map;
            case "sequence" -> value instanceof List || value instanceof Map || value instanceof Text || value instanceof Undefined;
            case "iterable" -> value instanceof List || value instanceof Map || value instanceof Text || value instanceof Undefined;
            case "callable" -> value instanceof Callable;
            case "odd" -> Math.floorMod(Values.requireInteger(value), 2L) == 1;
            case "even" -> Math.floorMod(Values.requireInteger(value), 2L) == 0;
            case "divisibleby" -> Math.floorMod(Values.requireInteger(value), Arithmetic.nonZero(Values.requireInteger(arguments.require(0, "num")))) == 0;
            case "lower", "upper" -> {
                Members.spend(value, budget);
                yield isCased(Values.requireText(value).value(), name.equals("upper"));
            }
            case "sameas" -> value == arguments.require(0, "other") || Values.areEqual(value, arguments.require(0, "other"), budget);
            case "in" -> Values.contains(arguments.require(0, "seq"), value, budget);
            case "eq", "equalto", "==" -> compare("==", value, arguments.require(0, "other"), budget);
            case "ne", "!=" -> compare("!=", value, arguments.require(0, "other"), budget);
            case "lt", "lessthan", "<" -> compare("<", value, arguments.require(0, "other"), budget);
            case "le", "<=" -> compare("<=", value, arguments.require(0, "other"), budget);
            case "gt", "greaterthan", ">" -> compare(">", value, arguments.require(0, "other"), budget);
            case "ge", ">=" -> compare(">=", value, arguments.require(0, "other"), budget);
            default -> throw new JinjaException("the test '%s' is not known".formatted(name));
        };
    }

    /** {@code left operator right}. */
    static boolean compare(String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
        return switch (operator) {
            case "==" -> Values.areEqual(left, right, budget);
            case "!=" -> !Values.areEqual(left, right, budget);
            case "<" -> Values.compare(left, right, budget) < 0;
            case "<=" -> Values.compare(left, right, budget) <= 0;
            case ">" -> Values.compare(left, right, budget) > 0;
            case ">=" -> Values.compare(left, right, budget) >= 0;
            case "in" -> Values.contains(right, left, budget);
            default -> !Values.contains(right, left, budget);
        };
    }

    /** Whether a string has letters of one case and none of the other. */
    static boolean isCased(String text, boolean upper) {
        return text.codePoints().anyMatch(c -> upper ? Character.isUpperCase(c) : Character.isLowerCase(c))
                && text.codePoints().noneMatch(c -> upper ? Character.isLowerCase(c) : Character.isUpperCase(c));
    }
}
