package dev.yangtuo.kernel;

import java.util.List;

/**
 * The weights of one transformer layer. Rows of {@code q} and {@code k}, and elements of their biases, are in pairs: rows 2j and 2j + 1 of a head are rotated
 * together.
 *
 * @param index number of the layer, from 0: where its keys and values live
 * @param nHeads query heads, a multiple of {@code nKvHeads}
 * @param nKvHeads key/value heads
 * @param headDim elements of a head, even
 * @param normEps added to the mean square in both norms
 * @param attentionNorm {@code [dim]}
 * @param q {@code [qDim][dim]}
 * @param k {@code [kvDim][dim]}
 * @param v {@code [kvDim][dim]}
 * @param o {@code [dim][qDim]}
 * @param ffnNorm {@code [dim]}
 * @param gate {@code [hiddenDim][dim]}
 * @param up {@code [hiddenDim][dim]}
 * @param down {@code [dim][hiddenDim]}
 * @param window how many positions a token sees, its own the last (sliding window attention); 0: all
 */
public record LayerWeights(
        int index,
        int nHeads,
        int nKvHeads,
        int headDim,
        float normEps,
        DeviceFloats attentionNorm,
        Projection q,
        Projection k,
        Projection v,
        Projection o,
        DeviceFloats ffnNorm,
        Projection gate,
        Projection up,
        Projection down,
        int window) {
    /** Checks that the shapes fit each other. */
    public LayerWeights {
        if (index < 0 || nHeads < 1 || nKvHeads < 1 || nHeads % nKvHeads != 0 || headDim < 2 || headDim % 2 != 0 || window < 0) {
            throw new IllegalArgumentException("layer %d: %d heads, %d key/value heads, head size %d, window %d do not make an attention layer"
                    .formatted(index, nHeads, nKvHeads, headDim, window));
        }
        int dim = q.weight().columns();
        long qDim = (long) nHeads * headDim;
        long kvDim = (long) nKvHeads * headDim;
        long hiddenDim = gate.weight().rows();
        requireShape(index, "q", q, qDim, dim);
        requireShape(index, "k", k, kvDim, dim);
        requireShape(index, "v", v, kvDim, dim);
        requireShape(index, "o", o, dim, qDim);
        requireShape(index, "gate", gate, hiddenDim, dim);
        requireShape(index, "up", up, hiddenDim, dim);
        requireShape(index, "down", down, dim, hiddenDim);
        requireCount(index, "attentionNorm", attentionNorm, dim);
        requireCount(index, "ffnNorm", ffnNorm, dim);
    }

    /** All projections, in the order in which they are used. */
    public List<Projection> projections() {
        return List.of(q, k, v, o, gate, up, down);
    }

    private static void requireShape(int layer, String name, Projection projection, long rows, long columns) {
        WeightMatrix matrix = projection.weight();
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
