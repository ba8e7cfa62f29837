package dev.yangtuo.kernel;

/**
 * How much a {@link Batch} can hold.
 *
 * @param columns tokens of one forward pass
 * @param sequences different sequences of one forward pass
 * @param pagesPerSequence pages that a sequence can have
 * @param headDim elements of a head, even
 */
public record BatchCapacity(int columns, int sequences, int pagesPerSequence, int headDim) {
    /** Checks the ranges. */
    public BatchCapacity {
        if (columns < 1 || sequences < 1 || pagesPerSequence < 1 || headDim < 2 || headDim % 2 != 0) {
            throw new IllegalArgumentException("a batch of %d columns, %d sequences, %d pages each, head size %d is not possible"
                    .formatted(columns, sequences, pagesPerSequence, headDim));
        }
    }
}
