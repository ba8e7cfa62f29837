/*
 * The stages of a forward pass: checks of what comes in, and the division of the work among the threads. A stage that multiplies has two parts. First
 * its input is normed and quantized: for one column by every thread for itself, which is cheaper than waiting for each other, for
 * several columns in turn, with a barrier behind. Then pieces of row groups are handed out by a counter until none is left. Which thread
 * computes what does not change any result.
 */
#include "context.h"
#include "error.h"
#include "memory.h"

#include <stdbool.h>
#include <string.h>

/* ---- checks ----------------------------------------------------------------------------------------------------------------------- */

static int32_t enter(yt_context *context, bool complete, const char *stage)
{
    if (context == NULL || !complete) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: NULL argument", stage);
    }
    if (atomic_flag_test_and_set_explicit(&context->busy, memory_order_acquire)) {
        return yt_fail(YT_ERR_BUSY, "%s: another thread is inside a stage of the same context", stage);
    }
    return YT_OK;
}

static int32_t leave(yt_context *context, int32_t status)
{
    atomic_flag_clear_explicit(&context->busy, memory_order_release);
    return status;
}

static int32_t check_buffer(const char *stage, const char *name, const yt_buffer *buffer, int64_t a, int64_t b)
{
    if (buffer == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %s is NULL", stage, name);
    }
    int64_t bytes = yt_product(a, b, 4);
    if (bytes < 0 || buffer->bytes < bytes) {
        return yt_fail(YT_ERR_SHAPE, "%s: %s has %lld bytes, %lld x %lld elements of 4 bytes are needed", stage, name, (long long)buffer->bytes,
            (long long)a, (long long)b);
    }
    return YT_OK;
}

static int32_t check_matrix(const char *stage, const char *name, const yt_matrix *matrix, int64_t rows, int64_t columns)
{
    if (matrix == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %s is NULL", stage, name);
    }
    if (matrix->rows != rows || matrix->columns != columns) {
        return yt_fail(YT_ERR_SHAPE, "%s: %s is %lld x %lld, %lld x %lld is needed", stage, name, (long long)matrix->rows,
            (long long)matrix->columns, (long long)rows, (long long)columns);
    }
    return YT_OK;
}

/* What a stage writes must be none of what it reads: indices that change after they were checked would lead out of bounds. */
static int32_t check_output(const char *stage, const yt_buffer *out, const yt_buffer *norm, const yt_batch *batch)
{
    if (out == norm
        || (batch != NULL
            && (out == batch->tokens || out == batch->positions || out == batch->sequences || out == batch->page_table || out == batch->rope))) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: the output is also an input", stage);
    }
    return YT_OK;
}

#define YT_TRY(call) \
    do { \
        int32_t yt_try_status = (call); \
        if (yt_try_status != YT_OK) { \
            return yt_try_status; \
        } \
    } while (0)

static int32_t check_columns(const char *stage, const yt_batch *batch)
{
    if (batch->n_columns < 1 || batch->n_columns > INT32_MAX) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld columns", stage, (long long)batch->n_columns);
    }
    return YT_OK;
}

static int32_t check_heads(const char *stage, const yt_layer *layer)
{
    if (layer->n_heads < 1 || layer->n_heads > 1 << 20 || layer->n_kv_heads < 1 || layer->n_heads % layer->n_kv_heads != 0 || layer->head_dim < 2
        || layer->head_dim % 2 != 0 || layer->head_dim > 1024) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld heads, %lld key/value heads of %lld elements are not possible", stage, (long long)layer->n_heads,
            (long long)layer->n_kv_heads, (long long)layer->head_dim);
    }
    return YT_OK;
}

static int32_t at(const yt_buffer *buffer, int64_t index)
{
    return ((const int32_t *)buffer->data)[index];
}

/* Every position of every column has a page that exists: up to its own for attention, its own alone when it is written. */
static int32_t check_pages(const char *stage, const yt_layer *layer, const yt_batch *batch, const yt_kv *kv, bool all_positions)
{
    const yt_kv_shape *shape = &kv->shape;
    if (layer->index < 0 || layer->index >= shape->n_layers || layer->n_kv_heads != shape->n_kv_heads || layer->head_dim != shape->head_dim) {
        return yt_fail(YT_ERR_SHAPE, "%s: layer %lld with %lld key/value heads of %lld elements does not fit a pool of %lld layers, %lld heads of %lld",
            stage, (long long)layer->index, (long long)layer->n_kv_heads, (long long)layer->head_dim, (long long)shape->n_layers,
            (long long)shape->n_kv_heads, (long long)shape->head_dim);
    }
    if (batch->n_sequences < 1 || batch->max_pages < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: a page table of %lld x %lld", stage, (long long)batch->n_sequences, (long long)batch->max_pages);
    }
    YT_TRY(check_buffer(stage, "positions", batch->positions, batch->n_columns, 1));
    YT_TRY(check_buffer(stage, "sequences", batch->sequences, batch->n_columns, 1));
    YT_TRY(check_buffer(stage, "page_table", batch->page_table, batch->n_sequences, batch->max_pages));
    for (int64_t c = 0; c < batch->n_columns; c++) {
        int64_t position = at(batch->positions, c);
        int64_t sequence = at(batch->sequences, c);
        if (position < 0 || position / shape->page_positions >= batch->max_pages || sequence < 0 || sequence >= batch->n_sequences) {
            return yt_fail(YT_ERR_ARGUMENT, "%s: column %lld is position %lld of sequence %lld; there are %lld sequences of %lld pages", stage,
                (long long)c, (long long)position, (long long)sequence, (long long)batch->n_sequences, (long long)batch->max_pages);
        }
        int64_t last = position / shape->page_positions;
        for (int64_t i = all_positions ? 0 : last; i <= last; i++) {
            int64_t page = at(batch->page_table, sequence * batch->max_pages + i);
            if (page < 0 || page >= shape->n_pages) {
                return yt_fail(YT_ERR_ARGUMENT, "%s: page %lld of sequence %lld is number %lld; there are %lld", stage, (long long)i,
                    (long long)sequence, (long long)page, (long long)shape->n_pages);
            }
        }
    }
    return YT_OK;
}

static float *floats(const yt_buffer *buffer)
{
    return (float *)buffer->data;
}

/* ---- embedding -------------------------------------------------------------------------------------------------------------------- */

static int32_t embed(const yt_matrix *table, const yt_batch *batch, yt_buffer *x)
{
    YT_TRY(check_columns("yt_embed", batch));
    YT_TRY(check_output("yt_embed", x, NULL, batch));
    YT_TRY(check_buffer("yt_embed", "tokens", batch->tokens, batch->n_columns, 1));
    YT_TRY(check_buffer("yt_embed", "x", x, batch->n_columns, table->columns));
    for (int64_t c = 0; c < batch->n_columns; c++) {
        int64_t token = at(batch->tokens, c);
        if (token < 0 || token >= table->rows) {
            return yt_fail(YT_ERR_ARGUMENT, "yt_embed: token %lld is outside the vocabulary of %lld", (long long)token, (long long)table->rows);
        }
    }
    for (int64_t c = 0; c < batch->n_columns; c++) {
        yt_matrix_decode_row(table, at(batch->tokens, c), floats(x) + c * table->columns);
    }
    return YT_OK;
}

int32_t yt_embed(yt_context *context, const yt_matrix *table, const yt_batch *batch, yt_buffer *x)
{
    YT_TRY(enter(context, table != NULL && batch != NULL && x != NULL, "yt_embed"));
    return leave(context, embed(table, batch, x));
}

/* ---- products --------------------------------------------------------------------------------------------------------------------- */

enum { MAX_MATRICES = 3 };

typedef struct product product;

/* Takes a finished tile: rows first_row to first_row + n_rows - 1 of matrix number m for some columns; a column of the tile is YT_TILE_ROWS values. */
typedef void (*take_tile)(
    const product *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second);

/* One multiplying stage: the same input times up to three matrices. */
struct product {
    yt_context *context;
    const yt_matrix *matrices[MAX_MATRICES];
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
    bool wants_floats;
    bool wants_quants;

    take_tile take;
    const yt_layer *layer;
    const yt_batch *batch;
    const yt_kv *kv;
    float *out;

    atomic_llong next_piece;
};

static float *normed_column(const product *p, int64_t c)
{
    return (float *)p->context->normed.data + c * p->width;
}

/* Norms and quantizes column c of the input into slot s of the scratch memory. */
static void prepare_column(const product *p, int64_t c, int64_t s)
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
            (int32_t *)p->context->sums.data + s * n_blocks);
    }
}

/* Pieces of YT_MAX_GROUPS row groups, counted through all matrices. */
static int64_t pieces_of(const yt_matrix *matrix)
{
    return (matrix->n_groups + YT_MAX_GROUPS - 1) / YT_MAX_GROUPS;
}

static void multiply_piece(const product *p, int m, int64_t piece, const yt_input *input, int32_t worker)
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
        if (p->paired) {
            p->context->kernels->matmul(p->matrices[1], group, n_groups, input, c, n, second, YT_TILE_ROWS);
        }
        p->take(p, m, first_row, n_rows, c, n, tile, second);
    }
}

static void product_work(void *argument, int32_t worker)
{
    product *p = argument;
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
        .sums = (const int32_t *)context->sums.data + slot * n_blocks,
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

static int32_t run_product(product *p)
{
    yt_context *context = p->context;
    for (int m = 0; m < p->n_matrices; m++) {
        bool quantized = p->matrices[m]->type == YT_Q8_0 || p->matrices[m]->type == YT_Q4_0;
        p->wants_quants |= quantized;
        p->wants_floats |= !quantized;
    }
    int64_t slots = p->n_columns > context->n_threads ? p->n_columns : context->n_threads;
    YT_TRY(yt_scratch_reserve(&context->normed, yt_product(slots, p->width, 4)));
    if (p->wants_quants) {
        YT_TRY(yt_scratch_reserve(&context->quants, yt_product(slots, p->width, 1)));
        YT_TRY(yt_scratch_reserve(&context->scales, yt_product(slots, p->width / YT_BLOCK, 4)));
        YT_TRY(yt_scratch_reserve(&context->sums, yt_product(slots, p->width / YT_BLOCK, 4)));
    }
    atomic_store(&p->next_piece, 0);
    yt_threads_run(context->threads, product_work, p);
    return YT_OK;
}

/* ---- QKV -------------------------------------------------------------------------------------------------------------------------- */

/* Rotates queries and keys, puts queries into q and keys and values into the pages. Pairs never straddle tiles: tiles begin at even rows. */
static void take_qkv(const product *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    (void)second;
    const yt_layer *layer = p->layer;
    const int64_t head_dim = layer->head_dim;
    const bool is_value = m == 2;
    for (int64_t i = 0; i < n_columns; i++) {
        int64_t c = first_column + i;
        float *values = tile + i * YT_TILE_ROWS;
        int64_t position = at(p->batch->positions, c);
        int64_t page_index = position / p->kv->shape.page_positions;
        int64_t page = at(p->batch->page_table, at(p->batch->sequences, c) * p->batch->max_pages + page_index);
        for (int64_t row = first_row; row < first_row + n_rows;) {
            int64_t head = row / head_dim;
            int64_t element = row % head_dim;
            int64_t left = first_row + n_rows - row;
            int64_t n = head_dim - element < left ? head_dim - element : left;
            float *part = values + (row - first_row);
            if (!is_value) {
                p->context->kernels->rotate(part, floats(p->batch->rope) + c * head_dim + element, n);
            }
            if (m == 0) {
                memcpy(p->out + c * layer->n_heads * head_dim + row, part, (size_t)n * 4);
            } else {
                yt_kv_write(p->kv, page, layer->index, head, position % p->kv->shape.page_positions, is_value, element, n, part);
            }
            row += n;
        }
    }
}

static int32_t qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q)
{
    const char *stage = "yt_qkv";
    YT_TRY(check_columns(stage, batch));
    YT_TRY(check_heads(stage, layer));
    YT_TRY(check_output(stage, q, layer->attention_norm, batch));
    int64_t dim = layer->wq == NULL ? 0 : layer->wq->columns;
    YT_TRY(check_matrix(stage, "wq", layer->wq, layer->n_heads * layer->head_dim, dim));
    YT_TRY(check_matrix(stage, "wk", layer->wk, layer->n_kv_heads * layer->head_dim, dim));
    YT_TRY(check_matrix(stage, "wv", layer->wv, layer->n_kv_heads * layer->head_dim, dim));
    YT_TRY(check_buffer(stage, "attention_norm", layer->attention_norm, dim, 1));
    YT_TRY(check_buffer(stage, "x", x, batch->n_columns, dim));
    YT_TRY(check_buffer(stage, "q", q, batch->n_columns, layer->n_heads * layer->head_dim));
    YT_TRY(check_buffer(stage, "rope", batch->rope, batch->n_columns, layer->head_dim));
    YT_TRY(check_pages(stage, layer, batch, kv, false));
    product p = {
        .context = context,
        .matrices = {layer->wq, layer->wk, layer->wv},
        .n_matrices = 3,
        .n_columns = batch->n_columns,
        .width = dim,
        .x = floats(x),
        .norm_weight = floats(layer->attention_norm),
        .norm_eps = layer->norm_eps,
        .take = take_qkv,
        .layer = layer,
        .batch = batch,
        .kv = kv,
        .out = floats(q),
    };
    return run_product(&p);
}

int32_t yt_qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q)
{
    YT_TRY(enter(context, layer != NULL && batch != NULL && x != NULL && kv != NULL && q != NULL && x != q, "yt_qkv"));
    return leave(context, qkv(context, layer, batch, x, kv, q));
}

/* ---- attention -------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    yt_context *context;
    const yt_layer *layer;
    const yt_batch *batch;
    const yt_kv *kv;
    const float *q;
    float *out;
    int64_t scratch_floats; /* of a thread */
    atomic_llong next_item;
} attention_job;

/* One item is a column and a KV head: the query heads that share it read its keys and values once. */
static void attention_work(void *argument, int32_t worker)
{
    attention_job *job = argument;
    const yt_layer *layer = job->layer;
    const yt_batch *batch = job->batch;
    const yt_kv *kv = job->kv;
    const int64_t group = layer->n_heads / layer->n_kv_heads;
    float *scratch = (float *)job->context->attention.data + worker * job->scratch_floats;
    while (true) {
        int64_t item = (int64_t)atomic_fetch_add_explicit(&job->next_item, 1, memory_order_relaxed);
        if (item >= batch->n_columns * layer->n_kv_heads) {
            return;
        }
        int64_t c = item / layer->n_kv_heads;
        int64_t head = item % layer->n_kv_heads;
        int64_t key_offset = (layer->index * layer->n_kv_heads + head) * kv->head_bytes;
        yt_kv_head view = {
            .base = kv->data,
            .pages = (const int32_t *)batch->page_table->data + at(batch->sequences, c) * batch->max_pages,
            .page_bytes = kv->page_bytes,
            .key_offset = key_offset,
            .value_offset = key_offset + kv->key_bytes,
            .page_positions = kv->shape.page_positions,
            .head_dim = layer->head_dim,
            .value_stride = kv->value_stride,
            .type = kv->shape.type,
        };
        for (int64_t h = 0; h < group; h += YT_MAX_QUERIES) {
            int64_t n = group - h < YT_MAX_QUERIES ? group - h : YT_MAX_QUERIES;
            int64_t offset = (c * layer->n_heads + head * group + h) * layer->head_dim;
            job->context->kernels->attend(&view, job->q + offset, n, at(batch->positions, c) + (int64_t)1, scratch, job->out + offset);
        }
    }
}

static int32_t attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out)
{
    const char *stage = "yt_attention";
    YT_TRY(check_columns(stage, batch));
    YT_TRY(check_heads(stage, layer));
    YT_TRY(check_output(stage, out, NULL, batch));
    YT_TRY(check_buffer(stage, "q", q, batch->n_columns, layer->n_heads * layer->head_dim));
    YT_TRY(check_buffer(stage, "out", out, batch->n_columns, layer->n_heads * layer->head_dim));
    YT_TRY(check_pages(stage, layer, batch, kv, true));
    int64_t longest = 0;
    for (int64_t c = 0; c < batch->n_columns; c++) {
        int64_t length = at(batch->positions, c) + (int64_t)1;
        longest = length > longest ? length : longest;
    }
    attention_job job = {
        .context = context,
        .layer = layer,
        .batch = batch,
        .kv = kv,
        .q = floats(q),
        .out = floats(out),
        /* In steps of a page, so that a growing text does not ask for a little more at every token. */
        .scratch_floats = YT_MAX_QUERIES * ((longest + 1023) / 1024 * 1024 + 2 * kv->value_stride),
    };
    YT_TRY(yt_scratch_reserve(&context->attention, yt_product(job.scratch_floats, context->n_threads, 4)));
    yt_threads_run(context->threads, attention_work, &job);
    return YT_OK;
}

int32_t yt_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out)
{
    YT_TRY(enter(context, layer != NULL && batch != NULL && q != NULL && kv != NULL && out != NULL && q != out, "yt_attention"));
    return leave(context, attention(context, layer, batch, q, kv, out));
}

/* ---- projections with the residual ------------------------------------------------------------------------------------------------ */

static void take_residual(
    const product *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    (void)second;
    for (int64_t c = 0; c < n_columns; c++) {
        float *x = p->out + (first_column + c) * p->matrices[m]->rows + first_row;
        for (int64_t i = 0; i < n_rows; i++) {
            x[i] = x[i] + tile[c * YT_TILE_ROWS + i];
        }
    }
}

static int32_t add_product(yt_context *context, const char *stage, const yt_matrix *matrix, const yt_batch *batch, const yt_buffer *input, yt_buffer *x)
{
    YT_TRY(check_columns(stage, batch));
    YT_TRY(check_buffer(stage, "the input", input, batch->n_columns, matrix->columns));
    YT_TRY(check_buffer(stage, "x", x, batch->n_columns, matrix->rows));
    product p = {
        .context = context,
        .matrices = {matrix},
        .n_matrices = 1,
        .n_columns = batch->n_columns,
        .width = matrix->columns,
        .x = floats(input),
        .take = take_residual,
        .out = floats(x),
    };
    return run_product(&p);
}

int32_t yt_attention_output(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *attention, yt_buffer *x)
{
    bool complete = layer != NULL && layer->wo != NULL && batch != NULL && attention != NULL && x != NULL && attention != x;
    YT_TRY(enter(context, complete, "yt_attention_output"));
    return leave(context, add_product(context, "yt_attention_output", layer->wo, batch, attention, x));
}

int32_t yt_down(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *hidden, yt_buffer *x)
{
    bool complete = layer != NULL && layer->w_down != NULL && batch != NULL && hidden != NULL && x != NULL && hidden != x;
    YT_TRY(enter(context, complete, "yt_down"));
    return leave(context, add_product(context, "yt_down", layer->w_down, batch, hidden, x));
}

/* ---- gate and up ------------------------------------------------------------------------------------------------------------------ */

static void take_gate_up(
    const product *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    int64_t rounded = (n_rows + YT_GROUP - 1) / YT_GROUP * YT_GROUP;
    for (int64_t c = 0; c < n_columns; c++) {
        p->context->kernels->swiglu(tile + c * YT_TILE_ROWS, second + c * YT_TILE_ROWS, rounded);
        memcpy(p->out + (first_column + c) * p->matrices[m]->rows + first_row, tile + c * YT_TILE_ROWS, (size_t)n_rows * 4);
    }
}

static int32_t gate_up(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_buffer *hidden)
{
    const char *stage = "yt_gate_up";
    YT_TRY(check_columns(stage, batch));
    YT_TRY(check_output(stage, hidden, layer->ffn_norm, NULL));
    int64_t dim = layer->w_gate == NULL ? 0 : layer->w_gate->columns;
    int64_t hidden_dim = layer->w_gate == NULL ? 0 : layer->w_gate->rows;
    YT_TRY(check_matrix(stage, "w_gate", layer->w_gate, hidden_dim, dim));
    YT_TRY(check_matrix(stage, "w_up", layer->w_up, hidden_dim, dim));
    YT_TRY(check_buffer(stage, "ffn_norm", layer->ffn_norm, dim, 1));
    YT_TRY(check_buffer(stage, "x", x, batch->n_columns, dim));
    YT_TRY(check_buffer(stage, "hidden", hidden, batch->n_columns, hidden_dim));
    product p = {
        .context = context,
        .matrices = {layer->w_gate, layer->w_up},
        .n_matrices = 2,
        .paired = true,
        .n_columns = batch->n_columns,
        .width = dim,
        .x = floats(x),
        .norm_weight = floats(layer->ffn_norm),
        .norm_eps = layer->norm_eps,
        .take = take_gate_up,
        .out = floats(hidden),
    };
    return run_product(&p);
}

int32_t yt_gate_up(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_buffer *hidden)
{
    YT_TRY(enter(context, layer != NULL && batch != NULL && x != NULL && hidden != NULL && x != hidden, "yt_gate_up"));
    return leave(context, gate_up(context, layer, batch, x, hidden));
}

/* ---- logits ----------------------------------------------------------------------------------------------------------------------- */

static void take_logits(
    const product *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    (void)second;
    for (int64_t c = 0; c < n_columns; c++) {
        memcpy(p->out + (first_column + c) * p->matrices[m]->rows + first_row, tile + c * YT_TILE_ROWS, (size_t)n_rows * 4);
    }
}

static int32_t logits_stage(
    yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, yt_buffer *logits)
{
    const char *stage = "yt_logits";
    const yt_matrix *matrix = output->matrix;
    if (n_outputs < 1 || n_outputs > INT32_MAX) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld outputs", stage, (long long)n_outputs);
    }
    YT_TRY(check_output(stage, logits, output->norm, NULL));
    YT_TRY(check_buffer(stage, "norm", output->norm, matrix->columns, 1));
    YT_TRY(check_buffer(stage, "columns", columns, n_outputs, 1));
    YT_TRY(check_buffer(stage, "logits", logits, n_outputs, matrix->rows));
    for (int64_t i = 0; i < n_outputs; i++) {
        int64_t column = at(columns, i);
        if (column < 0) {
            return yt_fail(YT_ERR_ARGUMENT, "%s: output %lld is column %lld", stage, (long long)i, (long long)column);
        }
        YT_TRY(check_buffer(stage, "x", x, column + 1, matrix->columns));
    }
    product p = {
        .context = context,
        .matrices = {matrix},
        .n_matrices = 1,
        .n_columns = n_outputs,
        .width = matrix->columns,
        .x = floats(x),
        .columns = (const int32_t *)columns->data,
        .norm_weight = floats(output->norm),
        .norm_eps = output->norm_eps,
        .take = take_logits,
        .out = floats(logits),
    };
    return run_product(&p);
}

int32_t yt_logits(
    yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, yt_buffer *logits)
{
    bool complete = output != NULL && output->matrix != NULL && x != NULL && columns != NULL && logits != NULL && x != logits && columns != logits;
    YT_TRY(enter(context, complete, "yt_logits"));
    return leave(context, logits_stage(context, output, x, n_outputs, columns, logits));
}
