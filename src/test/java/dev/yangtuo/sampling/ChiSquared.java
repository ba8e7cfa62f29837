package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

/** Pearson's test of how often something was drawn. */
final class ChiSquared {
    /** Standard deviations of a normal distribution: one of three million right samplers would fail. */
    private static final double LIMIT = 5;

    private ChiSquared() {}

    /**
     * Fails if the counts do not fit, or if something was drawn that cannot be.
     *
     * @param counts by id
     * @param expected probabilities by id
     */
    static void requireFit(int[] counts, Map<Integer, Double> expected, String what) {
        long draws = 0;
        for (int count : counts) {
            draws += count;
        }
        double statistic = 0;
        int categories = 0;
        // Categories of less than five expected draws are taken together.
        double rareExpected = 0;
        long rareCount = 0;
        for (int id = 0; id < counts.length; id++) {
            double of = draws * expected.getOrDefault(id, 0.0);
            assertThat(counts[id] > 0 && !expected.containsKey(id)).as("id %d was drawn %d times and never can be; %s", id, counts[id], what).isFalse();
            if (of >= 5) {
                statistic += (counts[id] - of) * (counts[id] - of) / of;
                categories++;
            } else {
                rareExpected += of;
                rareCount += counts[id];
            }
        }
        if (rareExpected >= 5) {
            statistic += (rareCount - rareExpected) * (rareCount - rareExpected) / rareExpected;
            categories++;
        } else {
            assertThat(rareCount).as("draws of what is rare, %.2f are expected; %s", rareExpected, what).isLessThanOrEqualTo(30);
        }
        if (categories > 1) {
            // Wilson and Hilferty: the cube root of chi-squared over its degrees of freedom is nearly normal.
            int freedom = categories - 1;
            double variance = 2.0 / (9 * freedom);
            double limit = freedom * Math.pow(1 - variance + LIMIT * Math.sqrt(variance), 3);
            assertThat(statistic).as("chi-squared of %d categories and %d draws; %s", categories, draws, what).isLessThan(limit);
        }
    }
}
