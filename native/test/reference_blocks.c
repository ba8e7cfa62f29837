/* GGML's blocks read one element at a time, by index arithmetic: slow, and unlike what the library does. */
#include "reference.h"

#include "yangtuo.h"

#include <math.h>
#include <stddef.h>

static const ref_type TYPES[] = {
    {YT_F32, "F32", 1, 4, 0, false},
    {YT_F16, "F16", 1, 2, 0, false},
    {YT_BF16, "BF16", 1, 2, 0, false},
    {YT_Q4_0, "Q4_0", 32, 18, 32, false},
    {YT_Q4_1, "Q4_1", 32, 20, 32, true},
    {YT_Q5_0, "Q5_0", 32, 22, 32, false},
    {YT_Q5_1, "Q5_1", 32, 24, 32, true},
    {YT_Q8_0, "Q8_0", 32, 34, 32, false},
    {YT_Q2_K, "Q2_K", 256, 84, 16, true},
    {YT_Q3_K, "Q3_K", 256, 110, 16, false},
    {YT_Q4_K, "Q4_K", 256, 144, 32, true},
    {YT_Q5_K, "Q5_K", 256, 176, 32, true},
    {YT_Q6_K, "Q6_K", 256, 210, 16, false},
    {YT_IQ4_NL, "IQ4_NL", 32, 18, 32, false},
    {YT_IQ4_XS, "IQ4_XS", 256, 136, 32, false},
    {YT_MXFP4, "MXFP4", 32, 17, 32, false},
};

const ref_type *ref_find_type(int32_t type)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (TYPES[i].type == type) {
            return &TYPES[i];
        }
    }
    return NULL;
}

int64_t ref_row_bytes(int32_t type, int64_t columns)
{
    const ref_type *t = ref_find_type(type);
    return t == NULL || columns % t->block_elements != 0 ? -1 : columns / t->block_elements * t->block_bytes;
}

uint16_t ref_read16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static float half_at(const uint8_t *p)
{
    return (float)ref_half_value(ref_read16(p));
}

/* count bits of a byte string, from bit number first on; bits count from the lowest of the first byte. */
static int bits_at(const uint8_t *p, int first, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        value |= (p[(first + i) / 8] >> (first + i) % 8 & 1) << i;
    }
    return value;
}

/* Of blocks of 32: elements 0 to 15 are low nibbles, 16 to 31 high ones. */
static int nibble_of_32(const uint8_t *qs, int i)
{
    return bits_at(qs, i % 16 * 8 + i / 16 * 4, 4);
}

/* Of Q4_K and Q5_K: 64 elements in 32 bytes, the first half of them low nibbles. */
static int nibble_of_64(const uint8_t *qs, int i)
{
    return bits_at(qs, (i / 64 * 32 + i % 32) * 8 + i % 64 / 32 * 4, 4);
}

/* Of Q2_K and Q3_K: 128 elements in 32 bytes. */
static int two_bits_of_128(const uint8_t *qs, int i)
{
    return bits_at(qs, (i / 128 * 32 + i % 32) * 8 + i % 128 / 32 * 2, 2);
}

/* Six bits of scale (which = 0) or minimum (which = 1) of a part of Q4_K and Q5_K. */
static int six_bits(const uint8_t *packed, int part, int which)
{
    if (part < 4) {
        return bits_at(packed, (part + 4 * which) * 8, 6);
    }
    return bits_at(packed, (part + 4) * 8 + 4 * which, 4) | bits_at(packed, (part - 4 + 4 * which) * 8 + 6, 2) << 4;
}

static ref_element element_of_32(int32_t type, const uint8_t *p, int i)
{
    static const int iq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    static const int fp4[8] = {0, 1, 2, 3, 4, 6, 8, 12};
    switch (type) {
    case YT_Q4_0:
        return (ref_element){nibble_of_32(p + 2, i) - 8, half_at(p), 0};
    case YT_Q4_1:
        return (ref_element){nibble_of_32(p + 4, i), half_at(p), -half_at(p + 2)};
    case YT_Q5_0:
        return (ref_element){(nibble_of_32(p + 6, i) | bits_at(p + 2, i, 1) << 4) - 16, half_at(p), 0};
    case YT_Q5_1:
        return (ref_element){nibble_of_32(p + 8, i) | bits_at(p + 4, i, 1) << 4, half_at(p), -half_at(p + 2)};
    case YT_Q8_0:
        return (ref_element){(int8_t)p[2 + i], half_at(p), 0};
    case YT_IQ4_NL:
        return (ref_element){iq4[nibble_of_32(p + 2, i)], half_at(p), 0};
    case YT_IQ4_XS: {
        int part = i / 32;
        int scale = (bits_at(p + 4, 4 * part, 4) | bits_at(p + 2, 2 * part, 2) << 4) - 32;
        return (ref_element){iq4[nibble_of_32(p + 8 + 16 * part, i % 32)], half_at(p) * (float)scale, 0};
    }
    default: { /* MXFP4 */
        int code = nibble_of_32(p + 1, i);
        return (ref_element){code < 8 ? fp4[code] : -fp4[code - 8], (float)ldexp(1.0, p[0] - 128), 0};
    }
    }
}

ref_element ref_block_element(int32_t type, const uint8_t *p, int i)
{
    int part = i / 16;
    switch (type) {
    case YT_Q2_K:
        return (ref_element){two_bits_of_128(p + 16, i), half_at(p + 80) * (float)(p[part] % 16), half_at(p + 82) * (float)(p[part] / 16)};
    case YT_Q3_K: {
        int scale = (bits_at(p + 96, part % 8 * 8 + part / 8 * 4, 4) | bits_at(p + 104, part % 4 * 8 + part / 4 * 2, 2) << 4) - 32;
        int q = two_bits_of_128(p + 32, i) - (bits_at(p, i % 32 * 8 + i / 32, 1) != 0 ? 0 : 4);
        return (ref_element){q, half_at(p + 108) * (float)scale, 0};
    }
    case YT_Q4_K:
    case YT_Q5_K: {
        int q = nibble_of_64(p + (type == YT_Q4_K ? 16 : 48), i);
        if (type == YT_Q5_K) {
            q += 16 * bits_at(p + 16, i % 32 * 8 + i / 32, 1);
        }
        return (ref_element){q, half_at(p) * (float)six_bits(p + 4, i / 32, 0), half_at(p + 2) * (float)six_bits(p + 4, i / 32, 1)};
    }
    case YT_Q6_K: {
        int low = bits_at(p, (i / 128 * 64 + i % 64) * 8 + i % 128 / 64 * 4, 4);
        int high = two_bits_of_128(p + 128, i);
        return (ref_element){(low | high << 4) - 32, half_at(p + 208) * (float)(int8_t)p[192 + part], 0};
    }
    default:
        return element_of_32(type, p, i);
    }
}
