package dev.yangtuo.scheduler;

/** Room for what is read of forward passes; made when first wanted. */
final class RowBuffer {
    private float[] values = new float[0];

    /** At least as many values, of any contents. */
    float[] of(int count) {
        if (values.length < count) {
            values = new float[count];
        }
        return values;
    }
}
