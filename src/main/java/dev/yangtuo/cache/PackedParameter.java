package dev.yangtuo.cache;

import java.lang.foreign.MemorySegment;

/**
 * A parameter that is to be kept.
 *
 * @param parameter what it is
 * @param byteSize its packed bytes
 * @param reader gives them
 */
public record PackedParameter(CachedParameter parameter, long byteSize, Reader reader) {
    /** Gives packed bytes. */
    public interface Reader {
        /** Fills {@code target} with the bytes from {@code byteOffset} on. */
        void read(long byteOffset, MemorySegment target);
    }

    /** A vector of float32. */
    public static PackedParameter vector(String name, float[] values) {
        MemorySegment bytes = MemorySegment.ofArray(values);
        return new PackedParameter(CachedParameter.vector(name, values.length), bytes.byteSize(),
                (byteOffset, target) -> MemorySegment.copy(bytes, byteOffset, target, 0, target.byteSize()));
    }
}
