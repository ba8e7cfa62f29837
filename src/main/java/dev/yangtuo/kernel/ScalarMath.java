package dev.yangtuo.kernel;

import dev.yangtuo.tensor.HalfFloats;

/** The elementary operations of {@code docs/kernels.md}, one value at a time. Their order defines the result to the last bit. */
final class ScalarMath {
    /** Elements of a block of quantized activations. */
    static final int BLOCK = 32;

    private static final int LANES = 16;

    private ScalarMath() {}

    /** e^x, 2 units in the last place at worst; the polynomial of Cephes' expf. */
    static float exp(float x) {
        float clamped = x < 88f ? x : 88f;
        clamped = clamped > -87.33654f ? clamped : -87.33654f;
        float n = (float) Math.rint(clamped * 1.44269504088896341f);
        float r = Math.fma(n, -0.693359375f, clamped);
        r = Math.fma(n, 2.12194440e-4f, r);
        float p = 1.9875691500e-4f;
        p = Math.fma(p, r, 1.3981999507e-3f);
        p = Math.fma(p, r, 8.3334519073e-3f);
        p = Math.fma(p, r, 4.1665795894e-2f);
        p = Math.fma(p, r, 1.6666665459e-1f);
        p = Math.fma(p, r, 5.0000001201e-1f);
        p = Math.fma(p, r * r, r) + 1f;
        return p * Float.intBitsToFloat(((int) n + 127) << 23);
    }

    /** {@code silu(gate) * up}, Shazeer, arXiv 2002.05202. */
    static float swiGlu(float gate, float up) {
        return gate / (1f + exp(-gate)) * up;
    }

    /** Sum of {@code count} values: sixteen interleaved partial sums, then halves onto halves. */
    static float sum16(float[] values, int offset, int count) {
        float[] lanes = new float[LANES];
        for (int i = 0; i < count; i++) {
            lanes[i % LANES] += values[offset + i];
        }
        return foldLanes(lanes);
    }

    /** Sum of squares, as {@link #sum16} but fused. */
    static float sumOfSquares16(float[] values, int offset, int count) {
        float[] lanes = new float[LANES];
        for (int i = 0; i < count; i++) {
            float value = values[offset + i];
            lanes[i % LANES] = Math.fma(value, value, lanes[i % LANES]);
        }
        return foldLanes(lanes);
    }

    private static float foldLanes(float[] lanes) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }

    /** RMSNorm of one column, Zhang and Sennrich, arXiv 1910.07467. */
    static void rmsNorm(float[] x, int offset, float[] weight, float eps, float[] out, int outOffset) {
        int dim = weight.length;
        float scale = 1f / (float) Math.sqrt(sumOfSquares16(x, offset, dim) / dim + eps);
        for (int i = 0; i < dim; i++) {
            out[outOffset + i] = x[offset + i] * scale * weight[i];
        }
    }

    /** Sum of {@code weights[i] * x[offset + i]} in order, fused. */
    static float dot(float[] weights, float[] x, int offset) {
        float sum = 0f;
        for (int i = 0; i < weights.length; i++) {
            sum = Math.fma(weights[i], x[offset + i], sum);
        }
        return sum;
    }

    /** The same in pairs, of which the second element comes first; an odd last element has a zero for its partner. */
    static float dotOfPairs(float[] weights, float[] x, int offset) {
        float sum = 0f;
        for (int i = 0; i < weights.length; i += 2) {
            if (i + 1 < weights.length) {
                sum = Math.fma(weights[i + 1], x[offset + i + 1], sum);
            }
            sum = Math.fma(weights[i], x[offset + i], sum);
        }
        return sum;
    }

    /** The first values, rounded to the nearest bfloat16, ties to even. */
    static float[] roundToBfloat16(float[] x, int count) {
        float[] rounded = new float[count];
        for (int i = 0; i < count; i++) {
            rounded[i] = HalfFloats.roundToBf16(x[i]);
        }
        return rounded;
    }

    /**
     * Quantizes activations to 8 bits in blocks of {@link #BLOCK}.
     *
     * @param scales receives one scale per block
     */
    static void quantize(float[] x, int offset, int count, byte[] q, float[] scales) {
        for (int block = 0; block < count / BLOCK; block++) {
            int start = block * BLOCK;
            float max = 0f;
            boolean finite = true;
            for (int i = 0; i < BLOCK; i++) {
                float magnitude = Math.abs(x[offset + start + i]);
                max = max > magnitude ? max : magnitude;
                finite &= Float.isFinite(magnitude);
            }
            // Below this, 127 / max could overflow; such a block is zero for every practical purpose.
            boolean representable = finite && max >= 1e-30f;
            float inverse = representable ? 127f / max : 0f;
            scales[block] = representable ? max / 127f : finite ? 0f : Float.NaN;
            for (int i = 0; i < BLOCK; i++) {
                q[start + i] = representable ? (byte) Math.rint(x[offset + start + i] * inverse) : 0;
            }
        }
    }
}
