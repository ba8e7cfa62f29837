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

static inline int v_any_nan(v16 x)
{
    __m256 odd = _mm256_or_ps(_mm256_cmp_ps(x.a, x.a, _CMP_UNORD_Q), _mm256_cmp_ps(x.b, x.b, _CMP_UNORD_Q));
    return _mm256_movemask_ps(odd) != 0;
}

static inline vi16 vi_set1(int32_t x)
{
    __m256i r = _mm256_set1_epi32(x);
    return vi_pair(r, r);
}

static inline vi16 vi_sub(vi16 x, vi16 y)
{
    return vi_pair(_mm256_sub_epi32(x.a, y.a), _mm256_sub_epi32(x.b, y.b));
}

static inline vi16 vi_max(vi16 x, vi16 y)
{
    return vi_pair(_mm256_max_epi32(x.a, y.a), _mm256_max_epi32(x.b, y.b));
}

static inline vi16 vi_or(vi16 x, vi16 y)
{
    return vi_pair(_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b));
}

static inline vi16 vi_and(vi16 x, int32_t mask)
{
    __m256i m = _mm256_set1_epi32(mask);
    return vi_pair(_mm256_and_si256(x.a, m), _mm256_and_si256(x.b, m));
}

/* Shifts are written as the compiler's own, so that a constant becomes part of the instruction. */
static inline vi16 vi_shl(vi16 x, int n)
{
    return vi_pair((__m256i)((__v8su)x.a << (unsigned)n), (__m256i)((__v8su)x.b << (unsigned)n));
}

static inline vi16 vi_shr(vi16 x, int n)
{
    return vi_pair((__m256i)((__v8su)x.a >> (unsigned)n), (__m256i)((__v8su)x.b >> (unsigned)n));
}

static inline vi16 vi_load_u8(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    return vi_pair(_mm256_cvtepu8_epi32(x), _mm256_cvtepu8_epi32(_mm_srli_si128(x, 8)));
}

static inline vi16 vi_load_s8(const int8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    return vi_pair(_mm256_cvtepi8_epi32(x), _mm256_cvtepi8_epi32(_mm_srli_si128(x, 8)));
}

static inline vi16 vi_load_u16(const uint16_t *p)
{
    return vi_pair(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p + 8))));
}

static inline v16 v_bits(vi16 x)
{
    return v_pair(_mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b));
}

/* ---- 64 bytes: four consecutive inputs of sixteen rows --------------------------------------------------------------------------------- */

typedef vi16 vb;

static inline vb vb_load(const uint8_t *p)
{
    return vi_pair(_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32)));
}

static inline void vb_store(uint8_t *p, vb x)
{
    _mm256_storeu_si256((__m256i *)p, x.a);
    _mm256_storeu_si256((__m256i *)(p + 32), x.b);
}

static inline vb vb_and(vb x, int mask)
{
    __m256i m = _mm256_set1_epi8((char)mask);
    return vi_pair(_mm256_and_si256(x.a, m), _mm256_and_si256(x.b, m));
}

static inline vb vb_or(vb x, vb y)
{
    return vi_or(x, y);
}

static inline vb vb_shr(vb x, int n)
{
    return vi_pair((__m256i)((__v16hu)x.a >> (unsigned short)n), (__m256i)((__v16hu)x.b >> (unsigned short)n));
}

static inline vb vb_shl(vb x, int n)
{
    return vi_pair((__m256i)((__v16hu)x.a << (unsigned short)n), (__m256i)((__v16hu)x.b << (unsigned short)n));
}

static inline vb vb_lookup(const uint8_t *table, vb x)
{
    __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    return vi_pair(_mm256_shuffle_epi8(t, x.a), _mm256_shuffle_epi8(t, x.b));
}

static inline vb vi_broadcast4(const int8_t *y)
{
    int32_t four;
    memcpy(&four, y, sizeof four);
    return vi_set1(four);
}

/* Wide weights are taken as signed. */
static inline vi16 vi_start(int32_t minus_sum, int zero_bit, int wide)
{
    return wide ? vi_set1(0) : vi_set1(minus_sum * (1 << zero_bit));
}

/* Sums of two products in 16 bits, then of four. w is unsigned. */
static inline __m256i vi_products(__m256i w, __m256i y)
{
    return _mm256_madd_epi16(_mm256_maddubs_epi16(w, y), _mm256_set1_epi16(1));
}

static inline __m256i vi_signed_products(__m256i w, __m256i y)
{
    __m256i s = _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80));
    return vi_products(_mm256_abs_epi8(s), _mm256_sign_epi8(y, s));
}

/*
 * Narrow weights are at most 63: 2 * 63 * 127 fits 16 bits. Wide ones give their signs to the activations: |w| <= 128 and |y| <= 127, and
 * 2 * 128 * 127 = 32512 fits as well.
 */
static inline vi16 vi_dot(vi16 acc, vb w, vb y, int wide)
{
    if (wide) {
        return vi_add(acc, vi_pair(vi_signed_products(w.a, y.a), vi_signed_products(w.b, y.b)));
    }
    return vi_add(acc, vi_pair(vi_products(w.a, y.a), vi_products(w.b, y.b)));
}

static inline __m256 vi_high_bf16(__m256i x)
{
    return _mm256_castsi256_ps(_mm256_and_si256(x, _mm256_set1_epi32((int)0xFFFF0000)));
}

static inline __m256 vi_low_bf16(__m256i x)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16));
}

static inline v16 v_dot_bf16(v16 acc, vb w, vb y)
{
    acc = v_fma(v_pair(vi_high_bf16(w.a), vi_high_bf16(w.b)), v_pair(vi_high_bf16(y.a), vi_high_bf16(y.b)), acc);
    return v_fma(v_pair(vi_low_bf16(w.a), vi_low_bf16(w.b)), v_pair(vi_low_bf16(y.a), vi_low_bf16(y.b)), acc);
}

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

/* 8 registers of sums, two of weights, one of activations, some to work with. */
#define YT_PANEL_GROUPS 1
#define YT_FLOAT_GROUPS 1
#define YT_STEP_COLUMNS 4
#define YT_SCORE_QUERIES 2
#define YT_VALUE_QUERIES 2

#endif
