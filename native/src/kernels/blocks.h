/*
 * Blocks as GGML stores them, taken apart: an integer for each element, a scale for each part of 16 or 32 elements, and for
 * some types a minimum; value = scale * q - minimum. Scales and minimums are the float32 products that GGML's dequantize_row functions
 * (ggml-quants.c) compute, so that decoded values have the same bits. Plain C; included where it is used, to be compiled for each instruction set.
 */
#ifndef YT_BLOCKS_H
#define YT_BLOCKS_H

#include "../half.h"
#include "../types.h"

#include <stdint.h>
#include <string.h>

/* Elements, and bytes, of the largest block; parts that its elements are in at most. */
#define YT_MAX_BLOCK 256
#define YT_MAX_BLOCK_BYTES 210
#define YT_MAX_PARTS (YT_MAX_BLOCK / 16)

/* One block. */
typedef struct {
    int8_t q[YT_MAX_BLOCK];
    float scales[YT_MAX_PARTS];
    float minimums[YT_MAX_PARTS];
} yt_unpacked;

static inline float yt_read_half(const uint8_t *p)
{
    return yt_half_to_float((uint16_t)(p[0] | p[1] << 8));
}

/* Byte i of qs holds elements i and i + 16, four bits of each; values may translate them. */
static inline void yt_unpack_nibbles(const uint8_t *qs, const int8_t *values, int8_t *q)
{
    for (int i = 0; i < 16; i++) {
        q[i] = values[qs[i] & 15];
        q[i + 16] = values[qs[i] >> 4];
    }
}

/* The same with a fifth bit, bit i of qh for element i; q is less by zero. */
static inline void yt_unpack_five_bits(const uint8_t *qs, const uint8_t *qh, int zero, int8_t *q)
{
    for (int i = 0; i < 16; i++) {
        int low = qh[i / 8] >> i % 8 & 1;
        int high = qh[i / 8 + 2] >> i % 8 & 1;
        q[i] = (int8_t)((qs[i] & 15) + 16 * low - zero);
        q[i + 16] = (int8_t)((qs[i] >> 4) + 16 * high - zero);
    }
}

/* d, m: binary16; 16 bytes. */
static inline void yt_unpack_q4_1(const uint8_t *block, int8_t *q, float *scales, float *minimums)
{
    scales[0] = yt_read_half(block);
    minimums[0] = -yt_read_half(block + 2);
    for (int i = 0; i < 16; i++) {
        q[i] = (int8_t)(block[4 + i] & 15);
        q[i + 16] = (int8_t)(block[4 + i] >> 4);
    }
}

/* d; 4 bytes of fifth bits; 16 bytes. */
static inline void yt_unpack_q5_0(const uint8_t *block, int8_t *q, float *scales)
{
    scales[0] = yt_read_half(block);
    yt_unpack_five_bits(block + 6, block + 2, 16, q);
}

/* d, m; 4 bytes of fifth bits; 16 bytes. */
static inline void yt_unpack_q5_1(const uint8_t *block, int8_t *q, float *scales, float *minimums)
{
    scales[0] = yt_read_half(block);
    minimums[0] = -yt_read_half(block + 2);
    yt_unpack_five_bits(block + 8, block + 4, 0, q);
}

/* 16 bytes of scales and minimums, four bits each; 64 bytes; d, dmin. 32 bytes hold 128 elements: bits 2j and 2j + 1 of byte i are element 32j + i. */
static inline void yt_unpack_q2_k(const uint8_t *block, int8_t *q, float *scales, float *minimums)
{
    float d = yt_read_half(block + 80);
    float dmin = yt_read_half(block + 82);
    for (int part = 0; part < 16; part++) {
        scales[part] = d * (float)(block[part] & 15);
        minimums[part] = dmin * (float)(block[part] >> 4);
    }
    for (int half = 0; half < 2; half++) {
        const uint8_t *qs = block + 16 + 32 * half;
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 32; i++) {
                q[128 * half + 32 * j + i] = (int8_t)(qs[i] >> 2 * j & 3);
            }
        }
    }
}

/*
 * 32 bytes of third bits: bit j of byte i is element 32j + i; 64 bytes as in Q2_K; 12 bytes of scales; d. Scale p, six bits less 32, has its low four in a
 * nibble of byte p % 8, the low ones first, and its high two in byte 8 + p % 4.
 */
static inline void yt_unpack_q3_k(const uint8_t *block, int8_t *q, float *scales)
{
    float d = yt_read_half(block + 108);
    const uint8_t *packed = block + 96;
    for (int part = 0; part < 16; part++) {
        int low = packed[part % 8] >> (part < 8 ? 0 : 4) & 15;
        int high = packed[8 + part % 4] >> part / 4 * 2 & 3;
        scales[part] = d * (float)(low + 16 * high - 32);
    }
    for (int half = 0; half < 2; half++) {
        const uint8_t *qs = block + 32 + 32 * half;
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 32; i++) {
                int third = block[i] >> (4 * half + j) & 1;
                q[128 * half + 32 * j + i] = (int8_t)((qs[i] >> 2 * j & 3) + 4 * third - 4);
            }
        }
    }
}

/*
 * Of Q4_K and Q5_K: 12 bytes hold eight scales and eight minimums of six bits. Those of the parts 0 to 3 are the low bits of bytes 0 to 3 and 4 to 7; those
 * of part 4 + j share byte 8 + j for their low four bits, and have their high two above those of part j.
 */
static inline void yt_unpack_scales_k(const uint8_t *block, float *scales, float *minimums)
{
    float d = yt_read_half(block);
    float dmin = yt_read_half(block + 2);
    const uint8_t *packed = block + 4;
    for (int j = 0; j < 4; j++) {
        scales[j] = d * (float)(packed[j] & 63);
        minimums[j] = dmin * (float)(packed[j + 4] & 63);
        scales[j + 4] = d * (float)((packed[j + 8] & 15) + 16 * (packed[j] >> 6));
        minimums[j + 4] = dmin * (float)((packed[j + 8] >> 4) + 16 * (packed[j + 4] >> 6));
    }
}

/* d, dmin; scales; 128 bytes: 32 bytes hold the low and the high nibbles of two parts. */
static inline void yt_unpack_q4_k(const uint8_t *block, int8_t *q, float *scales, float *minimums)
{
    yt_unpack_scales_k(block, scales, minimums);
    for (int pair = 0; pair < 4; pair++) {
        const uint8_t *qs = block + 16 + 32 * pair;
        for (int i = 0; i < 32; i++) {
            q[64 * pair + i] = (int8_t)(qs[i] & 15);
            q[64 * pair + 32 + i] = (int8_t)(qs[i] >> 4);
        }
    }
}

/* d, dmin; scales; 32 bytes of fifth bits: bit p of byte i is element i of part p; 128 bytes as in Q4_K. */
static inline void yt_unpack_q5_k(const uint8_t *block, int8_t *q, float *scales, float *minimums)
{
    yt_unpack_scales_k(block, scales, minimums);
    const uint8_t *qh = block + 16;
    for (int pair = 0; pair < 4; pair++) {
        const uint8_t *qs = block + 48 + 32 * pair;
        for (int i = 0; i < 32; i++) {
            q[64 * pair + i] = (int8_t)((qs[i] & 15) + 16 * (qh[i] >> 2 * pair & 1));
            q[64 * pair + 32 + i] = (int8_t)((qs[i] >> 4) + 16 * (qh[i] >> (2 * pair + 1) & 1));
        }
    }
}

/*
 * 128 bytes of low four bits; 64 bytes of high two; 16 signed scales; d. Of 128 elements, bits 2j and 2j + 1 of byte i of the high ones belong to element
 * 32j + i, whose low bits are a nibble of byte i (j even) or 32 + i (j odd), the high one for j of 2 and more.
 */
static inline void yt_unpack_q6_k(const uint8_t *block, int8_t *q, float *scales)
{
    float d = yt_read_half(block + 208);
    for (int part = 0; part < 16; part++) {
        scales[part] = d * (float)(int8_t)block[192 + part];
    }
    for (int half = 0; half < 2; half++) {
        const uint8_t *ql = block + 64 * half;
        const uint8_t *qh = block + 128 + 32 * half;
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 32; i++) {
                int low = ql[32 * (j % 2) + i] >> (j < 2 ? 0 : 4) & 15;
                q[128 * half + 32 * j + i] = (int8_t)(low + 16 * (qh[i] >> 2 * j & 3) - 32);
            }
        }
    }
}

/* What the four bits of IQ4_NL and IQ4_XS stand for (kvalues_iq4nl in ggml-common.h). */
static const int8_t YT_IQ4_VALUES[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/* d; 16 bytes. */
static inline void yt_unpack_iq4_nl(const uint8_t *block, int8_t *q, float *scales)
{
    scales[0] = yt_read_half(block);
    yt_unpack_nibbles(block + 2, YT_IQ4_VALUES, q);
}

/* d; 2 bytes with the high two bits of eight scales less 32; 4 bytes with their low four; 128 bytes: 16 for each part. */
static inline void yt_unpack_iq4_xs(const uint8_t *block, int8_t *q, float *scales)
{
    float d = yt_read_half(block);
    int scales_high = block[2] | block[3] << 8;
    for (int part = 0; part < 8; part++) {
        int low = block[4 + part / 2] >> part % 2 * 4 & 15;
        int high = scales_high >> 2 * part & 3;
        scales[part] = d * (float)(low + 16 * high - 32);
        yt_unpack_nibbles(block + 8 + 16 * part, YT_IQ4_VALUES, q + 32 * part);
    }
}

/* Twice the values of E2M1 (OCP Microscaling Formats 1.0), so that they are integers; the scale is halved instead. */
static const int8_t YT_MXFP4_VALUES[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* e, the scale 2^(e - 127), of which half is wanted: subnormal for e below 2; 16 bytes. */
static inline void yt_unpack_mxfp4(const uint8_t *block, int8_t *q, float *scales)
{
    int e = block[0];
    scales[0] = yt_bits_to_float(e < 2 ? (uint32_t)0x00200000 << e : (uint32_t)(e - 1) << 23);
    yt_unpack_nibbles(block + 1, YT_MXFP4_VALUES, q);
}

/* d; 32 bytes. */
static inline void yt_unpack_q8_0(const uint8_t *block, int8_t *q, float *scales)
{
    scales[0] = yt_read_half(block);
    memcpy(q, block + 2, 32);
}

/* d; 16 bytes. */
static inline void yt_unpack_q4_0(const uint8_t *block, int8_t *q, float *scales)
{
    scales[0] = yt_read_half(block);
    for (int i = 0; i < 16; i++) {
        q[i] = (int8_t)((block[2 + i] & 15) - 8);
        q[i + 16] = (int8_t)((block[2 + i] >> 4) - 8);
    }
}

static inline void yt_unpack_block(int32_t type, const uint8_t *block, yt_unpacked *out)
{
    int8_t *q = out->q;
    float *scales = out->scales;
    float *minimums = out->minimums;
    switch (type) {
    case YT_Q4_0:
        yt_unpack_q4_0(block, q, scales);
        break;
    case YT_Q8_0:
        yt_unpack_q8_0(block, q, scales);
        break;
    case YT_Q4_1:
        yt_unpack_q4_1(block, q, scales, minimums);
        break;
    case YT_Q5_0:
        yt_unpack_q5_0(block, q, scales);
        break;
    case YT_Q5_1:
        yt_unpack_q5_1(block, q, scales, minimums);
        break;
    case YT_Q2_K:
        yt_unpack_q2_k(block, q, scales, minimums);
        break;
    case YT_Q3_K:
        yt_unpack_q3_k(block, q, scales);
        break;
    case YT_Q4_K:
        yt_unpack_q4_k(block, q, scales, minimums);
        break;
    case YT_Q5_K:
        yt_unpack_q5_k(block, q, scales, minimums);
        break;
    case YT_Q6_K:
        yt_unpack_q6_k(block, q, scales);
        break;
    case YT_IQ4_NL:
        yt_unpack_iq4_nl(block, q, scales);
        break;
    case YT_IQ4_XS:
        yt_unpack_iq4_xs(block, q, scales);
        break;
    default:
        yt_unpack_mxfp4(block, q, scales);
        break;
    }
}

#endif
