/*
 * Sixteen lanes in four q registers. Same bits as vec16_portable.h; see there for what each function does. Bytes are multiplied by sdot, or by
 * usdot where the file is compiled with it: the integers are exact either way.
 */
#ifndef YT_VEC16_NEON_H
#define YT_VEC16_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    float32x4_t a, b, c, d;
} v16;

typedef struct {
    int32x4_t a, b, c, d;
} vi16;

/* A function of four lanes, applied to sixteen. */
#define YT_EACH1(type, f, x) ((type){f((x).a), f((x).b), f((x).c), f((x).d)})
#define YT_EACH2(type, f, x, y) ((type){f((x).a, (y).a), f((x).b, (y).b), f((x).c, (y).c), f((x).d, (y).d)})

static inline v16 v_load(const float *p)
{
    return (v16){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}

static inline void v_store(float *p, v16 x)
{
    vst1q_f32(p, x.a);
    vst1q_f32(p + 4, x.b);
    vst1q_f32(p + 8, x.c);
    vst1q_f32(p + 12, x.d);
}

static inline v16 v_set1(float x)
{
    float32x4_t r = vdupq_n_f32(x);
    return (v16){r, r, r, r};
}

static inline v16 v_add(v16 x, v16 y)
{
    return YT_EACH2(v16, vaddq_f32, x, y);
}

static inline v16 v_mul(v16 x, v16 y)
{
    return YT_EACH2(v16, vmulq_f32, x, y);
}

static inline v16 v_div(v16 x, v16 y)
{
    return YT_EACH2(v16, vdivq_f32, x, y);
}

static inline v16 v_neg(v16 x)
{
    return YT_EACH1(v16, vnegq_f32, x);
}

static inline v16 v_abs(v16 x)
{
    return YT_EACH1(v16, vabsq_f32, x);
}

static inline v16 v_fma(v16 x, v16 y, v16 z)
{
    return (v16){vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b), vfmaq_f32(z.c, x.c, y.c), vfmaq_f32(z.d, x.d, y.d)};
}

/* fmax and fmaxnm treat NaN otherwise. */
static inline float32x4_t v_max4(float32x4_t x, float32x4_t y)
{
    return vbslq_f32(vcgtq_f32(x, y), x, y);
}

static inline float32x4_t v_min4(float32x4_t x, float32x4_t y)
{
    return vbslq_f32(vcltq_f32(x, y), x, y);
}

static inline v16 v_max(v16 x, v16 y)
{
    return YT_EACH2(v16, v_max4, x, y);
}

static inline v16 v_min(v16 x, v16 y)
{
    return YT_EACH2(v16, v_min4, x, y);
}

static inline v16 v_roundeven(v16 x)
{
    return YT_EACH1(v16, vrndnq_f32, x);
}

static inline float32x4_t v_scale2_4(float32x4_t p, float32x4_t n)
{
    return vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23)));
}

static inline v16 v_scale2(v16 p, v16 n)
{
    return YT_EACH2(v16, v_scale2_4, p, n);
}

static inline v16 v_load_f16(const uint16_t *p)
{
    float16x8_t low = vreinterpretq_f16_u16(vld1q_u16(p));
    float16x8_t high = vreinterpretq_f16_u16(vld1q_u16(p + 8));
    return (v16){vcvt_f32_f16(vget_low_f16(low)), vcvt_high_f32_f16(low), vcvt_f32_f16(vget_low_f16(high)), vcvt_high_f32_f16(high)};
}

static inline v16 v_load_bf16(const uint16_t *p)
{
    uint16x8_t low = vld1q_u16(p);
    uint16x8_t high = vld1q_u16(p + 8);
    return (v16){vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(low), 16)), vreinterpretq_f32_u32(vshll_high_n_u16(low, 16)),
        vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(high), 16)), vreinterpretq_f32_u32(vshll_high_n_u16(high, 16))};
}

static inline int32_t v_store_i8(int8_t *p, v16 x)
{
    vi16 n = YT_EACH1(vi16, vcvtnq_s32_f32, x);
    int16x8_t low = vqmovn_high_s32(vqmovn_s32(n.a), n.b);
    int16x8_t high = vqmovn_high_s32(vqmovn_s32(n.c), n.d);
    int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(low), high);
    vst1q_s8(p, bytes);
    return vaddlvq_s8(bytes);
}

static inline vi16 vi_add(vi16 x, vi16 y)
{
    return YT_EACH2(vi16, vaddq_s32, x, y);
}

static inline v16 vi_to_float(vi16 x)
{
    return YT_EACH1(v16, vcvtq_f32_s32, x);
}

static inline vi16 vi_set1(int32_t x)
{
    int32x4_t r = vdupq_n_s32(x);
    return (vi16){r, r, r, r};
}

static inline vi16 vi_start_q4(int32_t sum)
{
    return vi_set1(-8 * sum);
}

static inline int8x16_t vi_broadcast4(const int8_t *y)
{
    int32_t four;
    memcpy(&four, y, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

#if defined(__ARM_FEATURE_MATMUL_INT8)

static inline vi16 vi_start_q8(int32_t sum)
{
    return vi_set1(-128 * sum);
}

/* Four rows of weights in the layout of Q8_0. */
static inline int32x4_t vi_dot4_q8(int32x4_t acc, const uint8_t *w, int8x16_t y)
{
    return vusdotq_s32(acc, vld1q_u8(w), y);
}

#else

/* The weights are taken as signed numbers, so there is no offset. */
static inline vi16 vi_start_q8(int32_t sum)
{
    (void)sum;
    return vi_set1(0);
}

static inline int32x4_t vi_dot4_q8(int32x4_t acc, const uint8_t *w, int8x16_t y)
{
    return vdotq_s32(acc, vreinterpretq_s8_u8(veorq_u8(vld1q_u8(w), vdupq_n_u8(0x80))), y);
}

#endif

static inline vi16 vi_dot_q8(vi16 acc, const uint8_t *w, const int8_t *y)
{
    int8x16_t four = vi_broadcast4(y);
    return (vi16){vi_dot4_q8(acc.a, w, four), vi_dot4_q8(acc.b, w + 16, four), vi_dot4_q8(acc.c, w + 32, four), vi_dot4_q8(acc.d, w + 48, four)};
}

/* Nibbles are the same number signed and unsigned. */
static inline int32x4_t vi_dot4_low(int32x4_t acc, uint8x16_t w, int8x16_t y)
{
    return vdotq_s32(acc, vreinterpretq_s8_u8(vandq_u8(w, vdupq_n_u8(15))), y);
}

static inline int32x4_t vi_dot4_high(int32x4_t acc, uint8x16_t w, int8x16_t y)
{
    return vdotq_s32(acc, vreinterpretq_s8_u8(vshrq_n_u8(w, 4)), y);
}

static inline void vi_dot_q4(vi16 *low, vi16 *high, const uint8_t *w, const int8_t *y_low, const int8_t *y_high)
{
    uint8x16_t a = vld1q_u8(w);
    uint8x16_t b = vld1q_u8(w + 16);
    uint8x16_t c = vld1q_u8(w + 32);
    uint8x16_t d = vld1q_u8(w + 48);
    int8x16_t yl = vi_broadcast4(y_low);
    int8x16_t yh = vi_broadcast4(y_high);
    *low = (vi16){vi_dot4_low(low->a, a, yl), vi_dot4_low(low->b, b, yl), vi_dot4_low(low->c, c, yl), vi_dot4_low(low->d, d, yl)};
    *high = (vi16){vi_dot4_high(high->a, a, yh), vi_dot4_high(high->b, b, yh), vi_dot4_high(high->c, c, yh), vi_dot4_high(high->d, d, yh)};
}

/* ---- for the encoders --------------------------------------------------------------------------------------------------------------- */

static inline v16 v_sub(v16 x, v16 y)
{
    return YT_EACH2(v16, vsubq_f32, x, y);
}

static inline v16 v_sqrt(v16 x)
{
    return YT_EACH1(v16, vsqrtq_f32, x);
}

static inline v16 v_trunc(v16 x)
{
    return YT_EACH1(v16, vrndq_f32, x);
}

static inline v16 v_select_greater(v16 a, v16 b, v16 x, v16 y)
{
    return (v16){vbslq_f32(vcgtq_f32(a.a, b.a), x.a, y.a), vbslq_f32(vcgtq_f32(a.b, b.b), x.b, y.b), vbslq_f32(vcgtq_f32(a.c, b.c), x.c, y.c),
        vbslq_f32(vcgtq_f32(a.d, b.d), x.d, y.d)};
}

static inline float v_largest(v16 x)
{
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.a, x.b), vmaxq_f32(x.c, x.d)));
}

static inline void v_store_f16(uint16_t *p, v16 x)
{
    vst1q_u16(p, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.a), x.b)));
    vst1q_u16(p + 8, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.c), x.d)));
}

#endif
