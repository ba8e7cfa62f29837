package dev.yangtuo.lora;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Path;

/**
 * A matrix as float16 would keep it. Thread-safe.
 *
 * @param before the matrix
 * @param parameter its name, for messages
 * @param source the adapter that made it, or the base, for messages
 */
record Float16Rows(FloatRows before, String parameter, Path source) implements FloatRows {
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
        before.read(firstRow, rowCount, target, targetOffset);
        int count = rowCount * columns();
        float largest = 0;
        for (int i = targetOffset; i < targetOffset + count; i++) {
            largest = Math.max(largest, Math.abs(target[i]));
            target[i] = Float.float16ToFloat(Float.floatToFloat16(target[i]));
        }
        // From 65520 on a value rounds to infinity. NaN and infinity themselves are reported by whoever reads the result.
        if (largest >= 65520f && largest < Float.POSITIVE_INFINITY) {
            throw new AdapterException(source, "%s, rows from %d on: %s is too large for float16; merge in float32"
                    .formatted(AdapterKey.quote(parameter), firstRow, largest));
        }
    }
}
