/*
 * float32 to the storage types, written over sixteen lanes; included by generic.h. The bits are those of dev.yangtuo.tensor's encoders in Java, where
 * the methods are explained: Blocks*.java for the simple types, AffineBlockFit.java for Q4_K and Q5_K, LinearBlockFit.java for Q6_K. There a
 * part is fitted after the other, here sixteen at a time, one in each lane; a lane walks its part as Java does, and nothing is fused.
 */
#ifndef YT_ENCODE_H
#define YT_ENCODE_H

#include "../half.h"

#include <math.h>

/* ---- steps that types share ------------------------------------------------------------------------------------------------------------ */

/* 1 / step; 0 where that overflows, or is NaN. */
static inline float encode_inverse(float step)
{
    float inverse = 1.0f / step;
    return fabsf(inverse) < INFINITY ? inverse : 0.0f;
}

static inline v16 encode_inverses(v16 steps)
{
    v16 inverses = v_div(v_set1(1.0f), steps);
    return v_select_greater(v_set1(INFINITY), v_abs(inverses), inverses, v_set1(0.0f));
}

/* The integer nearest to a value, ties to even, between two; the least of them for NaN. 1.5 * 2^23 leaves a sum no bits for a fraction. */
static inline v16 encode_nearest(v16 value, v16 least, v16 most)
{
    v16 rounding = v_set1(12582912.0f);
    return v_sub(v_add(v_min(v_max(value, least), most), rounding), rounding);
}

static inline void encode_half(uint8_t *out, float value)
{
    uint16_t half = yt_float_to_half(value);
    memcpy(out, &half, sizeof half);
}

/* A scale as binary16 stores it: never 0 unless it is; infinite if it is too large, or NaN. */
static inline float encode_stored_scale(float scale)
{
    float magnitude = fabsf(scale);
    float rounded = magnitude < 65520.0f ? yt_half_to_float(yt_float_to_half(magnitude)) : INFINITY;
    float stored = rounded == 0.0f && magnitude > 0.0f ? 0x1p-24f : rounded;
    return scale < 0.0f ? -stored : stored;
}

/* Bit j of the result is bit 4 of q[j]. */
static inline uint32_t encode_fifth_bits(const uint8_t *q)
{
    uint32_t word = 0;
    for (int byte = 0; byte < 4; byte++) {
        uint64_t eight;
        memcpy(&eight, q + 8 * byte, sizeof eight);
        /* Byte i's bit arrives at bit 56 + i. */
        word |= (uint32_t)(((eight >> 4 & 0x0101010101010101u) * 0x0102040810204080u) >> 56) << 8 * byte;
    }
    return word;
}

/* ---- F16, BF16 --------------------------------------------------------------------------------------------------------------------------- */

static void encode_f16(const float *x, int64_t n, uint8_t *out)
{
    int64_t full = n & ~(int64_t)15;
    for (int64_t i = 0; i < full; i += 16) {
        uint16_t halves[16];
        v_store_f16(halves, v_load(x + i));
        memcpy(out + 2 * i, halves, sizeof halves);
    }
    for (int64_t i = full; i < n; i++) {
        encode_half(out + 2 * i, x[i]);
    }
}

static void encode_bf16(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = yt_float_to_bits(x[i]);
        /* To nearest even; a NaN only becomes quiet, since it could carry into infinity. */
        uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1);
        uint32_t quiet = bits | 0x400000;
        uint16_t upper = (uint16_t)(((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded) >> 16);
        memcpy(out + 2 * i, &upper, sizeof upper);
    }
}

/* ---- blocks of 32 with one scale --------------------------------------------------------------------------------------------------------- */

/* The first element of the largest magnitude, with its sign; +0 if all are zero. */
static inline float encode_extreme(const float *x, v16 a, v16 b)
{
    float above = v_largest(v_max(a, b));
    float below = v_largest(v_max(v_neg(a), v_neg(b)));
    if (above != below) {
        return above > below ? above : -below;
    }
    for (int j = 0; above != 0.0f && j < 32; j++) {
        if (fabsf(x[j]) == above) {
            return x[j];
        }
    }
    return 0.0f;
}

static void encode_q8_0(const float *x, int64_t n, uint8_t *out)
{
    /* roundf without its branches: the float below one half, so that the float below a half stays below. */
    v16 half = v_set1(0x1.fffffep-2f);
    v16 zero = v_set1(0.0f);
    for (int64_t i = 0; i < n; i += 32, out += 34) {
        v16 a = v_load(x + i);
        v16 b = v_load(x + i + 16);
        float d = v_largest(v_max(v_abs(a), v_abs(b))) / 127.0f;
        v16 inverse = v_set1(encode_inverse(d));
        encode_half(out, d);
        int8_t q[32];
        a = v_max(v_min(v_mul(a, inverse), v_set1(127.0f)), v_set1(-127.0f));
        b = v_max(v_min(v_mul(b, inverse), v_set1(127.0f)), v_set1(-127.0f));
        v_store_i8(q, v_trunc(v_add(a, v_select_greater(zero, a, v_neg(half), half))));
        v_store_i8(q + 16, v_trunc(v_add(b, v_select_greater(zero, b, v_neg(half), half))));
        memcpy(out + 2, q, sizeof q);
    }
}

/* q[j] = trunc(x[j] * inverse + offset), 0 to most. */
static inline void encode_truncated(v16 a, v16 b, float inverse, float offset, float most, uint8_t *q)
{
    v16 factor = v_set1(inverse);
    v16 zero = v_set1(0.0f);
    a = v_min(v_max(v_add(v_mul(a, factor), v_set1(offset)), zero), v_set1(most));
    b = v_min(v_max(v_add(v_mul(b, factor), v_set1(offset)), zero), v_set1(most));
    v_store_i8((int8_t *)q, v_trunc(a));
    v_store_i8((int8_t *)q + 16, v_trunc(b));
}

static inline void encode_nibbles(const uint8_t *q, uint8_t *out)
{
    uint8_t nibbles[16];
    for (int j = 0; j < 16; j++) {
        nibbles[j] = (uint8_t)((q[j] & 15) | q[j + 16] << 4);
    }
    memcpy(out, nibbles, sizeof nibbles);
}

static void encode_q4_0(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i += 32, out += 18) {
        v16 a = v_load(x + i);
        v16 b = v_load(x + i + 16);
        float d = encode_extreme(x + i, a, b) / -8.0f;
        uint8_t q[32];
        encode_half(out, d);
        encode_truncated(a, b, encode_inverse(d), 8.5f, 15.0f, q);
        encode_nibbles(q, out + 2);
    }
}

static void encode_q5_0(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i += 32, out += 22) {
        v16 a = v_load(x + i);
        v16 b = v_load(x + i + 16);
        float d = encode_extreme(x + i, a, b) / -16.0f;
        uint8_t q[32];
        encode_half(out, d);
        encode_truncated(a, b, encode_inverse(d), 16.5f, 31.0f, q);
        uint32_t high = encode_fifth_bits(q);
        memcpy(out + 2, &high, sizeof high);
        encode_nibbles(q, out + 6);
    }
}

/* ---- blocks of 32 with scale and minimum ------------------------------------------------------------------------------------------------- */

/* The least element; of zeros of either sign the first. */
static inline float encode_least(const float *x, v16 a, v16 b)
{
    float least = -v_largest(v_max(v_neg(a), v_neg(b)));
    for (int j = 0; least == 0.0f && j < 32; j++) {
        if (x[j] == 0.0f) {
            return x[j];
        }
    }
    return least;
}

/* Writes d and m; x and the result are x - m. Returns 1 / d. */
static inline float encode_range(const float *x, v16 *a, v16 *b, float steps, uint8_t *out)
{
    float m = encode_least(x, *a, *b);
    /* Adding 0 makes 0 of -0, which zeros of both signs could give. */
    float d = (v_largest(v_max(*a, *b)) - m + 0.0f) / steps;
    encode_half(out, d);
    encode_half(out + 2, m);
    *a = v_sub(*a, v_set1(m));
    *b = v_sub(*b, v_set1(m));
    return encode_inverse(d);
}

static void encode_q4_1(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i += 32, out += 20) {
        v16 a = v_load(x + i);
        v16 b = v_load(x + i + 16);
        uint8_t q[32];
        float inverse = encode_range(x + i, &a, &b, 15.0f, out);
        encode_truncated(a, b, inverse, 0.5f, 15.0f, q);
        encode_nibbles(q, out + 4);
    }
}

static void encode_q5_1(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i += 32, out += 24) {
        v16 a = v_load(x + i);
        v16 b = v_load(x + i + 16);
        uint8_t q[32];
        float inverse = encode_range(x + i, &a, &b, 31.0f, out);
        encode_truncated(a, b, inverse, 0.5f, 31.0f, q);
        uint32_t high = encode_fifth_bits(q);
        memcpy(out + 4, &high, sizeof high);
        encode_nibbles(q, out + 8);
    }
}

/* ---- Q4_K, Q5_K: AffineBlockFit ------------------------------------------------------------------------------------------------------------ */

enum { AFFINE_PART = 32, AFFINE_PARTS = 8 };

#define AFFINE_DIVISIONS 9
#define AFFINE_SINGULAR 1e-5f

/* Sixteen parts, which are two blocks. x, w: float32 [32][16], a part in each lane. Of each part: sums of w and w * x, and what was chosen. */
typedef struct {
    float x[AFFINE_PART * 16];
    float w[AFFINE_PART * 16];
    float d[16]; /* of the part's block */
    float dmin[16];
    v16 sum_w;
    v16 sum_x;
    v16 scales;
    v16 minimums;
    v16 largest;
} affine_fit;

typedef struct {
    v16 q, qq, qx;
} affine_sums;

/* The sums over the integers nearest to (x - low - offset) * inverse; that of x over x - low. */
YT_INLINE affine_sums affine_sum_up(const affine_fit *f, v16 low, v16 offset, v16 inverse)
{
    v16 zero = v_set1(0.0f);
    affine_sums s = {zero, zero, zero};
    for (int i = 0; i < AFFINE_PART; i++) {
        v16 y = v_sub(v_load(f->x + 16 * i), low);
        v16 integer = encode_nearest(v_mul(v_sub(y, offset), inverse), zero, f->largest);
        v16 weighted = v_mul(v_load(f->w + 16 * i), integer);
        s.q = v_add(s.q, weighted);
        s.qq = v_add(s.qq, v_mul(weighted, integer));
        s.qx = v_add(s.qx, v_mul(weighted, y));
    }
    return s;
}

/* Real scales and minimums of the parts, each for itself. */
static void affine_fit_parts(affine_fit *f, float largest)
{
    v16 zero = v_set1(0.0f);
    v16 squares = zero;
    v16 low = zero;
    v16 high = v_set1(-3.40282346638528859812e+38f);
    for (int i = 0; i < AFFINE_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        squares = v_add(squares, v_mul(x, x));
        low = v_min(x, low);
        high = v_max(x, high);
    }
    v16 rms = v_sqrt(v_div(squares, v_set1(AFFINE_PART)));
    v16 w = zero;
    v16 wx = zero;
    v16 wy = zero;
    for (int i = 0; i < AFFINE_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        v16 weight = v_add(rms, v_abs(x));
        v_store(f->w + 16 * i, weight);
        w = v_add(w, weight);
        wx = v_add(wx, v_mul(weight, x));
        wy = v_add(wy, v_mul(weight, v_sub(x, low)));
    }
    f->sum_w = w;
    f->sum_x = wx;
    v16 range = v_sub(high, low);
    v16 highest_offset = v_neg(low);
    v16 best_gain = zero;
    v16 scale = v_div(range, v_set1(largest));
    v16 offset = zero;
    for (int division = 0; division <= AFFINE_DIVISIONS; division++) {
        int again = division == AFFINE_DIVISIONS;
        v16 numerator = v_set1(again ? 1.0f : largest + -2.4f + 0.4f * (float)division);
        affine_sums s = affine_sum_up(f, low, again ? offset : zero, v_div(numerator, again ? scale : range));
        v16 product = v_mul(w, s.qq);
        v16 determinant = v_sub(product, v_mul(s.q, s.q));
        v16 b = v_div(v_sub(v_mul(s.qq, wy), v_mul(s.q, s.qx)), determinant);
        b = v_select_greater(determinant, v_mul(v_set1(AFFINE_SINGULAR), product), b, zero);
        b = v_min(b, highest_offset);
        v16 rest = v_sub(s.qx, v_mul(b, s.q));
        v16 new_scale = v_div(rest, s.qq);
        v16 gain = v_add(v_mul(b, v_sub(v_mul(v_set1(2.0f), wy), v_mul(b, w))), v_mul(new_scale, rest));
        scale = v_select_greater(gain, best_gain, new_scale, scale);
        offset = v_select_greater(gain, best_gain, b, offset);
        best_gain = v_select_greater(gain, best_gain, gain, best_gain);
    }
    f->scales = scale;
    f->minimums = v_neg(v_add(low, offset));
}

/* d and dmin of both blocks, and the parts' multiples of them. */
static void affine_round_scales(affine_fit *f)
{
    float scales[16];
    float minimums[16];
    v_store(scales, f->scales);
    v_store(minimums, f->minimums);
    for (int block = 0; block < 16; block += AFFINE_PARTS) {
        float largest_scale = 0.0f;
        float largest_minimum = 0.0f;
        for (int part = block; part < block + AFFINE_PARTS; part++) {
            largest_scale = scales[part] > largest_scale ? scales[part] : largest_scale;
            largest_minimum = minimums[part] > largest_minimum ? minimums[part] : largest_minimum;
        }
        for (int part = block; part < block + AFFINE_PARTS; part++) {
            f->d[part] = encode_stored_scale(largest_scale / 63.0f);
            f->dmin[part] = encode_stored_scale(largest_minimum / 63.0f);
        }
    }
    f->scales = encode_nearest(v_div(f->scales, v_load(f->d)), v_set1(0.0f), v_set1(63.0f));
    f->minimums = encode_nearest(v_div(f->minimums, v_load(f->dmin)), v_set1(0.0f), v_set1(63.0f));
}

YT_INLINE v16 affine_error(const affine_fit *f, v16 scales, v16 minimums)
{
    v16 zero = v_set1(0.0f);
    v16 step = v_mul(v_load(f->d), scales);
    v16 below = v_mul(v_load(f->dmin), minimums);
    v16 inverse = encode_inverses(step);
    v16 sum = zero;
    for (int i = 0; i < AFFINE_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        v16 integer = encode_nearest(v_mul(v_add(x, below), inverse), zero, f->largest);
        v16 difference = v_sub(v_sub(v_mul(step, integer), below), x);
        sum = v_add(sum, v_mul(v_load(f->w + 16 * i), v_mul(difference, difference)));
    }
    return sum;
}

static void affine_take_best_neighbours(affine_fit *f)
{
    static const float NEIGHBOURS[6][2] = {{-1, -1}, {-1, 0}, {0, -1}, {0, 1}, {1, 0}, {1, 1}};
    v16 zero = v_set1(0.0f);
    v16 most = v_set1(63.0f);
    v16 scales = f->scales;
    v16 minimums = f->minimums;
    v16 best = affine_error(f, scales, minimums);
    for (int n = 0; n < 6; n++) {
        v16 other_scales = v_min(v_max(v_add(scales, v_set1(NEIGHBOURS[n][0])), zero), most);
        v16 other_minimums = v_min(v_max(v_add(minimums, v_set1(NEIGHBOURS[n][1])), zero), most);
        v16 error = affine_error(f, other_scales, other_minimums);
        f->scales = v_select_greater(best, error, other_scales, f->scales);
        f->minimums = v_select_greater(best, error, other_minimums, f->minimums);
        best = v_select_greater(best, error, error, best);
    }
}

/* New d and dmin by least squares, where they are determined. */
static void affine_refit(affine_fit *f)
{
    v16 inverse = encode_inverses(v_mul(v_load(f->d), f->scales));
    affine_sums sums = affine_sum_up(f, v_set1(0.0f), v_neg(v_mul(v_load(f->dmin), f->minimums)), inverse);
    float scales[16], minimums[16], q[16], qq[16], qx[16], w[16], x[16];
    v_store(scales, f->scales);
    v_store(minimums, f->minimums);
    v_store(q, sums.q);
    v_store(qq, sums.qq);
    v_store(qx, sums.qx);
    v_store(w, f->sum_w);
    v_store(x, f->sum_x);
    for (int block = 0; block < 16; block += AFFINE_PARTS) {
        float ss = 0.0f, sm = 0.0f, mm = 0.0f, sx = 0.0f, mx = 0.0f;
        for (int p = block; p < block + AFFINE_PARTS; p++) {
            ss += scales[p] * scales[p] * qq[p];
            sm += scales[p] * minimums[p] * q[p];
            mm += minimums[p] * minimums[p] * w[p];
            sx += scales[p] * qx[p];
            mx += minimums[p] * x[p];
        }
        float d = f->d[block];
        float dmin = f->dmin[block];
        float determinant = ss * mm - sm * sm;
        if (determinant > AFFINE_SINGULAR * (ss * mm)) {
            float new_d = (sx * mm - sm * mx) / determinant;
            float new_dmin = (sx * sm - ss * mx) / determinant;
            if (new_d > 0.0f && new_dmin > 0.0f) {
                d = encode_stored_scale(new_d);
                dmin = encode_stored_scale(new_dmin);
            }
        } else if (mm == 0.0f && sx > 0.0f) {
            d = encode_stored_scale(sx / ss);
        }
        for (int p = block; p < block + AFFINE_PARTS; p++) {
            f->d[p] = d;
            f->dmin[p] = dmin;
        }
    }
}

/* Fits two blocks of 256 at x; q receives the integers in the order of x. */
static void affine_fit_blocks(affine_fit *f, const float *x, float largest, uint8_t *q)
{
    for (int i = 0; i < AFFINE_PART; i++) {
        for (int part = 0; part < 16; part++) {
            f->x[16 * i + part] = x[AFFINE_PART * part + i];
        }
    }
    f->largest = v_set1(largest);
    affine_fit_parts(f, largest);
    affine_round_scales(f);
    affine_take_best_neighbours(f);
    affine_refit(f);
    affine_take_best_neighbours(f);
    float below[16];
    float inverse[16];
    v_store(below, v_mul(v_load(f->dmin), f->minimums));
    v_store(inverse, encode_inverses(v_mul(v_load(f->d), f->scales)));
    for (int part = 0; part < 16; part++) {
        for (int i = AFFINE_PART * part; i < AFFINE_PART * (part + 1); i += 16) {
            v16 shifted = v_add(v_load(x + i), v_set1(below[part]));
            v_store_i8((int8_t *)q + i, encode_nearest(v_mul(shifted, v_set1(inverse[part])), v_set1(0.0f), f->largest));
        }
    }
}

/* d, dmin and the six-bit scales and minimums of the block whose first lane is given: 16 bytes. */
static void affine_write_scales(const affine_fit *f, int first, uint8_t *out)
{
    int8_t scales[16];
    int8_t minimums[16];
    v_store_i8(scales, f->scales);
    v_store_i8(minimums, f->minimums);
    encode_half(out, f->d[first]);
    encode_half(out + 2, f->dmin[first]);
    for (int part = 0; part < 4; part++) {
        int scale = scales[first + 4 + part];
        int minimum = minimums[first + 4 + part];
        out[4 + part] = (uint8_t)(scales[first + part] | scale >> 4 << 6);
        out[8 + part] = (uint8_t)(minimums[first + part] | minimum >> 4 << 6);
        out[12 + part] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
    }
}

static void affine_write_nibbles(const uint8_t *q, uint8_t *out)
{
    for (int j = 0; j < 256; j += 64) {
        for (int l = 0; l < 32; l++) {
            out[j / 2 + l] = (uint8_t)((q[j + l] & 15) | q[j + 32 + l] << 4);
        }
    }
}

static void affine_write_fifth_bits(const uint8_t *q, uint8_t *out)
{
    for (int l = 0; l < 32; l++) {
        int bits = 0;
        for (int part = 0; part < AFFINE_PARTS; part++) {
            bits |= q[32 * part + l] >> 4 << part;
        }
        out[l] = (uint8_t)bits;
    }
}

/* Two blocks at a time; beside the last of an odd number stand zeros. */
static void encode_affine(const float *x, int64_t n, float largest, int64_t block_bytes, uint8_t *out)
{
    for (int64_t i = 0; i < n; i += 512) {
        int n_blocks = n - i >= 512 ? 2 : 1;
        float padded[512];
        const float *blocks = x + i;
        if (n_blocks == 1) {
            memcpy(padded, blocks, 256 * sizeof(float));
            memset(padded + 256, 0, 256 * sizeof(float));
            blocks = padded;
        }
        affine_fit fit;
        uint8_t q[512];
        affine_fit_blocks(&fit, blocks, largest, q);
        for (int block = 0; block < n_blocks; block++, out += block_bytes) {
            affine_write_scales(&fit, AFFINE_PARTS * block, out);
            if (largest > 15.0f) {
                affine_write_fifth_bits(q + 256 * block, out + 16);
            }
            affine_write_nibbles(q + 256 * block, out + block_bytes - 128);
        }
    }
}

/* ---- Q6_K: LinearBlockFit ------------------------------------------------------------------------------------------------------------------ */

enum { LINEAR_PART = 16 };

#define LINEAR_DIVISIONS 13

/* The sixteen parts of a block. x, w: float32 [16][16], a part in each lane. */
typedef struct {
    float x[LINEAR_PART * 16];
    float w[LINEAR_PART * 16];
    v16 scales;
    float d;
} linear_fit;

typedef struct {
    v16 qq, qx;
} linear_sums;

YT_INLINE v16 linear_nearest(v16 value)
{
    return encode_nearest(value, v_set1(-32.0f), v_set1(31.0f));
}

/* The sums over the integers nearest to x * inverse. */
YT_INLINE linear_sums linear_sum_up(const linear_fit *f, v16 inverse)
{
    v16 zero = v_set1(0.0f);
    linear_sums s = {zero, zero};
    for (int i = 0; i < LINEAR_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        v16 integer = linear_nearest(v_mul(x, inverse));
        v16 weighted = v_mul(v_load(f->w + 16 * i), integer);
        s.qq = v_add(s.qq, v_mul(weighted, integer));
        s.qx = v_add(s.qx, v_mul(weighted, x));
    }
    return s;
}

/* Real scales of the parts, each for itself. */
static void linear_fit_parts(linear_fit *f)
{
    v16 zero = v_set1(0.0f);
    v16 squares = zero;
    v16 extreme = zero;
    for (int i = 0; i < LINEAR_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        squares = v_add(squares, v_mul(x, x));
        extreme = v_select_greater(v_abs(x), v_abs(extreme), x, extreme);
    }
    v16 share = v_mul(v_set1(0.1f), v_div(squares, v_set1(LINEAR_PART)));
    for (int i = 0; i < LINEAR_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        v_store(f->w + 16 * i, v_add(v_mul(x, x), share));
    }
    v16 scale = v_div(extreme, v_set1(-32.0f));
    v16 best_gain = zero;
    for (int division = 0; division <= LINEAR_DIVISIONS; division++) {
        int again = division == LINEAR_DIVISIONS;
        v16 numerator = v_set1(again ? 1.0f : -28.4f + -0.6f * (float)division);
        linear_sums s = linear_sum_up(f, v_div(numerator, again ? scale : extreme));
        v16 new_scale = v_div(s.qx, s.qq);
        v16 gain = v_mul(new_scale, s.qx);
        scale = v_select_greater(gain, best_gain, new_scale, scale);
        best_gain = v_select_greater(gain, best_gain, gain, best_gain);
    }
    f->scales = scale;
}

/* d, and the parts' multiples of it. */
static void linear_round_scales(linear_fit *f)
{
    float scales[16];
    v_store(scales, f->scales);
    float extreme = 0.0f;
    for (int part = 0; part < 16; part++) {
        extreme = fabsf(scales[part]) > fabsf(extreme) ? scales[part] : extreme;
    }
    f->d = encode_stored_scale(extreme / -128.0f);
    f->scales = encode_nearest(v_mul(f->scales, v_set1(encode_inverse(f->d))), v_set1(-128.0f), v_set1(127.0f));
}

YT_INLINE v16 linear_error(const linear_fit *f, v16 scales)
{
    v16 step = v_mul(v_set1(f->d), scales);
    v16 inverse = encode_inverses(step);
    v16 sum = v_set1(0.0f);
    for (int i = 0; i < LINEAR_PART; i++) {
        v16 x = v_load(f->x + 16 * i);
        v16 difference = v_sub(v_mul(step, linear_nearest(v_mul(x, inverse))), x);
        sum = v_add(sum, v_mul(v_load(f->w + 16 * i), v_mul(difference, difference)));
    }
    return sum;
}

static void linear_take_best_neighbours(linear_fit *f)
{
    v16 scales = f->scales;
    v16 best = linear_error(f, scales);
    for (int step = -1; step <= 1; step += 2) {
        v16 others = v_min(v_max(v_add(scales, v_set1((float)step)), v_set1(-128.0f)), v_set1(127.0f));
        v16 error = linear_error(f, others);
        f->scales = v_select_greater(best, error, others, f->scales);
        best = v_select_greater(best, error, error, best);
    }
}

/* A new d by least squares, where it is determined. */
static void linear_refit(linear_fit *f)
{
    linear_sums sums = linear_sum_up(f, encode_inverses(v_mul(v_set1(f->d), f->scales)));
    float scales[16], qq[16], qx[16];
    v_store(scales, f->scales);
    v_store(qq, sums.qq);
    v_store(qx, sums.qx);
    float ss = 0.0f;
    float sx = 0.0f;
    for (int part = 0; part < 16; part++) {
        ss += scales[part] * scales[part] * qq[part];
        sx += scales[part] * qx[part];
    }
    float refitted = sx / ss;
    if (fabsf(refitted) > 0.0f) {
        f->d = encode_stored_scale(refitted);
    }
}

/* The integers of the block in the order of x, plus 32. */
static void linear_quantize(const linear_fit *f, const float *x, uint8_t *q)
{
    float inverse[16];
    v_store(inverse, encode_inverses(v_mul(v_set1(f->d), f->scales)));
    for (int part = 0; part < 16; part++) {
        v16 integer = linear_nearest(v_mul(v_load(x + 16 * part), v_set1(inverse[part])));
        v_store_i8((int8_t *)q + 16 * part, v_add(integer, v_set1(32.0f)));
    }
}

static void encode_q6_k(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i += 256, out += 210) {
        linear_fit fit;
        for (int k = 0; k < LINEAR_PART; k++) {
            for (int part = 0; part < 16; part++) {
                fit.x[16 * k + part] = x[i + LINEAR_PART * part + k];
            }
        }
        linear_fit_parts(&fit);
        linear_round_scales(&fit);
        linear_take_best_neighbours(&fit);
        linear_refit(&fit);
        linear_take_best_neighbours(&fit);
        uint8_t q[256];
        linear_quantize(&fit, x + i, q);
        for (int j = 0; j < 256; j += 128) {
            for (int l = 0; l < 32; l++) {
                uint8_t *low = out + j / 2 + l;
                low[0] = (uint8_t)((q[j + l] & 15) | q[j + 64 + l] << 4);
                low[32] = (uint8_t)((q[j + 32 + l] & 15) | q[j + 96 + l] << 4);
                out[128 + j / 4 + l] = (uint8_t)(q[j + l] >> 4 | q[j + 32 + l] >> 4 << 2 | q[j + 64 + l] >> 4 << 4 | q[j + 96 + l] >> 4 << 6);
            }
        }
        /* -128 is a scale, too, which v_store_i8 does not store. */
        float scales[16];
        v_store(scales, fit.scales);
        for (int part = 0; part < 16; part++) {
            out[192 + part] = (uint8_t)(int8_t)scales[part];
        }
        encode_half(out + 208, fit.d);
    }
}

/* ---- all types ----------------------------------------------------------------------------------------------------------------------------- */

static int32_t encode(int32_t type, const float *x, int64_t n, uint8_t *out)
{
    switch (type) {
    case YT_F32:
        memcpy(out, x, (size_t)n * sizeof(float));
        return 1;
    case YT_F16:
        encode_f16(x, n, out);
        return 1;
    case YT_BF16:
        encode_bf16(x, n, out);
        return 1;
    case YT_Q4_0:
        encode_q4_0(x, n, out);
        return 1;
    case YT_Q4_1:
        encode_q4_1(x, n, out);
        return 1;
    case YT_Q5_0:
        encode_q5_0(x, n, out);
        return 1;
    case YT_Q5_1:
        encode_q5_1(x, n, out);
        return 1;
    case YT_Q8_0:
        encode_q8_0(x, n, out);
        return 1;
    case YT_Q4_K:
        encode_affine(x, n, 15.0f, 144, out);
        return 1;
    case YT_Q5_K:
        encode_affine(x, n, 31.0f, 176, out);
        return 1;
    case YT_Q6_K:
        encode_q6_k(x, n, out);
        return 1;
    default:
        return 0;
    }
}

#endif
