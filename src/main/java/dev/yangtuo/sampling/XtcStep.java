package dev.yangtuo.sampling;

import java.util.random.RandomGenerator;

/** Now and then takes out all that reach a probability, but for the least probable of them. */
record XtcStep(Xtc xtc, RandomGenerator random) implements ShortlistStep {
    @Override
    public void apply(Shortlist candidates) {
        if (candidates.count() > 1 && random.nextDouble() < xtc.probability()) {
            candidates.normalize();
            candidates.dropHeavierThan(xtc.threshold());
        }
    }
}
