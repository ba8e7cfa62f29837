/*
 * Packed quants taken apart: 32 inputs of sixteen rows as eight vectors of four inputs each, unsigned (what a type's zero is, is added), and the scales and
 * minimums that belong to them. Written over the vec16 header; TYPE and everything that follows from it are constants where this is inlined. What the bits mean is
 * said in blocks.h, where they lie in kernels.h and types.c.
 */
#ifndef YT_QUANTS_H
#define YT_QUANTS_H

#include "../types.h"
#include "kernels.h"

/* Inputs of a block. */
YT_CONSTANT int64_t quants_block(const int32_t type)
{
    return type == YT_Q2_K || type == YT_Q3_K || type == YT_Q4_K || type == YT_Q5_K || type == YT_Q6_K || type == YT_IQ4_XS ? 256 : 32;
}

/* Inputs that share a scale. */
YT_CONSTANT int quants_part(const int32_t type)
{
    return type == YT_Q2_K || type == YT_Q3_K || type == YT_Q6_K ? 16 : 32;
}

YT_CONSTANT int quants_have_minimums(const int32_t type)
{
    return type == YT_Q4_1 || type == YT_Q5_1 || type == YT_Q2_K || type == YT_Q4_K || type == YT_Q5_K;
}

/* Two to this power is by how much the unsigned quants are too large; -1: they are not. */
YT_CONSTANT int quants_zero_bit(const int32_t type)
{
    switch (type) {
    case YT_Q3_K:
        return 2;
    case YT_Q4_0:
        return 3;
    case YT_Q5_0:
    case YT_MXFP4:
        return 4;
    case YT_Q6_K:
        return 5;
    case YT_Q8_0:
    case YT_IQ4_NL:
    case YT_IQ4_XS:
        return 7;
    default:
        return -1;
    }
}

/* Whether they take all eight bits: they are then also the signed quants with the highest bit turned over. */
YT_CONSTANT int quants_are_wide(const int32_t type)
{
    return quants_zero_bit(type) == 7;
}

/* Bytes of a block in the head of its chunk, and of its body: yt_head_block_bytes and yt_body_block_bytes as constants. */
YT_CONSTANT int64_t quants_head_bytes(const int32_t type)
{
    switch (type) {
    case YT_MXFP4:
        return 16;
    case YT_Q4_1:
    case YT_Q5_1:
    case YT_Q2_K:
    case YT_Q4_K:
    case YT_Q5_K:
    case YT_IQ4_XS:
        return 64;
    default:
        return 32;
    }
}

YT_CONSTANT int64_t quants_body_bytes(const int32_t type)
{
    switch (type) {
    case YT_Q8_0:
        return 512;
    case YT_Q5_0:
    case YT_Q5_1:
        return 320;
    case YT_Q2_K:
        return 256 + 1024;
    case YT_Q3_K:
        return 192 + 512 + 1024;
    case YT_Q4_K:
        return 192 + 2048;
    case YT_Q5_K:
        return 192 + 512 + 2048;
    case YT_Q6_K:
        return 256 + 2048 + 1024;
    case YT_IQ4_XS:
        return 64 + 2048;
    default:
        return 256;
    }
}

/* YT_IQ4_VALUES + 128 and YT_MXFP4_VALUES + 16. */
static const uint8_t QUANTS_IQ4[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
static const uint8_t QUANTS_MXFP4[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

/* Bits first to first + width - 1 of every byte. */
YT_INLINE vb quants_bits(vb v, int first, int width)
{
    return vb_and(vb_shr(v, first), (1 << width) - 1);
}

/* The same, to stand at bit place. */
YT_INLINE vb quants_bits_at(vb v, int first, int width, int place)
{
    return vb_and(first >= place ? vb_shr(v, first - place) : vb_shl(v, place - first), ((1 << width) - 1) << place);
}

/* Part p of a block: 32 inputs; p is 0 for blocks of 32. */
YT_INLINE void quants_load(const int32_t type, const uint8_t *body, const int p, vb *w)
{
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
        switch (type) {
        case YT_Q4_0:
        case YT_Q4_1:
            w[j] = quants_bits(vb_load(body + 64 * (j & 3)), j < 4 ? 0 : 4, 4);
            break;
        case YT_Q5_0:
        case YT_Q5_1:
            w[j] = vb_or(quants_bits(vb_load(body + 64 + 64 * (j & 3)), j < 4 ? 0 : 4, 4), quants_bits_at(vb_load(body), j, 1, 4));
            break;
        case YT_Q8_0:
            w[j] = vb_load(body + 64 * j);
            break;
        case YT_Q2_K:
            w[j] = quants_bits(vb_load(body + 256 + p / 4 * 512 + 64 * j), p % 4 * 2, 2);
            break;
        case YT_Q3_K:
            w[j] = vb_or(quants_bits(vb_load(body + 192 + 512 + p / 4 * 512 + 64 * j), p % 4 * 2, 2), quants_bits_at(vb_load(body + 192 + 64 * j), p, 1, 2));
            break;
        case YT_Q4_K:
            w[j] = quants_bits(vb_load(body + 192 + p / 2 * 512 + 64 * j), p % 2 * 4, 4);
            break;
        case YT_Q5_K:
            w[j] = vb_or(quants_bits(vb_load(body + 192 + 512 + p / 2 * 512 + 64 * j), p % 2 * 4, 4), quants_bits_at(vb_load(body + 192 + 64 * j), p, 1, 4));
            break;
        case YT_Q6_K:
            w[j] = vb_or(quants_bits(vb_load(body + 256 + (p / 4 * 2 + p % 2) * 512 + 64 * j), p % 4 / 2 * 4, 4),
                quants_bits_at(vb_load(body + 256 + 2048 + p / 4 * 512 + 64 * j), p % 4 * 2, 2, 4));
            break;
        case YT_IQ4_NL:
            w[j] = vb_lookup(QUANTS_IQ4, quants_bits(vb_load(body + 64 * (j & 3)), j < 4 ? 0 : 4, 4));
            break;
        case YT_IQ4_XS:
            w[j] = vb_lookup(QUANTS_IQ4, quants_bits(vb_load(body + 64 + p * 256 + 64 * (j & 3)), j < 4 ? 0 : 4, 4));
            break;
        default:
            w[j] = vb_lookup(QUANTS_MXFP4, quants_bits(vb_load(body + 64 * (j & 3)), j < 4 ? 0 : 4, 4));
            break;
        }
    }
}

/* Eight scales and minimums of six bits, twelve bytes of each row (yt_unpack_scales_k). */
YT_INLINE void quants_scales_k(const uint8_t *head, const uint8_t *body, const int p, v16 *scale, v16 *minimum)
{
    vi16 low = vi_load_u8(body + 16 * (p < 4 ? p : p + 4));
    vi16 s;
    vi16 m;
    if (p < 4) {
        s = vi_and(low, 63);
        m = vi_and(vi_load_u8(body + 16 * (p + 4)), 63);
    } else {
        s = vi_or(vi_and(low, 15), vi_shl(vi_shr(vi_load_u8(body + 16 * (p - 4)), 6), 4));
        m = vi_or(vi_shr(low, 4), vi_shl(vi_shr(vi_load_u8(body + 16 * p), 6), 4));
    }
    *scale = v_mul(v_load_f16((const uint16_t *)head), vi_to_float(s));
    *minimum = v_mul(v_load_f16((const uint16_t *)head + 16), vi_to_float(m));
}

/* Half of the scale 2^(e - 127), which is subnormal for e below 2. */
YT_INLINE v16 quants_power(vi16 e)
{
    vi16 normal = vi_max(e, vi_set1(2));
    v16 rest = v_bits(vi_shl(vi_add(vi_sub(e, normal), vi_set1(127)), 23));
    return v_mul(v_bits(vi_shl(vi_sub(normal, vi_set1(1)), 23)), rest);
}

/* Scales, and minimums where the type has them, of part p: one of each, or two where 16 inputs share one. */
YT_INLINE void quants_scales(const int32_t type, const uint8_t *head, const uint8_t *body, const int p, v16 *scales, v16 *minimums)
{
    const uint16_t *halves = (const uint16_t *)head;
    switch (type) {
    case YT_Q4_1:
    case YT_Q5_1:
        minimums[0] = v_neg(v_load_f16(halves + 16));
        scales[0] = v_load_f16(halves);
        break;
    case YT_Q4_K:
    case YT_Q5_K:
        quants_scales_k(head, body, p, scales, minimums);
        break;
    case YT_Q2_K:
#pragma GCC unroll 2
        for (int i = 0; i < 2; i++) {
            vi16 packed = vi_load_u8(body + 16 * (2 * p + i));
            scales[i] = v_mul(v_load_f16(halves), vi_to_float(vi_and(packed, 15)));
            minimums[i] = v_mul(v_load_f16(halves + 16), vi_to_float(vi_shr(packed, 4)));
        }
        break;
    case YT_Q3_K:
#pragma GCC unroll 2
        for (int i = 0; i < 2; i++) {
            const int part = 2 * p + i;
            vi16 low = vi_and(vi_shr(vi_load_u8(body + 16 * (part % 8)), part < 8 ? 0 : 4), 15);
            vi16 high = vi_and(vi_shr(vi_load_u8(body + 16 * (8 + part % 4)), part / 4 * 2), 3);
            scales[i] = v_mul(v_load_f16(halves), vi_to_float(vi_sub(vi_or(low, vi_shl(high, 4)), vi_set1(32))));
        }
        break;
    case YT_Q6_K:
#pragma GCC unroll 2
        for (int i = 0; i < 2; i++) {
            scales[i] = v_mul(v_load_f16(halves), vi_to_float(vi_load_s8((const int8_t *)body + 16 * (2 * p + i))));
        }
        break;
    case YT_IQ4_XS: {
        vi16 low = vi_and(vi_shr(vi_load_u8(body + 16 * (p / 2)), p % 2 * 4), 15);
        vi16 high = vi_and(vi_shr(vi_load_u16(halves + 16), 2 * p), 3);
        scales[0] = v_mul(v_load_f16(halves), vi_to_float(vi_sub(vi_or(low, vi_shl(high, 4)), vi_set1(32))));
        break;
    }
    case YT_MXFP4:
        scales[0] = quants_power(vi_load_u8(head));
        break;
    default:
        scales[0] = v_load_f16(halves);
        break;
    }
}

#endif
