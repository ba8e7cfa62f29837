package dev.yangtuo.sampling;

import java.util.List;

/**
 * "Don't repeat yourself": a token that would lengthen a repetition loses {@code multiplier * base^(n - allowedLength)} of its logit, where the {@code n} last tokens of the
 * text were there before, followed by this token, and {@code n} is at least {@code allowedLength} (Weidmann, text-generation-webui, pull request 5677). A repetition does not
 * reach back over a sequence breaker.
 *
 * @param multiplier 0 (off) or more
 * @param base 1 or more
 * @param allowedLength repetitions that are shorter cost nothing; 0 or more
 * @param lastN only the last tokens are looked at, this many; {@link Penalties#WHOLE_TEXT} for all, 0 for none
 * @param breakers texts at which a repetition ends, 1 to {@value #LONGEST_BREAKER} characters each
 */
public record Dry(float multiplier, float base, int allowedLength, int lastN, List<String> breakers) {
    static final int LONGEST_BREAKER = 40;

    /** Changes nothing; what its creator recommends beside the multiplier, for which 0.8 is usual. */
    public static final Dry OFF = new Dry(0f, 1.75f, 2, Penalties.WHOLE_TEXT, List.of("\n", ":", "\"", "*"));

    /** Checks the ranges and copies the breakers. */
    public Dry {
        Ranges.require(Float.isFinite(multiplier) && multiplier >= 0, "the DRY multiplier", multiplier, "0 (off) or more");
        Ranges.require(Float.isFinite(base) && base >= 1, "the DRY base", base, "1 or more");
        Ranges.require(allowedLength >= 0, "the allowed length of DRY", allowedLength, "0 or more");
        Ranges.require(lastN >= Penalties.WHOLE_TEXT, "the number of last tokens that DRY looks at", lastN, "-1 (the whole text), 0 (none) or more");
        breakers = List.copyOf(breakers);
        for (String breaker : breakers) {
            Ranges.require(!breaker.isEmpty() && breaker.length() <= LONGEST_BREAKER, "a DRY sequence breaker", "'" + breaker + "'",
                    "1 to %d characters".formatted(LONGEST_BREAKER));
        }
    }

    /** Whether any logit can change. */
    public boolean isOn() {
        return multiplier > 0 && lastN != 0;
    }

    /** The same with another multiplier. */
    public Dry withMultiplier(float value) {
        return new Dry(value, base, allowedLength, lastN, breakers);
    }

    /** The same with another base. */
    public Dry withBase(float value) {
        return new Dry(multiplier, value, allowedLength, lastN, breakers);
    }

    /** The same with another allowed length. */
    public Dry withAllowedLength(int value) {
        return new Dry(multiplier, base, value, lastN, breakers);
    }

    /** The same over another number of last tokens. */
    public Dry withLastN(int value) {
        return new Dry(multiplier, base, allowedLength, value, breakers);
    }

    /** The same with other breakers. */
    public Dry withBreakers(List<String> value) {
        return new Dry(multiplier, base, allowedLength, lastN, value);
    }
}
