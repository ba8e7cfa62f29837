package dev.yangtuo.model;

import dev.yangtuo.kernel.Candidates;

/** What is wanted of the logits of a forward pass. Called within the pass, so it must not ask for another one. */
public interface PassOutputs {
    /** Candidates that the device chooses of each output, at most {@link Candidates#MAX_COUNT}; 0 if none are wanted. */
    int candidateCount();

    /** Only ids below this are chosen. */
    int choices();

    /**
     * Begins each output in turn, with its edits. Only called if candidates are wanted.
     *
     * @param outputs how many to begin
     */
    void addEdits(Candidates wanted, int outputs);

    /** Reads what came out. */
    void accept(PassLogits result);

    /** The logits of a pass: outputs in the order of the parts, and of the tokens in each. */
    interface PassLogits {
        /**
         * The candidates of every output.
         *
         * @throws IllegalStateException if none were wanted
         */
        Candidates candidates();

        /**
         * All logits of an output, as its edits left them.
         *
         * @param target receives {@code vocabSize} values from 0 on
         */
        void read(int output, float[] target);
    }
}
