package dev.yangtuo.model;

import dev.yangtuo.kernel.Candidates;

/**
 * What a forward pass gave; only for the time in which {@link PassOutputs#accept} has it. Columns are the tokens of the pass in the order of its parts, outputs those of
 * them whose logits are wanted.
 */
public interface PassResult {
    /**
     * The candidates of every output.
     *
     * @throws IllegalStateException if none were wanted
     */
    Candidates candidates();

    /** Tokens of which there are logits. */
    int outputCount();

    /** Logits of an output. */
    int vocabSize();

    /** Elements of a state. */
    int dim();

    /**
     * All logits of outputs that follow each other, as their edits left them.
     *
     * @param target receives float32 {@code [count][vocabSize]} from 0 on
     */
    void readLogits(int output, int count, float[] target);

    /**
     * The states of columns that follow each other: the residual stream after the last norm, which is what the output matrix is multiplied with.
     * Only where they were wanted ({@link PassOutputs#wantsStates}).
     *
     * @param target receives float32 {@code [count][dim]} from 0 on
     */
    void readStates(int column, int count, float[] target);
}
