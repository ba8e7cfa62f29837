package dev.yangtuo.sampling;

/** Keeps candidates that are at least a share p as probable as the most probable one. */
record MinPStep(float p) implements ShortlistStep {
    @Override
    public void apply(Shortlist candidates) {
        candidates.keepShare(p);
    }
}
