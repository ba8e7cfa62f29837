package dev.yangtuo.lora;

import dev.yangtuo.tensor.FloatRows;
import java.util.Objects;

/**
 * A matrix with one LoRA added. Thread-safe.
 *
 * @param before the matrix
 * @param product what is added, of the same shape
 * @param norm told of each row that is read
 */
record LoraRows(FloatRows before, LowRankProduct product, DeltaNorm norm) implements FloatRows {
    @Override
    public long rows() {
        return before.rows();
    }

    @Override
    public int columns() {
        return before.columns();
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        requireRange(this, firstRow, rowCount, target, targetOffset);
        before.read(firstRow, rowCount, target, targetOffset);
        product.add(firstRow, rowCount, target, targetOffset, norm);
    }

    /** Rows and target of a read are there. */
    static void requireRange(FloatRows rows, long firstRow, int rowCount, float[] target, int targetOffset) {
        Objects.checkFromIndexSize(firstRow, (long) rowCount, rows.rows());
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * rows.columns(), (long) target.length);
    }
}
