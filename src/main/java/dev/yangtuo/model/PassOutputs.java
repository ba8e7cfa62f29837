package dev.yangtuo.model;

import dev.yangtuo.kernel.Candidates;

/** What is wanted of a forward pass. Called within the pass, so it must not ask for another one. */
public interface PassOutputs {
    /** Candidates that the device chooses of each output, at most {@link Candidates#MAX_COUNT}; 0 if none are wanted. */
    int candidateCount();

    /** Whether the states of columns are read. */
    default boolean wantsStates() {
        return false;
    }

    /** Only ids below this are chosen. */
    int choices();

    /**
     * Begins each output in turn, with its edits. Only called if candidates are wanted.
     *
     * @param outputs how many to begin
     */
    void addEdits(Candidates wanted, int outputs);

    /** Reads what came out; also called where the pass has no outputs, for its states. */
    void accept(PassResult result);
}
