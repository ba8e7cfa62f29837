package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Adds one LoRA to rows of a matrix: {@code W[i] += scale * sum over k of left[i][k] * right[k]}, all in float32, where left is B [out, rank]
 * and right is A [rank, in]; for a transposed delta left is A's transpose and right is B's.
 *
 * <p>The order of arithmetic is fixed: a row's delta is summed over k in groups of eight, from k = 0 (a last group of up to four as one of four),
 * then scaled, then added. It depends neither on which rows are asked for together nor on the thread, so that results do not either. Columns are worked
 * on in tiles, so that the right matrix stays in the processor's nearest cache for many rows.
 *
 * <p>The right matrix is decoded at the first use and kept as long as this object; the left one is decoded row by row, unless it stands by columns.
 * Thread-safe.
 */
final class LowRankProduct {
    /** Elements of the left matrix that are decoded at a time, at least one row. */
    private static final int LEFT_ELEMENTS = 1 << 14;

    /** Columns of a tile, a power of two: 8 rows of the right matrix are 32 kB. */
    private static final int TILE = 1 << 10;

    /** Deltas beyond this are refused: nothing trained comes near, and twice this is no float any more. */
    private static final double MAX_DELTA = Float.MAX_VALUE / 2;

    private final LoraDelta delta;
    private final FloatRows a;
    private final FloatRows b;
    private volatile @Nullable Factors factors;

    /**
     * @param right [rank][columns], filled up with repeated rows to a multiple of 4; the coefficients of those are 0
     * @param largest [rank], the largest absolute value of each row of {@code right}
     * @param leftColumns [rank][rows], null unless the left matrix stands by columns
     */
    private record Factors(float[][] right, float[] largest, float @Nullable [][] leftColumns) {}

    /**
     * @param a rows of lora_A
     * @param b rows of lora_B, in Hugging Face's order
     */
    LowRankProduct(LoraDelta delta, FloatRows a, FloatRows b) {
        this.delta = delta;
        this.a = a;
        this.b = b;
    }

    /**
     * Adds the delta to consecutive rows.
     *
     * @param target the matrix's rows before, and after, the addition, row-major
     * @param norm told of each row, if there is one
     * @throws AdapterException if a value is NaN, infinite, or too large
     */
    void add(long firstRow, int rowCount, float[] target, int targetOffset, @Nullable DeltaNorm norm) {
        Factors loaded = factors();
        int stride = loaded.right.length;
        int columns = Math.toIntExact(delta.columns());
        int leftRows = Math.clamp(LEFT_ELEMENTS / stride, 1, Math.max(1, rowCount));
        float[] coefficients = new float[leftRows * stride];
        float[] packed = new float[leftRows * delta.rank()];
        Tile tile = new Tile(loaded.right, delta.scale(), norm == null ? 0 : leftRows);
        for (int done = 0; done < rowCount; done += leftRows) {
            int count = Math.min(leftRows, rowCount - done);
            readLeft(loaded, firstRow + done, count, packed);
            for (int i = 0; i < count; i++) {
                System.arraycopy(packed, i * delta.rank(), coefficients, i * stride, delta.rank());
                requireRange(firstRow + done + i, packed, i * delta.rank(), loaded.largest);
            }
            tile.add(coefficients, count, target, targetOffset + done * columns, columns);
            for (int i = 0; i < count && norm != null; i++) {
                norm.record(firstRow + done + i, (double) delta.scale() * delta.scale() * tile.deltaSquares[i], tile.matrixSquares[i]);
            }
        }
    }

    private void readLeft(Factors loaded, long firstRow, int count, float[] packed) {
        switch (delta.layout()) {
            case PLAIN, PLAIN_IN_PAIRS -> b.read(firstRow, count, packed, 0);
            case TRANSPOSED_ROWS -> a.read(firstRow, count, packed, 0);
            case TRANSPOSED -> {
                float[][] leftColumns = Objects.requireNonNull(loaded.leftColumns);
                for (int i = 0; i < count; i++) {
                    for (int k = 0; k < leftColumns.length; k++) {
                        packed[i * leftColumns.length + k] = leftColumns[k][(int) firstRow + i];
                    }
                }
            }
        }
    }

    private Factors factors() {
        Factors loaded = factors;
        if (loaded == null) {
            synchronized (this) {
                loaded = factors;
                if (loaded == null) {
                    loaded = load();
                    factors = loaded;
                }
            }
        }
        return loaded;
    }

    private Factors load() {
        float[][] right = delta.isTransposed() ? readTransposed(b, delta.b()) : read(a, delta.a());
        float[] largest = new float[right.length];
        for (int k = 0; k < right.length; k++) {
            for (float value : right[k]) {
                largest[k] = Math.max(largest[k], Math.abs(value));
            }
        }
        float[][] padded = Arrays.copyOf(right, (right.length + 3) / 4 * 4);
        Arrays.fill(padded, right.length, padded.length, right[0]);
        return new Factors(padded, largest, delta.layout() == LoraDelta.Layout.TRANSPOSED ? read(a, delta.a()) : null);
    }

    private static float[][] read(FloatRows rows, TensorInfo tensor) {
        float[][] matrix = new float[Math.toIntExact(rows.rows())][rows.columns()];
        for (int i = 0; i < matrix.length; i++) {
            rows.read(i, 1, matrix[i], 0);
            CheckedRows.requireFinite(tensor, i, matrix[i], 0, matrix[i].length);
        }
        return matrix;
    }

    private static float[][] readTransposed(FloatRows rows, TensorInfo tensor) {
        float[][] transposed = new float[rows.columns()][Math.toIntExact(rows.rows())];
        float[] row = new float[rows.columns()];
        for (int i = 0; i < rows.rows(); i++) {
            rows.read(i, 1, row, 0);
            CheckedRows.requireFinite(tensor, i, row, 0, row.length);
            for (int j = 0; j < row.length; j++) {
                transposed[j][i] = row[j];
            }
        }
        return transposed;
    }

    /**
     * One bound finds NaN and infinity among the coefficients as well as deltas that would overflow, without looking at each element.
     */
    private void requireRange(long row, float[] coefficients, int offset, float[] largest) {
        double bound = 0;
        for (int k = 0; k < largest.length; k++) {
            bound += Math.abs((double) coefficients[offset + k]) * largest[k];
        }
        if (bound * Math.max(1, Math.abs(delta.scale())) < MAX_DELTA) {
            return;
        }
        CheckedRows.requireFinite(delta.isTransposed() ? delta.a() : delta.b(), row, coefficients, offset, largest.length);
        throw new AdapterException(
                delta.b().file(),
                "the product of %s and %s is too large for float32 (row %d)"
                        .formatted(AdapterKey.quote(delta.b().name()), AdapterKey.quote(delta.a().name()), row));
    }

    /** The arithmetic of some rows, with its buffers: one tile of one delta, and sums of squares of as many rows as are worked on together. */
    private static final class Tile {
        private final float[][] right;
        private final float scale;
        private final float[] sum = new float[TILE];
        private final float[] squares = new float[TILE];
        /** Per row: of the delta without its scale, and of the matrix before it. Empty if nobody asks. */
        private final double[] deltaSquares;

        private final double[] matrixSquares;

        Tile(float[][] right, float scale, int rows) {
            this.right = right;
            this.scale = scale;
            deltaSquares = new double[rows];
            matrixSquares = new double[rows];
        }

        void add(float[] coefficients, int rows, float[] target, int targetOffset, int columns) {
            Arrays.fill(deltaSquares, 0);
            Arrays.fill(matrixSquares, 0);
            for (int first = 0; first < columns; first += TILE) {
                int count = Math.min(TILE, columns - first);
                for (int i = 0; i < rows; i++) {
                    int at = targetOffset + i * columns + first;
                    combine(coefficients, i * right.length, first, count);
                    if (deltaSquares.length > 0) {
                        deltaSquares[i] += sumOfSquares(sum, 0, count);
                        matrixSquares[i] += sumOfSquares(target, at, count);
                    }
                    addScaled(sum, scale, target, at, count);
                }
            }
        }

        /** {@code sum = sum over k of coefficients[offset + k] * right[k]}. Plain loops over columns: the compiler makes vectors of them. */
        private void combine(float[] coefficients, int offset, int first, int count) {
            if (right.length > 4) {
                setEight(sum, right, 0, coefficients, offset, first, count);
            } else {
                Arrays.fill(sum, 0, count, 0f);
                addFour(sum, right, 0, coefficients, offset, first, count);
            }
            int k = 8;
            for (; k + 4 < right.length; k += 8) {
                addEight(sum, right, k, coefficients, offset + k, first, count);
            }
            if (k < right.length) {
                addFour(sum, right, k, coefficients, offset + k, first, count);
            }
        }

        private static void setEight(float[] sum, float[][] right, int k, float[] c, int at, int first, int count) {
            float c0 = c[at];
            float c1 = c[at + 1];
            float c2 = c[at + 2];
            float c3 = c[at + 3];
            float c4 = c[at + 4];
            float c5 = c[at + 5];
            float c6 = c[at + 6];
            float c7 = c[at + 7];
            float[] r0 = right[k];
            float[] r1 = right[k + 1];
            float[] r2 = right[k + 2];
            float[] r3 = right[k + 3];
            float[] r4 = right[k + 4];
            float[] r5 = right[k + 5];
            float[] r6 = right[k + 6];
            float[] r7 = right[k + 7];
            for (int j = 0; j < count; j++) {
                sum[j] = c0 * r0[first + j] + c1 * r1[first + j] + (c2 * r2[first + j] + c3 * r3[first + j])
                        + (c4 * r4[first + j] + c5 * r5[first + j] + (c6 * r6[first + j] + c7 * r7[first + j]));
            }
        }

        private static void addEight(float[] sum, float[][] right, int k, float[] c, int at, int first, int count) {
            float c0 = c[at];
            float c1 = c[at + 1];
            float c2 = c[at + 2];
            float c3 = c[at + 3];
            float c4 = c[at + 4];
            float c5 = c[at + 5];
            float c6 = c[at + 6];
            float c7 = c[at + 7];
            float[] r0 = right[k];
            float[] r1 = right[k + 1];
            float[] r2 = right[k + 2];
            float[] r3 = right[k + 3];
            float[] r4 = right[k + 4];
            float[] r5 = right[k + 5];
            float[] r6 = right[k + 6];
            float[] r7 = right[k + 7];
            for (int j = 0; j < count; j++) {
                sum[j] += c0 * r0[first + j] + c1 * r1[first + j] + (c2 * r2[first + j] + c3 * r3[first + j])
                        + (c4 * r4[first + j] + c5 * r5[first + j] + (c6 * r6[first + j] + c7 * r7[first + j]));
            }
        }

        private static void addFour(float[] sum, float[][] right, int k, float[] c, int at, int first, int count) {
            float c0 = c[at];
            float c1 = c[at + 1];
            float c2 = c[at + 2];
            float c3 = c[at + 3];
            float[] r0 = right[k];
            float[] r1 = right[k + 1];
            float[] r2 = right[k + 2];
            float[] r3 = right[k + 3];
            for (int j = 0; j < count; j++) {
                sum[j] += c0 * r0[first + j] + c1 * r1[first + j] + (c2 * r2[first + j] + c3 * r3[first + j]);
            }
        }

        private static void addScaled(float[] sum, float scale, float[] target, int at, int count) {
            for (int j = 0; j < count; j++) {
                target[at + j] += scale * sum[j];
            }
        }

        /** Halves the squares until one is left, which is exact enough in float32 and, unlike one long sum, made of vectors. */
        private double sumOfSquares(float[] values, int offset, int count) {
            for (int j = 0; j < count; j++) {
                squares[j] = values[offset + j] * values[offset + j];
            }
            int half = Math.max(1, Integer.highestOneBit(count - 1));
            Arrays.fill(squares, count, Math.max(count, 2 * half), 0f);
            for (; half > 0; half /= 2) {
                halve(squares, half);
            }
            return squares[0];
        }

        private static void halve(float[] squares, int half) {
            for (int j = 0; j < half; j++) {
                squares[j] += squares[half + j];
            }
        }
    }
}
