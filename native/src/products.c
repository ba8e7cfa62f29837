#include "products.h"

#include "checks.h"
#include "half.h"

#include <stddef.h>
#include <string.h>

/* Bytes of a column in each form of the input. */
static int64_t quants_bytes(int64_t width)
{
    return width / YT_BLOCK * YT_RECORD;
}

static int64_t floats_bytes(int64_t width)
{
    return width * 4;
}

static int64_t pairs_bytes(int64_t width)
{
    return yt_round_up(width, 2) * 2;
}

/* The tile that begins with column c, or the worker's own. */
static uint8_t *tile_at(const yt_scratch *scratch, int64_t c, int64_t column_bytes)
{
    return (uint8_t *)scratch->data + c * column_bytes;
}

static void spread_floats(const float *x, int64_t width, float *tile, int64_t w, int64_t c)
{
    for (int64_t k = 0; k < width; k++) {
        tile[k * w + c] = x[k];
    }
}

static void spread_pairs(const float *x, int64_t width, uint16_t *tile, int64_t w, int64_t c)
{
    for (int64_t k = 0; k < width; k++) {
        tile[(k / 2 * w + c) * 2 + k % 2] = yt_float_to_bfloat(x[k]);
    }
    if (width % 2 != 0) {
        tile[(width / 2 * w + c) * 2 + 1] = 0;
    }
}

/*
 * Norms column c of the input and brings it into the forms that the matrices want, as column c % 8 of its tile of w columns, which begins at slot. A column beyond
 * the last is zero.
 */
static void prepare_column(const yt_product_stage *p, int64_t c, int64_t slot, int64_t w, int32_t worker)
{
    const yt_context *context = p->context;
    const int64_t width = p->width;
    float *normed = (float *)context->normed.data + worker * width;
    const float *x = normed;
    if (c >= p->n_columns) {
        memset(normed, 0, (size_t)width * 4);
    } else {
        x = p->x + (p->columns == NULL ? c : p->columns[c]) * width;
        if (p->norm_weight != NULL) {
            context->kernels->rms_norm(x, p->norm_weight, width, p->norm_eps, normed);
            x = normed;
        }
    }
    if (p->wants_quants) {
        context->kernels->quantize(x, width, tile_at(&context->quants, slot, quants_bytes(width)), w, c % YT_TILE_COLUMNS);
    }
    if (p->wants_floats) {
        spread_floats(x, width, (float *)tile_at(&context->floats, slot, floats_bytes(width)), w, c % YT_TILE_COLUMNS);
    }
    if (p->wants_pairs) {
        spread_pairs(x, width, (uint16_t *)tile_at(&context->pairs, slot, pairs_bytes(width)), w, c % YT_TILE_COLUMNS);
    }
}

/* This worker's share of all columns, those that fill up the last tile included. Neighbours share a tile: a worker takes columns that lie together. */
static void prepare_columns(const yt_product_stage *p, int32_t worker)
{
    int64_t padded = yt_padded_columns(p->n_columns);
    int64_t end = padded * (worker + 1) / p->context->n_threads;
    for (int64_t c = padded * worker / p->context->n_threads; c < end; c++) {
        int64_t slot = c / YT_TILE_COLUMNS * YT_TILE_COLUMNS;
        prepare_column(p, c, slot, yt_tile_width(p->n_columns, slot), worker);
    }
}

/* Pieces of some row groups, counted through all matrices. */
static int64_t pieces_of(const yt_product_stage *p, const yt_matrix *matrix)
{
    return (matrix->n_groups + p->piece_groups - 1) / p->piece_groups;
}

/* Adds the bias of the tile's rows, if the matrix has one, to every column. */
static void add_bias(const yt_product_stage *p, int m, int64_t first_row, int64_t n_rows, int64_t n_columns, float *tile)
{
    if (p->biases[m] == NULL) {
        return;
    }
    const float *bias = p->biases[m] + first_row;
    for (int64_t c = 0; c < n_columns; c++) {
        float *column = tile + c * YT_TILE_ROWS;
        for (int64_t i = 0; i < n_rows; i++) {
            column[i] = column[i] + bias[i];
        }
    }
}

static void multiply_piece(const yt_product_stage *p, int m, int64_t piece, int64_t first_column, const yt_input *input, int32_t worker)
{
    float *tile = (float *)p->context->tiles.data + (int64_t)worker * 2 * YT_TILE_FLOATS;
    float *second = tile + YT_TILE_FLOATS;
    const yt_matrix *matrix = p->matrices[m];
    int64_t group = piece * p->piece_groups;
    int64_t n_groups = matrix->n_groups - group < p->piece_groups ? matrix->n_groups - group : p->piece_groups;
    int64_t first_row = group * YT_GROUP;
    int64_t n_rows = matrix->rows - first_row < n_groups * YT_GROUP ? matrix->rows - first_row : n_groups * YT_GROUP;
    int64_t n = p->n_columns - first_column < p->piece_columns ? p->n_columns - first_column : p->piece_columns;
    p->context->kernels->matmul(matrix, group, n_groups, input, first_column, n, tile, YT_TILE_ROWS);
    add_bias(p, m, first_row, n_rows, n, tile);
    if (p->paired) {
        p->context->kernels->matmul(p->matrices[1], group, n_groups, input, first_column, n, second, YT_TILE_ROWS);
        add_bias(p, 1, first_row, n_rows, n, second);
    }
    p->take(p, m, first_row, n_rows, first_column, n, tile, second);
}

static void product_work(void *argument, int32_t worker)
{
    yt_product_stage *p = argument;
    yt_context *context = p->context;
    int64_t slot = 0;
    if (p->n_columns == 1) {
        slot = worker;
        prepare_column(p, 0, slot, 1, worker);
    } else {
        prepare_columns(p, worker);
        yt_threads_barrier(context->threads);
    }
    yt_input input = {
        .quants = p->wants_quants ? tile_at(&context->quants, slot, quants_bytes(p->width)) : NULL,
        .floats = p->wants_floats ? (const float *)tile_at(&context->floats, slot, floats_bytes(p->width)) : NULL,
        .pairs = p->wants_pairs ? (const uint16_t *)tile_at(&context->pairs, slot, pairs_bytes(p->width)) : NULL,
        .width = p->width,
        .n_columns = p->n_columns,
    };
    int n_matrices = p->paired ? 1 : p->n_matrices;
    int64_t n_pieces = 0;
    for (int m = 0; m < n_matrices; m++) {
        n_pieces += pieces_of(p, p->matrices[m]);
    }
    while (true) {
        int64_t next = (int64_t)atomic_fetch_add_explicit(&p->next_piece, 1, memory_order_relaxed);
        int64_t first_column = next / n_pieces * p->piece_columns;
        if (first_column >= p->n_columns) {
            return;
        }
        int64_t piece = next % n_pieces;
        int m = 0;
        while (piece >= pieces_of(p, p->matrices[m])) {
            piece -= pieces_of(p, p->matrices[m]);
            m++;
        }
        multiply_piece(p, m, piece, first_column, &input, worker);
    }
}

/* Columns whose quants fill half of a second-level cache of 1 MiB, but enough of them to be worth taking a panel apart. */
static int64_t columns_of_piece(int64_t n_columns, int64_t width)
{
    enum { CACHE = 512 << 10, LEAST = 64 };
    int64_t fitting = CACHE / quants_bytes(width > YT_BLOCK ? width : YT_BLOCK) / YT_TILE_COLUMNS * YT_TILE_COLUMNS;
    int64_t most = fitting < LEAST ? LEAST : fitting > YT_MAX_COLUMNS ? YT_MAX_COLUMNS : fitting;
    /* Equal shares, so that no small one is left over. */
    int64_t shares = (n_columns + most - 1) / most;
    return yt_round_up((n_columns + shares - 1) / shares, YT_TILE_COLUMNS);
}

int32_t yt_product_run(yt_product_stage *p)
{
    yt_context *context = p->context;
    for (int m = 0; m < p->n_matrices; m++) {
        const yt_type_info *info = p->matrices[m]->info;
        p->wants_quants |= yt_is_quantized(info);
        p->wants_pairs |= info->type == YT_BF16;
        p->wants_floats |= info->type == YT_F16 || info->type == YT_F32;
    }
    int64_t slots = p->n_columns == 1 ? context->n_threads : yt_padded_columns(p->n_columns);
    YT_TRY(yt_scratch_reserve(&context->normed, yt_product(context->n_threads, p->width, 4)));
    if (p->wants_quants) {
        YT_TRY(yt_scratch_reserve(&context->quants, yt_product(slots, quants_bytes(p->width), 1)));
    }
    if (p->wants_floats) {
        YT_TRY(yt_scratch_reserve(&context->floats, yt_product(slots, floats_bytes(p->width), 1)));
    }
    if (p->wants_pairs) {
        YT_TRY(yt_scratch_reserve(&context->pairs, yt_product(slots, pairs_bytes(p->width), 1)));
    }
    p->piece_groups = p->n_columns <= YT_TILE_COLUMNS ? 4 : YT_MAX_GROUPS;
    p->piece_columns = columns_of_piece(p->n_columns, p->width);
    atomic_store(&p->next_piece, 0);
    yt_threads_run(context->threads, product_work, p);
    return YT_OK;
}
