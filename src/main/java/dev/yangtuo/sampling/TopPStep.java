package dev.yangtuo.sampling;

/** Keeps the smallest set of most probable candidates whose probability reaches p. */
record TopPStep(float p) implements ShortlistStep {
    @Override
    public void apply(Shortlist candidates) {
        if (candidates.isSorted()) {
            candidates.normalize();
        } else {
            candidates.keepNucleusCandidates(p);
        }
        float sum = 0;
        for (int i = 0; i < candidates.count(); i++) {
            sum += candidates.weight(i);
            if (sum >= p) {
                candidates.truncate(i + 1);
                return;
            }
        }
    }
}
