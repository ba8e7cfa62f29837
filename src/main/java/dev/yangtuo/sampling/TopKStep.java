package dev.yangtuo.sampling;

/** Keeps the most probable candidates, sorted, with their probabilities among themselves. */
record TopKStep(int k) implements ShortlistStep {
    @Override
    public void apply(Shortlist candidates) {
        candidates.keepBest(k);
        if (candidates.isSorted()) {
            candidates.normalize();
        }
    }
}
