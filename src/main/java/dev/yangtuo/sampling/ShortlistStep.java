package dev.yangtuo.sampling;

/** A step that takes candidates out, or changes their weights; at least one is left. */
interface ShortlistStep {
    void apply(Shortlist candidates);
}
