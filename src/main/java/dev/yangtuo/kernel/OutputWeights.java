package dev.yangtuo.kernel;

/**
 * The weights of the end of the model.
 *
 * @param norm {@code [dim]}
 * @param matrix {@code [vocabSize][dim]}
 * @param normEps added to the mean square in the norm
 */
public record OutputWeights(DeviceFloats norm, WeightMatrix matrix, float normEps) {
    /** Checks that the shapes fit each other. */
    public OutputWeights {
        if (norm.count() != matrix.columns()) {
            throw new IllegalArgumentException(
                    "output: the norm has %d elements, the matrix %d columns".formatted(norm.count(), matrix.columns()));
        }
    }
}
