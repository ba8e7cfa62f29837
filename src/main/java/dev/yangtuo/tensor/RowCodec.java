package dev.yangtuo.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Converts rows of float32 to the stored types and back, bit for bit as GGML's reference functions do; only Q4_K, Q5_K and Q6_K are encoded otherwise,
 * with smaller errors ({@link AffineBlockFit}, {@link LinearBlockFit}). Some types are read only ({@link TensorType#canEncode()}).
 *
 * <p>Overflow follows IEEE 754: a magnitude that rounds beyond the largest finite value of F16 (65,504), of BF16, or of a block's
 * F16 scale becomes infinite, as in GGML; callers that must not produce infinities check their values first. NaN stays NaN in the
 * plain types and is meaningless in blocks. Encoding is one rounding to nearest, ties to even, for F16 and BF16.
 *
 * <p>Stateless and thread-safe; rows are independent, so callers may divide a matrix among threads by rows. Data passes through small
 * heap arrays (at most {@value #CHUNK_ELEMENTS} elements): loops over plain arrays are what the JIT compiler vectorises best, and a mapped
 * file is then only ever touched by bulk copies.
 */
public final class RowCodec {
    /** Elements converted at a time: small enough for the first-level cache, a multiple of every block length. */
    private static final int CHUNK_ELEMENTS = 4096;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private RowCodec() {}

    /**
     * Stores rows.
     *
     * @param type how to store them
     * @param source row-major float32, {@code rows * columns} values from {@code sourceOffset} on
     * @param sourceOffset index of the first value
     * @param rows number of rows, at least 0
     * @param columns columns of a row, a multiple of the type's block
     * @param target receives {@code rows * type.rowBytes(columns)} bytes; no alignment is needed
     * @param targetByteOffset position of the first byte in {@code target}
     * @throws IllegalArgumentException if a row cannot be divided into the type's blocks, or the type cannot be written
     * @throws IndexOutOfBoundsException if either range does not exist
     */
    public static void encodeRows(
            TensorType type, float[] source, int sourceOffset, int rows, int columns, MemorySegment target, long targetByteOffset) {
        type.requireWritable();
        int elements = checkRanges(type, rows, columns, source.length, sourceOffset, target.byteSize(), targetByteOffset);
        switch (type) {
            case F32 -> MemorySegment.copy(source, sourceOffset, target, FLOAT, targetByteOffset, elements);
            case F16, BF16 -> encodeHalves(type, source, sourceOffset, elements, target, targetByteOffset);
            default -> encodeBlocks(type, source, sourceOffset, elements, target, targetByteOffset);
        }
    }

    /**
     * Reads rows: the inverse of {@link #encodeRows}.
     *
     * @param type how they are stored
     * @param source {@code rows * type.rowBytes(columns)} bytes from {@code sourceByteOffset} on; no alignment is needed
     * @param sourceByteOffset position of the first byte in {@code source}
     * @param rows number of rows, at least 0
     * @param columns columns of a row, a multiple of the type's block
     * @param target receives {@code rows * columns} values, row-major
     * @param targetOffset index of the first value
     * @throws IllegalArgumentException if a row cannot be divided into the type's blocks
     * @throws IndexOutOfBoundsException if either range does not exist
     */
    public static void decodeRows(
            TensorType type, MemorySegment source, long sourceByteOffset, int rows, int columns, float[] target, int targetOffset) {
        int elements = checkRanges(type, rows, columns, target.length, targetOffset, source.byteSize(), sourceByteOffset);
        switch (type) {
            case F32 -> MemorySegment.copy(source, FLOAT, sourceByteOffset, target, targetOffset, elements);
            case F16, BF16 -> decodeHalves(type, source, sourceByteOffset, elements, target, targetOffset);
            default -> decodeBlocks(type, source, sourceByteOffset, elements, target, targetOffset);
        }
    }

    /**
     * Finds damage in stored rows.
     *
     * @param stored whole blocks of the type
     * @return the number of the first block, or of the first value of a type that has none, that is or can only give NaN or infinite values; -1 if there is none
     */
    public static long firstNotFinite(TensorType type, MemorySegment stored) {
        if (type.isQuantized()) {
            return BlockCodec.of(type).firstNotFinite(stored);
        }
        int bytes = type.blockBytes();
        int exponent = type == TensorType.F16 ? 0x7C00 : 0x7F80;
        for (long at = 0; at < stored.byteSize(); at += bytes) {
            if ((stored.get(SHORT, at + bytes - Short.BYTES) & exponent) == exponent) {
                return at / bytes;
            }
        }
        return -1;
    }

    private static int checkRanges(
            TensorType type, int rows, int columns, int floats, int floatOffset, long bytes, long byteOffset) {
        if (rows < 0) {
            throw new IllegalArgumentException("%d rows; expected at least 0".formatted(rows));
        }
        long rowBytes = type.rowBytes(columns);
        long elements = (long) rows * columns;
        Objects.checkFromIndexSize((long) floatOffset, elements, (long) floats);
        Objects.checkFromIndexSize(byteOffset, rows * rowBytes, bytes);
        return (int) elements;
    }

    private static void encodeHalves(
            TensorType type, float[] source, int sourceOffset, int elements, MemorySegment target, long targetByteOffset) {
        short[] chunk = new short[Math.min(elements, CHUNK_ELEMENTS)];
        for (int done = 0; done < elements; done += chunk.length) {
            int count = Math.min(chunk.length, elements - done);
            if (type == TensorType.F16) {
                HalfFloats.encodeF16(source, sourceOffset + done, chunk, count);
            } else {
                HalfFloats.encodeBf16(source, sourceOffset + done, chunk, count);
            }
            MemorySegment.copy(chunk, 0, target, SHORT, targetByteOffset + 2L * done, count);
        }
    }

    private static void decodeHalves(
            TensorType type, MemorySegment source, long sourceByteOffset, int elements, float[] target, int targetOffset) {
        short[] chunk = new short[Math.min(elements, CHUNK_ELEMENTS)];
        for (int done = 0; done < elements; done += chunk.length) {
            int count = Math.min(chunk.length, elements - done);
            MemorySegment.copy(source, SHORT, sourceByteOffset + 2L * done, chunk, 0, count);
            if (type == TensorType.F16) {
                HalfFloats.decodeF16(chunk, target, targetOffset + done, count);
            } else {
                HalfFloats.decodeBf16(chunk, target, targetOffset + done, count);
            }
        }
    }

    private static void encodeBlocks(
            TensorType type, float[] source, int sourceOffset, int elements, MemorySegment target, long targetByteOffset) {
        BlockCodec codec = BlockCodec.of(type);
        int chunkElements = Math.min(elements, CHUNK_ELEMENTS);
        byte[] chunk = new byte[chunkElements / type.blockElements() * type.blockBytes()];
        for (int done = 0; done < elements; done += chunkElements) {
            int blocks = Math.min(chunkElements, elements - done) / type.blockElements();
            codec.encode(source, sourceOffset + done, chunk, blocks);
            long byteOffset = targetByteOffset + (long) (done / type.blockElements()) * type.blockBytes();
            MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, byteOffset, blocks * type.blockBytes());
        }
    }

    private static void decodeBlocks(
            TensorType type, MemorySegment source, long sourceByteOffset, int elements, float[] target, int targetOffset) {
        BlockCodec codec = BlockCodec.of(type);
        int chunkElements = Math.min(elements, CHUNK_ELEMENTS);
        byte[] chunk = new byte[chunkElements / type.blockElements() * type.blockBytes()];
        for (int done = 0; done < elements; done += chunkElements) {
            int blocks = Math.min(chunkElements, elements - done) / type.blockElements();
            long byteOffset = sourceByteOffset + (long) (done / type.blockElements()) * type.blockBytes();
            MemorySegment.copy(source, ValueLayout.JAVA_BYTE, byteOffset, chunk, 0, blocks * type.blockBytes());
            codec.decode(chunk, target, targetOffset + done, blocks);
        }
    }
}
