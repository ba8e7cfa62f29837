package dev.yangtuo.model;

import dev.yangtuo.tensor.FloatRows;
import java.util.Objects;
import java.util.function.LongUnaryOperator;

/**
 * The two orders of the rows of Q and K, and of the elements of their biases, within a head of d rows. RoPE turns pairs of rows: Hugging Face keeps the partners half a head apart
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
        return rows.permuted(row -> rowInPairs(row, headDim));
    }

    /** Where a matrix in pairs has a row of the same matrix in halves. */
    private static long rowInPairs(long row, int headDim) {
        int half = headDim / 2;
        long inHead = row % headDim;
        return row - inHead + 2 * (inHead % half) + inHead / half;
    }

    /** A view in pairs of a bias in halves: its elements are where the rows of its matrix are. */
    static FloatRows vectorInPairs(FloatRows vector, int headDim) {
        return new Vector(vector, element -> rowInHalves(element, headDim));
    }

    /** A view in halves of a bias in pairs. */
    static FloatRows vectorInHalves(FloatRows vector, int headDim) {
        return new Vector(vector, element -> rowInPairs(element, headDim));
    }

    /** A vector, which is one row, in another order. */
    private record Vector(FloatRows source, LongUnaryOperator sourceElementOf) implements FloatRows {
        @Override
        public long rows() {
            return source.rows();
        }

        @Override
        public int columns() {
            return source.columns();
        }

        @Override
        public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
            float[] values = new float[Math.multiplyExact(rowCount, columns())];
            source.read(firstRow, rowCount, values, 0);
            Objects.checkFromIndexSize(targetOffset, values.length, target.length);
            for (int i = 0; i < values.length; i++) {
                int column = i % columns();
                target[targetOffset + i] = values[i - column + (int) sourceElementOf.applyAsLong(column)];
            }
        }
    }
}
