package dev.yangtuo.sampling;

/**
 * Natural logarithms of the probabilities that a row of logits gives, as the model computed them: softmax over all of the row, before penalties and temperature. In double;
 * the greatest logit is taken out of the exponentials, so that nothing overflows.
 *
 * @param id the token that was chosen
 * @param logProbability of it
 * @param bestIds the most probable ids, the best first, of equal ones the smallest; not copied
 * @param best theirs, as many
 */
public record LogProbabilities(int id, double logProbability, int[] bestIds, double[] best) {
    /** {@return {@code log(sum(exp(logits)))}; NaN if one of them is} */
    public static double logSumExp(float[] logits, int offset, int count) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = offset; i < offset + count; i++) {
            max = Math.max(max, logits[i]);
        }
        double sum = 0;
        for (int i = offset; i < offset + count; i++) {
            sum += Math.exp((double) logits[i] - max);
        }
        return Math.log(sum) + max;
    }

    /**
     * {@return the ids of the largest logits, the largest first, of equal ones the smallest}
     *
     * @param choices only smaller ids are taken
     * @param n how many, at most {@code choices}; meant for few
     */
    public static int[] best(float[] logits, int offset, int choices, int n) {
        int[] ids = new int[n];
        int count = 0;
        for (int id = 0; id < choices; id++) {
            int place = count;
            while (place > 0 && logits[offset + id] > logits[offset + ids[place - 1]]) {
                place--;
            }
            if (place < n) {
                count = Math.min(n, count + 1);
                System.arraycopy(ids, place, ids, place + 1, count - place - 1);
                ids[place] = id;
            }
        }
        return ids;
    }
}
