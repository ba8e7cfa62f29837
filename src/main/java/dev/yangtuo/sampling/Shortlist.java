package dev.yangtuo.sampling;

import dev.yangtuo.kernel.Candidates;
import java.util.Arrays;

/**
 * The candidates that are left, with weights that are proportional to their probabilities. Reused from token to token; it grows to the vocabulary's size where any token may
 * be left, else it stays small.
 */
final class Shortlist {
    /**
     * Ordered, the best one comes first: the logit turned into an integer that sorts descending in the upper half, the id in the lower, so that equal logits are ordered by
     * id.
     */
    private long[] keys = new long[0];

    /** Relative to the best candidate's as long as they are not normalized, float32. */
    private float[] weights = new float[0];

    private long[] scratch = new long[0];
    private int count;
    /** Of how many they were taken, those of minus infinity among them. */
    private int choices;
    private float max;
    private boolean sorted;
    private boolean weighed;
    private boolean normalized;

    /**
     * Takes logits that are not minus infinity.
     *
     * @param most so many of the best ones are wanted, and others need not be taken; 0 for all
     * @param largest of them; finite, as none is a NaN
     */
    void fill(float[] logits, int of, int most, float largest) {
        int room = most > 0 && most < of ? (int) Math.min(of, Math.max(256, 4L * most)) : of;
        makeRoom(room);
        int taken = 0;
        float least = -Float.MAX_VALUE;
        for (int id = 0; id < of; id++) {
            if (logits[id] >= least) {
                if (taken == room) {
                    // Whatever is worse than the best ones so far is not among the best ones of all.
                    selectSmallest(keys, room, most);
                    taken = most;
                    least = worstLogit(most);
                }
                keys[taken++] = key(logits[id], id);
            }
        }
        choices = of;
        begin(taken, largest, false);
    }

    private float worstLogit(int of) {
        long worst = keys[0];
        for (int i = 1; i < of; i++) {
            worst = Math.max(worst, keys[i]);
        }
        return logit(worst);
    }

    /** Takes the best ones that the device has chosen, but for minus infinity. */
    void fill(Candidates chosen, int output, int wanted) {
        makeRoom(wanted);
        int possible = 0;
        while (possible < wanted && chosen.logit(output, possible) != Float.NEGATIVE_INFINITY) {
            keys[possible] = key(chosen.logit(output, possible), chosen.id(output, possible));
            possible++;
        }
        choices = wanted;
        begin(possible, chosen.logit(output, 0), true);
    }

    private void begin(int candidates, float largest, boolean inOrder) {
        count = candidates;
        max = largest;
        sorted = inOrder;
        weighed = false;
        normalized = false;
    }

    private void makeRoom(int candidates) {
        if (keys.length < candidates) {
            keys = new long[candidates];
            weights = new float[candidates];
        }
    }

    int count() {
        return count;
    }

    int id(int i) {
        return (int) keys[i];
    }

    float weight(int i) {
        return weights[i];
    }

    void weight(int i, float value) {
        weights[i] = value;
    }

    /** Weights were set: they may be no probabilities any more. */
    void weightsHaveChanged() {
        normalized = false;
    }

    boolean isSorted() {
        return sorted;
    }

    /** Sees to it that there are weights. */
    void weigh() {
        for (int i = 0; !weighed && i < count; i++) {
            weights[i] = (float) Math.exp(logit(keys[i]) - max);
        }
        weighed = true;
    }

    /** Sees to it that weights are probabilities among the candidates that are left. */
    void normalize() {
        weigh();
        if (!normalized) {
            divideBy(sum());
            normalized = true;
        }
    }

    float sum() {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weights[i];
        }
        return sum;
    }

    private void divideBy(float sum) {
        for (int i = 0; i < count; i++) {
            weights[i] /= sum;
        }
    }

    /** The index of the largest weight; of equal ones the first. */
    int heaviest() {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = weights[i] > weights[best] ? i : best;
        }
        return best;
    }

    /** Keeps the best ones and sorts them, unless all choices may be kept. */
    void keepBest(int most) {
        if (sorted) {
            truncate(most);
        } else if (most < choices) {
            int kept = Math.min(most, count);
            selectSmallest(keys, count, kept);
            Arrays.sort(keys, 0, kept);
            begin(kept, max, true);
        }
    }

    /** Keeps the first ones. */
    void truncate(int most) {
        if (most < count) {
            count = most;
            normalized = false;
        }
    }

    /**
     * Keeps those that can be in the nucleus, sorts them, and gives them their probabilities among all. What is less probable than {@code (1 - topP) / (count - 1)} cannot:
     * all such candidates together have less than {@code 1 - topP}. So few are left to sort. The best one can always be in it.
     */
    void keepNucleusCandidates(float topP) {
        weighed = false; // they are computed again below, in the same measure
        weigh();
        float sum = sum();
        float least = Math.min(sum * (1f - topP) / Math.max(1, count - 1), weights[heaviest()]);
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] >= least) {
                keys[kept++] = keys[i];
            }
        }
        Arrays.sort(keys, 0, kept);
        begin(kept, max, true);
        weigh();
        divideBy(sum);
    }

    /** Keeps those that are at least a share of the best one as probable; the best one is there. */
    void keepShare(float share) {
        if (!weighed) {
            // Most are far below, and need no exponential: the margin is more than rounding can be.
            dropBelow(max + (float) Math.log(share) - 0.01f);
        }
        weigh();
        keepHeavierThan(share * weights[heaviest()]);
    }

    /** Takes out those with smaller logits, before there are weights. */
    private void dropBelow(float logit) {
        int limit = descendingBits(logit);
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if ((int) (keys[i] >> 32) <= limit) {
                keys[kept++] = keys[i];
            }
        }
        count = kept;
    }

    /** Keeps those whose weight is at least so much. */
    void keepHeavierThan(float least) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] >= least) {
                keep(i, kept++);
            }
        }
        truncate(kept);
    }

    /** Takes out those whose weight is at least so much, but for the last of them in the order of the keys. */
    void dropHeavierThan(float threshold) {
        long last = Long.MIN_VALUE;
        for (int i = 0; i < count; i++) {
            last = weights[i] >= threshold ? Math.max(last, keys[i]) : last;
        }
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] < threshold || keys[i] == last) {
                keep(i, kept++);
            }
        }
        truncate(kept);
    }

    /** Keeps one. */
    void keepOnly(int i) {
        keep(i, 0);
        truncate(1);
    }

    private void keep(int i, int place) {
        keys[place] = keys[i];
        weights[place] = weights[i];
    }

    /** Room for as many numbers as there are candidates, of any contents, for steps that order them in another way. */
    long[] scratch() {
        if (scratch.length < count) {
            scratch = new long[keys.length];
        }
        return scratch;
    }

    /**
     * Keeps those with these indices, in the order that they have.
     *
     * @param indices the lower halves of the first {@code kept} values, each once; of candidates with weights above 0
     */
    void keepIndices(long[] indices, int kept) {
        for (int i = 0; i < kept; i++) {
            weights[(int) indices[i]] *= -1; // a mark
        }
        int place = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] < 0) {
                weights[i] *= -1;
                keep(i, place++);
            }
        }
        truncate(kept);
    }

    private static long key(float logit, int id) {
        return ((long) descendingBits(logit) << 32) | id;
    }

    private static float logit(long key) {
        int ascending = ~(int) (key >> 32);
        return Float.intBitsToFloat(ascending < 0 ? ascending ^ 0x7FFFFFFF : ascending);
    }

    /** An integer that is smaller the larger the float is; NaN must not occur. */
    private static int descendingBits(float value) {
        int bits = Float.floatToRawIntBits(value + 0f);
        int ascending = bits < 0 ? bits ^ 0x7FFFFFFF : bits;
        return ~ascending;
    }

    /** Moves the {@code keep} smallest values to the front, in any order (Hoare's selection with the median of three). */
    private static void selectSmallest(long[] values, int count, int keep) {
        int low = 0;
        int high = count - 1;
        while (low < high) {
            long pivot = medianOfThree(values[low], values[(low + high) >>> 1], values[high]);
            int i = low;
            int j = high;
            while (i <= j) {
                while (values[i] < pivot) {
                    i++;
                }
                while (values[j] > pivot) {
                    j--;
                }
                if (i <= j) {
                    long swap = values[i];
                    values[i++] = values[j];
                    values[j--] = swap;
                }
            }
            if (keep - 1 <= j) {
                high = j;
            } else if (keep - 1 >= i) {
                low = i;
            } else {
                return;
            }
        }
    }

    private static long medianOfThree(long a, long b, long c) {
        return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    }
}
