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

static inline int v_any_nan(v16 a)
{
    int any = 0;
    YT_LANES any |= a.v[l] != a.v[l];
    return any;
}

static inline vi16 vi_set1(int32_t x)
{
    vi16 r;
    YT_LANES r.v[l] = x;
    return r;
}

static inline vi16 vi_sub(vi16 a, vi16 b)
{
    YT_LANES a.v[l] -= b.v[l];
    return a;
}

static inline vi16 vi_max(vi16 a, vi16 b)
{
    YT_LANES a.v[l] = a.v[l] > b.v[l] ? a.v[l] : b.v[l];
    return a;
}

static inline vi16 vi_or(vi16 a, vi16 b)
{
    YT_LANES a.v[l] |= b.v[l];
    return a;
}

static inline vi16 vi_and(vi16 a, int32_t mask)
{
    YT_LANES a.v[l] &= mask;
    return a;
}

static inline vi16 vi_shl(vi16 a, int n)
{
    YT_LANES a.v[l] = (int32_t)((uint32_t)a.v[l] << n);
    return a;
}

/* Zeros come in from the left. */
static inline vi16 vi_shr(vi16 a, int n)
{
    YT_LANES a.v[l] = (int32_t)((uint32_t)a.v[l] >> n);
    return a;
}

static inline vi16 vi_load_u8(const uint8_t *p)
{
    vi16 r;
    YT_LANES r.v[l] = p[l];
    return r;
}

static inline vi16 vi_load_s8(const int8_t *p)
{
    vi16 r;
    YT_LANES r.v[l] = p[l];
    return r;
}

static inline vi16 vi_load_u16(const uint16_t *p)
{
    vi16 r;
    YT_LANES r.v[l] = p[l];
    return r;
}

/* The float32 with these bits. */
static inline v16 v_bits(vi16 a)
{
    v16 r;
    memcpy(&r, &a, sizeof r);
    return r;
}

/* ---- 64 bytes: four consecutive inputs of sixteen rows --------------------------------------------------------------------------------- */

typedef struct {
    uint8_t v[64];
} vb;

static inline vb vb_load(const uint8_t *p)
{
    vb r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}

static inline void vb_store(uint8_t *p, vb a)
{
    memcpy(p, a.v, sizeof a.v);
}

static inline vb vb_and(vb a, int mask)
{
    for (int i = 0; i < 64; i++) {
        a.v[i] &= (uint8_t)mask;
    }
    return a;
}

static inline vb vb_or(vb a, vb b)
{
    for (int i = 0; i < 64; i++) {
        a.v[i] |= b.v[i];
    }
    return a;
}

/* Shifts by 0 to 7; what comes in from outside a byte may be anything: a mask must follow. */
static inline vb vb_shr(vb a, int n)
{
    for (int i = 0; i < 64; i++) {
        a.v[i] = (uint8_t)(a.v[i] >> n);
    }
    return a;
}

static inline vb vb_shl(vb a, int n)
{
    for (int i = 0; i < 64; i++) {
        a.v[i] = (uint8_t)(a.v[i] << n);
    }
    return a;
}

/* Entries of a table; all bytes are at most 15. */
static inline vb vb_lookup(const uint8_t *table, vb a)
{
    for (int i = 0; i < 64; i++) {
        a.v[i] = table[a.v[i]];
    }
    return a;
}

/* Sixteen times the same four bytes. */
static inline vb vi_broadcast4(const int8_t *y)
{
    vb r;
    for (int l = 0; l < 16; l++) {
        memcpy(r.v + 4 * l, y, 4);
    }
    return r;
}

/* What an accumulator of vi_dot starts from: the unsigned weights are too large by 2^zero_bit. */
static inline vi16 vi_start(int32_t minus_sum, int zero_bit, int wide)
{
    (void)wide;
    return vi_set1(minus_sum * (1 << zero_bit));
}

/*
 * acc[l] += sum over i < 4 of w[l][i] * y[l][i]; w: unsigned, y: signed. wide: w may be more than 127, and then is 128 too large: an instruction set may
 * take it as signed and have vi_start give 0.
 */
static inline vi16 vi_dot(vi16 acc, vb w, vb y, int wide)
{
    (void)wide;
    YT_LANES
    {
        for (int i = 4 * l; i < 4 * l + 4; i++) {
            acc.v[l] += w.v[i] * (int8_t)y.v[i];
        }
    }
    return acc;
}

/* Pairs of bfloat16, the second first: acc = fma(w[2l + 1], y[2l + 1], acc), then acc = fma(w[2l], y[2l], acc). */
static inline v16 v_dot_bf16(v16 acc, vb w, vb y)
{
    uint16_t a[32];
    uint16_t b[32];
    memcpy(a, &w, sizeof a);
    memcpy(b, &y, sizeof b);
    YT_LANES
    {
        acc.v[l] = fmaf(yt_bfloat_to_float(a[2 * l + 1]), yt_bfloat_to_float(b[2 * l + 1]), acc.v[l]);
        acc.v[l] = fmaf(yt_bfloat_to_float(a[2 * l]), yt_bfloat_to_float(b[2 * l]), acc.v[l]);
    }
    return acc;
}

/* Asks for what will be read soon. */
static inline void v_prefetch(const uint8_t *p, int bytes)
{
    (void)p;
    (void)bytes;
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

/* The lanes are in memory whatever the size of a tile: one copy of each kernel serves. */
#define YT_INLINE static __attribute__((noinline, unused))
#define YT_PANEL_GROUPS 1
#define YT_FLOAT_GROUPS 1
#define YT_STEP_COLUMNS 8

#endif
