package dev.yangtuo;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.scheduler.ReadingTask;

/** A text that becomes a vector. Sums are in double, in the order of the positions, so that they do not depend on how the text is cut into forward passes. */
final class Embedding extends Reading {
    private final ReadingTask task;
    private final EmbeddingOptions options;
    private final double[] sum;

    /** @param dim elements of a state */
    Embedding(int[] tokens, EmbeddingOptions options, int dim) {
        int from = options.pooling() == Pooling.LAST ? tokens.length - 1 : 0;
        this.task = new ReadingTask(tokens, from, ReadingTask.Wanted.STATES, options.priority(), this);
        this.options = options;
        this.sum = new double[dim];
    }

    @Override
    ReadingTask task() {
        return task;
    }

    @Override
    public void accept(int position, int count, float[] rows) {
        for (int row = 0; row < count; row++) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += rows[row * sum.length + i];
            }
        }
    }

    /** The vector; once the text is read. */
    float[] vector() {
        double divisor = options.normalize() ? length() : task.tokens().length - task.from();
        float[] vector = new float[sum.length];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = divisor == 0 ? 0f : (float) (sum[i] / divisor);
            if (!Float.isFinite(vector[i])) {
                throw new YangtuoException("the model computed %s as element %d of an embedding; its weights are probably damaged".formatted(vector[i], i));
            }
        }
        return vector;
    }

    private double length() {
        double squares = 0;
        for (double element : sum) {
            squares += element * element;
        }
        return Math.sqrt(squares);
    }
}
