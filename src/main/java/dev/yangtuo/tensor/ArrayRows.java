package dev.yangtuo.tensor;

import java.util.Objects;

/** A matrix in a heap array, row-major. */
final class ArrayRows implements FloatRows {
    private final float[] values;
    private final int columns;

    ArrayRows(float[] values, int columns) {
        if (columns < 1 || values.length == 0 || values.length % columns != 0) {
            throw new IllegalArgumentException("%d values are not a whole number of rows of %d columns".formatted(values.length, columns));
        }
        this.values = values;
        this.columns = columns;
    }

    @Override
    public long rows() {
        return values.length / columns;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        Objects.checkFromIndexSize(firstRow, rowCount, rows());
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * columns, (long) target.length);
        System.arraycopy(values, (int) firstRow * columns, target, targetOffset, rowCount * columns);
    }
}
