package dev.yangtuo.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The rows exactly as they are stored, off-heap; decoded row by row when they are multiplied. */
final class ScalarMatrix implements WeightMatrix {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

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

    boolean isQuantized() {
        return type.blockElements() > 1;
    }

    /** Decodes one row to float32. */
    void decodeRow(long row, float[] target, int offset) {
        long start = row * rowBytes;
        switch (type) {
            case F32 -> MemorySegment.copy(blocks, FLOAT, start, target, offset, columns);
            case F16 -> {
                for (int i = 0; i < columns; i++) {
                    target[offset + i] = Float.float16ToFloat(blocks.get(SHORT, start + 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < columns; i++) {
                    target[offset + i] = Float.intBitsToFloat(blocks.get(SHORT, start + 2L * i) << 16);
                }
            }
            default -> {
                byte[] q = new byte[columns];
                float[] scales = new float[columns / ScalarMath.BLOCK];
                decodeQuantizedRow(row, q, scales);
                for (int i = 0; i < columns; i++) {
                    target[offset + i] = scales[i / ScalarMath.BLOCK] * q[i];
                }
            }
        }
    }

    /**
     * Unpacks one row of a quantized matrix.
     *
     * @param q receives the signed integers
     * @param scales receives one scale per block of 32
     */
    void decodeQuantizedRow(long row, byte[] q, float[] scales) {
        int blockBytes = type.blockBytes();
        for (int block = 0; block < scales.length; block++) {
            long start = row * rowBytes + (long) block * blockBytes;
            scales[block] = Float.float16ToFloat(blocks.get(SHORT, start));
            int first = block * ScalarMath.BLOCK;
            if (type == TensorType.Q8_0) {
                MemorySegment.copy(blocks, JAVA_BYTE, start + 2, q, first, ScalarMath.BLOCK);
            } else {
                int half = ScalarMath.BLOCK / 2;
                for (int i = 0; i < half; i++) {
                    int pair = blocks.get(JAVA_BYTE, start + 2 + i);
                    q[first + i] = (byte) ((pair & 0x0F) - 8);
                    q[first + half + i] = (byte) (((pair >> 4) & 0x0F) - 8);
                }
            }
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
