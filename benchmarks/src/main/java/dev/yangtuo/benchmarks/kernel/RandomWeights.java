package dev.yangtuo.benchmarks.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/**
 * Random rows of any type, those that can only be read included: normally distributed values, or random blocks. Only {@value #DIFFERENT} rows
 * differ, for kernels take no other time for others; that is no multiple of what kernels take together, so that a row in the place of another one is
 * noticed.
 */
final class RandomWeights implements AutoCloseable {
    static final int DIFFERENT = 61;
    /** Rows that are uploaded together: whole groups of sixteen, whole repetitions. */
    private static final int PIECE_ROWS = 16 * DIFFERENT;

    private static final float LARGEST = 2f;
    private static final float SMALLEST = 1e-3f;

    private final TensorType type;
    private final int columns;
    private final long rowBytes;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment piece;

    RandomWeights(TensorType type, int columns, SplittableRandom random) {
        this.type = type;
        this.columns = columns;
        this.rowBytes = type.rowBytes(columns);
        piece = arena.allocate(PIECE_ROWS * rowBytes, Long.BYTES);
        MemorySegment rows = piece.asSlice(0, DIFFERENT * rowBytes);
        if (type.isQuantized()) {
            fillBlocks(rows, random);
        } else {
            fillPlain(rows, random);
        }
        for (int row = DIFFERENT; row < PIECE_ROWS; row += DIFFERENT) {
            MemorySegment.copy(rows, 0, piece, row * rowBytes, rows.byteSize());
        }
    }

    private void fillPlain(MemorySegment target, SplittableRandom random) {
        float[] values = normal(DIFFERENT * columns, 1 / Math.sqrt(columns), random);
        RowCodec.encodeRows(type, values, 0, DIFFERENT, columns, target, 0);
    }

    /** {@return normally distributed values around 0} */
    static float[] normal(int count, double deviation, SplittableRandom random) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    /** Random bytes, drawn again until the values of the block are of a sensible size: random scales are infinite or next to nothing at times. */
    private void fillBlocks(MemorySegment target, SplittableRandom random) {
        byte[] block = new byte[type.blockBytes()];
        MemorySegment segment = MemorySegment.ofArray(block);
        float[] values = new float[type.blockElements()];
        for (long at = 0; at < target.byteSize(); at += block.length) {
            float largest;
            do {
                random.nextBytes(block);
                RowCodec.decodeRows(type, segment, 0, 1, values.length, values, 0);
                largest = 0f;
                for (float value : values) {
                    largest = Math.max(largest, Math.abs(value)); // NaN stays
                }
            } while (!(largest >= SMALLEST && largest <= LARGEST));
            MemorySegment.copy(block, 0, target, JAVA_BYTE, at, block.length);
        }
    }

    /** Fills a matrix of any number of rows. */
    void upload(WeightMatrix matrix) {
        for (long row = 0; row < matrix.rows(); row += PIECE_ROWS) {
            long count = Math.min(PIECE_ROWS, matrix.rows() - row);
            matrix.upload(row, count, piece.asSlice(0, count * rowBytes));
        }
    }

    /** Fills a matrix with those rows of the whole one that have these numbers. */
    void upload(int[] rows, WeightMatrix matrix) {
        for (int i = 0; i < rows.length; i++) {
            matrix.upload(i, 1, piece.asSlice(rows[i] % DIFFERENT * rowBytes, rowBytes));
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
