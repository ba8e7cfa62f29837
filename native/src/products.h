/*
 * A multiplying stage: the same input times up to three matrices. First the input is normed and quantized: for one column by every thread for itself,
 * which is cheaper than waiting for each other, for several columns in turn, with a barrier behind. Then each thread takes pieces of row groups from a range
 * of its own, and when that is empty from the others'. Which thread computes what does not change any result.
 */
#ifndef YT_PRODUCTS_H
#define YT_PRODUCTS_H

#include "context.h"
#include "memory.h"

#include <stdbool.h>

enum { YT_MAX_MATRICES = 3 };

typedef struct yt_product_stage yt_product_stage;

/* Takes a finished tile: rows first_row to first_row + n_rows - 1 of matrix number m for some columns; a column of the tile is YT_TILE_ROWS values. */
typedef void (*yt_take_tile)(
    const yt_product_stage *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second);

/* One multiplying stage: the same input times up to three matrices. */
struct yt_product_stage {
    yt_context *context;
    const yt_matrix *matrices[YT_MAX_MATRICES];
    const float *biases[YT_MAX_MATRICES]; /* of the matrices; NULL where there is none */
    int n_matrices;
    /* Both matrices are multiplied by the same thread, row by row; the second tile is given along with the first. */
    bool paired;
    int64_t n_columns;
    int64_t width;

    /* The input: row columns[c], or c, of x; normed with weight if there is one. */
    const float *x;
    const int32_t *columns;
    const float *norm_weight;
    float norm_eps;
    /* In which forms the matrices want the input. */
    bool wants_quants;
    bool wants_floats;
    bool wants_pairs;

    yt_take_tile take;
    /* What every worker does when all pieces are finished, or, with by_heads, when none are left to take (yt_await_range); NULL for nothing. */
    void (*afterwards)(const yt_product_stage *p, int32_t worker);
    void *argument; /* its own */
    const yt_layer *layer;
    const yt_batch *batch;
    const yt_kv *kv;
    float *out;

    /* What is handed out at a time: some row groups times some columns. All rows are taken before the next columns, which so stay in the cache. */
    int64_t piece_groups;
    int64_t piece_columns;
    int64_t n_pieces; /* of all rows */
    int64_t n_shares; /* of the columns */
    bool halves;      /* two pieces at a time, one of each half of a thread's range */
    /*
     * If not 0, ranges are made of whole KV heads, so many in all: of each matrix the rows that belong to them. The groups of each matrix are a multiple of it, and
     * the columns are one share.
     */
    int64_t by_heads;
};

/* The counts of a worker's range. */
static inline yt_counter *yt_counter_of(const yt_context *context, int32_t owner)
{
    return (yt_counter *)context->counters.data + owner;
}

/* The first KV head of a worker; the last one of the worker before is the one before it. */
static inline int64_t yt_first_head(int64_t n_kv_heads, int32_t worker, int32_t n_threads)
{
    return n_kv_heads * worker / n_threads;
}

/* In afterwards, with by_heads: waits until all pieces of a worker's range are finished, by whomever. */
void yt_await_range(const yt_product_stage *p, int32_t owner);

/* Runs it on all threads of the context. The caller has checked everything. */
int32_t yt_product_run(yt_product_stage *p);

#endif
