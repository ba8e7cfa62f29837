package dev.yangtuo.kernel;

/**
 * The weights of one transformer layer. Rows of {@code wq} and {@code wk} are in pairs: rows 2j and 2j + 1 of a head are rotated together.
 *
 * @param index number of the layer, from 0: where its keys and values live
 * @param nHeads query heads, a multiple of {@code nKvHeads}
 * @param nKvHeads key/value heads
 * @param headDim elements of a head, even
 * @param normEps added to the mean square in both norms
 * @param attentionNorm {@code [dim]}
 * @param wq {@code [qDim][dim]}
 * @param wk {@code [kvDim][dim]}
 * @param wv {@code [kvDim][dim]}
 * @param wo {@code [dim][qDim]}
 * @param ffnNorm {@code [dim]}
 * @param wGate {@code [hiddenDim][dim]}
 * @param wUp {@code [hiddenDim][dim]}
 * @param wDown {@code [dim][hiddenDim]}
 */
public record LayerWeights(
        int index,
        int nHeads,
        int nKvHeads,
        int headDim,
        float normEps,
        DeviceFloats attentionNorm,
        WeightMatrix wq,
        WeightMatrix wk,
        WeightMatrix wv,
        WeightMatrix wo,
        DeviceFloats ffnNorm,
        WeightMatrix wGate,
        WeightMatrix wUp,
        WeightMatrix wDown) {
    /** Checks that the shapes fit each other. */
    public LayerWeights {
        if (index < 0 || nHeads < 1 || nKvHeads < 1 || nHeads % nKvHeads != 0 || headDim < 2 || headDim % 2 != 0) {
            throw new IllegalArgumentException("layer %d: %d heads, %d key/value heads, head size %d do not make an attention layer"
                    .formatted(index, nHeads, nKvHeads, headDim));
        }
        int dim = wq.columns();
        long qDim = (long) nHeads * headDim;
        long kvDim = (long) nKvHeads * headDim;
        long hiddenDim = wGate.rows();
        requireShape(index, "wq", wq, qDim, dim);
        requireShape(index, "wk", wk, kvDim, dim);
        requireShape(index, "wv", wv, kvDim, dim);
        requireShape(index, "wo", wo, dim, qDim);
        requireShape(index, "wGate", wGate, hiddenDim, dim);
        requireShape(index, "wUp", wUp, hiddenDim, dim);
        requireShape(index, "wDown", wDown, dim, hiddenDim);
        requireCount(index, "attentionNorm", attentionNorm, dim);
        requireCount(index, "ffnNorm", ffnNorm, dim);
    }

    private static void requireShape(int layer, String name, WeightMatrix matrix, long rows, long columns) {
        if (matrix.rows() != rows || matrix.columns() != columns) {
            throw new IllegalArgumentException("layer %d: %s is %d x %d, expected %d x %d"
                    .formatted(layer, name, matrix.rows(), matrix.columns(), rows, columns));
        }
    }

    private static void requireCount(int layer, String name, DeviceFloats floats, long count) {
        if (floats.count() != count) {
            throw new IllegalArgumentException("layer %d: %s has %d elements, expected %d".formatted(layer, name, floats.count(), count));
        }
    }
}
