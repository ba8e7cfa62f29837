package dev.yangtuo.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * One of GGML's block types. All of them are of one form: a block is divided into parts of 16 or 32 elements, and
 * {@code value = scale * q - minimum}, with a small integer q for each element, a scale, and for some types a minimum, for each part.
 * So unpacking serves both decoding and the kernels, which multiply the integers.
 *
 * <p>Stateless and thread-safe. Blocks stand in byte arrays, one after the other; callers have checked all ranges.
 */
public abstract class BlockCodec {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LITTLE_SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int F16_EXPONENT = 0x7C00;

    private final TensorType type;
    private final int partElements;
    private final boolean hasMinimums;
    private final int scaleOffset;

    /**
     * @param partElements elements that share a scale, 16 or 32
     * @param scaleOffset byte of a block at which its binary16 scale d stands, followed by that of the minimums if there are any
     */
    BlockCodec(TensorType type, int partElements, boolean hasMinimums, int scaleOffset) {
        this.type = type;
        this.partElements = partElements;
        this.hasMinimums = hasMinimums;
        this.scaleOffset = scaleOffset;
    }

    /**
     * The codec of a quantized type.
     *
     * @throws IllegalArgumentException if the type is not quantized
     */
    public static BlockCodec of(TensorType type) {
        return switch (type) {
            case Q4_0 -> BlocksQ4_0.CODEC;
            case Q4_1 -> BlocksQ4_1.CODEC;
            case Q5_0 -> BlocksQ5_0.CODEC;
            case Q5_1 -> BlocksQ5_1.CODEC;
            case Q8_0 -> BlocksQ8_0.CODEC;
            case Q2_K -> BlocksQ2_K.CODEC;
            case Q3_K -> BlocksQ3_K.CODEC;
            case Q4_K -> BlocksQ4_K.CODEC;
            case Q5_K -> BlocksQ5_K.CODEC;
            case Q6_K -> BlocksQ6_K.CODEC;
            case IQ4_NL -> BlocksIQ4_NL.CODEC;
            case IQ4_XS -> BlocksIQ4_XS.CODEC;
            case MXFP4 -> BlocksMXFP4.CODEC;
            case F32, F16, BF16 -> throw new IllegalArgumentException(type + " has no blocks");
        };
    }

    /** The type that this codec reads and writes. */
    public final TensorType type() {
        return type;
    }

    /** Elements that share a scale, 16 or 32. */
    public final int partElements() {
        return partElements;
    }

    /** Whether parts have minimums; if not, {@code value = scale * q}. */
    public final boolean hasMinimums() {
        return hasMinimums;
    }

    /**
     * Takes blocks apart.
     *
     * @param source the blocks
     * @param sourceOffset index of the first byte
     * @param blocks how many, at least 0
     * @param q receives an integer for each element, from 0 on
     * @param scales receives a scale for each part, from 0 on
     * @param minimums receives a minimum for each part; untouched if there are none
     */
    public abstract void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums);

    /** Decodes blocks that stand at the beginning of {@code source}, as GGML's {@code dequantize_row} functions do, to the last bit. */
    void decode(byte[] source, float[] target, int targetOffset, int blocks) {
        int elements = blocks * type.blockElements();
        byte[] q = new byte[elements];
        float[] scales = new float[elements / partElements];
        float[] minimums = new float[hasMinimums ? scales.length : 0];
        unpack(source, 0, blocks, q, scales, minimums);
        for (int part = 0; part < scales.length; part++) {
            int from = part * partElements;
            float scale = scales[part];
            if (hasMinimums) {
                float minimum = minimums[part];
                for (int i = from; i < from + partElements; i++) {
                    target[targetOffset + i] = scale * q[i] - minimum;
                }
            } else {
                for (int i = from; i < from + partElements; i++) {
                    target[targetOffset + i] = scale * q[i];
                }
            }
        }
    }

    /**
     * Encodes blocks from finite values to the beginning of {@code target}.
     *
     * @throws IllegalArgumentException if the type cannot be written, see {@link TensorType#canEncode()}
     */
    void encode(float[] source, int sourceOffset, byte[] target, int blocks) {
        type.requireWritable();
        throw new AssertionError(type + " has no encoder");
    }

    /**
     * Finds damage: a scale that is NaN or infinite, so that the values are. Nothing else in a block can make them so.
     *
     * @param blocks whole blocks
     * @return the index of the first such block, or -1
     */
    public final long firstNotFinite(MemorySegment blocks) {
        long count = blocks.byteSize() / type.blockBytes();
        for (long block = 0; block < count; block++) {
            if (!isFinite(blocks, block * type.blockBytes())) {
                return block;
            }
        }
        return -1;
    }

    /** Whether the scales of the block at {@code byteOffset} are finite. */
    boolean isFinite(MemorySegment blocks, long byteOffset) {
        long at = byteOffset + scaleOffset;
        return isFiniteHalf(blocks.get(LITTLE_SHORT, at)) && (!hasMinimums || isFiniteHalf(blocks.get(LITTLE_SHORT, at + Short.BYTES)));
    }

    private static boolean isFiniteHalf(short bits) {
        return (bits & F16_EXPONENT) != F16_EXPONENT;
    }

    /** The binary16 at a byte of an array, widened. */
    static float half(byte[] source, int at) {
        return Float.float16ToFloat((short) SHORT.get(source, at));
    }

    /** The little-endian 32-bit word at a byte of an array. */
    static int word(byte[] source, int at) {
        return (int) INT.get(source, at);
    }

    static void putWord(byte[] target, int at, int word) {
        INT.set(target, at, word);
    }

    /** Rounds to binary16 and stores that. */
    static void putHalf(byte[] target, int at, float value) {
        SHORT.set(target, at, Float.floatToFloat16(value));
    }
}
