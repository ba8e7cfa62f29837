package dev.yangtuo.recipe;

/**
 * A 95 % confidence interval.
 *
 * @param low its lower end; NaN if nothing was observed
 * @param high its upper end; NaN if nothing was observed
 */
public record Interval(double low, double high) {
    /** The 97.5 % quantile of the standard normal distribution. */
    private static final double Z = 1.959963984540054;

    private static final Interval NONE = new Interval(Double.NaN, Double.NaN);

    /**
     * Of a share, by Wilson's score interval (E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927).
     * It is right for few and for lopsided observations, too. Where some observations count a half, their spread is smaller than that of a coin
     * with the same mean, and the interval is on the safe side.
     *
     * @param successes 0 to {@code count}
     * @param count of observations
     */
    static Interval ofShare(double successes, int count) {
        if (count == 0) {
            return NONE;
        }
        double share = successes / count;
        double square = Z * Z / count;
        double centre = (share + square / 2) / (1 + square);
        double half = Z / (1 + square) * Math.sqrt(share * (1 - share) / count + square / (4 * count));
        return new Interval(Math.max(0, centre - half), Math.min(1, centre + half));
    }

    /**
     * Of a mean, by the normal approximation.
     *
     * @param sum of the values
     * @param squares sum of their squares
     * @param count of them; without a second one there is no interval
     */
    static Interval ofMean(double sum, double squares, int count) {
        if (count < 2) {
            return NONE;
        }
        double mean = sum / count;
        double variance = Math.max(0, (squares - count * mean * mean) / (count - 1));
        double half = Z * Math.sqrt(variance / count);
        return new Interval(mean - half, mean + half);
    }
}
