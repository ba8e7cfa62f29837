package dev.yangtuo.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.exception.GrammarException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** Numbers between bounds: those that are written are between them, and those that are between them are written. */
class NumberRangeTest {
    @Provide
    Arbitrary<BigDecimal> decimals() {
        return Arbitraries.oneOf(
                Arbitraries.bigDecimals().between(BigDecimal.valueOf(-12), BigDecimal.valueOf(12)).ofScale(2),
                Arbitraries.bigDecimals().between(BigDecimal.valueOf(-2), BigDecimal.valueOf(2)).ofScale(3),
                Arbitraries.integers().between(-1200, 1200).map(BigDecimal::valueOf));
    }

    /** A bound, or none. */
    @Provide
    Arbitrary<BigDecimal> bounds() {
        return decimals().injectNull(0.2);
    }

    private static NumberRange range(@Nullable BigDecimal a, boolean exclusiveA, @Nullable BigDecimal b, boolean exclusiveB) {
        boolean ordered = a == null || b == null || a.compareTo(b) <= 0;
        return ordered ? new NumberRange(a, exclusiveA, b, exclusiveB) : new NumberRange(b, exclusiveB, a, exclusiveA);
    }

    private static boolean contains(NumberRange range, BigDecimal value) {
        boolean low = range.min() == null || value.compareTo(range.min()) > (range.aboveMin() ? 0 : -1);
        boolean high = range.max() == null || value.compareTo(range.max()) < (range.belowMax() ? 0 : 1);
        return low && high;
    }

    private static boolean writes(Expression numbers, String text) {
        try {
            Automaton automaton = new Automaton(NetworkBuilder.build(Rules.of(numbers)));
            return Matching.behind(automaton, text.getBytes(StandardCharsets.UTF_8)).complete;
        } catch (GrammarException e) {
            return false; // there is none
        }
    }

    @Property(tries = 1_000)
    void decimalsAreThoseBetweenTheBounds(@ForAll("bounds") BigDecimal a, @ForAll boolean exclusiveA, @ForAll("bounds") BigDecimal b, @ForAll boolean exclusiveB,
            @ForAll("decimals") BigDecimal value) {
        NumberRange range = range(a, exclusiveA, b, exclusiveB);
        BigDecimal shortest = value.stripTrailingZeros();
        assertThat(writes(range.decimals(), shortest.toPlainString())).as("%s in %s", shortest.toPlainString(), range).isEqualTo(contains(range, value));
        // Zeros at the end may be left out at the upper bound, but never make a number that is not between the bounds.
        String longer = value.setScale(5).toPlainString();
        assertThat(writes(range.decimals(), longer) && !contains(range, value)).isFalse();
        assertThat(range.contains(value)).isEqualTo(contains(range, value));
    }

    @Property(tries = 1_000)
    void integersAreThoseBetweenTheBounds(@ForAll("bounds") BigDecimal a, @ForAll boolean exclusiveA, @ForAll("bounds") BigDecimal b, @ForAll boolean exclusiveB,
            @ForAll("decimals") BigDecimal value) {
        NumberRange range = range(a, exclusiveA, b, exclusiveB);
        BigDecimal whole = new BigDecimal(value.toBigInteger());
        assertThat(writes(range.integers(), whole.toPlainString())).as("%s in %s", whole, range).isEqualTo(contains(range, whole));
    }
}
