package dev.yangtuo.sampling;

import java.util.Arrays;

/** Keeps the candidates whose surprise is closest to the expected one, until their probability is more than p. */
record TypicalStep(float p) implements ShortlistStep {
    @Override
    public void apply(Shortlist candidates) {
        candidates.normalize();
        candidates.keepHeavierThan(Float.MIN_VALUE);
        double entropy = 0;
        for (int i = 0; i < candidates.count(); i++) {
            entropy += surprise(candidates.weight(i));
        }
        long[] order = candidates.scratch();
        for (int i = 0; i < candidates.count(); i++) {
            // What is not negative is ordered by its bits; of equal distances the first candidate comes first.
            float distance = (float) Math.abs(-Math.log(candidates.weight(i)) - entropy);
            order[i] = (long) Float.floatToRawIntBits(distance) << 32 | i;
        }
        Arrays.sort(order, 0, candidates.count());
        int kept = 0;
        float sum = 0;
        while (kept < candidates.count() && sum <= p) {
            sum += candidates.weight((int) order[kept++]);
        }
        candidates.keepIndices(order, kept);
    }

    /** Its part of the expected surprise, in nats. */
    static double surprise(float probability) {
        return probability > 0 ? -probability * Math.log(probability) : 0;
    }
}
