package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/**
 * A matrix or a vector of a mapped file whose elements do not follow each other: transposed, or some columns of a larger one. Its type has
 * no blocks.
 */
final class StridedRows implements FloatRows {
    private final TensorInfo tensor;
    private final MemorySegment bytes;
    private final long rows;
    private final int columns;
    private final long rowStride;
    private final long columnStride;

    /**
     * @param bytes from the first element to the end of the last
     * @param strides of the tensor's one or two dimensions, in elements
     */
    StridedRows(TensorInfo tensor, MemorySegment bytes, List<Long> strides) {
        // The same checks of the shape, although the elements stand elsewhere.
        StoredRows shape = new StoredRows(tensor, bytes);
        this.tensor = tensor;
        this.bytes = bytes;
        this.rows = shape.rows();
        this.columns = shape.columns();
        this.rowStride = strides.size() == 2 ? strides.getFirst() : 0;
        this.columnStride = strides.getLast();
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        Objects.checkFromIndexSize(firstRow, rowCount, rows);
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * columns, (long) target.length);
        try {
            if (columnStride == 1) {
                for (int row = 0; row < rowCount; row++) {
                    decode((firstRow + row) * rowStride, columns, target, targetOffset + row * columns);
                }
            } else {
                readColumns(firstRow, rowCount, target, targetOffset);
            }
        } catch (InternalError e) {
            throw MappedFile.lostPages(tensor.file(), "tensor " + Quoted.text(tensor.name()), e);
        }
    }

    /** Column by column: of a transposed matrix the elements of one are neighbours. */
    private void readColumns(long firstRow, int rowCount, float[] target, int targetOffset) {
        float[] column = new float[rowCount];
        for (int c = 0; c < columns; c++) {
            long first = firstRow * rowStride + c * columnStride;
            if (rowStride == 1) {
                decode(first, rowCount, column, 0);
            } else {
                for (int row = 0; row < rowCount; row++) {
                    decode(first + row * rowStride, 1, column, row);
                }
            }
            for (int row = 0; row < rowCount; row++) {
                target[targetOffset + row * columns + c] = column[row];
            }
        }
    }

    private void decode(long firstElement, int count, float[] target, int targetOffset) {
        TensorType type = tensor.type();
        RowCodec.decodeRows(type, bytes, firstElement * type.blockBytes(), 1, count, target, targetOffset);
    }
}
