package dev.yangtuo.sampling;

/**
 * A temperature that follows how sure the model is: {@code low + (high - low) * (H / Hmax)^exponent}, where {@code low} and {@code high} are the temperature minus (at least 0)
 * and plus the range, {@code H} is the entropy of the candidates that are left and {@code Hmax} the greatest that as many can have (Zhang et al., arXiv 2309.02772, in the
 * form that llama.cpp has given it).
 *
 * @param range 0 (off) or more
 * @param exponent 0 or more; with more than 1 the temperature stays low until the model is very unsure
 */
public record DynamicTemperature(float range, float exponent) {
    /** The temperature is what it is. */
    public static final DynamicTemperature OFF = new DynamicTemperature(0f, 1f);

    /** Checks the ranges. */
    public DynamicTemperature {
        Ranges.require(Float.isFinite(range) && range >= 0, "the dynamic temperature's range", range, "0 (off) or more");
        Ranges.require(Float.isFinite(exponent) && exponent >= 0, "the dynamic temperature's exponent", exponent, "0 or more");
    }

    /** Whether the temperature changes at all. */
    public boolean isOn() {
        return range > 0;
    }
}
