package dev.yangtuo.tensor;

/** Rounding to integers as GGML's encoders do it. */
final class Rounding {
    /** 2^23 + 2^22: a sum with it has no fraction bits. */
    private static final float SHIFT = 12_582_912f;

    private Rounding() {}

    /**
     * The nearest integer, of two equally near ones the even one.
     *
     * @param value of a magnitude below 2^22
     */
    static int nearest(float value) {
        return (Float.floatToRawIntBits(value + SHIFT) & 0x007F_FFFF) - 0x0040_0000;
    }

    /** The nearest integer between two bounds. Values far outside, which {@link #nearest} could not take, are brought to the bounds first. */
    static int clamped(float value, int least, int most) {
        return Math.clamp(nearest(Math.clamp(value, least - 1f, most + 1f)), least, most);
    }
}
