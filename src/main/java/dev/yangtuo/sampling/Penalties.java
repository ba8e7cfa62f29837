package dev.yangtuo.sampling;

/**
 * What makes tokens less probable that were already there, prompt included. A logit becomes {@code (l > 0 ? l / repeat : l * repeat) - (n * frequency + presence)}, where
 * {@code n} is how often the token was there (Keskar et al., arXiv 1909.05858, for the first part; the others are those of OpenAI's API).
 *
 * @param repeat more than 0; 1 changes nothing
 * @param lastN only the last tokens count, this many; {@link #WHOLE_TEXT} for all, 0 for none
 * @param presence finite, 0 changes nothing; less than 0 makes the tokens more probable
 * @param frequency likewise
 */
public record Penalties(float repeat, int lastN, float presence, float frequency) {
    /** All tokens of the text count. */
    public static final int WHOLE_TEXT = -1;

    /** Changes nothing. */
    public static final Penalties OFF = new Penalties(1f, WHOLE_TEXT, 0f, 0f);

    /** Checks the ranges. */
    public Penalties {
        Ranges.require(Float.isFinite(repeat) && repeat > 0, "the repetition penalty", repeat, "more than 0 (1 is off)");
        Ranges.require(lastN >= WHOLE_TEXT, "the number of last tokens that penalties count", lastN, "-1 (the whole text), 0 (none) or more");
        Ranges.require(Float.isFinite(presence), "the presence penalty", presence, "finite (0 is off)");
        Ranges.require(Float.isFinite(frequency), "the frequency penalty", frequency, "finite (0 is off)");
    }

    /** Whether any logit can change. */
    public boolean isOn() {
        return lastN != 0 && (repeat != 1f || presence != 0f || frequency != 0f);
    }

    /** The same with another repetition penalty. */
    public Penalties withRepeat(float value) {
        return new Penalties(value, lastN, presence, frequency);
    }

    /** The same over another number of last tokens. */
    public Penalties withLastN(int value) {
        return new Penalties(repeat, value, presence, frequency);
    }

    /** The same with another presence penalty. */
    public Penalties withPresence(float value) {
        return new Penalties(repeat, lastN, value, frequency);
    }

    /** The same with another frequency penalty. */
    public Penalties withFrequency(float value) {
        return new Penalties(repeat, lastN, presence, value);
    }
}
