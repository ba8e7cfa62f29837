package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;

/**
 * Rows of an adapter's tensor that are refused when they hold NaN or infinity. Thread-safe.
 *
 * @param stored the tensor's rows, in any order
 * @param tensor for messages
 */
record CheckedRows(FloatRows stored, TensorInfo tensor) implements FloatRows {
    @Override
    public long rows() {
        return stored.rows();
    }

    @Override
    public int columns() {
        return stored.columns();
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        stored.read(firstRow, rowCount, target, targetOffset);
        for (int i = 0; i < rowCount; i++) {
            requireFinite(tensor, firstRow + i, target, targetOffset + i * columns(), columns());
        }
    }

    /** All values of a tensor that has one row. */
    float[] vector() {
        float[] values = new float[columns()];
        read(0, 1, values, 0);
        return values;
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
}
