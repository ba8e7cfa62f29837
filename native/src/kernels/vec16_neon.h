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

static inline int v_any_nan(v16 x)
{
    uint32x4_t sound = vandq_u32(vandq_u32(vceqq_f32(x.a, x.a), vceqq_f32(x.b, x.b)), vandq_u32(vceqq_f32(x.c, x.c), vceqq_f32(x.d, x.d)));
    return vminvq_u32(sound) == 0;
}

static inline vi16 vi_set1(int32_t x)
{
    int32x4_t r = vdupq_n_s32(x);
    return (vi16){r, r, r, r};
}

static inline vi16 vi_sub(vi16 x, vi16 y)
{
    return YT_EACH2(vi16, vsubq_s32, x, y);
}

static inline vi16 vi_max(vi16 x, vi16 y)
{
    return YT_EACH2(vi16, vmaxq_s32, x, y);
}

static inline vi16 vi_or(vi16 x, vi16 y)
{
    return YT_EACH2(vi16, vorrq_s32, x, y);
}

static inline vi16 vi_and(vi16 x, int32_t mask)
{
    return YT_EACH2(vi16, vandq_s32, x, vi_set1(mask));
}

/* Shifts are written as the compiler's own, so that a constant becomes part of the instruction. */
static inline vi16 vi_shl(vi16 x, int n)
{
#define YT_SHIFT(q) ((int32x4_t)((uint32x4_t)(q) << (uint32_t)n))
    return YT_EACH1(vi16, YT_SHIFT, x);
#undef YT_SHIFT
}

static inline vi16 vi_shr(vi16 x, int n)
{
#define YT_SHIFT(q) ((int32x4_t)((uint32x4_t)(q) >> (uint32_t)n))
    return YT_EACH1(vi16, YT_SHIFT, x);
#undef YT_SHIFT
}

static inline vi16 vi_load_u16(const uint16_t *p)
{
    uint16x8_t low = vld1q_u16(p);
    uint16x8_t high = vld1q_u16(p + 8);
    return (vi16){vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))), vreinterpretq_s32_u32(vmovl_high_u16(low)),
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))), vreinterpretq_s32_u32(vmovl_high_u16(high))};
}

static inline vi16 vi_load_u8(const uint8_t *p)
{
    uint8x16_t x = vld1q_u8(p);
    uint16x8_t low = vmovl_u8(vget_low_u8(x));
    uint16x8_t high = vmovl_high_u8(x);
    return (vi16){vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))), vreinterpretq_s32_u32(vmovl_high_u16(low)),
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))), vreinterpretq_s32_u32(vmovl_high_u16(high))};
}

static inline vi16 vi_load_s8(const int8_t *p)
{
    int8x16_t x = vld1q_s8(p);
    int16x8_t low = vmovl_s8(vget_low_s8(x));
    int16x8_t high = vmovl_high_s8(x);
    return (vi16){vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)};
}

static inline v16 v_bits(vi16 x)
{
    return YT_EACH1(v16, vreinterpretq_f32_s32, x);
}

/* ---- 64 bytes: four consecutive inputs of sixteen rows --------------------------------------------------------------------------------- */

typedef struct {
    uint8x16_t a, b, c, d;
} vb;

static inline vb vb_load(const uint8_t *p)
{
    return (vb){vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)};
}

static inline void vb_store(uint8_t *p, vb x)
{
    vst1q_u8(p, x.a);
    vst1q_u8(p + 16, x.b);
    vst1q_u8(p + 32, x.c);
    vst1q_u8(p + 48, x.d);
}

static inline vb vb_and(vb x, int mask)
{
    uint8x16_t m = vdupq_n_u8((uint8_t)mask);
    return (vb){vandq_u8(x.a, m), vandq_u8(x.b, m), vandq_u8(x.c, m), vandq_u8(x.d, m)};
}

static inline vb vb_or(vb x, vb y)
{
    return YT_EACH2(vb, vorrq_u8, x, y);
}

static inline vb vb_shr(vb x, int n)
{
#define YT_SHIFT(q) ((q) >> (uint8_t)n)
    return YT_EACH1(vb, YT_SHIFT, x);
#undef YT_SHIFT
}

static inline vb vb_shl(vb x, int n)
{
#define YT_SHIFT(q) ((q) << (uint8_t)n)
    return YT_EACH1(vb, YT_SHIFT, x);
#undef YT_SHIFT
}

static inline vb vb_lookup(const uint8_t *table, vb x)
{
    uint8x16_t t = vld1q_u8(table);
    return (vb){vqtbl1q_u8(t, x.a), vqtbl1q_u8(t, x.b), vqtbl1q_u8(t, x.c), vqtbl1q_u8(t, x.d)};
}

static inline vb vi_broadcast4(const int8_t *y)
{
    uint32_t four;
    memcpy(&four, y, sizeof four);
    uint8x16_t r = vreinterpretq_u8_u32(vdupq_n_u32(four));
    return (vb){r, r, r, r};
}

#if defined(__ARM_FEATURE_MATMUL_INT8)

static inline vi16 vi_start(int32_t minus_sum, int zero_bit, int wide)
{
    (void)wide;
    return vi_set1(minus_sum * (1 << zero_bit));
}

static inline int32x4_t vi_dot4(int32x4_t acc, uint8x16_t w, uint8x16_t y, int wide)
{
    (void)wide;
    return vusdotq_s32(acc, w, vreinterpretq_s8_u8(y));
}

#else

/* Wide weights are taken as signed; narrow ones are the same number signed and unsigned. */
static inline vi16 vi_start(int32_t minus_sum, int zero_bit, int wide)
{
    return vi_set1(wide ? 0 : minus_sum * (1 << zero_bit));
}

static inline int32x4_t vi_dot4(int32x4_t acc, uint8x16_t w, uint8x16_t y, int wide)
{
    uint8x16_t s = wide ? veorq_u8(w, vdupq_n_u8(0x80)) : w;
    return vdotq_s32(acc, vreinterpretq_s8_u8(s), vreinterpretq_s8_u8(y));
}

#endif

static inline vi16 vi_dot(vi16 acc, vb w, vb y, int wide)
{
    return (vi16){vi_dot4(acc.a, w.a, y.a, wide), vi_dot4(acc.b, w.b, y.b, wide), vi_dot4(acc.c, w.c, y.c, wide), vi_dot4(acc.d, w.d, y.d, wide)};
}

/* bfdot rounds otherwise. */
static inline float32x4_t v_dot4_bf16(float32x4_t acc, uint8x16_t w, uint8x16_t y)
{
    uint32x4_t high = vdupq_n_u32(0xFFFF0000);
    uint32x4_t ws = vreinterpretq_u32_u8(w);
    uint32x4_t ys = vreinterpretq_u32_u8(y);
    acc = vfmaq_f32(acc, vreinterpretq_f32_u32(vandq_u32(ws, high)), vreinterpretq_f32_u32(vandq_u32(ys, high)));
    return vfmaq_f32(acc, vreinterpretq_f32_u32(vshlq_n_u32(ws, 16)), vreinterpretq_f32_u32(vshlq_n_u32(ys, 16)));
}

static inline v16 v_dot_bf16(v16 acc, vb w, vb y)
{
    return (v16){v_dot4_bf16(acc.a, w.a, y.a), v_dot4_bf16(acc.b, w.b, y.b), v_dot4_bf16(acc.c, w.c, y.c), v_dot4_bf16(acc.d, w.d, y.d)};
}

/* Always inlined: calls of a function that does nothing else are removed. */
static inline __attribute__((always_inline)) void v_prefetch(const uint8_t *p, int bytes)
{
#pragma GCC unroll 8
    for (int i = 0; i < bytes; i += 64) {
        __builtin_prefetch(p + i);
    }
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
    float32x4_t four = v_max4(v_max4(x.a, x.c), v_max4(x.b, x.d));
    float32x4_t two = v_max4(four, vextq_f32(four, four, 2));
    return vgetq_lane_f32(v_max4(two, vextq_f32(two, two, 1)), 0);
}

static inline void v_store_f16(uint16_t *p, v16 x)
{
    vst1q_u16(p, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.a), x.b)));
    vst1q_u16(p + 8, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.c), x.d)));
}

/* Of 32 registers, 16 have sums, four weights, one to four activations. More columns than two, taken apart in registers, would leave none. */
#define YT_PANEL_GROUPS 1
#define YT_FLOAT_GROUPS 1
#define YT_STEP_COLUMNS 4
#define YT_SCORE_QUERIES 2
#define YT_VALUE_QUERIES 2
#define YT_DIRECT_COLUMNS 2

#endif
