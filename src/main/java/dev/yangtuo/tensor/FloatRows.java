package dev.yangtuo.tensor;

import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * A matrix that is read row by row as float32, whatever it is stored as. Loading is a chain of these: stored tensor, full matrix of
 * an adapter, LoRA delta, row permutation; nothing is computed before a row is asked for, so that a matrix never has to exist whole
 * in float32. Implementations are thread-safe: several threads read different rows at the same time. Reading is valid until the
 * checkpoints behind it are closed.
 */
public interface FloatRows {
    /** Number of rows (the output dimension of a projection, the vocabulary of an embedding); at least 1. */
    long rows();

    /** Number of columns (the input dimension); at least 1. A vector is a matrix of one row. */
    int columns();

    /**
     * Reads consecutive rows.
     *
     * @param firstRow first row, 0 to {@code rows() - 1}
     * @param rowCount number of rows; {@code firstRow + rowCount <= rows()}
     * @param target receives {@code rowCount * columns()} values, row-major
     * @param targetOffset index in {@code target} of the first value
     * @throws IndexOutOfBoundsException if the rows or the target range do not exist
     */
    void read(long firstRow, int rowCount, float[] target, int targetOffset);

    /**
     * A matrix in memory.
     *
     * @param values row-major; not copied, so it must not change while the matrix is read
     * @param columns columns of a row, at least 1
     * @throws IllegalArgumentException if {@code values} is empty or not a whole number of rows
     */
    static FloatRows of(float[] values, int columns) {
        return new ArrayRows(values, columns);
    }

    /**
     * Matrices one below the other, read from where they are.
     *
     * @param parts at least one
     * @throws IllegalArgumentException if they differ in their columns
     */
    static FloatRows stacked(List<FloatRows> parts) {
        return new StackedRows(parts);
    }

    /**
     * Matrices one beside the other, read from where they are.
     *
     * @param parts at least one
     * @throws IllegalArgumentException if they differ in their rows
     * @throws ArithmeticException if there are more than 2,147,483,647 columns
     */
    static FloatRows sideBySide(List<FloatRows> parts) {
        return new SideBySideRows(parts);
    }

    /**
     * A view of the same size whose row {@code r} is this matrix' row {@code sourceRowOf(r)}. It need not be one-to-one.
     *
     * @param sourceRowOf thread-safe; called when rows are read. A result outside this matrix makes {@link #read} throw
     *     {@link IndexOutOfBoundsException}
     */
    default FloatRows permuted(LongUnaryOperator sourceRowOf) {
        return selected(rows(), sourceRowOf);
    }

    /**
     * A view of {@code rowCount} rows of this matrix, as {@link #permuted}, but of any height: {@code selected(n, r -> r)} is the first
     * n rows.
     *
     * @throws IllegalArgumentException if {@code rowCount} is less than 1
     */
    default FloatRows selected(long rowCount, LongUnaryOperator sourceRowOf) {
        return new SelectedRows(this, rowCount, sourceRowOf);
    }
}
