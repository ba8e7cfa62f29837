/* Sixteen lanes in two ymm registers. Same bits as vec16_portable.h; see there for what each function does. */
#ifndef YT_VEC16_AVX2_H
#define YT_VEC16_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    __m256 a, b;
} v16;

typedef struct {
    __m256i a, b;
} vi16;

static inline v16 v_pair(__m256 a, __m256 b)
{
    v16 r = {a, b};
    return r;
}

static inline vi16 vi_pair(__m256i a, __m256i b)
{
    vi16 r = {a, b};
    return r;
}

static inline v16 v_load(const float *p)
{
    return v_pair(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
}

static inline void v_store(float *p, v16 x)
{
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}

static inline v16 v_set1(float x)
{
    __m256 r = _mm256_set1_ps(x);
    return v_pair(r, r);
}

static inline v16 v_add(v16 x, v16 y)
{
    return v_pair(_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b));
}

static inline v16 v_mul(v16 x, v16 y)
{
    return v_pair(_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b));
}

static inline v16 v_div(v16 x, v16 y)
{
    return v_pair(_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b));
}

static inline v16 v_neg(v16 x)
{
    __m256 sign = _mm256_set1_ps(-0.0f);
    return v_pair(_mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign));
}

static inline v16 v_abs(v16 x)
{
    __m256 sign = _mm256_set1_ps(-0.0f);
    return v_pair(_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b));
}

static inline v16 v_fma(v16 x, v16 y, v16 z)
{
    return v_pair(_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b));
}

static inline v16 v_max(v16 x, v16 y)
{
    return v_pair(_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b));
}

static inline v16 v_min(v16 x, v16 y)
{
    return v_pair(_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b));
}

static inline v16 v_roundeven(v16 x)
{
    return v_pair(
        _mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline __m256 v_power2(__m256 n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}

static inline v16 v_scale2(v16 p, v16 n)
{
    return v_pair(_mm256_mul_ps(p.a, v_power2(n.a)), _mm256_mul_ps(p.b, v_power2(n.b)));
}

static inline v16 v_load_f16(const uint16_t *p)
{
    return v_pair(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8))));
}

static inline __m256 v_widen_bf16(const uint16_t *p)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}

static inline v16 v_load_bf16(const uint16_t *p)
{
    return v_pair(v_widen_bf16(p), v_widen_bf16(p + 8));
}

static inline int32_t v_store_i8(int8_t *p, v16 x)
{
    __m256i a = _mm256_cvtps_epi32(x.a);
    __m256i b = _mm256_cvtps_epi32(x.b);
    __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
    __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128((__m128i *)p, bytes);
    __m256i sums = _mm256_madd_epi16(words, _mm256_set1_epi16(1));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1));
    return _mm_cvtsi128_si32(s);
}

static inline vi16 vi_add(vi16 x, vi16 y)
{
    return vi_pair(_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b));
}

static inline v16 vi_to_float(vi16 x)
{
    return v_pair(_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b));
}

static inline vi16 vi_start_q4(int32_t sum)
{
    __m256i r = _mm256_set1_epi32(-8 * sum);
    return vi_pair(r, r);
}

/* vi_dot_q8 takes the weights as signed numbers, so there is no offset. */
static inline vi16 vi_start_q8(int32_t sum)
{
    (void)sum;
    return vi_pair(_mm256_setzero_si256(), _mm256_setzero_si256());
}

static inline __m256i vi_broadcast4(const int8_t *y)
{
    int32_t four;
    memcpy(&four, y, sizeof four);
    return _mm256_set1_epi32(four);
}

/* Sums of two products, then of four. w is unsigned. The sum of two products must fit 16 bits. */
static inline __m256i vi_products(__m256i w, __m256i y)
{
    return _mm256_madd_epi16(_mm256_maddubs_epi16(w, y), _mm256_set1_epi16(1));
}

/* |w| <= 128 and |y| <= 127, so that two products are at most 2 * 128 * 127 = 32512, which 16 bits hold. */
static inline __m256i vi_dot_half_q8(const uint8_t *w, __m256i y)
{
    __m256i s = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)w), _mm256_set1_epi8((char)0x80));
    return vi_products(_mm256_abs_epi8(s), _mm256_sign_epi8(y, s));
}

static inline vi16 vi_dot_q8(vi16 acc, const uint8_t *w, const int8_t *y)
{
    __m256i four = vi_broadcast4(y);
    return vi_add(acc, vi_pair(vi_dot_half_q8(w, four), vi_dot_half_q8(w + 32, four)));
}

/* Nibbles are at most 15, so that two products are at most 2 * 15 * 127 = 3810, which 16 bits hold. */
static inline void vi_dot_q4(vi16 *low, vi16 *high, const uint8_t *w, const int8_t *y_low, const int8_t *y_high)
{
    __m256i mask = _mm256_set1_epi8(15);
    __m256i a = _mm256_loadu_si256((const __m256i *)w);
    __m256i b = _mm256_loadu_si256((const __m256i *)(w + 32));
    __m256i yl = vi_broadcast4(y_low);
    __m256i yh = vi_broadcast4(y_high);
    __m256i a_high = _mm256_and_si256(_mm256_srli_epi16(a, 4), mask);
    __m256i b_high = _mm256_and_si256(_mm256_srli_epi16(b, 4), mask);
    *low = vi_add(*low, vi_pair(vi_products(_mm256_and_si256(a, mask), yl), vi_products(_mm256_and_si256(b, mask), yl)));
    *high = vi_add(*high, vi_pair(vi_products(a_high, yh), vi_products(b_high, yh)));
}

/* ---- for the encoders --------------------------------------------------------------------------------------------------------------- */

static inline v16 v_sub(v16 x, v16 y)
{
    return v_pair(_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b));
}

static inline v16 v_sqrt(v16 x)
{
    return v_pair(_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b));
}

static inline v16 v_trunc(v16 x)
{
    return v_pair(_mm256_round_ps(x.a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC), _mm256_round_ps(x.b, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC));
}

static inline v16 v_select_greater(v16 a, v16 b, v16 x, v16 y)
{
    return v_pair(_mm256_blendv_ps(y.a, x.a, _mm256_cmp_ps(a.a, b.a, _CMP_GT_OQ)), _mm256_blendv_ps(y.b, x.b, _mm256_cmp_ps(a.b, b.b, _CMP_GT_OQ)));
}

static inline float v_largest(v16 x)
{
    __m256 eight = _mm256_max_ps(x.a, x.b);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline void v_store_f16(uint16_t *p, v16 x)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x.a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)(p + 8), _mm256_cvtps_ph(x.b, _MM_FROUND_TO_NEAREST_INT));
}

#endif
