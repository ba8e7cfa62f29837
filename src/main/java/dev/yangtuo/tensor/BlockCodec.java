package dev.yangtuo.tensor;

/**
 * One of GGML's block types. All of them are of one form: a block is divided into parts of 16 or 32 elements, and
 * {@code value = scale * q - minimum}, with a small integer q for each element, a scale, and for some types a minimum, for each part.
 * So unpacking serves both decoding and the kernels, which multiply the integers.
 *
 * <p>Stateless and thread-safe. Blocks stand in byte arrays, one after the other; callers have checked all ranges.
 */
public abstract class BlockCodec {
    private final TensorType type;
    private final int partElements;
    private final boolean hasMinimums;

    BlockCodec(TensorType type, int partElements, boolean hasMinimums) {
        this.type = type;
        this.partElements = partElements;
        this.hasMinimums = hasMinimums;
    }

    /**
     * The codec of a quantized type.
     *
     * @throws IllegalArgumentException if the type is not quantized
     */
    public static BlockCodec of(TensorType type) {
        return switch (type) {
            case Q4_0 -> BlocksQ4_0.CODEC;
            case Q8_0 -> BlocksQ8_0.CODEC;
            default -> throw new IllegalArgumentException(type + " has no blocks");
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

    /** Encodes blocks from finite values to the beginning of {@code target}. */
    abstract void encode(float[] source, int sourceOffset, byte[] target, int blocks);
}
