/* What is done element by element, over sixteen lanes: norms, quantization of activations, RoPE, SwiGLU. */
#ifndef YT_ELEMENTS_H
#define YT_ELEMENTS_H

#include "kernels.h"

#include <math.h>

/* ---- sums and norms --------------------------------------------------------------------------------------------------------------- */

/* Halves onto halves: 16 lanes to 8, 4, 2, 1. */
static float fold(v16 sums)
{
    float lane[16];
    v_store(lane, sums);
    for (int half = 8; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lane[l] += lane[l + half];
        }
    }
    return lane[0];
}

/* The last n % 16 values, the lanes beyond them zero. */
static v16 load_tail(const float *p, int64_t n)
{
    float lane[16] = {0};
    for (int64_t l = 0; l < n; l++) {
        lane[l] = p[l];
    }
    return v_load(lane);
}

static void store_tail(float *p, v16 x, int64_t n)
{
    float lane[16];
    v_store(lane, x);
    for (int64_t l = 0; l < n; l++) {
        p[l] = lane[l];
    }
}

static void rms_norm(const float *x, const float *weight, int64_t dim, float eps, int64_t first, int64_t end, float *y)
{
    v16 squares = v_set1(0.0f);
    int64_t full = dim & ~(int64_t)15;
    int64_t tail = dim - full;
    for (int64_t i = 0; i < full; i += 16) {
        v16 v = v_load(x + i);
        squares = v_fma(v, v, squares);
    }
    if (tail > 0) {
        v16 v = load_tail(x + full, tail);
        squares = v_fma(v, v, squares);
    }
    v16 scale = v_set1(1.0f / sqrtf(fold(squares) / (float)dim + eps));
    for (int64_t i = first; i + 16 <= end; i += 16) {
        v_store(y + i, v_mul(v_mul(v_load(x + i), scale), v_load(weight + i)));
    }
    if (end == dim && tail > 0) {
        store_tail(y + full, v_mul(v_mul(load_tail(x + full, tail), scale), load_tail(weight + full, tail)), tail);
    }
}

/* Below 1e-30, 127 / max could overflow; such a block is zero for every practical purpose. */
static void quantize(const float *x, int64_t first_input, int64_t end, uint8_t *tile, int64_t w, int64_t c)
{
    for (int64_t block = first_input / YT_BLOCK; block < end / YT_BLOCK; block++) {
        v16 a = v_load(x + block * YT_BLOCK);
        v16 b = v_load(x + block * YT_BLOCK + 16);
        /* Zero times a value is NaN if the value is NaN or infinite. */
        v16 zero = v_set1(0.0f);
        int damaged = v_any_nan(v_add(v_mul(a, zero), v_mul(b, zero)));
        float max = damaged ? 0.0f : v_largest(v_max(v_abs(a), v_abs(b)));
        int representable = max >= 1e-30f;
        v16 inverse = v_set1(representable ? 127.0f / max : 0.0f);
        if (!representable) {
            a = zero;
            b = zero;
        }
        uint8_t *record = tile + block * YT_RECORD * w;
        int8_t *q = (int8_t *)record + YT_BLOCK * c;
        int32_t first = -v_store_i8(q, v_mul(a, inverse));
        int32_t second = -v_store_i8(q + 16, v_mul(b, inverse));
        float scale = representable ? max / 127.0f : damaged ? NAN : 0.0f;
        ((float *)(record + 32 * w))[c] = scale;
        ((int32_t *)(record + 36 * w))[c] = first + second;
        ((float *)(record + 40 * w))[c] = scale * (float)(first + second);
        ((int32_t *)(record + 44 * w))[c] = first;
        ((int32_t *)(record + 44 * w))[w + c] = second;
    }
}

/* ---- RoPE and SwiGLU --------------------------------------------------------------------------------------------------------------- */

/* RoPE, Su et al., arXiv 2104.09864. */
static void rotate(float *x, const float *rope, int64_t n)
{
    for (int64_t i = 0; i < n; i += 2) {
        float a = x[i];
        float b = x[i + 1];
        float cosine = rope[i];
        float sine = rope[i + 1];
        x[i] = fmaf(a, cosine, -(b * sine));
        x[i + 1] = fmaf(a, sine, b * cosine);
    }
}

/* e^x for x from -87.33654 to 88, the polynomial of Cephes' expf. */
YT_INLINE v16 v_exp_within(v16 x)
{
    v16 n = v_roundeven(v_mul(x, v_set1(1.44269504088896341f)));
    v16 r = v_fma(n, v_set1(-0.693359375f), x);
    r = v_fma(n, v_set1(2.12194440e-4f), r);
    v16 p = v_set1(1.9875691500e-4f);
    p = v_fma(p, r, v_set1(1.3981999507e-3f));
    p = v_fma(p, r, v_set1(8.3334519073e-3f));
    p = v_fma(p, r, v_set1(4.1665795894e-2f));
    p = v_fma(p, r, v_set1(1.6666665459e-1f));
    p = v_fma(p, r, v_set1(5.0000001201e-1f));
    p = v_add(v_fma(p, v_mul(r, r), r), v_set1(1.0f));
    return v_scale2(p, n);
}

static v16 v_exp(v16 x)
{
    return v_exp_within(v_max(v_min(x, v_set1(88.0f)), v_set1(-87.33654f)));
}

static void swiglu(float *gate, const float *up, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) {
        v16 g = v_load(gate + i);
        v16 silu = v_div(g, v_add(v_set1(1.0f), v_exp(v_neg(g))));
        v_store(gate + i, v_mul(silu, v_load(up + i)));
    }
}

#endif
