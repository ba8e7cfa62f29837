package dev.yangtuo.tensor;

/** The two 16-bit floating-point types, between arrays: one simple loop each, so that the JIT compiler vectorises it. */
public final class HalfFloats {
    private HalfFloats() {}

    static void encodeF16(float[] source, int sourceOffset, short[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = Float.floatToFloat16(source[sourceOffset + i]);
        }
    }

    static void decodeF16(short[] source, float[] target, int targetOffset, int count) {
        for (int i = 0; i < count; i++) {
            target[targetOffset + i] = Float.float16ToFloat(source[i]);
        }
    }

    static void encodeBf16(float[] source, int sourceOffset, short[] target, int count) {
        for (int i = 0; i < count; i++) {
            target[i] = toBf16(source[sourceOffset + i]);
        }
    }

    static void decodeBf16(short[] source, float[] target, int targetOffset, int count) {
        for (int i = 0; i < count; i++) {
            target[targetOffset + i] = Float.intBitsToFloat(source[i] << 16);
        }
    }

    /** The nearest value of bfloat16, ties to even; NaN stays NaN. */
    public static float roundToBf16(float value) {
        return Float.intBitsToFloat(toBf16(value) << 16);
    }

    private static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        // Adding 0x7fff, and one more if the kept part is odd, carries exactly when the cut half is above the middle, or at the middle
        // and the kept part is odd. A NaN could carry into infinity, so it only becomes quiet.
        int rounded = bits + 0x7fff + (bits >>> 16 & 1);
        int quietNan = bits | 0x0040_0000;
        return (short) ((value == value ? rounded : quietNan) >>> 16);
    }
}
