package dev.yangtuo.tensor;

import java.util.List;
import java.util.Objects;

/** Matrices of the same width, one below the other. */
final class StackedRows implements FloatRows {
    private final List<FloatRows> parts;
    /** First row of each part, then the number of all rows; int64, [parts + 1]. */
    private final long[] firstRows;

    StackedRows(List<FloatRows> parts) {
        this.parts = List.copyOf(parts);
        this.firstRows = new long[parts.size() + 1];
        for (int i = 0; i < parts.size(); i++) {
            if (parts.get(i).columns() != parts.getFirst().columns()) {
                throw new IllegalArgumentException("part %d has %d columns, part 0 has %d".formatted(
                        i, parts.get(i).columns(), parts.getFirst().columns()));
            }
            firstRows[i + 1] = Math.addExact(firstRows[i], parts.get(i).rows());
        }
    }

    @Override
    public long rows() {
        return firstRows[parts.size()];
    }

    @Override
    public int columns() {
        return parts.getFirst().columns();
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        int columns = columns();
        Objects.checkFromIndexSize(firstRow, rowCount, rows());
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * columns, (long) target.length);
        long end = firstRow + rowCount;
        for (int i = 0; i < parts.size(); i++) {
            long from = Math.max(firstRow, firstRows[i]);
            long to = Math.min(end, firstRows[i + 1]);
            if (from < to) {
                parts.get(i).read(from - firstRows[i], (int) (to - from), target, targetOffset + (int) (from - firstRow) * columns);
            }
        }
    }
}
