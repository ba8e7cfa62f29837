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
 * <p>The order of arithmetic is fixed: a row's delta is summed over k in groups of four, from k = 0, then scaled, then added. It depends
 * neither on which rows are asked for together nor on the thread, so that results do not either.
 *
 * <p>The right matrix is decoded at the first use and kept as long as this object; the left one is decoded row by row (a transposed
 * delta keeps both). Thread-safe.
 */
final class DeltaRows {
    /** Elements of the left matrix that are decoded at a time, at least one row. */
    private static final int LEFT_ELEMENTS = 1 << 14;

    /** Deltas beyond this are refused: nothing trained comes near, and twice this is no float any more. */
    private static final double MAX_DELTA = Float.MAX_VALUE / 2;

    private final LoraAdapter adapter;
    private final LoraPair pair;
    private final DeltaNorm norm;
    private volatile @Nullable Factors factors;

    /**
     * @param right [rank][columns]
     * @param largest [rank], the largest absolute value of each row of {@code right}
     * @param leftColumns [rank][rows], null unless transposed
     */
    private record Factors(float[][] right, float[] largest, float @Nullable [][] leftColumns) {}

    DeltaRows(LoraAdapter adapter, LoraPair pair, DeltaNorm norm) {
        this.adapter = adapter;
        this.pair = pair;
        this.norm = norm;
    }

    /**
     * Adds the delta to consecutive rows.
     *
     * @param target the matrix's rows before, and after, the addition, row-major
     * @throws AdapterException if a value is NaN, infinite, or too large
     */
    void add(long firstRow, int rowCount, float[] target, int targetOffset) {
        Factors loaded = factors();
        int rank = pair.rank();
        int columns = Math.toIntExact(pair.columns());
        FloatRows left = pair.transposed() ? null : adapter.rows(pair.b());
        int leftRows = Math.clamp(LEFT_ELEMENTS / rank, 1, Math.max(1, rowCount));
        float[] coefficients = new float[leftRows * rank];
        float[] delta = new float[columns];
        for (int done = 0; done < rowCount; done += leftRows) {
            int count = Math.min(leftRows, rowCount - done);
            readLeft(left, loaded, firstRow + done, count, coefficients);
            for (int i = 0; i < count; i++) {
                long row = firstRow + done + i;
                requireRange(row, coefficients, i * rank, loaded.largest);
                combine(loaded.right, coefficients, i * rank, delta);
                int at = targetOffset + (done + i) * columns;
                double before = sumOfSquares(target, at, columns);
                addScaled(target, at, delta, pair.scale());
                norm.record(row, (double) pair.scale() * pair.scale() * sumOfSquares(delta, 0, columns), before);
            }
        }
    }

    private void readLeft(@Nullable FloatRows left, Factors loaded, long firstRow, int count, float[] coefficients) {
        if (left != null) {
            left.read(firstRow, count, coefficients, 0);
            return;
        }
        float[][] leftColumns = Objects.requireNonNull(loaded.leftColumns);
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < leftColumns.length; k++) {
                coefficients[i * leftColumns.length + k] = leftColumns[k][(int) firstRow + i];
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
        float[][] a = readMatrix(pair.a());
        float[][] right = pair.transposed() ? transpose(readMatrix(pair.b())) : a;
        float[] largest = new float[right.length];
        for (int k = 0; k < right.length; k++) {
            for (float value : right[k]) {
                largest[k] = Math.max(largest[k], Math.abs(value));
            }
        }
        return new Factors(right, largest, pair.transposed() ? a : null);
    }

    private float[][] readMatrix(TensorInfo tensor) {
        FloatRows rows = adapter.rows(tensor);
        float[][] matrix = new float[Math.toIntExact(rows.rows())][rows.columns()];
        for (int i = 0; i < matrix.length; i++) {
            rows.read(i, 1, matrix[i], 0);
            requireFinite(tensor, i, matrix[i], 0, matrix[i].length);
        }
        return matrix;
    }

    private static float[][] transpose(float[][] matrix) {
        float[][] transposed = new float[matrix[0].length][matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            for (int j = 0; j < transposed.length; j++) {
                transposed[j][i] = matrix[i][j];
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
        if (bound * Math.max(1, Math.abs(pair.scale())) < MAX_DELTA) {
            return;
        }
        requireFinite(pair.b(), row, coefficients, offset, largest.length);
        throw new AdapterException(
                pair.b().file(),
                "the product of %s and %s is too large for float32 (row %d)"
                        .formatted(AdapterKey.quote(pair.b().name()), AdapterKey.quote(pair.a().name()), row));
    }

    /** @throws AdapterException naming the tensor and the row, if a value is NaN or infinite */
    static void requireFinite(TensorInfo tensor, long row, float[] values, int offset, int count) {
        // Zero times anything finite is zero; the sum is NaN as soon as one value is not finite. Four sums do not wait for each other.
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = offset;
        int end = offset + count;
        for (; i + 3 < end; i += 4) {
            a += values[i] * 0f;
            b += values[i + 1] * 0f;
            c += values[i + 2] * 0f;
            d += values[i + 3] * 0f;
        }
        for (; i < end; i++) {
            a += values[i] * 0f;
        }
        if (Float.isNaN(a + b + c + d)) {
            throw new AdapterException(
                    tensor.file(),
                    "tensor %s holds a NaN or infinite value in row %d; the adapter is damaged".formatted(AdapterKey.quote(tensor.name()), row));
        }
    }

    /** {@code delta = sum over k of coefficients[offset + k] * right[k]}. Plain loops over columns: the compiler makes vectors of them. */
    private static void combine(float[][] right, float[] coefficients, int offset, float[] delta) {
        Arrays.fill(delta, 0f);
        int k = 0;
        for (; k + 3 < right.length; k += 4) {
            addFour(delta, right[k], right[k + 1], right[k + 2], right[k + 3], coefficients, offset + k);
        }
        for (; k < right.length; k++) {
            addScaled(delta, 0, right[k], coefficients[offset + k]);
        }
    }

    private static void addFour(float[] delta, float[] r0, float[] r1, float[] r2, float[] r3, float[] coefficients, int k) {
        float c0 = coefficients[k];
        float c1 = coefficients[k + 1];
        float c2 = coefficients[k + 2];
        float c3 = coefficients[k + 3];
        for (int j = 0; j < delta.length; j++) {
            delta[j] += c0 * r0[j] + c1 * r1[j] + (c2 * r2[j] + c3 * r3[j]);
        }
    }

    private static void addScaled(float[] target, int targetOffset, float[] row, float factor) {
        for (int j = 0; j < row.length; j++) {
            target[targetOffset + j] += factor * row[j];
        }
    }

    private static double sumOfSquares(float[] values, int offset, int count) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = offset;
        int end = offset + count;
        for (; i + 3 < end; i += 4) {
            a += (double) values[i] * values[i];
            b += (double) values[i + 1] * values[i + 1];
            c += (double) values[i + 2] * values[i + 2];
            d += (double) values[i + 3] * values[i + 3];
        }
        for (; i < end; i++) {
            a += (double) values[i] * values[i];
        }
        return a + b + (c + d);
    }
}
