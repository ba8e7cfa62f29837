/* binary16 and bfloat16 in portable C. Widening is exact, narrowing rounds to nearest even. */
#ifndef YT_HALF_H
#define YT_HALF_H

#include <stdint.h>
#include <string.h>

static inline float yt_bits_to_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t yt_float_to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float yt_bfloat_to_float(uint16_t h)
{
    return yt_bits_to_float((uint32_t)h << 16);
}

/* Rounds to nearest even; NaN becomes a quiet one. */
static inline uint16_t yt_float_to_bfloat(float value)
{
    uint32_t bits = yt_float_to_bits(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) {
        return (uint16_t)(bits >> 16 | 0x40);
    }
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static inline float yt_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = (h >> 10) & 0x1F;
    uint32_t fraction = h & 0x3FF;
    if (exponent == 0) {
        /* Zero or subnormal: fraction * 2^-24, exact in binary32. */
        float value = (float)fraction * 0x1p-24f;
        return yt_bits_to_float(yt_float_to_bits(value) | sign);
    }
    if (exponent == 31) {
        /* A signalling NaN becomes quiet, as the processor's conversion does. */
        uint32_t quiet = fraction != 0 ? 0x400000 : 0;
        return yt_bits_to_float(sign | 0x7F800000 | quiet | fraction << 13);
    }
    return yt_bits_to_float(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t yt_float_to_half(float value)
{
    uint32_t bits = yt_float_to_bits(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7FFFFFFF;
    if (bits > 0x7F800000) {
        return (uint16_t)(sign | 0x7E00 | (bits >> 13 & 0x1FF));
    }
    if (bits >= 0x477FF000) {
        /* 65520 and more round to infinity. */
        return (uint16_t)(sign | 0x7C00);
    }
    if (bits < 0x38800000) {
        /* Below 2^-14: adding 0.5 puts the last bit of a subnormal half at the last bit of the sum, which rounds to nearest even. */
        float sum = yt_bits_to_float(bits) + 0.5f;
        return (uint16_t)(sign | (yt_float_to_bits(sum) - 0x3F000000));
    }
    uint32_t odd = bits >> 13 & 1;
    return (uint16_t)(sign | ((bits - 0x38000000 + 0xFFF + odd) >> 13));
}

#endif
