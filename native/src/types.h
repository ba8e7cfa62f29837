/* What is to be known of an element type. */
#ifndef YT_TYPES_H
#define YT_TYPES_H

#include "../include/yangtuo.h"

#include <stdbool.h>

/* Bytes at a place in a block of GGML; count 0: there are none. */
typedef struct {
    int16_t offset;
    int16_t count;
} yt_field;

enum { YT_MAX_HALVES = 2, YT_MAX_WORD_FIELDS = 3 };

/*
 * A type, and how sixteen of its blocks are interleaved in a packed matrix (kernels.h). The fields cover every byte of a block once: halves (two bytes, such as
 * scales in binary16) and exponents (single bytes) go into the head of a chunk of blocks, bytes (packed scales) and words (quants, four bytes) into the body of a block.
 */
typedef struct {
    int32_t type;
    int32_t block_elements;
    int32_t block_bytes;
    int32_t part_elements; /* that share a scale: 16 or 32; 0 for unquantized types */
    bool has_minimums;     /* value = scale * q - minimum; otherwise value = scale * q */
    int16_t halves[YT_MAX_HALVES]; /* offsets, ascending; -1: none */
    yt_field exponents;
    yt_field bytes;
    yt_field words[YT_MAX_WORD_FIELDS];
} yt_type_info;

/* Static; NULL if there is no such type. */
const yt_type_info *yt_find_type(int32_t type);

/* Whether products take the activations as integers. */
static inline bool yt_is_quantized(const yt_type_info *info)
{
    return info->part_elements > 0;
}

/* Bytes of a block's fields in the head of its chunk. */
static inline int64_t yt_head_block_bytes(const yt_type_info *info)
{
    return 16 * (2 * ((info->halves[0] >= 0) + (info->halves[1] >= 0)) + info->exponents.count);
}

/* Bytes of a block's body. */
static inline int64_t yt_body_block_bytes(const yt_type_info *info)
{
    return 16 * (info->bytes.count + info->words[0].count + info->words[1].count + info->words[2].count);
}

/* Blocks of a chunk but the last of a row: as many as make the heads of every type whole cache lines. */
static inline int64_t yt_chunk_blocks(int64_t block_elements)
{
    return block_elements == 256 ? 2 : 8;
}

/* Bytes of n blocks' heads, padded. */
static inline int64_t yt_chunk_head_bytes(int64_t n, int64_t head_block_bytes)
{
    return (n * head_block_bytes + 63) & ~(int64_t)63;
}

#endif
