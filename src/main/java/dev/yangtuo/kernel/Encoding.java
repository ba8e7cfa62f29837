package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/** What backends ask of the arguments of {@link Backend#encodeRows}. */
final class Encoding {
    private Encoding() {}

    static void check(TensorType type, float[] values, int rows, int columns, MemorySegment target) {
        type.requireWritable();
        long rowBytes = type.rowBytes(columns);
        if (rows < 0 || (long) rows * columns > values.length || !target.isNative() || target.byteSize() != rows * rowBytes) {
            throw new IllegalArgumentException("%d rows of %d columns as %s: from %d values to %d %s bytes; expected at least %d values and exactly %d off-heap bytes"
                    .formatted(rows, columns, type, values.length, target.byteSize(), target.isNative() ? "off-heap" : "heap",
                            (long) rows * columns, rows * rowBytes));
        }
    }
}
