/* Sixteen lanes in plain C: the definition that the other vec16 headers must match bit for bit. */
#ifndef YT_VEC16_PORTABLE_H
#define YT_VEC16_PORTABLE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../half.h"

typedef struct {
    float v[16];
} v16;

typedef struct {
    int32_t v[16];
} vi16;

#define YT_LANES for (int l = 0; l < 16; l++)

static inline v16 v_load(const float *p)
{
    v16 r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}

static inline void v_store(float *p, v16 a)
{
    memcpy(p, a.v, sizeof a.v);
}

static inline v16 v_set1(float x)
{
    v16 r;
    YT_LANES r.v[l] = x;
    return r;
}

static inline v16 v_add(v16 a, v16 b)
{
    YT_LANES a.v[l] += b.v[l];
    return a;
}

static inline v16 v_mul(v16 a, v16 b)
{
    YT_LANES a.v[l] *= b.v[l];
    return a;
}

static inline v16 v_div(v16 a, v16 b)
{
    YT_LANES a.v[l] /= b.v[l];
    return a;
}

static inline v16 v_neg(v16 a)
{
    YT_LANES a.v[l] = -a.v[l];
    return a;
}

static inline v16 v_abs(v16 a)
{
    YT_LANES a.v[l] = fabsf(a.v[l]);
    return a;
}

/* a * b + c with one rounding. */
static inline v16 v_fma(v16 a, v16 b, v16 c)
{
    YT_LANES c.v[l] = fmaf(a.v[l], b.v[l], c.v[l]);
    return c;
}

/* a > b ? a : b; b where one is NaN. */
static inline v16 v_max(v16 a, v16 b)
{
    YT_LANES a.v[l] = a.v[l] > b.v[l] ? a.v[l] : b.v[l];
    return a;
}

/* a < b ? a : b; b where one is NaN. */
static inline v16 v_min(v16 a, v16 b)
{
    YT_LANES a.v[l] = a.v[l] < b.v[l] ? a.v[l] : b.v[l];
    return a;
}

static inline v16 v_roundeven(v16 a)
{
    YT_LANES a.v[l] = rintf(a.v[l]);
    return a;
}

/* p * 2^n for integral n from -126 to 127. */
static inline v16 v_scale2(v16 p, v16 n)
{
    YT_LANES
    {
        uint32_t bits = (uint32_t)((int32_t)n.v[l] + 127) << 23;
        float power;
        memcpy(&power, &bits, sizeof power);
        p.v[l] *= power;
    }
    return p;
}

static inline v16 v_load_f16(const uint16_t *p)
{
    v16 r;
    YT_LANES r.v[l] = yt_half_to_float(p[l]);
    return r;
}

static inline v16 v_load_bf16(const uint16_t *p)
{
    v16 r;
    YT_LANES r.v[l] = yt_bfloat_to_float(p[l]);
    return r;
}

/* Rounds to nearest even integers and stores them as bytes; lanes are from -127 to 127. Returns their sum. */
static inline int32_t v_store_i8(int8_t *p, v16 a)
{
    int32_t sum = 0;
    YT_LANES
    {
        float r = rintf(a.v[l]);
        r = r > -127.0f ? r : -127.0f; /* NaN becomes -127: a cast of it would be undefined */
        r = r < 127.0f ? r : 127.0f;
        p[l] = (int8_t)r;
        sum += p[l];
    }
    return sum;
}

static inline vi16 vi_add(vi16 a, vi16 b)
{
    YT_LANES a.v[l] += b.v[l];
    return a;
}

static inline v16 vi_to_float(vi16 a)
{
    v16 r;
    YT_LANES r.v[l] = (float)a.v[l];
    return r;
}

/* The two products below need an accumulator that starts from these: what the offset of the stored weights amounts to. */
static inline vi16 vi_start_q4(int32_t sum)
{
    vi16 r;
    YT_LANES r.v[l] = -8 * sum;
    return r;
}

static inline vi16 vi_start_q8(int32_t sum)
{
    vi16 r;
    YT_LANES r.v[l] = -128 * sum;
    return r;
}

/* acc[l] += sum over i < 4 of w[l][i] * y[i]; w: 16 rows of 4 unsigned bytes, y: 4 signed bytes. */
static inline vi16 vi_dot(vi16 acc, const uint8_t *w, const int8_t *y)
{
    YT_LANES acc.v[l] += w[4 * l] * y[0] + w[4 * l + 1] * y[1] + w[4 * l + 2] * y[2] + w[4 * l + 3] * y[3];
    return acc;
}

static inline vi16 vi_dot_q8(vi16 acc, const uint8_t *w, const int8_t *y)
{
    return vi_dot(acc, w, y);
}

/* Four-bit weights: the low nibbles times y_low, the high nibbles times y_high, into two accumulators. */
static inline void vi_dot_q4(vi16 *low, vi16 *high, const uint8_t *w, const int8_t *y_low, const int8_t *y_high)
{
    uint8_t nibbles[64];
    for (int i = 0; i < 64; i++) {
        nibbles[i] = w[i] & 15;
    }
    *low = vi_dot(*low, nibbles, y_low);
    for (int i = 0; i < 64; i++) {
        nibbles[i] = (uint8_t)(w[i] >> 4);
    }
    *high = vi_dot(*high, nibbles, y_high);
}

/* ---- for the encoders --------------------------------------------------------------------------------------------------------------- */

static inline v16 v_sub(v16 a, v16 b)
{
    YT_LANES a.v[l] -= b.v[l];
    return a;
}

static inline v16 v_sqrt(v16 a)
{
    YT_LANES a.v[l] = sqrtf(a.v[l]);
    return a;
}

/* Towards zero; lanes are of magnitudes below 2^31. */
static inline v16 v_trunc(v16 a)
{
    YT_LANES a.v[l] = (float)(int32_t)a.v[l];
    return a;
}

/* a > b ? x : y; y where a or b is NaN. */
static inline v16 v_select_greater(v16 a, v16 b, v16 x, v16 y)
{
    YT_LANES y.v[l] = a.v[l] > b.v[l] ? x.v[l] : y.v[l];
    return y;
}

/* The largest lane; lanes are not NaN. Of zeros of both signs either. */
static inline float v_largest(v16 a)
{
    for (int half = 8; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            a.v[l] = a.v[l] > a.v[l + half] ? a.v[l] : a.v[l + half];
        }
    }
    return a.v[0];
}

static inline void v_store_f16(uint16_t *p, v16 a)
{
    YT_LANES p[l] = yt_float_to_half(a.v[l]);
}

#undef YT_LANES

#endif
