package dev.yangtuo.model;

import dev.yangtuo.tensor.FloatRows;

/**
 * The two orders of the rows of Q and K within a head of d rows. RoPE turns pairs of rows: Hugging Face keeps the partners half a head apart
 * (j and j + d/2), GGUF and the kernels beside each other (2j and 2j + 1).
 */
final class RowOrder {
    private RowOrder() {}

    /** A view in pairs of a matrix in halves. */
    static FloatRows halvesToPairs(FloatRows rows, int headDim) {
        return rows.permuted(row -> rowInHalves(row, headDim));
    }

    /** Where a matrix in halves has a row of the same matrix in pairs. */
    static long rowInHalves(long row, int headDim) {
        long inHead = row % headDim;
        return row - inHead + (inHead % 2) * (headDim / 2) + inHead / 2;
    }

    /** A view in halves of a matrix in pairs. */
    static FloatRows pairsToHalves(FloatRows rows, int headDim) {
        int half = headDim / 2;
        return rows.permuted(row -> {
            long inHead = row % headDim;
            return row - inHead + 2 * (inHead % half) + inHead / half;
        });
    }
}
