package dev.yangtuo.tensor;

/** The steps that the fits of the K types share. Comparisons are written so that NaN, from values that overflow, takes a defined way. */
final class KQuants {
    /** 1.5 * 2^23: added to a float of a magnitude below 2^22, it leaves no bits for a fraction, so that the sum is rounded to nearest even. */
    private static final float ROUNDING = 12_582_912f;
    /** The least positive binary16. */
    private static final float LEAST_HALF = 0x1p-24f;
    /** From here on a value rounds to infinity in binary16. */
    private static final float HALF_OVERFLOW = 65520f;

    private KQuants() {}

    /** The integer nearest to a value, between two; the least of them for NaN. */
    static float nearest(float value, float least, float most) {
        float above = value > least ? value : least;
        return (above < most ? above : most) + ROUNDING - ROUNDING;
    }

    /** 1 / step; 0 where the step is so small that this overflows, or not finite. */
    static float inverse(float step) {
        float inverse = 1f / step;
        return Math.abs(inverse) < Float.POSITIVE_INFINITY ? inverse : 0f;
    }

    /**
     * A scale as binary16 stores it: never 0 unless it is, since its multiples may be large enough; infinite if it is too large, or NaN.
     */
    static float storedScale(float scale) {
        float magnitude = Math.abs(scale);
        float rounded = magnitude < HALF_OVERFLOW ? Float.float16ToFloat(Float.floatToFloat16(magnitude)) : Float.POSITIVE_INFINITY;
        float stored = rounded == 0f && magnitude > 0f ? LEAST_HALF : rounded;
        return scale < 0f ? -stored : stored;
    }
}
