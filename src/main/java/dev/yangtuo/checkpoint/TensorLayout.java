package dev.yangtuo.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A file of tensors as it will be, known before any of their data: everything in it can be written at once, in any order.
 *
 * @param header its first bytes; not copied
 * @param byteOffsets where the data of each tensor begins, in the order of the tensors
 * @param byteSize of the whole file
 */
public record TensorLayout(byte[] header, List<Long> byteOffsets, long byteSize) {
    /** Copies the list. */
    public TensorLayout {
        byteOffsets = List.copyOf(byteOffsets);
    }

    /** Writes everything but the data of the tensors. */
    public void begin(OutputFile out) {
        // First the last byte: what lies between is zeros, the padding, too, unless it is written.
        out.write(byteSize - 1, MemorySegment.ofArray(new byte[1]));
        out.write(0, MemorySegment.ofArray(header));
    }
}
