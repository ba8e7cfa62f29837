package dev.yangtuo.grammar;

import static dev.yangtuo.grammar.Expression.literal;
import static dev.yangtuo.grammar.Expression.optional;
import static dev.yangtuo.grammar.Expression.sequence;

import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Repeat;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Numbers between two others, in the decimal system. Both bounds may be absent.
 *
 * @param min the smallest, or what all are greater than
 * @param max the largest, or what all are less than
 */
record NumberRange(@Nullable BigDecimal min, boolean aboveMin, @Nullable BigDecimal max, boolean belowMax) {
    static final NumberRange ALL = new NumberRange(null, false, null, false);

    /** Digits of a bound. */
    static final int MAX_DIGITS = 300;

    private static final Expression NOTHING = new Choice(List.of());
    private static final Expression DIGITS = new Repeat(JsonText.DIGIT, 0, JsonText.MAX_DIGITS);
    private static final Expression FRACTION = optional(sequence(literal("."), new Repeat(JsonText.DIGIT, 1, JsonText.MAX_DIGITS)));
    private static final BigInteger DEFAULT_MAX = BigInteger.TEN.pow(JsonText.MAX_DIGITS).subtract(BigInteger.ONE);

    boolean isAll() {
        return min == null && max == null;
    }

    /** The numbers that are in both. */
    NumberRange and(NumberRange other) {
        NumberRange lower = min == null || other.min != null && (other.min.compareTo(min) > 0 || other.min.compareTo(min) == 0 && other.aboveMin) ? other : this;
        NumberRange upper = max == null || other.max != null && (other.max.compareTo(max) < 0 || other.max.compareTo(max) == 0 && other.belowMax) ? other : this;
        return new NumberRange(lower.min, lower.aboveMin, upper.max, upper.belowMax);
    }

    boolean isEmpty() {
        return min != null && max != null && (min.compareTo(max) > 0 || min.compareTo(max) == 0 && (aboveMin || belowMax));
    }

    boolean contains(BigDecimal value) {
        return !and(new NumberRange(value, false, value, false)).isEmpty();
    }

    /** The whole numbers among them, written without fraction and exponent. */
    Expression integers() {
        BigInteger first = min == null ? null : min.setScale(0, RoundingMode.CEILING).toBigIntegerExact();
        if (first != null && aboveMin && min.compareTo(new BigDecimal(first)) == 0) {
            first = first.add(BigInteger.ONE);
        }
        BigInteger last = max == null ? null : max.setScale(0, RoundingMode.FLOOR).toBigIntegerExact();
        if (last != null && belowMax && max.compareTo(new BigDecimal(last)) == 0) {
            last = last.subtract(BigInteger.ONE);
        }
        BigInteger low = first != null ? first : beyond(last).negate();
        BigInteger high = last != null ? last : beyond(first);
        List<Expression> alternatives = new ArrayList<>();
        if (low.signum() < 0) {
            alternatives.add(sequence(literal("-"), naturals(high.negate().max(BigInteger.ONE), low.negate())));
        }
        if (high.signum() >= 0) {
            alternatives.add(naturals(low.max(BigInteger.ZERO), high));
        }
        return new Choice(alternatives);
    }

    /** A bound for numbers that have none: some digits, and more than the other bound has. */
    private static BigInteger beyond(@Nullable BigInteger other) {
        return other == null ? DEFAULT_MAX : DEFAULT_MAX.max(other.abs().multiply(BigInteger.TEN));
    }

    /** @param low not negative; nothing if it is more than high */
    private static Expression naturals(BigInteger low, BigInteger high) {
        List<Expression> alternatives = new ArrayList<>();
        for (int length = low.toString().length(); low.compareTo(high) <= 0 && length <= high.toString().length(); length++) {
            BigInteger from = low.max(length == 1 ? BigInteger.ZERO : BigInteger.TEN.pow(length - 1));
            BigInteger to = high.min(BigInteger.TEN.pow(length).subtract(BigInteger.ONE));
            alternatives.add(sameLength(from.toString(), to.toString()));
        }
        return new Choice(alternatives);
    }

    /** Numbers from one to another with as many digits. */
    private static Expression sameLength(String low, String high) {
        if (low.isEmpty()) {
            return Expression.EMPTY;
        }
        char l = low.charAt(0);
        char h = high.charAt(0);
        if (l == h) {
            return sequence(digit(l, h), sameLength(low.substring(1), high.substring(1)));
        }
        return new Choice(List.of(
                sequence(digit(l, l), atLeast(low.substring(1))),
                sequence(digit(l + 1, h - 1), digits(low.length() - 1)),
                sequence(digit(h, h), atMost(high.substring(1)))));
    }

    private static Expression atLeast(String low) {
        if (low.isEmpty()) {
            return Expression.EMPTY;
        }
        char l = low.charAt(0);
        return new Choice(List.of(sequence(digit(l, l), atLeast(low.substring(1))), sequence(digit(l + 1, '9'), digits(low.length() - 1))));
    }

    private static Expression atMost(String high) {
        if (high.isEmpty()) {
            return Expression.EMPTY;
        }
        char h = high.charAt(0);
        return new Choice(List.of(sequence(digit(h, h), atMost(high.substring(1))), sequence(digit('0', h - 1), digits(high.length() - 1))));
    }

    private static Expression digit(int first, int last) {
        return first > last ? NOTHING : new Chars(CodePoints.range(first, last));
    }

    private static Expression digits(int count) {
        return new Repeat(JsonText.DIGIT, count, count);
    }

    /** The numbers, whole or with a fraction, without exponent. */
    Expression decimals() {
        List<Expression> alternatives = new ArrayList<>();
        if (min == null || min.signum() < 0) {
            NumberRange mirrored = new NumberRange(max == null ? null : max.negate(), belowMax, min == null ? null : min.negate(), aboveMin);
            alternatives.add(sequence(literal("-"), mirrored.and(new NumberRange(BigDecimal.ZERO, true, null, false)).positive()));
        }
        if (max == null || max.signum() >= 0) {
            alternatives.add(and(new NumberRange(BigDecimal.ZERO, false, null, false)).positive());
        }
        return new Choice(alternatives);
    }

    /** Of a range whose lower bound is there and not negative. */
    private Expression positive() {
        if (min == null || isEmpty()) {
            return NOTHING;
        }
        BigInteger low = min.toBigInteger();
        String lowFraction = fraction(min);
        if (max == null) {
            return new Choice(List.of(
                    sequence(literal(low.toString()), fractionAtLeast(lowFraction)),
                    sequence(naturals(low.add(BigInteger.ONE), beyond(low)), FRACTION)));
        }
        BigInteger high = max.toBigInteger();
        String highFraction = fraction(max);
        if (low.equals(high)) {
            return sequence(literal(low.toString()), fractionBetween(lowFraction, highFraction));
        }
        return new Choice(List.of(
                sequence(literal(low.toString()), fractionAtLeast(lowFraction)),
                sequence(naturals(low.add(BigInteger.ONE), high.subtract(BigInteger.ONE)), FRACTION),
                sequence(literal(high.toString()), fractionAtMost(highFraction))));
    }

    /** Digits behind the point, without zeros at the end. */
    private static String fraction(BigDecimal value) {
        String plain = value.remainder(BigDecimal.ONE).stripTrailingZeros().toPlainString();
        int point = plain.indexOf('.');
        return point < 0 ? "" : plain.substring(point + 1);
    }

    private Expression fractionAtLeast(String low) {
        if (low.isEmpty() && !aboveMin) {
            return FRACTION;
        }
        return sequence(literal("."), digitsAtLeast(low));
    }

    /** Digits that go on where those before were the same. */
    private Expression digitsAtLeast(String low) {
        if (low.isEmpty()) {
            return aboveMin ? sequence(new Repeat(literal("0"), 0, JsonText.MAX_DIGITS), digit('1', '9'), DIGITS) : DIGITS;
        }
        char l = low.charAt(0);
        return new Choice(List.of(sequence(digit(l, l), digitsAtLeast(low.substring(1))), sequence(digit(l + 1, '9'), DIGITS)));
    }

    private Expression fractionAtMost(String high) {
        if (high.isEmpty()) {
            return belowMax ? NOTHING : Expression.EMPTY;
        }
        return optional(sequence(literal("."), digitsAtMost(high)));
    }

    /** One digit or more; where they end before the bound does, they are less, as it does not end in a zero. */
    private Expression digitsAtMost(String high) {
        char h = high.charAt(0);
        return new Choice(List.of(sequence(digit('0', h - 1), DIGITS), sequence(digit(h, h), restAtMost(high.substring(1)))));
    }

    private Expression restAtMost(String high) {
        if (high.isEmpty()) {
            return belowMax ? NOTHING : Expression.EMPTY;
        }
        return optional(digitsAtMost(high));
    }

    /** Fractions of numbers whose whole part is that of both bounds. */
    private Expression fractionBetween(String low, String high) {
        Expression whole = low.isEmpty() && !aboveMin ? Expression.EMPTY : NOTHING;
        return high.isEmpty() ? whole : new Choice(List.of(whole, sequence(literal("."), digitsBetween(low, high))));
    }

    /** Digits that go on where those before were the same as those of both bounds; the upper one has more, and is not less. */
    private Expression digitsBetween(String low, String high) {
        char l = low.isEmpty() ? '0' : low.charAt(0);
        char h = high.charAt(0);
        String lowRest = low.isEmpty() ? "" : low.substring(1);
        String highRest = high.substring(1);
        if (l < h) {
            return new Choice(List.of(
                    sequence(digit(l, l), digitsAtLeast(lowRest)),
                    sequence(digit(l + 1, h - 1), DIGITS),
                    sequence(digit(h, h), restAtMost(highRest))));
        }
        Expression end = lowRest.isEmpty() && !aboveMin ? Expression.EMPTY : NOTHING;
        return sequence(digit(l, l), highRest.isEmpty() ? end : new Choice(List.of(end, digitsBetween(lowRest, highRest))));
    }
}
