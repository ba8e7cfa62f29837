package dev.yangtuo.sampling;

/** Turns probabilities into those that the temperature gives; at 0 the most probable candidate is left. */
record TemperatureStep(float temperature, DynamicTemperature dynamic) implements ShortlistStep {
    @Override
    public void apply(Shortlist candidates) {
        candidates.weigh();
        double degrees = dynamic.isOn() ? degrees(candidates) : temperature;
        int best = candidates.heaviest();
        if (degrees == 0) {
            candidates.keepOnly(best);
            return;
        }
        // p^(1/T) is proportional to exp(logit / T): the temperature is applied to probabilities that are already there.
        double exponent = 1.0 / degrees;
        float most = candidates.weight(best);
        for (int i = 0; i < candidates.count(); i++) {
            candidates.weight(i, (float) Math.pow(candidates.weight(i) / most, exponent));
        }
        candidates.weightsHaveChanged();
    }

    private double degrees(Shortlist candidates) {
        candidates.normalize();
        double entropy = 0;
        int possible = 0;
        for (int i = 0; i < candidates.count(); i++) {
            entropy += TypicalStep.surprise(candidates.weight(i));
            possible += candidates.weight(i) > 0 ? 1 : 0;
        }
        double low = Math.max(0, temperature - dynamic.range());
        double high = temperature + dynamic.range();
        return possible == 1 ? low : low + (high - low) * Math.pow(Math.min(1, entropy / Math.log(possible)), dynamic.exponent());
    }
}
