/*
 * Packed quants taken apart, one word at a time: quants.h (native/src/kernels) for the device. A word holds four consecutive inputs of a row, unsigned
 * (what a type's zero is, is added); a lane reads the same word of four neighbouring rows, 16 bytes. TYPE, and everything that follows from it, is a
 * constant. What the bits mean is said in blocks.h, where they lie in kernels.h and types.c.
 *
 * Below, a part is 32 inputs of a block, p its number (0 for blocks of 32), half one of its two halves of 16 inputs, word one of the half's four words;
 * quad is the number, 0 to 3, of four rows among the sixteen of a group.
 */
#ifndef YT_QUANTS_CUH
#define YT_QUANTS_CUH

#include "device.cuh"

#include "../include/yangtuo.h"

template <int TYPE>
struct yt_quants {
    static constexpr bool is_k = TYPE == YT_Q2_K || TYPE == YT_Q3_K || TYPE == YT_Q4_K || TYPE == YT_Q5_K || TYPE == YT_Q6_K || TYPE == YT_IQ4_XS;
    /* Parts of a block. */
    static constexpr int parts = is_k ? 8 : 1;
    /* Blocks of a chunk but the last of a row (yt_chunk_blocks). */
    static constexpr int chunk = is_k ? 2 : 8;
    /* Scales of a part. */
    static constexpr int scales = TYPE == YT_Q2_K || TYPE == YT_Q3_K || TYPE == YT_Q6_K ? 2 : 1;
    static constexpr bool has_minimums = TYPE == YT_Q4_1 || TYPE == YT_Q5_1 || TYPE == YT_Q2_K || TYPE == YT_Q4_K || TYPE == YT_Q5_K;
    /* Two to this power is by how much the unsigned quants are too large; those with minimums are not. */
    static constexpr int zero_bit = TYPE == YT_Q3_K ? 2 : TYPE == YT_Q4_0 ? 3 : TYPE == YT_Q5_0 || TYPE == YT_MXFP4 ? 4 : TYPE == YT_Q6_K ? 5 : 7;
    /* Whether both halves of a part are in the same bytes, the second in the high nibbles. */
    static constexpr bool shares_bytes = parts == 1 ? TYPE != YT_Q8_0 : TYPE == YT_IQ4_XS;
    /* Lines of high bits: none, one for the whole part, or one for each word. */
    static constexpr int high_lines = TYPE == YT_Q5_0 || TYPE == YT_Q5_1 ? 1 : TYPE == YT_Q3_K || TYPE == YT_Q5_K || TYPE == YT_Q6_K ? 8 : 0;
    /* Bytes of a block in the head of its chunk, and of its body. */
    static constexpr int head_bytes = TYPE == YT_MXFP4 ? 16 : has_minimums || TYPE == YT_IQ4_XS ? 64 : 32;
    static constexpr int scale_bytes = TYPE == YT_Q6_K || TYPE == YT_Q2_K ? 256 : TYPE == YT_IQ4_XS ? 64 : is_k ? 192 : 0;
    static constexpr int low_bytes = TYPE == YT_Q8_0 ? 512 : !is_k ? 256 : TYPE == YT_Q2_K || TYPE == YT_Q3_K ? 1024 : 2048;
    static constexpr int high_bytes = high_lines == 1 ? 64 : TYPE == YT_Q6_K ? 1024 : high_lines == 8 ? 512 : 0;
    static constexpr int body_bytes = scale_bytes + low_bytes + high_bytes;
    /* Where in the body the low and the high bits begin: those of Q6_K follow, those of the others come first. */
    static constexpr int low_at = scale_bytes + (TYPE == YT_Q6_K ? 0 : high_bytes);
    static constexpr int high_at = scale_bytes + (TYPE == YT_Q6_K ? low_bytes : 0);
};

struct yt_block_place {
    const uint8_t *head;
    const uint8_t *body;
};

/* Where a block of a group of rows is (place_of in matrix.c). */
template <int TYPE>
YT_DEVICE yt_block_place yt_place_of(const uint8_t *group, int n_blocks, int block)
{
    using Q = yt_quants<TYPE>;
    const int in_chunk = block % Q::chunk;
    const int first = block - in_chunk;
    const int n = n_blocks - first < Q::chunk ? n_blocks - first : Q::chunk;
    const uint8_t *start = group + (int64_t)first * (Q::head_bytes + Q::body_bytes);
    return {start + in_chunk * Q::head_bytes, start + ((n * Q::head_bytes + 63) & ~63) + in_chunk * Q::body_bytes};
}

/* Byte of the body at which the line of low bits of a word begins: 16 rows, four bytes each. */
template <int TYPE>
YT_DEVICE int yt_low_line(int p, int half, int word)
{
    using Q = yt_quants<TYPE>;
    if (Q::shares_bytes) {
        return Q::low_at + 256 * p + 64 * word;
    }
    const int stretch = TYPE == YT_Q8_0 ? 0 : TYPE == YT_Q6_K ? p / 4 * 2 + p % 2 : TYPE == YT_Q4_K || TYPE == YT_Q5_K ? p / 2 : p / 4;
    return Q::low_at + 512 * stretch + 256 * half + 64 * word;
}

template <int TYPE>
YT_DEVICE int yt_high_line(int p, int half, int word)
{
    using Q = yt_quants<TYPE>;
    return Q::high_lines == 1 ? 0 : Q::high_at + (TYPE == YT_Q6_K ? p / 4 * 512 : 0) + 256 * half + 64 * word;
}

/* Four bytes of a table of sixteen, given as four words, chosen by the low nibbles of the four bytes of index, whose high ones are zero. */
YT_DEVICE uint32_t yt_look_up(uint32_t t0, uint32_t t1, uint32_t t2, uint32_t t3, uint32_t index)
{
    const uint32_t nibbles = yt_permute(index | index >> 4, 0, 0x4420); /* the four side by side, in 16 bits */
    const uint32_t low = yt_permute(t0, t1, nibbles & 0x7777);
    const uint32_t high = yt_permute(t2, t3, nibbles & 0x7777);
    return yt_permute(low, high, (nibbles & 0x8888) >> 1 | 0x3210);
}

/* The unsigned quants of a word of one row from its low and its high bits. */
template <int TYPE>
YT_DEVICE uint32_t yt_quants_of(uint32_t low, uint32_t high, int p, int half, int word)
{
    const uint32_t nibbles = low >> 4 * half & 0x0F0F0F0F;
    switch (TYPE) {
    case YT_Q4_0:
    case YT_Q4_1:
        return nibbles;
    case YT_Q5_0:
    case YT_Q5_1:
        return nibbles | (high >> (4 * half + word) & 0x01010101) << 4;
    case YT_Q8_0:
        return low;
    case YT_Q2_K:
        return low >> p % 4 * 2 & 0x03030303;
    case YT_Q3_K:
        return (low >> p % 4 * 2 & 0x03030303) | (high >> p & 0x01010101) << 2;
    case YT_Q4_K:
        return low >> p % 2 * 4 & 0x0F0F0F0F;
    case YT_Q5_K:
        return (low >> p % 2 * 4 & 0x0F0F0F0F) | (high >> p & 0x01010101) << 4;
    case YT_Q6_K:
        return (low >> p % 4 / 2 * 4 & 0x0F0F0F0F) | (high >> p % 4 * 2 & 0x03030303) << 4;
    case YT_MXFP4: /* twice the values of E2M1, and 16 */
        return yt_look_up(0x13121110, 0x1C181614, 0x0D0E0F10, 0x04080A0C, nibbles);
    default: /* the values of IQ4, and 128 */
        return yt_look_up(0x3F2D1801, 0x766A5D4F, 0xA6998D81, 0xF1D9C5B5, nibbles);
    }
}

template <int TYPE>
YT_DEVICE uint4 yt_quants_of(const uint4 &low, const uint4 &high, int p, int half, int word)
{
    uint4 q;
    q.x = yt_quants_of<TYPE>(low.x, high.x, p, half, word);
    q.y = yt_quants_of<TYPE>(low.y, high.y, p, half, word);
    q.z = yt_quants_of<TYPE>(low.z, high.z, p, half, word);
    q.w = yt_quants_of<TYPE>(low.w, high.w, p, half, word);
    return q;
}

/* Two words that are read together. */
struct alignas(8) yt_two_words {
    uint32_t x;
    uint32_t y;
};

/* What the scales and minimums of a part are made of, of the four rows of a quad, as it lies in memory: halves of the head, single bytes. */
struct yt_raw_scales {
    yt_two_words halves[2];
    uint32_t bytes[4];
};

YT_DEVICE uint32_t yt_four_bytes(const uint8_t *p)
{
    return *(const uint32_t *)p;
}

template <int TYPE>
YT_DEVICE void yt_load_scales(const yt_block_place &place, int p, int quad, yt_raw_scales &raw)
{
    const uint8_t *bytes = place.body + 4 * quad;
    if (TYPE == YT_MXFP4) {
        raw.bytes[0] = yt_four_bytes(place.head + 4 * quad);
    } else {
        raw.halves[0] = *(const yt_two_words *)(place.head + 8 * quad);
    }
    if (yt_quants<TYPE>::head_bytes == 64) {
        raw.halves[1] = *(const yt_two_words *)(place.head + 32 + 8 * quad);
    }
    switch (TYPE) {
    case YT_Q2_K:
    case YT_Q6_K:
        raw.bytes[0] = yt_four_bytes(bytes + 16 * (2 * p));
        raw.bytes[1] = yt_four_bytes(bytes + 16 * (2 * p + 1));
        break;
    case YT_Q3_K:
        for (int i = 0; i < 2; i++) {
            raw.bytes[i] = yt_four_bytes(bytes + 16 * ((2 * p + i) % 8));
            raw.bytes[2 + i] = yt_four_bytes(bytes + 16 * (8 + (2 * p + i) % 4));
        }
        break;
    case YT_Q4_K:
    case YT_Q5_K:
        for (int i = 0; i < 3; i++) {
            raw.bytes[i] = yt_four_bytes(bytes + 16 * (p % 4 + 4 * i));
        }
        break;
    case YT_IQ4_XS:
        raw.bytes[0] = yt_four_bytes(bytes + 16 * (p / 2));
        break;
    default:
        break;
    }
}

/* Half number row of four. */
YT_DEVICE uint32_t yt_half_of(const yt_two_words &halves, int row)
{
    return (row < 2 ? halves.x : halves.y) >> row % 2 * 16 & 0xFFFF;
}

YT_DEVICE float yt_half_value_of(const yt_two_words &halves, int row)
{
    return yt_half_to_float_device((uint16_t)yt_half_of(halves, row));
}

YT_DEVICE int yt_byte_of(uint32_t bytes, int row)
{
    return (int)(bytes >> 8 * row & 255);
}

/* Half of the scale 2^(e - 127), which is subnormal for e below 2. */
YT_DEVICE float yt_power_of(int e)
{
    const int normal = e > 2 ? e : 2;
    return yt_bits_to_float_device((uint32_t)(normal - 1) << 23) * yt_bits_to_float_device((uint32_t)(e - normal + 127) << 23);
}

/* Scale and minimum number i of a part, of the four rows of a quad. */
template <int TYPE>
YT_DEVICE void yt_scales_of(const yt_raw_scales &raw, int p, int i, float (&scales)[4], float (&minimums)[4])
{
    uint32_t s = 0; /* the bytes that multiply the halves */
    uint32_t m = 0;
    int less = 0;
    switch (TYPE) {
    case YT_Q2_K:
        s = raw.bytes[i] & 0x0F0F0F0F;
        m = raw.bytes[i] >> 4 & 0x0F0F0F0F;
        break;
    case YT_Q3_K:
        s = (raw.bytes[i] >> (p < 4 ? 0 : 4) & 0x0F0F0F0F) | (raw.bytes[2 + i] >> p / 2 * 2 & 0x03030303) << 4;
        less = 32;
        break;
    case YT_Q4_K:
    case YT_Q5_K: /* yt_unpack_scales_k */
        s = p < 4 ? raw.bytes[0] & 0x3F3F3F3F : (raw.bytes[2] & 0x0F0F0F0F) | (raw.bytes[0] >> 2 & 0x30303030);
        m = p < 4 ? raw.bytes[1] & 0x3F3F3F3F : (raw.bytes[2] >> 4 & 0x0F0F0F0F) | (raw.bytes[1] >> 2 & 0x30303030);
        break;
    case YT_Q6_K:
        s = raw.bytes[i] ^ 0x80808080;
        less = 128;
        break;
    case YT_IQ4_XS:
        s = raw.bytes[0] >> p % 2 * 4 & 0x0F0F0F0F;
        less = 32;
        break;
    default:
        break;
    }
    for (int row = 0; row < 4; row++) {
        if (TYPE == YT_MXFP4) {
            scales[row] = yt_power_of(yt_byte_of(raw.bytes[0], row));
            continue;
        }
        scales[row] = yt_half_value_of(raw.halves[0], row);
        if (yt_quants<TYPE>::is_k) {
            const int high = TYPE == YT_IQ4_XS ? (int)(yt_half_of(raw.halves[1], row) >> 2 * p & 3) << 4 : 0;
            scales[row] = scales[row] * (float)((yt_byte_of(s, row) | high) - less);
        }
        if (yt_quants<TYPE>::has_minimums) {
            minimums[row] = yt_half_value_of(raw.halves[1], row);
            minimums[row] = yt_quants<TYPE>::is_k ? minimums[row] * (float)yt_byte_of(m, row) : -minimums[row];
        }
    }
}

#endif
