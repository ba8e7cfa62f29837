package dev.yangtuo.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic, of numbers that fit a long or a double, of strings and of lists. */
final class Arithmetic {
    private Arithmetic() {}

    static Object sign(boolean negative, @Nullable Object value) {
        if (value instanceof Double d) {
            return negative ? -d : d;
        }
        long number = Values.requireInteger(value);
        return negative ? exact(() -> Math.negateExact(number)) : number;
    }

    static Object apply(String operator, @Nullable Object left, @Nullable Object right, Rendering rendering) {
        if (Values.isInteger(left) && Values.isInteger(right)) {
            return integers(operator, Values.requireInteger(left), Values.requireInteger(right));
        }
        if (Values.isNumber(left) && Values.isNumber(right)) {
            return doubles(operator, Values.toDouble(left), Values.toDouble(right));
        }
        Object result = switch (operator) {
            case "+" -> sum(left, right, rendering);
            case "*" -> Values.isInteger(left) ? repeated(right, Values.requireInteger(left), rendering)
                    : Values.isInteger(right) ? repeated(left, Values.requireInteger(right), rendering) : null;
            case "%" -> left instanceof Text format
                    ? Formats.percent(format, right instanceof Tuple tuple ? new Arguments(tuple, Map.of()) : Arguments.of(right), rendering) : null;
            default -> null;
        };
        if (result == null) {
            throw left instanceof Undefined undefined ? undefined.used() : right instanceof Undefined undefined ? undefined.used()
                    : new JinjaException("'%s' does not go with %s and %s".formatted(operator, Values.typeName(left), Values.typeName(right)));
        }
        return result;
    }

    private static @Nullable Object sum(@Nullable Object left, @Nullable Object right, Rendering rendering) {
        if (left instanceof Text a && right instanceof Text b) {
            return rendering.text().append(a).append(b).build();
        }
        if (left instanceof List<?> a && right instanceof List<?> b && left instanceof Tuple == right instanceof Tuple) {
            rendering.budget().spendElements((long) a.size() + b.size());
            List<@Nullable Object> all = new ArrayList<>(a);
            all.addAll(b);
            return left instanceof Tuple ? new Tuple(all) : all;
        }
        return null;
    }

    private static @Nullable Object repeated(@Nullable Object value, long times, Rendering rendering) {
        long count = Math.max(0, times);
        if (value instanceof Text text) {
            rendering.budget().spendChars(saturated(text.chars(), count));
            TextBuilder out = rendering.text();
            for (long i = 0; i < count && !text.isEmpty(); i++) {
                out.append(text);
            }
            return out.build();
        }
        if (value instanceof List<?> list) {
            rendering.budget().spendElements(saturated(list.size(), count));
            List<@Nullable Object> all = new ArrayList<>();
            for (long i = 0; i < count && !list.isEmpty(); i++) {
                all.addAll(list);
            }
            return value instanceof Tuple ? new Tuple(all) : all;
        }
        return null;
    }

    private static long saturated(int size, long count) {
        return count > Integer.MAX_VALUE ? (size == 0 ? 0 : Long.MAX_VALUE / 2) : size * count;
    }

    private static Object integers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> exact(() -> Math.addExact(a, b));
            case "-" -> exact(() -> Math.subtractExact(a, b));
            case "*" -> exact(() -> Math.multiplyExact(a, b));
            case "/" -> (double) a / nonZero(b);
            case "//" -> Math.floorDiv(a, nonZero(b));
            case "%" -> Math.floorMod(a, nonZero(b));
            default -> b < 0 ? Math.pow(a, b) : power(a, b);
        };
    }

    private static Object power(long base, long exponent) {
        return exact(() -> {
            long result = 1;
            if (base == 0 || base == 1) {
                return exponent == 0 ? 1 : base;
            }
            if (base == -1) {
                return exponent % 2 == 0 ? 1 : -1;
            }
            for (long i = 0; i < exponent; i++) { // overflows before the 64th step
                result = Math.multiplyExact(result, base);
            }
            return result;
        });
    }

    @FunctionalInterface
    private interface Exact {
        long compute();
    }

    private static Long exact(Exact computation) {
        try {
            return computation.compute();
        } catch (ArithmeticException e) {
            throw new JinjaException("a whole number grows beyond 64 bits");
        }
    }

    static long nonZero(long divisor) {
        if (divisor == 0) {
            throw new JinjaException("division by zero");
        }
        return divisor;
    }

    private static Object doubles(String operator, double a, double b) {
        if (b == 0 && (operator.startsWith("/") || operator.equals("%"))) {
            throw new JinjaException("division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - Math.floor(a / b) * b;
            default -> Math.pow(a, b);
        };
    }
}
