package dev.yangtuo.sampling;

import dev.yangtuo.grammar.TokenConstraint;

/**
 * How the next token is chosen. The steps, in this order, which is that of llama.cpp 0.5.0:
 *
 * <ol>
 *   <li>the program's own {@link CustomStep}, on the logits that the model has computed
 *   <li>what may not come gets a logit of minus infinity: by the {@link TokenConstraint}, by the required tokens, by the minimum of tokens
 *   <li>logit biases, bans among them
 *   <li>the {@link Penalties}: repetition, frequency, presence
 *   <li>{@link Dry}
 *   <li>the {@link Truncation}: top-n-sigma, top-k, typical-p, top-p, min-p
 *   <li>{@link Xtc}
 *   <li>temperature, which may be {@link DynamicTemperature dynamic}
 *   <li>the draw
 * </ol>
 *
 * With {@link Mirostat} its own truncation follows the temperature, in place of the other truncations and XTC. What is not set is off, and costs nothing.
 *
 * @param temperature divides the logits, 0 or more; 0 takes the most probable token of those that are left
 * @param dynamicTemperature how far the temperature moves
 * @param truncation which candidates are left
 * @param xtc excludes top choices
 * @param penalties for what was already there
 * @param dry penalties for sequences that were already there
 * @param mirostat in place of the truncations
 * @param rules for single tokens
 */
public record SamplingOptions(
        float temperature, DynamicTemperature dynamicTemperature, Truncation truncation, Xtc xtc, Penalties penalties, Dry dry, Mirostat mirostat, TokenRules rules) {
    /** What this model family is usually run with. */
    public static final SamplingOptions DEFAULT = new SamplingOptions(0.2f, 40, 0.9f, 0f, 1.1f);

    /** Always the most probable token, no penalty; the first of equals. */
    public static final SamplingOptions GREEDY = new SamplingOptions(0f, 0, 1f, 0f, 1f);

    /** Checks the range of the temperature. */
    public SamplingOptions {
        Ranges.require(Float.isFinite(temperature) && temperature >= 0, "temperature", temperature, "0 or more");
    }

    /** Those that models recommend; all others are off. */
    public SamplingOptions(float temperature, int topK, float topP, float minP, float repeatPenalty) {
        this(temperature, DynamicTemperature.OFF, new Truncation(0f, topK, 1f, topP, minP), Xtc.OFF, Penalties.OFF.withRepeat(repeatPenalty), Dry.OFF, Mirostat.OFF,
                TokenRules.NONE);
    }

    /** Of the {@link #truncation()}. */
    public int topK() {
        return truncation.topK();
    }

    /** Of the {@link #truncation()}. */
    public float topP() {
        return truncation.topP();
    }

    /** Of the {@link #truncation()}. */
    public float minP() {
        return truncation.minP();
    }

    /** Of the {@link #penalties()}. */
    public float repeatPenalty() {
        return penalties.repeat();
    }

    /** Whether the most probable token is taken, whatever else is drawn from. */
    boolean isGreedy() {
        boolean cold = temperature == 0 && !dynamicTemperature.isOn();
        if (mirostat.isOn()) {
            return cold;
        }
        return topK() == 1 || cold && truncation.typicalP() == 1f && !xtc.isOn();
    }

    /** The same with another temperature. */
    public SamplingOptions withTemperature(float value) {
        return new SamplingOptions(value, dynamicTemperature, truncation, xtc, penalties, dry, mirostat, rules);
    }

    /** The same with another dynamic temperature. */
    public SamplingOptions with(DynamicTemperature value) {
        return new SamplingOptions(temperature, value, truncation, xtc, penalties, dry, mirostat, rules);
    }

    /** The same with another truncation. */
    public SamplingOptions with(Truncation value) {
        return new SamplingOptions(temperature, dynamicTemperature, value, xtc, penalties, dry, mirostat, rules);
    }

    /** The same with another XTC. */
    public SamplingOptions with(Xtc value) {
        return new SamplingOptions(temperature, dynamicTemperature, truncation, value, penalties, dry, mirostat, rules);
    }

    /** The same with other penalties. */
    public SamplingOptions with(Penalties value) {
        return new SamplingOptions(temperature, dynamicTemperature, truncation, xtc, value, dry, mirostat, rules);
    }

    /** The same with another DRY. */
    public SamplingOptions with(Dry value) {
        return new SamplingOptions(temperature, dynamicTemperature, truncation, xtc, penalties, value, mirostat, rules);
    }

    /** The same with another mirostat. */
    public SamplingOptions with(Mirostat value) {
        return new SamplingOptions(temperature, dynamicTemperature, truncation, xtc, penalties, dry, value, rules);
    }

    /** The same with other rules. */
    public SamplingOptions with(TokenRules value) {
        return new SamplingOptions(temperature, dynamicTemperature, truncation, xtc, penalties, dry, mirostat, value);
    }

    /** The same with another top-k. */
    public SamplingOptions withTopK(int value) {
        return with(truncation.withTopK(value));
    }

    /** The same with another top-p. */
    public SamplingOptions withTopP(float value) {
        return with(truncation.withTopP(value));
    }

    /** The same with another min-p. */
    public SamplingOptions withMinP(float value) {
        return with(truncation.withMinP(value));
    }

    /** The same with another repetition penalty. */
    public SamplingOptions withRepeatPenalty(float value) {
        return with(penalties.withRepeat(value));
    }
}
