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

static inline v16 v_load_bf16(const uint16_t *p)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
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

static inline vi16 vi_start_q4(int32_t sum)
{
    return _mm512_set1_epi32(-8 * sum);
}

static inline vi16 vi_start_q8(int32_t sum)
{
    return _mm512_set1_epi32(-128 * sum);
}

static inline __m512i vi_broadcast4(const int8_t *y)
{
    int32_t four;
    memcpy(&four, y, sizeof four);
    return _mm512_set1_epi32(four);
}

static inline vi16 vi_dot_q8(vi16 acc, const uint8_t *w, const int8_t *y)
{
    return _mm512_dpbusd_epi32(acc, _mm512_loadu_si512(w), vi_broadcast4(y));
}

static inline void vi_dot_q4(vi16 *low, vi16 *high, const uint8_t *w, const int8_t *y_low, const int8_t *y_high)
{
    __m512i mask = _mm512_set1_epi8(15);
    __m512i packed = _mm512_loadu_si512(w);
    *low = _mm512_dpbusd_epi32(*low, _mm512_and_si512(packed, mask), vi_broadcast4(y_low));
    *high = _mm512_dpbusd_epi32(*high, _mm512_and_si512(_mm512_srli_epi16(packed, 4), mask), vi_broadcast4(y_high));
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

#endif
