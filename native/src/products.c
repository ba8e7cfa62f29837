#include "products.h"

#include "checks.h"

#include <stddef.h>
#include <string.h>

static float *normed_column(const yt_product_stage *p, int64_t c)
{
    return (float *)p->context->normed.data + c * p->width;
}

/* Norms and quantizes column c of the input into slot s of the scratch memory. */
static void prepare_column(const yt_product_stage *p, int64_t c, int64_t s)
{
    const yt_kernels *kernels = p->context->kernels;
    const float *x = p->x + (p->columns == NULL ? c : p->columns[c]) * p->width;
    float *normed = normed_column(p, s);
    if (p->norm_weight != NULL) {
        kernels->rms_norm(x, p->norm_weight, p->width, p->norm_eps, normed);
        x = normed;
    } else if (p->wants_floats) {
        memcpy(normed, x, (size_t)p->width * 4);
    }
    if (p->wants_quants) {
        int64_t n_blocks = p->width / YT_BLOCK;
        kernels->quantize(x, p->width, (int8_t *)p->context->quants.data + s * p->width, (float *)p->context->scales.data + s * n_blocks,
            (int32_t *)p->context->sums.data + s * 2 * n_blocks);
    }
}

/* Pieces of YT_MAX_GROUPS row groups, counted through all matrices. */
static int64_t pieces_of(const yt_matrix *matrix)
{
    return (matrix->n_groups + YT_MAX_GROUPS - 1) / YT_MAX_GROUPS;
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

static void multiply_piece(const yt_product_stage *p, int m, int64_t piece, const yt_input *input, int32_t worker)
{
    float *tile = (float *)p->context->tiles.data + (int64_t)worker * 2 * YT_TILE_FLOATS;
    float *second = tile + YT_TILE_FLOATS;
    const yt_matrix *matrix = p->matrices[m];
    int64_t group = piece * YT_MAX_GROUPS;
    int64_t n_groups = matrix->n_groups - group < YT_MAX_GROUPS ? matrix->n_groups - group : YT_MAX_GROUPS;
    int64_t first_row = group * YT_GROUP;
    int64_t n_rows = matrix->rows - first_row < n_groups * YT_GROUP ? matrix->rows - first_row : n_groups * YT_GROUP;
    for (int64_t c = 0; c < p->n_columns; c += YT_MAX_COLUMNS) {
        int64_t n = p->n_columns - c < YT_MAX_COLUMNS ? p->n_columns - c : YT_MAX_COLUMNS;
        p->context->kernels->matmul(matrix, group, n_groups, input, c, n, tile, YT_TILE_ROWS);
        add_bias(p, m, first_row, n_rows, n, tile);
        if (p->paired) {
            p->context->kernels->matmul(p->matrices[1], group, n_groups, input, c, n, second, YT_TILE_ROWS);
            add_bias(p, 1, first_row, n_rows, n, second);
        }
        p->take(p, m, first_row, n_rows, c, n, tile, second);
    }
}

static void product_work(void *argument, int32_t worker)
{
    yt_product_stage *p = argument;
    yt_context *context = p->context;
    int64_t slot = 0;
    if (p->n_columns == 1) {
        slot = worker;
        prepare_column(p, 0, slot);
    } else {
        for (int64_t c = worker; c < p->n_columns; c += context->n_threads) {
            prepare_column(p, c, c);
        }
        yt_threads_barrier(context->threads);
    }
    int64_t n_blocks = p->width / YT_BLOCK;
    yt_input input = {
        .x = normed_column(p, slot),
        .q = (const int8_t *)context->quants.data + slot * p->width,
        .scales = (const float *)context->scales.data + slot * n_blocks,
        .sums = (const int32_t *)context->sums.data + slot * 2 * n_blocks,
        .width = p->width,
    };
    int n_matrices = p->paired ? 1 : p->n_matrices;
    while (true) {
        int64_t piece = (int64_t)atomic_fetch_add_explicit(&p->next_piece, 1, memory_order_relaxed);
        int m = 0;
        while (m < n_matrices && piece >= pieces_of(p->matrices[m])) {
            piece -= pieces_of(p->matrices[m]);
            m++;
        }
        if (m == n_matrices) {
            return;
        }
        multiply_piece(p, m, piece, &input, worker);
    }
}

int32_t yt_product_run(yt_product_stage *p)
{
    yt_context *context = p->context;
    for (int m = 0; m < p->n_matrices; m++) {
        bool quantized = yt_is_quantized(p->matrices[m]->info);
        p->wants_quants |= quantized;
        p->wants_floats |= !quantized;
    }
    int64_t slots = p->n_columns > context->n_threads ? p->n_columns : context->n_threads;
    YT_TRY(yt_scratch_reserve(&context->normed, yt_product(slots, p->width, 4)));
    if (p->wants_quants) {
        YT_TRY(yt_scratch_reserve(&context->quants, yt_product(slots, p->width, 1)));
        YT_TRY(yt_scratch_reserve(&context->scales, yt_product(slots, p->width / YT_BLOCK, 4)));
        YT_TRY(yt_scratch_reserve(&context->sums, yt_product(slots, p->width / YT_SUM, 4)));
    }
    atomic_store(&p->next_piece, 0);
    yt_threads_run(context->threads, product_work, p);
    return YT_OK;
}
