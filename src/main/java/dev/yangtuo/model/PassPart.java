package dev.yangtuo.model;

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
}
