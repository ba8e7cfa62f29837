package dev.yangtuo.tensor;

import java.util.Objects;
import java.util.function.LongUnaryOperator;

/** Rows of another matrix in another order. */
final class SelectedRows implements FloatRows {
    private final FloatRows source;
    private final long rows;
    private final LongUnaryOperator sourceRowOf;

    SelectedRows(FloatRows source, long rows, LongUnaryOperator sourceRowOf) {
        if (rows < 1) {
            throw new IllegalArgumentException("a selection of %d rows is not a matrix".formatted(rows));
        }
        this.source = source;
        this.rows = rows;
        this.sourceRowOf = Objects.requireNonNull(sourceRowOf);
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int columns() {
        return source.columns();
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        int columns = columns();
        Objects.checkFromIndexSize(firstRow, rowCount, rows);
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * columns, (long) target.length);
        // Neighbours often stay neighbours (whole heads, a prefix of a vocabulary): such a run is one read.
        int row = 0;
        while (row < rowCount) {
            long sourceRow = sourceRowOf.applyAsLong(firstRow + row);
            int run = 1;
            while (row + run < rowCount && sourceRowOf.applyAsLong(firstRow + row + run) == sourceRow + run) {
                run++;
            }
            source.read(sourceRow, run, target, targetOffset + row * columns);
            row += run;
        }
    }
}
