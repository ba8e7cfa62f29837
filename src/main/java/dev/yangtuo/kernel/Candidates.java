package dev.yangtuo.kernel;

import java.util.Arrays;

/**
 * The best logits of each output of a forward pass, chosen on the device, so that not all of them need to leave it. Before a pass it is told how many are wanted and
 * which logits change first; after {@link Backend#logits(OutputLayer, Batch, DeviceFloats, DeviceFloats, Candidates)} it holds the result: of each output the largest
 * logit first, of equal ones that with the smaller id; a NaN counts as larger than everything, 0 and -0 are equal. Reused from pass to pass. Not thread-safe.
 */
public abstract sealed class Candidates implements AutoCloseable permits NativeCandidates, ScalarCandidates, HostCandidates {
    /** Candidates that can be had of one output. */
    public static final int MAX_COUNT = 1024;

    /** int32 [outputs]: where the edits of each output end. */
    int[] editEnds = new int[16];
    int[] editIds = new int[64];
    float[] editDivisors = new float[64];
    float[] editAddends = new float[64];
    /** int32 [outputs][count]. */
    int[] ids = new int[0];
    /** float32 [outputs][count]. */
    float[] logits = new float[0];

    private int count = 1;
    private int choices = 1;
    private int outputCount;
    private int editCount;

    /**
     * Forgets outputs and edits, before the next pass.
     *
     * @param count candidates wanted of each output, 1 to {@link #MAX_COUNT}, at most {@code choices}
     * @param choices only smaller ids are chosen: rows of the vocabulary beyond may be padding
     */
    public final void clear(int count, int choices) {
        if (count < 1 || count > Math.min(MAX_COUNT, choices)) {
            throw new IllegalArgumentException("%d candidates of %d are wanted, 1 to %d can be had".formatted(count, choices, MAX_COUNT));
        }
        this.count = count;
        this.choices = choices;
        outputCount = 0;
        editCount = 0;
    }

    /** Candidates of each output. */
    public final int count() {
        return count;
    }

    /** Only smaller ids are chosen. */
    public final int choices() {
        return choices;
    }

    /** Outputs that were added. */
    public final int outputCount() {
        return outputCount;
    }

    final int editCount() {
        return editCount;
    }

    /** Begins the next output, in the order of the batch's output columns; edits that follow are of its logits. */
    public final void addOutput() {
        if (outputCount == editEnds.length) {
            editEnds = Arrays.copyOf(editEnds, outputCount * 2);
        }
        editEnds[outputCount++] = editCount;
    }

    /**
     * Changes a logit of the output that was begun last: {@code l} becomes {@code (l > 0 ? l / divisor : l * divisor) + addend}, in float32. Several edits of one
     * logit are made in their order.
     *
     * @param id of the token
     */
    public final void addEdit(int id, float divisor, float addend) {
        if (editCount == editIds.length) {
            editIds = Arrays.copyOf(editIds, editCount * 2);
            editDivisors = Arrays.copyOf(editDivisors, editCount * 2);
            editAddends = Arrays.copyOf(editAddends, editCount * 2);
        }
        editIds[editCount] = id;
        editDivisors[editCount] = divisor;
        editAddends[editCount++] = addend;
        editEnds[outputCount - 1] = editCount;
    }

    /** The id of a candidate, 0 being the best, of an output. */
    public final int id(int output, int candidate) {
        return ids[output * count + candidate];
    }

    /** The logit of a candidate, after the edits. */
    public final float logit(int output, int candidate) {
        return logits[output * count + candidate];
    }

    /** @throws IllegalArgumentException if other outputs were added than a batch has */
    final void requireOutputs(int expected) {
        if (outputCount != expected) {
            throw new IllegalArgumentException("candidates of %d outputs are wanted where there are %d".formatted(outputCount, expected));
        }
    }

    /** Makes the edits of an output in logits on the host, of which its own begin at {@code first}. */
    final void edit(float[] all, int first, int vocabSize, int output) {
        for (int i = output == 0 ? 0 : editEnds[output - 1]; i < editEnds[output]; i++) {
            if (editIds[i] < 0 || editIds[i] >= vocabSize) {
                throw new IllegalArgumentException("an edit is of token %d, outside the vocabulary of %d".formatted(editIds[i], vocabSize));
            }
            float logit = all[first + editIds[i]];
            all[first + editIds[i]] = (logit > 0 ? logit / editDivisors[i] : logit * editDivisors[i]) + editAddends[i];
        }
    }

    /** Makes room for the results. */
    final void makeRoom() {
        if (ids.length < outputCount * count) {
            ids = new int[outputCount * count];
            logits = new float[outputCount * count];
        }
    }

    /** Frees the device's side; closing twice is harmless. */
    @Override
    public abstract void close();
}
