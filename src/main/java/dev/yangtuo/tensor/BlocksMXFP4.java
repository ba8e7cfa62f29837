package dev.yangtuo.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 elements in 17 bytes, a power of two in E8M0 (2 to the power of e - 127) and 16 bytes;
 * byte j holds element j in its low and element j + 16 in its high nibble, each a floating-point number of E2M1: sign, two bits exponent,
 * one bit mantissa. Here q is twice the element, an integer, and the scale half of the power.
 */
final class BlocksMXFP4 extends BlockCodec {
    private static final int ELEMENTS = TensorType.MXFP4.blockElements();
    private static final int HALF = ELEMENTS / 2;
    private static final int BYTES = TensorType.MXFP4.blockBytes();
    private static final byte[] DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    /** From the next exponent on the largest element is infinite in float32; 255 is NaN by definition. */
    private static final int LARGEST_EXPONENT = 252;

    /** After the sizes that its constructor takes. */
    static final BlockCodec CODEC = new BlocksMXFP4();

    private BlocksMXFP4() {
        super(TensorType.MXFP4, ELEMENTS, false, 0);
    }

    @Override
    public void unpack(byte[] source, int sourceOffset, int blocks, byte[] q, float[] scales, float[] minimums) {
        for (int block = 0; block < blocks; block++) {
            int from = sourceOffset + block * BYTES;
            int to = block * ELEMENTS;
            scales[block] = halfPower(source[from] & 255);
            for (int j = 0; j < HALF; j++) {
                int nibbles = source[from + 1 + j];
                q[to + j] = DOUBLED[nibbles & 15];
                q[to + HALF + j] = DOUBLED[nibbles >>> 4 & 15];
            }
        }
    }

    /** 2 to the power of e - 128; subnormal for e below 2. As in GGML, 255 is a power like the others. */
    private static float halfPower(int e) {
        return Float.intBitsToFloat(e < 2 ? 0x0020_0000 << e : e - 1 << 23);
    }

    @Override
    boolean isFinite(MemorySegment blocks, long byteOffset) {
        return (blocks.get(ValueLayout.JAVA_BYTE, byteOffset) & 255) <= LARGEST_EXPONENT;
    }
}
