/*
 * The table of kernels that an instruction set fills. All entries compute what docs/kernels.md defines, to the last bit. A kernel allocates
 * nothing, starts no threads and checks no arguments: the stages have done so.
 */
#ifndef YT_KERNELS_H
#define YT_KERNELS_H

#include "../types.h"

#include <stdatomic.h>
#include <stdint.h>

/* Rows that stand beside each other in a packed matrix, one in each lane. */
#define YT_GROUP 16
/* Inputs that share a scale in quantized activations. */
#define YT_BLOCK 32
/* Row groups that one call of matmul takes at most. */
#define YT_MAX_GROUPS 6
/* Columns that one call of matmul takes at most. */
#define YT_MAX_COLUMNS 256
/* Runs of row groups that one call of matmul takes at most, and columns up to which it multiplies them at once. */
#define YT_MAX_RUNS 2
#define YT_RUN_COLUMNS 4
/* Columns that stand beside each other in the input of a product. */
#define YT_TILE_COLUMNS 8
/* Queries that one call of attend takes at most. */
#define YT_MAX_QUERIES 32
/* Elements of a head at most. */
#define YT_MAX_HEAD 1024
/* Positions of a span: attention has a maximum and a sum for each. */
#define YT_SPAN 512

/*
 * A packed matrix. Row r is lane r % 16 of group r / 16; rows beyond the last are zero.
 *  F32, F16: elements [n_groups][columns][16].
 *  BF16: [n_groups][columns / 2, rounded up][16][2]: two consecutive inputs of 16 rows are one vector; an odd last input is followed by zeros.
 *  Quantized types: GGML's blocks of 16 rows, interleaved (yt_type_info), in chunks of some blocks (yt_chunk_blocks). A chunk is its head, [blocks][the type's head
 *    fields][16], padded to 64 bytes; then the bodies of its blocks, each [body bytes][16], then [words][16][4]: four consecutive bytes of 16 rows are one vector.
 *    So all vectors are aligned, and a group, like the matrix, is read as one stream from its first byte to its last.
 *    A matrix takes no more memory than its file, and a vector of quants holds, in whatever bits, four consecutive inputs of sixteen rows.
 */
struct yt_matrix {
    struct yt_context *context;
    const yt_type_info *info;
    int64_t rows;
    int64_t columns;
    int64_t n_groups;
    int64_t group_bytes;
    uint8_t *data; /* the device's, if the context is one's */
    void *memory;
    int64_t memory_bytes;
    bool is_mapped; /* the contents are a file's, and only read */
    struct yt_slab *slab; /* that the memory is part of, or NULL */
};

/*
 * The inputs of a product, in tiles of 8 columns; the columns left over make a tile of 1, 2, 4 or 8, those it has too many being zero. A tile of w columns is
 *  quants, for quantized types: [width / 32] records of YT_RECORD * w bytes (see below);
 *  floats, for F32 and F16: float32 [width][w];
 *  pairs, for BF16: bfloat16 [width / 2, rounded up][w][2].
 * What a type does not need may be missing.
 */
typedef struct {
    const uint8_t *quants;
    const float *floats;
    const uint16_t *pairs;
    int64_t width;
    int64_t n_columns;
} yt_input;

/*
 * Bytes of a record for each column: 32 inputs of w columns, as int8 [w][32]; then scales, float32 [w]; minus the sums of the 32, int32 [w]; scale * minus sum,
 * float32 [w]; and minus the sums of the first 16 and of the last 16, int32 [2][w].
 */
#define YT_RECORD 52

/* Columns of the tile in which column first_column, a multiple of 8, stands first, of n_columns in all. */
static inline int64_t yt_tile_width(int64_t n_columns, int64_t first_column)
{
    int64_t left = n_columns - first_column;
    return left > 4 ? 8 : left > 2 ? 4 : left;
}

/* Columns of all tiles together. */
static inline int64_t yt_padded_columns(int64_t n_columns)
{
    int64_t full = n_columns / YT_TILE_COLUMNS * YT_TILE_COLUMNS;
    return full + (full == n_columns ? 0 : yt_tile_width(n_columns, full));
}

/* Some row groups of a matrix, and where their products go: out[c][16 g + lane]. */
typedef struct {
    const struct yt_matrix *matrix;
    int64_t first_group;
    float *out;
} yt_run;

/* The keys and values of one KV head of one layer, reached page by page. */
typedef struct {
    const uint8_t *base;    /* of the pool */
    const int32_t *pages;   /* of the sequence */
    int64_t page_bytes;
    int64_t key_offset;     /* of this layer and head in a page */
    int64_t value_offset;
    int64_t key_group_bytes;   /* of sixteen positions */
    int64_t value_group_bytes;
    int64_t page_positions;
    int64_t head_dim;
    int64_t value_stride;   /* elements of a row of values: head_dim rounded up */
    int32_t type;
} yt_kv_head;

/* Bytes of the scales of sixteen quantized keys, or values: binary16 [blocks of 32 elements][16], padded to 64 bytes. */
static inline int64_t yt_kv_scale_bytes(int64_t head_dim)
{
    return ((head_dim + 31) / 32 * 32 + 63) & ~(int64_t)63;
}

/* A query head of one column, which sees the positions first to length - 1. */
typedef struct {
    const float *q; /* [head_dim] */
    float *out;     /* [head_dim] */
    int64_t first;  /* 0 to length - 1 */
    int64_t length; /* at least 1 */
} yt_query;

/*
 * What a query has of a span: float32 [value_stride] sums of the values, weighted with exp(score - the largest), then the largest score, the sum of the weights, and nothing.
 */
static inline int64_t yt_partial_floats(int64_t value_stride)
{
    return value_stride + 16;
}

/* float32 that attend needs: of each query scores, the scaled query, the same quantized, and two partials. */
static inline int64_t yt_attend_floats(int64_t head_dim, int64_t value_stride)
{
    int64_t blocks = (head_dim + 31) / 32;
    return YT_MAX_QUERIES * (YT_SPAN + 16 + blocks * (YT_BLOCK + YT_RECORD / 4) + 2 * yt_partial_floats(value_stride));
}

typedef struct {
    const char *name;

    /* y = rms_norm(x) * weight; dim values, of which only y[first] to y[end - 1] are written; first is a multiple of 32, and end, or it is dim. */
    void (*rms_norm)(const float *x, const float *weight, int64_t dim, float eps, int64_t first, int64_t end, float *y);

    /* Quantizes x[first] to x[end - 1], both multiples of 32, as column c of a tile of w columns. */
    void (*quantize)(const float *x, int64_t first, int64_t end, uint8_t *tile, int64_t w, int64_t c);

    /*
     * The products of n_groups <= YT_MAX_GROUPS groups of each of n_runs <= YT_MAX_RUNS runs, whose matrices have the same type and width, with n_columns <=
     * YT_MAX_COLUMNS columns from first_column, a multiple of 8, on; a row of out is stride values apart from the next. As many rows of out are written as the
     * tiles have columns. Up to YT_RUN_COLUMNS columns are multiplied with all runs at once: two distant streams of weights come faster from memory than one.
     */
    void (*matmul)(const yt_run *runs, int32_t n_runs, int64_t n_groups, const yt_input *input, int64_t first_column, int64_t n_columns, int64_t stride);

    /* x[2j], x[2j + 1] turn by the angle with cosine rope[2j] and sine rope[2j + 1]; n values, even. */
    void (*rotate)(float *x, const float *rope, int64_t n);

    /* gate[i] = silu(gate[i]) * up[i]; n is a multiple of 16. */
    void (*swiglu)(float *gate, const float *up, int64_t n);

    /*
     * Attention of n_queries <= YT_MAX_QUERIES queries that share one KV head of one sequence, in ascending order of first and of length, over the spans first_span to
     * end_span - 1. With partials, [spans][n_queries], what each has of each span is left there for merge, where it sees something of it; with NULL, the spans are all
     * that any of them sees, and the results are written. scratch: yt_attend_floats().
     */
    void (*attend)(
        const yt_kv_head *kv, const yt_query *queries, int64_t n_queries, int64_t first_span, int64_t end_span, float *scratch, float *partials);

    /* The results of queries whose partials of all spans that any of them sees are there. The partials are lost. */
    void (*merge)(const yt_kv_head *kv, const yt_query *queries, int64_t n_queries, int64_t first_span, int64_t end_span, float *partials);

    /* Stores n values as a type, whole blocks of it. Returns 0, and does nothing, if the type is only read. */
    int32_t (*encode)(int32_t type, const float *x, int64_t n, uint8_t *out);

    /* Calls of matmul in this process. */
    atomic_llong *calls;
} yt_kernels;

extern const yt_kernels yt_kernels_portable;
#if defined(YT_HAVE_X86_KERNELS)
extern const yt_kernels yt_kernels_avx2;
extern const yt_kernels yt_kernels_avx512;
extern const yt_kernels yt_kernels_avx512_vnni;
extern const yt_kernels yt_kernels_avx512_bf16;
#endif
#if defined(YT_HAVE_NEON_KERNELS)
extern const yt_kernels yt_kernels_neon;
extern const yt_kernels yt_kernels_neon_i8mm;
#endif

#endif
