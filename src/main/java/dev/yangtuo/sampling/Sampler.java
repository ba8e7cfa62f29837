package dev.yangtuo.sampling;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Candidates;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses tokens for one text. The steps, in this order: what the constraint forbids is taken out, repetition penalty, top-k, top-p, min-p, temperature, draw. The same options,
 * seed and logits give the same tokens. Allocates nothing per token. Used by one thread at a time.
 *
 * <p>Where a few candidates are enough, {@link #candidateCount()} says so: then {@link #addEdits} and {@link #sample(Candidates, int)} choose among what the device
 * has chosen before, and give what {@link #sample(float[])} would of all logits.
 */
public final class Sampler {
    private final SamplingOptions options;
    private final SplittableRandom random;
    private final int vocabSize;
    private final @Nullable TokenConstraint constraint;
    /** Which ids were seen, and the distinct ones in the order of their first appearance. */
    private final boolean[] seen;

    private final int[] seenIds;
    private int seenCount;

    /**
     * Candidates, best first once sorted: the logit turned into an integer that sorts descending in the upper half, the id in the lower,
     * so that equal logits are ordered by id.
     */
    private long[] candidates = new long[0];

    private float[] probabilities = new float[0];

    /** @param vocabSize number of logits of each call */
    public Sampler(SamplingOptions options, long seed, int vocabSize) {
        this(options, seed, vocabSize, null);
    }

    /**
     * @param vocabSize number of logits of each call
     * @param constraint of this text alone; null if all tokens may come
     */
    public Sampler(SamplingOptions options, long seed, int vocabSize, @Nullable TokenConstraint constraint) {
        this.options = options;
        this.constraint = constraint;
        this.random = new SplittableRandom(seed);
        this.vocabSize = vocabSize;
        this.seen = new boolean[vocabSize];
        this.seenIds = new int[vocabSize];
    }

    /** Makes room for candidates: few where the device chooses them, the whole vocabulary where not. */
    private void makeRoom(int count) {
        if (candidates.length < count) {
            candidates = new long[count];
            probabilities = new float[count];
        }
    }

    /** Counts a token of the prompt as having been there, for the repetition penalty; ids outside the vocabulary are ignored. */
    public void acceptPrompt(int id) {
        count(id);
    }

    /** The text goes on with this token, which {@link #sample} has given. */
    public void accept(int id) {
        count(id);
        if (constraint != null) {
            constraint.accept(id);
        }
    }

    private void count(int id) {
        if (id >= 0 && id < vocabSize && !seen[id]) {
            seen[id] = true;
            seenIds[seenCount++] = id;
        }
    }

    /**
     * How many of the best logits are needed, 1 to {@link Candidates#MAX_COUNT}; 0 if all logits are.
     */
    public int candidateCount() {
        if (constraint != null) {
            return 0;
        }
        if (isGreedy()) {
            return 1;
        }
        return options.topK() > 0 && options.topK() < vocabSize && options.topK() <= Candidates.MAX_COUNT ? options.topK() : 0;
    }

    /** Number of ids to choose from. */
    public int choices() {
        return vocabSize;
    }

    private boolean isGreedy() {
        return options.temperature() == 0 || options.topK() == 1;
    }

    /** Begins the next output of what the device chooses, with the penalties of the tokens that were there. */
    public void addEdits(Candidates wanted) {
        addEdits(wanted, seenIds, 0, 0);
    }

    /**
     * The same, where some tokens more will have been there, each of them once.
     *
     * @param tokens of which {@code count} from {@code offset} on
     */
    public void addEdits(Candidates wanted, int[] tokens, int offset, int count) {
        wanted.addOutput();
        if (options.repeatPenalty() == 1f) {
            return;
        }
        for (int i = 0; i < seenCount; i++) {
            wanted.addEdit(seenIds[i], options.repeatPenalty(), 0f);
        }
        for (int i = 0; i < count; i++) {
            int id = tokens[offset + i];
            if (id >= 0 && id < vocabSize && !seen[id] && firstIndex(tokens, offset, id) == i) {
                wanted.addEdit(id, options.repeatPenalty(), 0f);
            }
        }
    }

    private static int firstIndex(int[] tokens, int offset, int id) {
        int i = 0;
        while (tokens[offset + i] != id) {
            i++;
        }
        return i;
    }

    /**
     * The next token, of what the device chose; the caller {@linkplain #accept accepts} it if it becomes part of the text.
     *
     * @param chosen {@link #candidateCount()} or more of each output, after the edits of {@link #addEdits}
     * @return an id
     * @throws YangtuoException if the best logit is a NaN or not finite
     */
    public int sample(Candidates chosen, int output) {
        int best = requireFinite(chosen.id(output, 0), chosen.logit(output, 0));
        if (isGreedy()) {
            return best;
        }
        int count = options.topK();
        makeRoom(count);
        for (int i = 0; i < count; i++) {
            candidates[i] = chosen.id(output, i);
            probabilities[i] = chosen.logit(output, i);
        }
        return choose(exponentiate(count, probabilities[0]));
    }

    /**
     * The next token; the caller {@linkplain #accept accepts} it if it becomes part of the text.
     *
     * @param logits {@code vocabSize} values; changed by the penalty
     * @return an id
     * @throws YangtuoException if the logits hold a NaN or nothing finite, or if the constraint allows no token
     */
    public int sample(float[] logits) {
        if (constraint != null) {
            forbid(logits, constraint.allowed());
        }
        penalize(logits);
        int best = argmax(logits);
        if (isGreedy()) {
            return best;
        }
        makeRoom(vocabSize);
        float max = logits[best];
        if (options.topK() > 0 && options.topK() < vocabSize) {
            return choose(keepTopK(logits, max));
        }
        return choose(options.topP() < 1f ? keepNucleusCandidates(logits, max) : keepAll(logits, max));
    }

    private int choose(int count) {
        return draw(keepMinP(keepTopP(count)));
    }

    private int requireFinite(int id, float logit) {
        if (Float.isNaN(logit)) {
            throw new YangtuoException("the model computed NaN as the logit of token %d; its weights are probably damaged".formatted(id));
        }
        if (Float.isInfinite(logit)) {
            throw new YangtuoException("the model computed no finite logit; its weights are probably damaged");
        }
        return id;
    }

    /** Takes out what has no bit. */
    private void forbid(float[] logits, long[] allowed) {
        boolean any = false;
        for (int first = 0; first < vocabSize; first += Long.SIZE) {
            int end = Math.min(vocabSize, first + Long.SIZE);
            long word = first / Long.SIZE < allowed.length ? allowed[first / Long.SIZE] : 0;
            if (word == 0) {
                Arrays.fill(logits, first, end, Float.NEGATIVE_INFINITY);
                continue;
            }
            any |= end - first == Long.SIZE || (word & ((1L << end - first) - 1)) != 0;
            for (int id = first; word != -1L && id < end; id++) {
                if ((word >>> id & 1) == 0) {
                    logits[id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        if (!any) {
            throw new YangtuoException("the constraint of the text allows none of the %d tokens, and not the end of the text either".formatted(vocabSize));
        }
    }

    private void penalize(float[] logits) {
        float penalty = options.repeatPenalty();
        if (penalty == 1f) {
            return;
        }
        for (int i = 0; i < seenCount; i++) {
            float logit = logits[seenIds[i]];
            logits[seenIds[i]] = logit > 0 ? logit / penalty : logit * penalty;
        }
    }

    private int argmax(float[] logits) {
        int best = 0;
        for (int id = 0; id < vocabSize; id++) {
            float logit = logits[id];
            if (Float.isNaN(logit)) {
                return requireFinite(id, logit);
            }
            if (logit > logits[best]) {
                best = id;
            }
        }
        return requireFinite(best, logits[best]);
    }

    /** The top-k candidates, best first, with their probabilities among themselves. */
    private int keepTopK(float[] logits, float max) {
        for (int id = 0; id < vocabSize; id++) {
            candidates[id] = candidate(logits[id], id);
        }
        int count = options.topK();
        selectSmallest(candidates, vocabSize, count);
        Arrays.sort(candidates, 0, count);
        for (int i = 0; i < count; i++) {
            probabilities[i] = logits[(int) candidates[i]];
        }
        return exponentiate(count, max);
    }

    /** Turns logits, the largest of them {@code max}, into the probabilities among themselves. */
    private int exponentiate(int count, float max) {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            probabilities[i] = (float) Math.exp(probabilities[i] - max);
            sum += probabilities[i];
        }
        scale(count, sum);
        return count;
    }

    /**
     * The candidates that can be in the nucleus, best first, with their probabilities among all. What is less probable than
     * {@code (1 - topP) / (vocabSize - 1)} cannot: all such tokens together have less than {@code 1 - topP}. So few are left to sort.
     */
    private int keepNucleusCandidates(float[] logits, float max) {
        float sum = 0;
        for (int id = 0; id < vocabSize; id++) {
            probabilities[id] = (float) Math.exp(logits[id] - max);
            sum += probabilities[id];
        }
        float least = sum * (1f - options.topP()) / Math.max(1, vocabSize - 1);
        int count = 0;
        for (int id = 0; id < vocabSize; id++) {
            if (probabilities[id] >= least) {
                candidates[count++] = candidate(logits[id], id);
            }
        }
        Arrays.sort(candidates, 0, count);
        for (int i = 0; i < count; i++) {
            probabilities[i] = (float) Math.exp(logits[(int) candidates[i]] - max);
        }
        scale(count, sum);
        return count;
    }

    /** All candidates in the order of their ids, relative to the best one: nothing that follows needs them sorted or normalized. */
    private int keepAll(float[] logits, float max) {
        for (int id = 0; id < vocabSize; id++) {
            candidates[id] = id;
            probabilities[id] = (float) Math.exp(logits[id] - max);
        }
        return vocabSize;
    }

    private void scale(int count, float sum) {
        for (int i = 0; i < count; i++) {
            probabilities[i] /= sum;
        }
    }

    private int keepTopP(int count) {
        if (options.topP() >= 1f) {
            return count;
        }
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum += probabilities[i];
            if (sum >= options.topP()) {
                return i + 1;
            }
        }
        return count;
    }

    private int keepMinP(int count) {
        if (options.minP() == 0) {
            return count;
        }
        float least = options.minP() * probabilities[mostProbable(count)];
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (probabilities[i] >= least) {
                candidates[kept] = candidates[i];
                probabilities[kept++] = probabilities[i];
            }
        }
        return kept;
    }

    private int mostProbable(int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = probabilities[i] > probabilities[best] ? i : best;
        }
        return best;
    }

    private int draw(int count) {
        // p^(1/T) is proportional to exp(logit / T): the temperature is applied to probabilities that are already there.
        double exponent = 1.0 / options.temperature();
        int best = mostProbable(count);
        float most = probabilities[best];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            probabilities[i] = (float) Math.pow(probabilities[i] / most, exponent);
            sum += probabilities[i];
        }
        double target = random.nextDouble() * sum;
        for (int i = 0; i < count; i++) {
            target -= probabilities[i];
            if (target < 0) {
                return (int) candidates[i];
            }
        }
        // Only rounding leads here.
        return (int) candidates[best];
    }

    private static long candidate(float logit, int id) {
        return ((long) descendingBits(logit) << 32) | id;
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
