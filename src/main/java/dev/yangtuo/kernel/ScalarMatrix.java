package dev.yangtuo.kernel;

import dev.yangtuo.tensor.BlockCodec;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The rows exactly as they are stored, off-heap; taken apart row by row when they are multiplied. */
final class ScalarMatrix implements WeightMatrix {
    private final TensorType type;
    private final long rows;
    private final int columns;
    private final long rowBytes;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment blocks;

    ScalarMatrix(TensorType type, long rows, int columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("a matrix of %d x %d is not possible".formatted(rows, columns));
        }
        long rowBytes = type.rowBytes(columns);
        if (rows > Long.MAX_VALUE / rowBytes) {
            throw new IllegalArgumentException("a matrix of %d x %d is not possible".formatted(rows, columns));
        }
        this.type = type;
        this.rows = rows;
        this.columns = columns;
        this.rowBytes = rowBytes;
        this.blocks = ScalarBackend.allocate(arena, rows * rowBytes);
    }

    @Override
    public TensorType type() {
        return type;
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
    public long byteSize() {
        return rows * rowBytes;
    }

    @Override
    public void upload(long firstRow, long rowCount, MemorySegment source) {
        if (firstRow < 0 || rowCount < 0 || firstRow > rows - rowCount || source.byteSize() != rowCount * rowBytes) {
            throw new IllegalArgumentException("%d bytes for rows %d to %d do not fit a matrix of %d rows of %d bytes"
                    .formatted(source.byteSize(), firstRow, firstRow + rowCount, rows, rowBytes));
        }
        MemorySegment.copy(source, 0, blocks, firstRow * rowBytes, source.byteSize());
    }

    @Override
    public void download(long byteOffset, MemorySegment target) {
        MemorySegment.copy(blocks, byteOffset, target, 0, target.byteSize());
    }

    boolean isQuantized() {
        return type.isQuantized();
    }

    /** Decodes one row to float32. */
    void decodeRow(long row, float[] target, int offset) {
        RowCodec.decodeRows(type, blocks, row * rowBytes, 1, columns, target, offset);
    }

    /** A row of a quantized matrix, to be filled by {@link #unpackRow}. */
    QuantizedRow newQuantizedRow() {
        int parts = columns / BlockCodec.of(type).partElements();
        return new QuantizedRow(new byte[Math.toIntExact(rowBytes)], new byte[columns], new float[parts], new float[parts]);
    }

    /**
     * Room for a row and what it is made of: {@code value = scale * q - minimum}.
     *
     * @param stored the row as it is stored
     * @param q an integer for each element
     * @param scales one for each part
     * @param minimums one for each part; 0 if the type has none
     */
    record QuantizedRow(byte[] stored, byte[] q, float[] scales, float[] minimums) {}

    /** Takes one row of a quantized matrix apart. */
    void unpackRow(long row, QuantizedRow target) {
        MemorySegment.copy(blocks, ValueLayout.JAVA_BYTE, row * rowBytes, target.stored, 0, target.stored.length);
        BlockCodec.of(type).unpack(target.stored, 0, columns / type.blockElements(), target.q, target.scales, target.minimums);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
