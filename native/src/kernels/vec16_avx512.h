/* Sixteen lanes in one zmm register. Same bits as vec16_portable.h; see there for what each function does. */
#ifndef YT_VEC16_AVX512_H
#define YT_VEC16_AVX512_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef __m512 v16;
typedef __m512i vi16;

static inline v16 v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void v_store(float *p, v16 x)
{
    _mm512_storeu_ps(p, x);
}

static inline v16 v_set1(float x)
{
    return _mm512_set1_ps(x);
}

static inline v16 v_add(v16 x, v16 y)
{
    return _mm512_add_ps(x, y);
}

static inline v16 v_mul(v16 x, v16 y)
{
    return _mm512_mul_ps(x, y);
}

static inline v16 v_div(v16 x, v16 y)
{
    return _mm512_div_ps(x, y);
}

static inline v16 v_neg(v16 x)
{
    return _mm512_xor_ps(x, _mm512_set1_ps(-0.0f));
}

static inline v16 v_abs(v16 x)
{
    return _mm512_abs_ps(x);
}

static inline v16 v_fma(v16 x, v16 y, v16 z)
{
    return _mm512_fmadd_ps(x, y, z);
}

static inline v16 v_max(v16 x, v16 y)
{
    return _mm512_max_ps(x, y);
}

static inline v16 v_min(v16 x, v16 y)
{
    return _mm512_min_ps(x, y);
}

static inline v16 v_roundeven(v16 x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

static inline v16 v_scale2(v16 p, v16 n)
{
    __m512i power = _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23);
    return _mm512_mul_ps(p, _mm512_castsi512_ps(power));
}

static inline v16 v_load_f16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

static inline int32_t v_store_i8(int8_t *p, v16 x)
{
    __m512i q = _mm512_cvtps_epi32(x);
    _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(q));
    return _mm512_reduce_add_epi32(q);
}

static inline vi16 vi_add(vi16 x, vi16 y)
{
    return _mm512_add_epi32(x, y);
}

static inline v16 vi_to_float(vi16 x)
{
    return _mm512_cvtepi32_ps(x);
}

static inline int v_any_nan(v16 x)
{
    return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0;
}

static inline vi16 vi_set1(int32_t x)
{
    return _mm512_set1_epi32(x);
}

static inline vi16 vi_sub(vi16 x, vi16 y)
{
    return _mm512_sub_epi32(x, y);
}

static inline vi16 vi_max(vi16 x, vi16 y)
{
    return _mm512_max_epi32(x, y);
}

static inline vi16 vi_or(vi16 x, vi16 y)
{
    return _mm512_or_si512(x, y);
}

static inline vi16 vi_and(vi16 x, int32_t mask)
{
    return _mm512_and_si512(x, _mm512_set1_epi32(mask));
}

/* Shifts are written as the compiler's own, so that a constant becomes part of the instruction. */
static inline vi16 vi_shl(vi16 x, int n)
{
    return (vi16)((__v16su)x << (unsigned)n);
}

static inline vi16 vi_shr(vi16 x, int n)
{
    return (vi16)((__v16su)x >> (unsigned)n);
}

static inline vi16 vi_load_u8(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

static inline vi16 vi_load_s8(const int8_t *p)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p));
}

static inline vi16 vi_load_u16(const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
}

static inline v16 v_bits(vi16 x)
{
    return _mm512_castsi512_ps(x);
}

/* ---- 64 bytes: four consecutive inputs of sixteen rows --------------------------------------------------------------------------------- */

typedef __m512i vb;

static inline vb vb_load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

static inline void vb_store(uint8_t *p, vb x)
{
    _mm512_storeu_si512(p, x);
}

static inline vb vb_and(vb x, int mask)
{
    return _mm512_and_si512(x, _mm512_set1_epi8((char)mask));
}

static inline vb vb_or(vb x, vb y)
{
    return _mm512_or_si512(x, y);
}

static inline vb vb_shr(vb x, int n)
{
    return (vb)((__v32hu)x >> (unsigned short)n);
}

static inline vb vb_shl(vb x, int n)
{
    return (vb)((__v32hu)x << (unsigned short)n);
}

static inline vb vb_lookup(const uint8_t *table, vb x)
{
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table)), x);
}

static inline vb vi_broadcast4(const int8_t *y)
{
    int32_t four;
    memcpy(&four, y, sizeof four);
    return _mm512_set1_epi32(four);
}

#if defined(__AVX512VNNI__)

static inline vi16 vi_start(int32_t minus_sum, int zero_bit, int wide)
{
    (void)wide;
    return vi_shl(_mm512_set1_epi32(minus_sum), zero_bit);
}

static inline vi16 vi_dot(vi16 acc, vb w, vb y, int wide)
{
    (void)wide;
    return _mm512_dpbusd_epi32(acc, w, y);
}

#else

static inline vi16 vi_start(int32_t minus_sum, int zero_bit, int wide)
{
    return wide ? _mm512_setzero_si512() : vi_shl(_mm512_set1_epi32(minus_sum), zero_bit);
}

/*
 * Sums of two products in 16 bits, then of four. Narrow weights are at most 63: 2 * 63 * 127 fits. Wide ones are taken as signed, their signs given to the
 * activations: |w| <= 128 and |y| <= 127, and 2 * 128 * 127 = 32512 fits as well.
 */
static inline vi16 vi_dot(vi16 acc, vb w, vb y, int wide)
{
    if (wide) {
        __m512i s = _mm512_xor_si512(w, _mm512_set1_epi8((char)0x80));
        y = _mm512_mask_sub_epi8(y, _mm512_movepi8_mask(s), _mm512_setzero_si512(), y);
        w = _mm512_abs_epi8(s);
    }
    return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(w, y), _mm512_set1_epi16(1)));
}

#endif

#if defined(__AVX512BF16__)

static inline v16 v_dot_bf16(v16 acc, vb w, vb y)
{
    return _mm512_dpbf16_ps(acc, (__m512bh)w, (__m512bh)y);
}

#else

static inline v16 v_dot_bf16(v16 acc, vb w, vb y)
{
    __m512i high = _mm512_set1_epi32((int)0xFFFF0000);
    acc = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(w, high)), _mm512_castsi512_ps(_mm512_and_si512(y, high)), acc);
    return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(w, 16)), _mm512_castsi512_ps(_mm512_slli_epi32(y, 16)), acc);
}

#endif

/* Always inlined: calls of a function that does nothing else are removed. */
static inline __attribute__((always_inline)) void v_prefetch(const uint8_t *p, int bytes)
{
#pragma GCC unroll 8
    for (int i = 0; i < bytes; i += 64) {
        _mm_prefetch((const char *)p + i, _MM_HINT_T0);
    }
}

/* ---- for the encoders --------------------------------------------------------------------------------------------------------------- */

static inline v16 v_sub(v16 x, v16 y)
{
    return _mm512_sub_ps(x, y);
}

static inline v16 v_sqrt(v16 x)
{
    return _mm512_sqrt_ps(x);
}

static inline v16 v_trunc(v16 x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

static inline v16 v_select_greater(v16 a, v16 b, v16 x, v16 y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), y, x);
}

static inline float v_largest(v16 x)
{
    return _mm512_reduce_max_ps(x);
}

static inline void v_store_f16(uint16_t *p, v16 x)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

/* 12 sums, or 24 of half a part, three vectors of weights and one of activations; what is left lets one part overlap the next. */
#define YT_PANEL_GROUPS 3
#define YT_FLOAT_GROUPS 3
#define YT_STEP_COLUMNS 4
#define YT_SCORE_QUERIES 8
#define YT_VALUE_QUERIES 8

#endif
