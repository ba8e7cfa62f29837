/* What is to be known of an element type. */
#ifndef YT_TYPES_H
#define YT_TYPES_H

#include "../include/yangtuo.h"

#include <stdbool.h>

/* How a matrix keeps the rows of a type, see kernels.h. */
typedef enum {
    YT_LAYOUT_PLAIN,  /* elements of sixteen rows beside each other */
    YT_LAYOUT_PACKED, /* integers of sixteen rows beside each other, their scales apart */
    YT_LAYOUT_STORED  /* rows as GGML stores them; unpacked whenever they are multiplied */
} yt_layout;

typedef struct {
    int32_t type;
    yt_layout layout;
    int32_t block_elements;
    int32_t block_bytes;
    int32_t part_elements; /* that share a scale: 16 or 32; 0 for unquantized types */
    bool has_minimums;     /* value = scale * q - minimum; otherwise value = scale * q */
} yt_type_info;

/* Static; NULL if there is no such type. */
const yt_type_info *yt_find_type(int32_t type);

/* Whether products take the activations as integers. */
static inline bool yt_is_quantized(const yt_type_info *info)
{
    return info->part_elements > 0;
}

#endif
