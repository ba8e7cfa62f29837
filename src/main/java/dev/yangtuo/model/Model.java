package dev.yangtuo.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A loaded model: weights, key/value memory and the forward pass, whoever computes it. Owns all of it. May be shared by threads: forward passes run one after the
 * other. Closing waits for the pass that is running.
 */
public interface Model extends AutoCloseable {
    /** Rows of the output matrix: logits of each token. */
    int vocabSize();

    /** Width of the residual stream. */
    int dim();

    /** Number of layers. */
    int layers();

    /** Ids that end a text, as the model says; may be empty. */
    List<Integer> eosIds();

    /** Positions that a sequence can have. */
    int contextLength();

    /** What computes, for people. */
    String backendName();

    /** Bytes of the weights as they are kept. */
    long weightBytes();

    /** What a forward pass reads and computes. */
    ModelCosts costs();

    /** Opens an empty sequence. */
    Sequence newSequence();

    /**
     * Opens a sequence with as much of a text's beginning as is remembered ({@link Sequence#remember}).
     *
     * @param end of the {@code tokens}, the sequence has at most the first {@code end}
     */
    Sequence newSequence(int[] tokens, int end);

    /** How many of the first {@code end} tokens are remembered in whole pages. */
    int knownTokens(int[] tokens, int end);

    /** Whether texts with the same beginning have the same keys and values there. */
    boolean sharesBeginnings();

    /** Whether sequences can be cut at any position; else {@link Sequence#truncate} forgets all of it. */
    boolean canTruncate();

    /**
     * Saves the keys and values of a text's beginning, as many whole pages as there are; computes what is not remembered.
     *
     * @param tokens at least one, at most the context
     * @param file appears under its name when it is complete, and replaces one that is there
     * @return how many tokens are in it
     * @throws KvMemoryException if the memory for keys and values does not suffice
     * @throws dev.yangtuo.exception.YangtuoException if this model's cannot be saved
     */
    int saveContext(int[] tokens, Path file);

    /**
     * Remembers the keys and values of a file: texts that begin like the one that was saved need not compute them.
     *
     * @return of how many tokens
     * @throws dev.yangtuo.exception.CheckpointFormatException if the file is damaged, or was saved with another model
     * @throws KvMemoryException if the memory for keys and values does not suffice
     * @throws dev.yangtuo.exception.YangtuoException if this model's cannot be saved
     */
    int restoreContext(Path file);

    /** Forgets the keys and values of texts that have ended. */
    void forget();

    /** Positions of a page of keys and values. */
    int pagePositions();

    /** Pages of keys and values that all sequences share. */
    int pageCount();

    /** Pages that can be had: free ones, and those that only the memory of earlier texts holds. */
    int availablePages();

    /** Columns that one forward pass takes at most. */
    int maxColumns();

    /** Columns of which one forward pass gives logits at most, beside the last one of each of its sequences. */
    int maxOutputColumns();

    /** Sequences that one forward pass takes at most. */
    int maxBatchSequences();

    /**
     * Appends tokens to any mix of sequences in one pass.
     *
     * @param parts at least one, of different sequences, 1 to {@link #maxBatchSequences()}; together at most {@link #maxColumns()} tokens
     * @param outputs receives the logits that the parts want, and any states
     * @param goesOn asked now and then; when it says no, the pass is given up
     * @return false if it was given up: the sequences are then as before, or empty where they cannot be cut ({@link #canTruncate})
     */
    boolean forward(List<PassPart> parts, PassOutputs outputs, BooleanSupplier goesOn);

    /**
     * Appends any number of tokens to a sequence, some at a time, and computes the logits of the last one.
     *
     * @param step tokens of a forward pass at most, 1 to {@link #maxColumns()}
     * @param target receives {@code vocabSize} logits; null if they are not wanted
     * @param goesOn asked before each pass; what was appended until it says no stays
     */
    default void prefill(Sequence sequence, int[] tokens, int step, float @Nullable [] target, BooleanSupplier goesOn) {
        for (int done = 0; done < tokens.length && goesOn.getAsBoolean(); ) {
            int count = Math.min(step, tokens.length - done);
            forward(sequence, tokens, done, count, done + count == tokens.length ? target : null);
            done += count;
        }
    }

    /**
     * Appends one token to each of some sequences in one pass, and computes the logits of each.
     *
     * @param sequences different ones, 1 to {@link #maxBatchSequences()}
     * @param tokens ids, as many
     * @param target receives {@code sequences.size() * vocabSize} logits, row-major
     */
    default void forwardEach(List<? extends Sequence> sequences, int[] tokens, float[] target) {
        List<PassPart> parts = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
            parts.add(PassPart.withLastOutput(sequences.get(i), tokens, i, 1));
        }
        forward(parts, new AllLogits(target), () -> true);
    }

    /**
     * Appends tokens to a sequence and computes the logits of the last one.
     *
     * @param tokens ids, 1 to {@link #maxColumns()} of them from {@code offset} on
     * @param target receives {@code vocabSize} logits; null if they are not wanted
     */
    default void forward(Sequence sequence, int[] tokens, int offset, int count, float @Nullable [] target) {
        forward(List.of(new PassPart(sequence, tokens, offset, count, target == null ? count : count - 1)), new AllLogits(target), () -> true);
    }

    /**
     * Appends tokens to a sequence and computes the logits of each.
     *
     * @param tokens ids, 1 to {@link #maxOutputColumns()} of them from {@code offset} on
     * @param target receives {@code count * vocabSize} logits, row-major
     */
    default void forwardAll(Sequence sequence, int[] tokens, int offset, int count, float[] target) {
        forward(List.of(new PassPart(sequence, tokens, offset, count, 0)), new AllLogits(target), () -> true);
    }

    /**
     * Appends tokens to a sequence and computes the logits of those from one of them on, without room for all of these logits.
     *
     * @param tokens ids, 1 to {@link #maxColumns()} of them from {@code offset} on
     * @param firstOutput the first of the {@code count} whose logits are wanted; {@code count} or more for none
     * @param rows receives them in parts, in order; it runs inside the forward pass, so it must not ask for another one
     */
    void forward(Sequence sequence, int[] tokens, int offset, int count, int firstOutput, LogitRows rows);

    /** Receives logits of some tokens that follow each other. */
    @FunctionalInterface
    interface LogitRows {
        /**
         * @param column the first token, counted from the first of the forward pass
         * @param count how many
         * @param logits float32 [count][vocabSize]; reused, so to be copied if they are kept
         */
        void accept(int column, int count, float[] logits);
    }

    /**
     * Checks that it can still be used.
     *
     * @throws IllegalStateException if it is closed
     */
    void requireOpen();

    /** Frees weights and memory and ends its threads; waits for a forward pass that is running. Closing twice is harmless. */
    @Override
    void close();
}
