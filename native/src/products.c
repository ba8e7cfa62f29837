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

static void spread_floats(const float *x, int64_t first, int64_t end, float *tile, int64_t w, int64_t c)
{
    for (int64_t k = first; k < end; k++) {
        tile[k * w + c] = x[k];
    }
}

static void spread_pairs(const float *x, int64_t first, int64_t end, uint16_t *tile, int64_t w, int64_t c)
{
    for (int64_t k = first; k < end; k++) {
        tile[(k / 2 * w + c) * 2 + k % 2] = yt_float_to_bfloat(x[k]);
    }
    if (end % 2 != 0) { /* an odd last input, for the others end with a block */
        tile[(end / 2 * w + c) * 2 + 1] = 0;
    }
}

/*
 * Norms column c of the input and brings the inputs first to end - 1 of it into the forms that the matrices want, as column c % 8 of its tile of w columns, which
 * begins at slot. A column beyond the last is zero.
 */
static void prepare_column(const yt_product_stage *p, int64_t c, int64_t first, int64_t end, int64_t slot, int64_t w, int32_t worker)
{
    const yt_context *context = p->context;
    const int64_t width = p->width;
    float *normed = (float *)context->normed.data + worker * width;
    const float *x = normed;
    if (c >= p->n_columns) {
        memset(normed + first, 0, (size_t)(end - first) * 4);
    } else {
        x = p->x + (p->columns == NULL ? c : p->columns[c]) * width;
        if (p->norm_weight != NULL) {
            context->kernels->rms_norm(x, p->norm_weight, width, p->norm_eps, first, end, normed);
            x = normed;
        }
    }
    if (p->wants_quants) {
        context->kernels->quantize(x, first, end, tile_at(&context->quants, slot, quants_bytes(width)), w, c % YT_TILE_COLUMNS);
    }
    if (p->wants_floats) {
        spread_floats(x, first, end, (float *)tile_at(&context->floats, slot, floats_bytes(width)), w, c % YT_TILE_COLUMNS);
    }
    if (p->wants_pairs) {
        spread_pairs(x, first, end, (uint16_t *)tile_at(&context->pairs, slot, pairs_bytes(width)), w, c % YT_TILE_COLUMNS);
    }
}

/*
 * This worker's share of all columns, those that fill up the last tile included: whole tiles, or, if there are fewer tiles than workers, some inputs of every
 * column, so that no two workers write beside each other. Squares for the norm are then summed up by each of them, which is little.
 */
static void prepare_columns(const yt_product_stage *p, int32_t worker)
{
    const int64_t padded = yt_padded_columns(p->n_columns);
    const int64_t n_tiles = (padded + YT_TILE_COLUMNS - 1) / YT_TILE_COLUMNS;
    const int64_t n_blocks = (p->width + YT_BLOCK - 1) / YT_BLOCK;
    const int64_t n = p->context->n_threads;
    const bool by_tiles = n_tiles >= n;
    int64_t first_tile = by_tiles ? n_tiles * worker / n : 0;
    int64_t end_tile = by_tiles ? n_tiles * (worker + 1) / n : n_tiles;
    int64_t first = by_tiles ? 0 : n_blocks * worker / n * YT_BLOCK;
    int64_t end = by_tiles ? n_blocks * YT_BLOCK : n_blocks * (worker + 1) / n * YT_BLOCK;
    if (end > p->width) {
        end = p->width;
    }
    if (first >= end) {
        return;
    }
    for (int64_t slot = first_tile * YT_TILE_COLUMNS; slot < end_tile * YT_TILE_COLUMNS; slot += YT_TILE_COLUMNS) {
        int64_t w = yt_tile_width(p->n_columns, slot);
        for (int64_t c = slot; c < slot + w; c++) {
            prepare_column(p, c, first, end, slot, w, worker);
        }
    }
}

/* Row groups of matrix m that belong to a worker's range, where that is made of heads: all of them if not. */
static void groups_of_range(const yt_product_stage *p, int m, int32_t owner, int64_t *first, int64_t *end)
{
    const int64_t n_groups = p->matrices[m]->n_groups;
    const int32_t n = p->context->n_threads;
    *first = p->by_heads == 0 ? 0 : n_groups / p->by_heads * yt_first_head(p->by_heads, owner, n);
    *end = p->by_heads == 0 ? n_groups : n_groups / p->by_heads * yt_first_head(p->by_heads, owner + 1, n);
}

static int64_t pieces_of(const yt_product_stage *p, int64_t n_groups)
{
    return (n_groups + p->piece_groups - 1) / p->piece_groups;
}

/* Pieces of all rows of a range, counted through its matrices. */
static int64_t pieces_of_rows(const yt_product_stage *p, int32_t owner)
{
    int64_t n = 0;
    for (int m = 0; m < (p->paired ? 1 : p->n_matrices); m++) {
        int64_t first;
        int64_t end;
        groups_of_range(p, m, owner, &first, &end);
        n += pieces_of(p, end - first);
    }
    return n;
}

/* A worker's own range of pieces. */
static void range_of(const yt_product_stage *p, int32_t owner, int64_t *start, int64_t *end)
{
    const int32_t n = p->context->n_threads;
    *start = p->by_heads == 0 ? p->n_pieces * p->n_shares * owner / n : 0;
    *end = p->by_heads == 0 ? p->n_pieces * p->n_shares * (owner + 1) / n : pieces_of_rows(p, owner);
}

/* A piece: some row groups of matrix m, and columns. */
typedef struct {
    int m;
    int64_t first_group;
    int64_t n_groups;
    int64_t first_column;
    int64_t n_columns;
} piece;

/* Piece number index of a worker's range. */
static piece piece_at(const yt_product_stage *p, int32_t owner, int64_t index)
{
    int64_t number = p->by_heads == 0 ? index % p->n_pieces : index;
    int64_t share = p->by_heads == 0 ? index / p->n_pieces : 0;
    piece result = {.first_column = share * p->piece_columns};
    int64_t first;
    int64_t end;
    groups_of_range(p, 0, owner, &first, &end);
    while (number >= pieces_of(p, end - first)) {
        number -= pieces_of(p, end - first);
        groups_of_range(p, ++result.m, owner, &first, &end);
    }
    result.first_group = first + number * p->piece_groups;
    result.n_groups = end - result.first_group < p->piece_groups ? end - result.first_group : p->piece_groups;
    result.n_columns = p->n_columns - result.first_column < p->piece_columns ? p->n_columns - result.first_column : p->piece_columns;
    return result;
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

/* Rows of a piece, without those that fill up its last group. */
static int64_t rows_of(const yt_matrix *matrix, const piece *a)
{
    int64_t left = matrix->rows - a->first_group * YT_GROUP;
    return left < a->n_groups * YT_GROUP ? left : a->n_groups * YT_GROUP;
}

/* A piece of two matrices that belong together. */
static void multiply_paired(const yt_product_stage *p, const piece *a, const yt_input *input, float *tiles)
{
    float *second = tiles + YT_TILE_FLOATS;
    const yt_run runs[2] = {{p->matrices[0], a->first_group, tiles}, {p->matrices[1], a->first_group, second}};
    const int64_t first_row = a->first_group * YT_GROUP;
    const int64_t n_rows = rows_of(p->matrices[0], a);
    if (p->matrices[0]->info == p->matrices[1]->info) {
        p->context->kernels->matmul(runs, 2, a->n_groups, input, a->first_column, a->n_columns, YT_TILE_ROWS);
    } else {
        p->context->kernels->matmul(runs, 1, a->n_groups, input, a->first_column, a->n_columns, YT_TILE_ROWS);
        p->context->kernels->matmul(runs + 1, 1, a->n_groups, input, a->first_column, a->n_columns, YT_TILE_ROWS);
    }
    add_bias(p, 0, first_row, n_rows, a->n_columns, tiles);
    add_bias(p, 1, first_row, n_rows, a->n_columns, second);
    p->take(p, 0, first_row, n_rows, a->first_column, a->n_columns, tiles, second);
}

/* One or two pieces, at once if the kernel can do that. */
static void multiply_pieces(const yt_product_stage *p, const piece *pieces, int n, const yt_input *input, float *tiles)
{
    yt_run runs[2];
    for (int i = 0; i < n; i++) {
        runs[i] = (yt_run){p->matrices[pieces[i].m], pieces[i].first_group, tiles + i * YT_TILE_FLOATS};
    }
    const bool at_once = n == 2 && runs[0].matrix->info == runs[1].matrix->info && pieces[0].n_groups == pieces[1].n_groups;
    for (int i = 0; i < n; i += at_once ? 2 : 1) {
        p->context->kernels->matmul(
            runs + i, at_once ? 2 : 1, pieces[i].n_groups, input, pieces[i].first_column, pieces[i].n_columns, YT_TILE_ROWS);
    }
    for (int i = 0; i < n; i++) {
        const piece *a = &pieces[i];
        const int64_t first_row = a->first_group * YT_GROUP;
        const int64_t n_rows = rows_of(runs[i].matrix, a);
        add_bias(p, a->m, first_row, n_rows, a->n_columns, runs[i].out);
        p->take(p, a->m, first_row, n_rows, a->first_column, a->n_columns, runs[i].out, NULL);
    }
}

/* Pieces that a worker has taken. */
typedef struct {
    piece pieces[2];
    int n;         /* 0 if there were none */
    int32_t owner; /* of the range that they are of */
} taken_pieces;

/*
 * The next pieces for a worker: of its own range, which lies together in memory, and when that is done, of another's that is not. Few columns, which wait for memory,
 * take one piece of each half of the range. Counters run past their ends by as many as there are workers at most.
 */
static taken_pieces take_pieces(const yt_product_stage *p, int32_t worker)
{
    const int32_t n = p->context->n_threads;
    taken_pieces taken = {.n = 0};
    for (int32_t i = 0; i < n; i++) {
        taken.owner = (worker + i) % n;
        yt_counter *counter = yt_counter_of(p->context, taken.owner);
        int64_t start;
        int64_t end;
        range_of(p, taken.owner, &start, &end);
        const int64_t half = p->halves ? (end - start + 1) / 2 : end - start;
        if (atomic_load_explicit(&counter->next, memory_order_relaxed) < half) {
            int64_t next = (int64_t)atomic_fetch_add_explicit(&counter->next, 1, memory_order_relaxed);
            if (next < half) {
                taken.pieces[taken.n++] = piece_at(p, taken.owner, start + next);
                if (start + half + next < end) {
                    taken.pieces[taken.n++] = piece_at(p, taken.owner, start + half + next);
                }
                return taken;
            }
        }
    }
    return taken;
}

void yt_await_range(const yt_product_stage *p, int32_t owner)
{
    int64_t start;
    int64_t end;
    range_of(p, owner, &start, &end);
    yt_threads_await(p->context->threads, &yt_counter_of(p->context, owner)->finished, end - start);
}

static void product_work(void *argument, int32_t worker)
{
    yt_product_stage *p = argument;
    yt_context *context = p->context;
    int64_t slot = 0;
    if (p->n_columns == 1) {
        slot = worker;
        prepare_column(p, 0, 0, p->width, slot, 1, worker);
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
    float *tiles = (float *)context->tiles.data + (int64_t)worker * 2 * YT_TILE_FLOATS;
    for (taken_pieces taken = take_pieces(p, worker); taken.n > 0; taken = take_pieces(p, worker)) {
        if (p->paired) {
            multiply_paired(p, taken.pieces, &input, tiles);
        } else {
            multiply_pieces(p, taken.pieces, taken.n, &input, tiles);
        }
        atomic_fetch_add_explicit(&yt_counter_of(p->context, taken.owner)->finished, taken.n, memory_order_release);
    }
    if (p->afterwards != NULL) {
        if (p->by_heads == 0) {
            yt_threads_barrier(context->threads);
        }
        p->afterwards(p, worker);
    }
}

/* Columns whose quants a second-level cache holds, roughly, but enough of them to be worth taking a panel apart. */
static int64_t columns_of_piece(int64_t n_columns, int64_t width)
{
    enum { CACHE = 2 << 20, LEAST = 64 };
    int64_t fitting = CACHE / quants_bytes(width > YT_BLOCK ? width : YT_BLOCK) / YT_TILE_COLUMNS * YT_TILE_COLUMNS;
    int64_t most = fitting < LEAST ? LEAST : fitting > YT_MAX_COLUMNS ? YT_MAX_COLUMNS : fitting;
    /* Equal shares, so that no small one is left over. */
    int64_t shares = (n_columns + most - 1) / most;
    return yt_round_up((n_columns + shares - 1) / shares, YT_TILE_COLUMNS);
}

/* Divides it into pieces. */
static void plan(yt_product_stage *p)
{
    p->piece_groups = p->n_columns <= YT_TILE_COLUMNS ? 2 : YT_MAX_GROUPS;
    p->halves = !p->paired && p->n_columns <= YT_RUN_COLUMNS;
    p->piece_columns = p->by_heads == 0 ? columns_of_piece(p->n_columns, p->width) : p->n_columns;
    p->n_shares = (p->n_columns + p->piece_columns - 1) / p->piece_columns;
    p->n_pieces = p->by_heads == 0 ? pieces_of_rows(p, 0) : 0;
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
    plan(p);
    for (int32_t i = 0; i < context->n_threads; i++) {
        atomic_store_explicit(&yt_counter_of(context, i)->next, 0, memory_order_relaxed);
        atomic_store_explicit(&yt_counter_of(context, i)->finished, 0, memory_order_relaxed);
        atomic_store_explicit(&yt_counter_of(context, i)->next_item, 0, memory_order_relaxed);
    }
    yt_threads_run(context->threads, product_work, p);
    return YT_OK;
}
