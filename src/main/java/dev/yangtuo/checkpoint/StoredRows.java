package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.RowCodec;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/** A tensor of a mapped file, decoded when it is read. */
final class StoredRows implements FloatRows {
    private final TensorInfo tensor;
    private final MemorySegment bytes;
    private final long rows;
    private final int columns;
    private final long rowBytes;

    /** @param bytes exactly the tensor's bytes, row-major */
    StoredRows(TensorInfo tensor, MemorySegment bytes) {
        List<Long> shape = tensor.shape();
        long elements = tensor.elementCount();
        if (elements == 0) {
            throw new CheckpointFormatException(tensor.file(),
                    "tensor %s of shape %s has no elements; expected a matrix or a vector".formatted(Quoted.text(tensor.name()), shape));
        }
        long lastDimension = shape.isEmpty() ? 1 : shape.getLast();
        if (lastDimension > Integer.MAX_VALUE) {
            throw new CheckpointFormatException(tensor.file(), "tensor %s of shape %s has rows of %d elements; expected at most %d"
                    .formatted(Quoted.text(tensor.name()), shape, lastDimension, Integer.MAX_VALUE));
        }
        this.tensor = tensor;
        this.bytes = bytes;
        this.rows = elements / lastDimension;
        this.columns = (int) lastDimension;
        this.rowBytes = tensor.type().rowBytes(columns);
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
        try {
            RowCodec.decodeRows(tensor.type(), bytes, firstRow * rowBytes, rowCount, columns, target, targetOffset);
        } catch (InternalError e) {
            throw MappedFile.lostPages(tensor.file(), "tensor " + Quoted.text(tensor.name()), e);
        }
    }
}
