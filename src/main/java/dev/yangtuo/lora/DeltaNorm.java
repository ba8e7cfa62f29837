package dev.yangtuo.lora;

import java.util.Arrays;

/**
 * Squared norms of the rows of one delta and of the matrix that it was added to, kept per row: a row that is read twice counts
 * once, and the sum does not depend on the order of reading. Threads may record different rows at once; one row always gives the
 * same values, whoever records it. Sums are meaningful to a thread that was joined with the readers.
 */
final class DeltaNorm {
    /** Of what adds nothing; records nothing. */
    static final DeltaNorm NONE = new DeltaNorm(0);

    private final float[] deltas;
    private final float[] matrices;

    DeltaNorm(long rows) {
        deltas = new float[Math.toIntExact(rows)];
        matrices = new float[deltas.length];
        Arrays.fill(deltas, Float.NaN);
    }

    void record(long row, double delta, double matrix) {
        matrices[(int) row] = (float) matrix;
        deltas[(int) row] = (float) delta;
    }

    int rows() {
        return deltas.length;
    }

    /** Sum over the rows that were read of the delta's squares. */
    double deltaSquares() {
        double sum = 0;
        for (float row : deltas) {
            sum += Float.isNaN(row) ? 0 : row;
        }
        return sum;
    }

    /** Sum over the rows that were read of the matrix's squares, before the delta. */
    double matrixSquares() {
        double sum = 0;
        for (int i = 0; i < deltas.length; i++) {
            sum += Float.isNaN(deltas[i]) ? 0 : matrices[i];
        }
        return sum;
    }
}
