package dev.yangtuo.model;

import java.util.List;

/**
 * What one sequence gets in a forward pass.
 *
 * @param tokens ids, of which those from {@code offset} on are appended; not copied
 * @param count how many, at least 1
 * @param firstOutput the first of the {@code count} tokens whose logits are wanted; {@code count} for none
 */
public record PassPart(Sequence sequence, int[] tokens, int offset, int count, int firstOutput) {
    /** Checks the numbers. */
    public PassPart {
        if (count < 1 || offset < 0 || offset + count > tokens.length || firstOutput < 0 || firstOutput > count) {
            throw new IllegalArgumentException("%d of %d tokens from %d on, with outputs from %d on, are not possible"
                    .formatted(count, tokens.length, offset, firstOutput));
        }
    }

    /** Some tokens, of which the last one's logits are wanted. */
    public static PassPart withLastOutput(Sequence sequence, int[] tokens, int offset, int count) {
        return new PassPart(sequence, tokens, offset, count, count - 1);
    }

    /** Tokens whose logits are wanted. */
    public int outputs() {
        return count - firstOutput;
    }

    /** Tokens of all parts together. */
    public static int columns(List<PassPart> parts) {
        int columns = 0;
        for (int i = 0; i < parts.size(); i++) { // an iterator for each pass would be garbage
            columns += parts.get(i).count;
        }
        return columns;
    }

    /**
     * Checks that a model can compute parts in one pass.
     *
     * @throws IllegalArgumentException if a token is outside its vocabulary, or there are too few or too many tokens or sequences
     */
    public static void requireFitting(List<PassPart> parts, Model model) {
        for (int i = 0; i < parts.size(); i++) {
            parts.get(i).requireVocabulary(model.vocabSize());
        }
        int columns = columns(parts);
        if (parts.isEmpty() || parts.size() > model.maxBatchSequences() || columns > model.maxColumns()) {
            throw new IllegalArgumentException("a forward pass of %d tokens of %d sequences is not possible; 1 to %d of 1 to %d are"
                    .formatted(columns, parts.size(), model.maxColumns(), model.maxBatchSequences()));
        }
    }

    private void requireVocabulary(int size) {
        for (int i = offset; i < offset + count; i++) {
            if (tokens[i] < 0 || tokens[i] >= size) {
                throw new IllegalArgumentException("token id %d is outside the model's vocabulary of %d".formatted(tokens[i], size));
            }
        }
    }
}
