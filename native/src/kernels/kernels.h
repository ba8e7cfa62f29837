/*
 * The table of kernels that an instruction set fills. All entries compute what docs/kernels.md defines, to the last bit. A kernel allocates
 * nothing, starts no threads and checks no arguments: stages.c has done so.
 */
#ifndef YT_KERNELS_H
#define YT_KERNELS_H

#include "../types.h"

#include <stdatomic.h>
#include <stdint.h>

/* Rows that stand beside each other in a packed matrix, one in each lane. */
#define YT_GROUP 16
/* Inputs that share a scale in quantized activations, and in packed weights. */
#define YT_BLOCK 32
/* Inputs of which quantized activations come with a sum: as many as share a scale in the weights that have the most of them. */
#define YT_SUM 16
/* Row groups that one call of matmul takes at most. */
#define YT_MAX_GROUPS 4
/* Columns that one call of matmul takes at most. */
#define YT_MAX_COLUMNS 32
/* Query heads that one call of attend takes at most. */
#define YT_MAX_QUERIES 32

/*
 * A packed matrix. Row r is lane r % 16 of group r / 16; rows beyond the last are zero.
 *  F32, F16, BF16: elements [n_groups][columns][16].
 *  Q8_0, Q4_0: scales, binary16 [n_groups][columns / 32][16], each group padded to 64 bytes; then, 64-byte aligned, quants:
 *    Q8_0: uint8 q + 128, [n_groups][columns / 32][8][16][4]: 4 consecutive inputs of 16 rows are one vector;
 *    Q4_0: uint8, [n_groups][columns / 32][4][16][4]: vector j holds q + 8 of inputs 4j to 4j + 3 in the low nibbles and of
 *      inputs 4j + 16 to 4j + 19 in the high ones.
 *  The others: rows as GGML stores them, [n_groups][16][bytes of a row].
 */
struct yt_matrix {
    const yt_type_info *info;
    int64_t rows;
    int64_t columns;
    int64_t n_groups;
    int64_t group_bytes;       /* of data */
    int64_t scale_group_bytes; /* of scales; 0 unless they stand apart */
    uint8_t *scales;
    uint8_t *data;
    void *memory;
    int64_t memory_bytes;
};

/* The inputs of a product: float32 [n_columns][width], or int8 blocks of the same shape with a scale per block and two sums. */
typedef struct {
    const float *x;
    const int8_t *q;
    const float *scales;  /* [n_columns][width / 32] */
    const int32_t *sums;  /* [n_columns][width / 16] */
    int64_t width;
} yt_input;

/* The keys and values of one KV head of one layer, reached page by page. */
typedef struct {
    const uint8_t *base;    /* of the pool */
    const int32_t *pages;   /* of the sequence */
    int64_t page_bytes;
    int64_t key_offset;     /* of this layer and head in a page */
    int64_t value_offset;
    int64_t page_positions;
    int64_t head_dim;
    int64_t value_stride;   /* elements of a row of values: head_dim rounded up to 16 */
    int32_t type;
} yt_kv_head;

typedef struct {
    const char *name;

    /* y = rms_norm(x) * weight; dim values. */
    void (*rms_norm)(const float *x, const float *weight, int64_t dim, float eps, float *y);

    /* Quantizes n values, a multiple of 32: [n], [n / 32], [n / 16]. */
    void (*quantize)(const float *x, int64_t n, int8_t *q, float *scales, int32_t *sums);

    /*
     * out[c][16 g + lane] for n_groups <= YT_MAX_GROUPS groups from first_group on and n_columns <= YT_MAX_COLUMNS columns from
     * first_column on; a row of out is stride values apart from the next.
     */
    void (*matmul)(const struct yt_matrix *matrix, int64_t first_group, int64_t n_groups, const yt_input *input, int64_t first_column,
        int64_t n_columns, float *out, int64_t stride);

    /* x[2j], x[2j + 1] turn by the angle with cosine rope[2j] and sine rope[2j + 1]; n values, even. */
    void (*rotate)(float *x, const float *rope, int64_t n);

    /* gate[i] = silu(gate[i]) * up[i]; n is a multiple of 16. */
    void (*swiglu)(float *gate, const float *up, int64_t n);

    /*
     * Attention of n_queries <= YT_MAX_QUERIES query heads [n_queries][head_dim] that share one KV head, over positions 0 to length - 1. scratch: float32
     * [n_queries][length rounded up to 16] + [n_queries][head_dim rounded up to 16] twice.
     */
    void (*attend)(const yt_kv_head *kv, const float *queries, int64_t n_queries, int64_t length, float *scratch, float *out);

    /* Stores n values as a type, whole blocks of it. Returns 0, and does nothing, if the type is only read. */
    int32_t (*encode)(int32_t type, const float *x, int64_t n, uint8_t *out);

    /* Calls of matmul in this process. */
    atomic_llong *calls;
} yt_kernels;

extern const yt_kernels yt_kernels_portable;
#if defined(YT_HAVE_X86_KERNELS)
extern const yt_kernels yt_kernels_avx2;
extern const yt_kernels yt_kernels_avx512;
#endif
#if defined(YT_HAVE_NEON_KERNELS)
extern const yt_kernels yt_kernels_neon;
extern const yt_kernels yt_kernels_neon_i8mm;
#endif

#endif
