package dev.yangtuo.kernel;

import java.util.Arrays;

/**
 * Attention of one query head of one column. Positions are taken in spans of {@value #SPAN}, counted from the first of the sequence: each has its own largest score, its
 * sum of weights and its weighted values, and is added to those before it. Thus spans can be computed by different threads, and nothing depends on which.
 */
final class ScalarAttention {
    private static final int SPAN = 512;

    /** Below e^-64 no weight counts, and its product with a scale could be subnormal. */
    private static final float LEAST_EXPONENT = -64f;

    private final LayerWeights weights;
    private final Batch batch;
    private final ScalarKvPool pool;
    private final int column;
    private final int head;
    private final int kvHead;
    private final int headDim;

    /** The query: divided by the root of its size, and the same quantized where keys are. */
    private final float[] query;

    private final byte[] quantizedQuery;
    private final float[] queryScales;

    /** A key or a value as it is read. */
    private final float[] row;

    private final byte[] quantizedRow;
    private final float[] rowScales;

    /** Of all spans so far. */
    private float max;

    private float sum;
    private float[] values;

    ScalarAttention(LayerWeights weights, Batch batch, ScalarKvPool pool, int column, int head) {
        this.weights = weights;
        this.batch = batch;
        this.pool = pool;
        this.column = column;
        this.head = head;
        this.kvHead = head / (weights.nHeads() / weights.nKvHeads());
        this.headDim = weights.headDim();
        int blocks = Math.ceilDiv(headDim, ScalarMath.BLOCK);
        this.query = new float[blocks * ScalarMath.BLOCK];
        this.quantizedQuery = new byte[query.length];
        this.queryScales = new float[blocks];
        this.row = new float[headDim];
        this.quantizedRow = new byte[query.length];
        this.rowScales = new float[blocks];
        this.values = new float[headDim];
    }

    /** @param queries, result {@code [columns][nHeads][headDim]} */
    void attend(float[] queries, float[] result) {
        int offset = (column * weights.nHeads() + head) * headDim;
        float scale = 1f / (float) Math.sqrt((float) headDim);
        for (int d = 0; d < headDim; d++) {
            query[d] = queries[offset + d] * scale;
        }
        if (pool.isQuantized()) {
            ScalarMath.quantize(query, 0, query.length, quantizedQuery, queryScales);
        }
        int length = batch.positions[column] + 1;
        int first = weights.window() > 0 ? Math.max(0, length - weights.window()) : 0;
        for (int start = first; start < length; start = (start / SPAN + 1) * SPAN) {
            attendSpan(start, Math.min(length, (start / SPAN + 1) * SPAN), start == first);
        }
        float inverse = 1f / sum;
        for (int d = 0; d < headDim; d++) {
            result[offset + d] = values[d] * inverse;
        }
    }

    private void attendSpan(int start, int end, boolean isFirst) {
        float[] p = new float[SPAN];
        float spanMax = Float.NEGATIVE_INFINITY;
        for (int t = start; t < end; t++) {
            float score = score(t);
            p[t % SPAN] = score;
            spanMax = spanMax > score ? spanMax : score;
        }
        float[] spanValues = new float[headDim];
        for (int t = start; t < end; t++) {
            p[t % SPAN] = weight(p[t % SPAN] - spanMax);
            addValue(t, p[t % SPAN], spanValues);
        }
        // Positions of the span that are not seen count 0: the lanes are those of the position.
        Arrays.fill(p, 0, start % SPAN, 0f);
        float spanSum = ScalarMath.sum16(p, 0, (end - 1) % SPAN + 1);
        if (isFirst) {
            max = spanMax;
            sum = spanSum;
            values = spanValues;
        } else {
            merge(spanMax, spanSum, spanValues);
        }
    }

    private void merge(float spanMax, float spanSum, float[] spanValues) {
        float larger = max > spanMax ? max : spanMax;
        float before = weight(max - larger);
        float added = weight(spanMax - larger);
        for (int d = 0; d < headDim; d++) {
            values[d] = Math.fma(spanValues[d], added, values[d] * before);
        }
        sum = Math.fma(spanSum, added, sum * before);
        max = larger;
    }

    private static float weight(float distance) {
        return ScalarMath.exp(distance > LEAST_EXPONENT ? distance : LEAST_EXPONENT);
    }

    private float score(int position) {
        int inPage = position % pool.shape().pagePositions();
        float score = 0f;
        if (!pool.isQuantized()) {
            pool.read(page(position), weights.index(), kvHead, false, inPage, row);
            for (int d = 0; d < headDim; d++) {
                score = Math.fma(query[d], row[d], score);
            }
            return score;
        }
        pool.readQuantized(page(position), weights.index(), kvHead, false, inPage, quantizedRow, rowScales);
        for (int block = 0; block < rowScales.length; block++) {
            int exact = 0;
            for (int d = block * ScalarMath.BLOCK; d < (block + 1) * ScalarMath.BLOCK; d++) {
                exact += quantizedQuery[d] * quantizedRow[d];
            }
            score = Math.fma(exact * rowScales[block], queryScales[block], score);
        }
        return score;
    }

    private void addValue(int position, float weight, float[] target) {
        int inPage = position % pool.shape().pagePositions();
        if (!pool.isQuantized()) {
            pool.read(page(position), weights.index(), kvHead, true, inPage, row);
            for (int d = 0; d < headDim; d++) {
                target[d] = Math.fma(weight, row[d], target[d]);
            }
            return;
        }
        pool.readQuantized(page(position), weights.index(), kvHead, true, inPage, quantizedRow, rowScales);
        for (int d = 0; d < headDim; d++) {
            target[d] = Math.fma(weight * rowScales[d / ScalarMath.BLOCK], (float) quantizedRow[d], target[d]);
        }
    }

    private int page(int position) {
        return ScalarBackend.pageOf(batch, column, position, pool.shape());
    }
}
