package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of the merged model: rows of the base, or of an adapter's whole matrix, with deltas added in order. Thread-safe.
 *
 * @param source the rows before the deltas
 * @param sourceTensor the adapter's tensor behind {@code source}, whose values are checked; null for the base's
 * @param deltas what is added, in order; each has the shape of {@code source}
 */
record MergedRows(FloatRows source, @Nullable TensorInfo sourceTensor, List<DeltaRows> deltas) implements FloatRows {
    /** Copies the list. */
    MergedRows {
        deltas = List.copyOf(deltas);
    }

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
        int columns = columns();
        Objects.checkFromIndexSize(firstRow, (long) rowCount, rows());
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * columns, (long) target.length);
        source.read(firstRow, rowCount, target, targetOffset);
        if (sourceTensor != null) {
            for (int i = 0; i < rowCount; i++) {
                DeltaRows.requireFinite(sourceTensor, firstRow + i, target, targetOffset + i * columns, columns);
            }
        }
        for (DeltaRows delta : deltas) {
            delta.add(firstRow, rowCount, target, targetOffset);
        }
    }
}
