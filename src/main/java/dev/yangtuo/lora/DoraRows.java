package dev.yangtuo.lora;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A matrix with one DoRA applied. Norms are sums in double, in the order of the columns (of the rows, for norms of columns); a factor is
 * rounded to float32 once. Norms of columns need the whole matrix: they are taken in a pass of their own at the first use. Thread-safe.
 */
final class DoraRows implements FloatRows {
    /** Elements that are read at a time to take norms of columns, at least one row. */
    private static final int PIECE_ELEMENTS = 1 << 18;

    private final FloatRows before;
    private final LowRankProduct product;
    private final CheckedRows magnitudes;
    private final boolean ofColumns;
    private final DeltaNorm norm;
    private volatile float @Nullable [] loadedMagnitudes;
    private volatile float @Nullable [] loadedFactors;

    /**
     * @param before the matrix
     * @param product what is added to it first, of the same shape
     * @param magnitudes the norms of the result, one row
     * @param ofColumns whether they are those of its columns, not of its rows
     * @param norm told of each row that is read
     */
    DoraRows(FloatRows before, LowRankProduct product, CheckedRows magnitudes, boolean ofColumns, DeltaNorm norm) {
        this.before = before;
        this.product = product;
        this.magnitudes = magnitudes;
        this.ofColumns = ofColumns;
        this.norm = norm;
    }

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
        LoraRows.requireRange(this, firstRow, rowCount, target, targetOffset);
        before.read(firstRow, rowCount, target, targetOffset);
        int columns = columns();
        float[] original = Arrays.copyOfRange(target, targetOffset, targetOffset + rowCount * columns);
        product.add(firstRow, rowCount, target, targetOffset, null);
        float[] factors = ofColumns ? columnFactors() : null;
        float[] magnitude = magnitudes();
        for (int i = 0; i < rowCount; i++) {
            int at = targetOffset + i * columns;
            if (factors != null) {
                for (int j = 0; j < columns; j++) {
                    target[at + j] *= factors[j];
                }
            } else {
                float factor = factor(magnitude[(int) firstRow + i], sumOfSquares(target, at, columns), firstRow + i);
                for (int j = 0; j < columns; j++) {
                    target[at + j] *= factor;
                }
            }
            recordNorm(firstRow + i, original, i * columns, target, at);
        }
    }

    private void recordNorm(long row, float[] original, int offset, float[] target, int at) {
        double changes = 0;
        for (int j = 0; j < columns(); j++) {
            double change = (double) target[at + j] - original[offset + j];
            changes += change * change;
        }
        norm.record(row, changes, sumOfSquares(original, offset, columns()));
    }

    private float[] magnitudes() {
        float[] loaded = loadedMagnitudes;
        if (loaded == null) {
            loaded = magnitudes.vector();
            loadedMagnitudes = loaded;
        }
        return loaded;
    }

    private float[] columnFactors() {
        float[] loaded = loadedFactors;
        if (loaded == null) {
            synchronized (this) {
                loaded = loadedFactors;
                if (loaded == null) {
                    loaded = takeColumnFactors();
                    loadedFactors = loaded;
                }
            }
        }
        return loaded;
    }

    private float[] takeColumnFactors() {
        int columns = columns();
        int pieceRows = (int) Math.clamp(PIECE_ELEMENTS / columns, 1, rows());
        float[] piece = new float[Math.multiplyExact(pieceRows, columns)];
        double[] squares = new double[columns];
        for (long first = 0; first < rows(); first += pieceRows) {
            int count = (int) Math.min(pieceRows, rows() - first);
            before.read(first, count, piece, 0);
            product.add(first, count, piece, 0, null);
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < columns; j++) {
                    squares[j] += (double) piece[i * columns + j] * piece[i * columns + j];
                }
            }
        }
        float[] magnitude = magnitudes();
        float[] factors = new float[columns];
        for (int j = 0; j < columns; j++) {
            factors[j] = factor(magnitude[j], squares[j], j);
        }
        return factors;
    }

    /** @param squares sum of the squares of a row, or column, with the delta; finite, or the base or the delta was not */
    private float factor(float magnitude, double squares, long index) {
        float factor = (float) (magnitude / Math.sqrt(squares));
        if (squares == 0 || Float.isInfinite(factor)) {
            throw new AdapterException(magnitudes.tensor().file(), "tensor %s gives %s %d the norm %s, but all its weights are 0, or almost"
                    .formatted(AdapterKey.quote(magnitudes.tensor().name()), ofColumns ? "column" : "row", index, magnitude));
        }
        return factor;
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
