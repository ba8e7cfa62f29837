/*
 * The stages of self-attention: queries, keys and values, and what the queries gather. One call can do both, since threads need not wait for each other between them where
 * each has KV heads of its own.
 */
#include "checks.h"
#include "devices.h"
#include "error.h"
#include "products.h"

#include <string.h>

/* ---- QKV -------------------------------------------------------------------------------------------------------------------------- */

/* Elements that a head takes in a row on its way into a quantized pool. */
static int64_t row_floats(const yt_layer *layer)
{
    return yt_round_up(layer->head_dim, YT_BLOCK);
}

/*
 * Blocks of a quantized type belong to a head and may be finished in pieces, by several threads: rows are gathered, and who brings the last element writes. The counts are
 * then zero again.
 */
static void take_quantized(const yt_product_stage *p, const yt_kv_place *place, int64_t column, int64_t first_element, int64_t n, const float *part)
{
    const yt_layer *layer = p->layer;
    const int64_t index = ((place->is_value ? p->n_columns : 0) + column) * layer->n_kv_heads + place->head;
    float *row = (float *)p->context->kv_rows.data + index * row_floats(layer);
    atomic_int *count = (atomic_int *)p->context->kv_counts.data + index;
    memcpy(row + first_element, part, (size_t)n * 4);
    if (atomic_fetch_add_explicit(count, (int)n, memory_order_acq_rel) + n == layer->head_dim) {
        atomic_store_explicit(count, 0, memory_order_relaxed);
        yt_kv_write_quantized(p->kv, p->context->kernels, place, row);
    }
}

/* Rotates queries and keys, puts queries into q and keys and values into the pages. Pairs never straddle tiles: tiles begin at even rows. */
static void take_qkv(const yt_product_stage *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    (void)second;
    const yt_layer *layer = p->layer;
    const int64_t head_dim = layer->head_dim;
    const bool is_value = m == 2;
    for (int64_t i = 0; i < n_columns; i++) {
        int64_t c = first_column + i;
        float *values = tile + i * YT_TILE_ROWS;
        int64_t position = yt_int_at(p->batch->positions, c);
        int64_t page_index = position / p->kv->shape.page_positions;
        int64_t page = yt_int_at(p->batch->page_table, yt_int_at(p->batch->sequences, c) * p->batch->max_pages + page_index);
        for (int64_t row = first_row; row < first_row + n_rows;) {
            int64_t head = row / head_dim;
            int64_t element = row % head_dim;
            int64_t left = first_row + n_rows - row;
            int64_t n = head_dim - element < left ? head_dim - element : left;
            float *part = values + (row - first_row);
            if (!is_value) {
                p->context->kernels->rotate(part, yt_floats(p->batch->rope) + c * head_dim + element, n);
            }
            if (m == 0) {
                memcpy(p->out + c * layer->n_heads * head_dim + row, part, (size_t)n * 4);
            } else {
                const yt_kv_place place = {page, layer->index, head, position % p->kv->shape.page_positions, is_value};
                if (yt_kv_is_quantized(p->kv)) {
                    take_quantized(p, &place, c, element, n, part);
                } else {
                    yt_kv_write(p->kv, &place, element, n, part);
                }
            }
            row += n;
        }
    }
}

static int32_t check_qkv(yt_stage stage, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, const yt_kv *kv, const yt_buffer *q)
{
    YT_TRY(yt_check_columns(stage, batch));
    YT_TRY(yt_check_heads(stage, layer));
    YT_TRY(yt_check_output(stage, q, layer->attention_norm, batch));
    int64_t dim = layer->wq == NULL ? 0 : layer->wq->columns;
    YT_TRY(yt_check_matrix(stage, "wq", layer->wq, layer->n_heads * layer->head_dim, dim));
    YT_TRY(yt_check_matrix(stage, "wk", layer->wk, layer->n_kv_heads * layer->head_dim, dim));
    YT_TRY(yt_check_matrix(stage, "wv", layer->wv, layer->n_kv_heads * layer->head_dim, dim));
    YT_TRY(yt_check_bias(stage, "q_bias", layer->q_bias, layer->wq->rows, q));
    YT_TRY(yt_check_bias(stage, "k_bias", layer->k_bias, layer->wk->rows, q));
    YT_TRY(yt_check_bias(stage, "v_bias", layer->v_bias, layer->wv->rows, q));
    YT_TRY(yt_check_buffer(stage, "attention_norm", layer->attention_norm, dim, 1));
    YT_TRY(yt_check_buffer(stage, "x", x, batch->n_columns, dim));
    YT_TRY(yt_check_buffer(stage, "q", q, batch->n_columns, layer->n_heads * layer->head_dim));
    YT_TRY(yt_check_buffer(stage, "rope", batch->rope, batch->n_columns, layer->head_dim));
    return yt_check_pages(stage, layer, batch, kv, false);
}

/* What is needed beside the arguments, which are checked. */
static int32_t prepare_qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_kv *kv)
{
    if (!yt_kv_is_quantized(kv)) {
        return YT_OK;
    }
    YT_TRY(yt_scratch_reserve(&context->kv_rows, yt_product(2 * batch->n_columns, layer->n_kv_heads, 4 * row_floats(layer))));
    return yt_scratch_reserve(&context->kv_counts, yt_product(2 * batch->n_columns, layer->n_kv_heads, sizeof(atomic_int)));
}

static yt_product_stage qkv_product(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, const yt_kv *kv, const yt_buffer *q)
{
    return (yt_product_stage){
        .context = context,
        .matrices = {layer->wq, layer->wk, layer->wv},
        .biases = {yt_bias(layer->q_bias), yt_bias(layer->k_bias), yt_bias(layer->v_bias)},
        .n_matrices = 3,
        .n_columns = batch->n_columns,
        .width = layer->wq->columns,
        .x = yt_floats(x),
        .norm_weight = yt_floats(layer->attention_norm),
        .norm_eps = layer->norm_eps,
        .take = take_qkv,
        .layer = layer,
        .batch = batch,
        .kv = kv,
        .out = yt_floats(q),
    };
}

static int32_t qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q)
{
    const yt_stage stage = {context, "yt_qkv"};
    YT_TRY(check_qkv(stage, layer, batch, x, kv, q));
    if (yt_is_on_device(context)) {
        return yt_device_qkv(context, layer, batch, x, kv, q);
    }
    YT_TRY(prepare_qkv(context, layer, batch, kv));
    yt_product_stage p = qkv_product(context, layer, batch, x, kv, q);
    return yt_product_run(&p);
}

int32_t yt_qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q)
{
    YT_TRY(yt_enter(context, layer != NULL && batch != NULL && x != NULL && kv != NULL && q != NULL && x != q, "yt_qkv"));
    return yt_leave(context, qkv(context, layer, batch, x, kv, q));
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
    const int32_t *blocks;  /* [n_blocks + 1]: the first column of each */
    int64_t n_blocks;
    int64_t first_span;     /* that any column sees */
    int64_t end_span;
    int64_t part_spans;     /* spans of a part: all, unless there are few blocks for the threads */
    int64_t n_parts;        /* of a block and head */
    float *partials;        /* [n_blocks][n_kv_heads][spans][queries of a block][yt_partial_floats()], if there are several parts */
    int64_t pair_floats;    /* of a block and head in them */
    atomic_int *finished;   /* [n_blocks][n_kv_heads]: parts; zero between stages */
    atomic_llong next_item;
} attention_job;

/* The keys and values of a head that the sequence of a column has. */
static yt_kv_head head_view(const attention_job *job, int64_t column, int64_t head)
{
    const yt_layer *layer = job->layer;
    const yt_batch *batch = job->batch;
    const yt_kv *kv = job->kv;
    const int64_t key_offset = (layer->index * layer->n_kv_heads + head) * kv->head_bytes;
    return (yt_kv_head){
        .base = kv->data,
        .pages = (const int32_t *)batch->page_table->data + yt_int_at(batch->sequences, column) * batch->max_pages,
        .page_bytes = kv->page_bytes,
        .key_offset = key_offset,
        .value_offset = key_offset + kv->key_bytes,
        .key_group_bytes = kv->key_group_bytes,
        .value_group_bytes = kv->value_group_bytes,
        .page_positions = kv->shape.page_positions,
        .head_dim = layer->head_dim,
        .value_stride = kv->value_stride,
        .type = kv->shape.type,
    };
}

/* Parts of a block and head: who finishes the last one merges. A block of several parts has no more queries than one call takes. */
static void attend_part(const attention_job *job, const yt_kv_head *view, const yt_query *queries, int64_t n, int64_t pair, int64_t part, float *scratch)
{
    const yt_kernels *kernels = job->context->kernels;
    const int64_t first = job->first_span + part * job->part_spans;
    const int64_t end = first + job->part_spans < job->end_span ? first + job->part_spans : job->end_span;
    if (job->n_parts == 1) {
        kernels->attend(view, queries, n, first, end, scratch, NULL);
        return;
    }
    float *partials = job->partials + pair * job->pair_floats;
    kernels->attend(view, queries, n, first, end, scratch, partials + (first - job->first_span) * n * yt_partial_floats(view->value_stride));
    if (atomic_fetch_add_explicit(&job->finished[pair], 1, memory_order_acq_rel) + 1 == job->n_parts) {
        atomic_store_explicit(&job->finished[pair], 0, memory_order_relaxed);
        kernels->merge(view, queries, n, job->first_span, job->end_span, partials);
    }
}

/* One item is a part of a block of columns of one sequence and a KV head: the queries that share it read its keys and values once. */
static void attend_block(const attention_job *job, int64_t block, int64_t head, int64_t part, float *scratch)
{
    const yt_layer *layer = job->layer;
    const int64_t group = layer->n_heads / layer->n_kv_heads;
    const int64_t first = job->blocks[block];
    const int64_t end = job->blocks[block + 1];
    const yt_kv_head view = head_view(job, first, head);
    yt_query queries[YT_MAX_QUERIES];
    int64_t n = 0;
    for (int64_t c = first; c < end; c++) {
        const int64_t position = yt_int_at(job->batch->positions, c);
        for (int64_t h = 0; h < group; h++) {
            const int64_t offset = (c * layer->n_heads + head * group + h) * layer->head_dim;
            queries[n++] = (yt_query){job->q + offset, job->out + offset, yt_first_seen(layer, position), position + 1};
            if (n == YT_MAX_QUERIES || (c + 1 == end && h + 1 == group)) {
                attend_part(job, &view, queries, n, block * layer->n_kv_heads + head, part, scratch);
                n = 0;
            }
        }
    }
}

static float *attention_scratch(const attention_job *job, int32_t worker)
{
    return (float *)job->context->attention.data + worker * job->scratch_floats;
}

static void attention_work(void *argument, int32_t worker)
{
    attention_job *job = argument;
    const int64_t n_kv_heads = job->layer->n_kv_heads;
    while (true) {
        int64_t item = (int64_t)atomic_fetch_add_explicit(&job->next_item, 1, memory_order_relaxed);
        const int64_t pair = item / job->n_parts;
        if (pair >= job->n_blocks * n_kv_heads) {
            return;
        }
        attend_block(job, pair / n_kv_heads, pair % n_kv_heads, item % job->n_parts, attention_scratch(job, worker));
    }
}

/* The same behind a product: whoever's range is complete can be attended to, a worker's own heads first. */
static void attention_afterwards(const yt_product_stage *p, int32_t worker)
{
    attention_job *job = p->argument;
    if (p->by_heads == 0) {
        attention_work(job, worker);
        return;
    }
    const int32_t n = job->context->n_threads;
    for (int32_t i = 0; i < n; i++) {
        const int32_t owner = (worker + i) % n;
        const int64_t first_head = yt_first_head(p->by_heads, owner, n);
        const int64_t n_heads = yt_first_head(p->by_heads, owner + 1, n) - first_head;
        atomic_llong *next = &yt_counter_of(job->context, owner)->next_item;
        yt_await_range(p, owner);
        while (true) {
            int64_t item = (int64_t)atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
            const int64_t pair = item / job->n_parts;
            if (pair >= job->n_blocks * n_heads) {
                break;
            }
            attend_block(job, pair / n_heads, first_head + pair % n_heads, item % job->n_parts, attention_scratch(job, worker));
        }
    }
}

/* Columns of a block at most: as many as one call of the kernel takes, and few enough for every thread to get some blocks. */
static int64_t columns_of_block(const yt_context *context, const yt_layer *layer, const yt_batch *batch)
{
    int64_t most = YT_MAX_QUERIES / (layer->n_heads / layer->n_kv_heads);
    int64_t fair = batch->n_columns * layer->n_kv_heads / (4 * context->n_threads);
    most = most < fair ? most : fair;
    return most < 1 ? 1 : most;
}

/* Writes the first column of every block, and the end; returns how many blocks there are. */
static int64_t divide_columns(const yt_batch *batch, int64_t most, int32_t *blocks)
{
    int64_t n = 0;
    for (int64_t c = 0; c < batch->n_columns; c++) {
        if (c == 0 || c - blocks[n - 1] == most || yt_int_at(batch->sequences, c) != yt_int_at(batch->sequences, c - 1)
            || yt_int_at(batch->positions, c) < yt_int_at(batch->positions, c - 1)) {
            blocks[n++] = (int32_t)c;
        }
    }
    blocks[n] = (int32_t)batch->n_columns;
    return n;
}

static int32_t check_attention(yt_stage stage, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, const yt_buffer *out)
{
    YT_TRY(yt_check_columns(stage, batch));
    YT_TRY(yt_check_heads(stage, layer));
    YT_TRY(yt_check_output(stage, out, NULL, batch));
    YT_TRY(yt_check_buffer(stage, "q", q, batch->n_columns, layer->n_heads * layer->head_dim));
    YT_TRY(yt_check_buffer(stage, "out", out, batch->n_columns, layer->n_heads * layer->head_dim));
    return yt_check_pages(stage, layer, batch, kv, true);
}

/* Where blocks and heads are few for the threads, their spans are divided too; not for more memory than it is worth. */
static int32_t divide_spans(attention_job *job)
{
    enum { ITEMS_OF_A_THREAD = 8 };
    const int64_t most_floats = (int64_t)64 << 20;
    yt_context *context = job->context;
    const int64_t group = job->layer->n_heads / job->layer->n_kv_heads;
    const int64_t pairs = job->n_blocks * job->layer->n_kv_heads;
    const int64_t spans = job->end_span - job->first_span;
    int64_t columns = 0;
    for (int64_t b = 0; b < job->n_blocks; b++) {
        columns = job->blocks[b + 1] - job->blocks[b] > columns ? job->blocks[b + 1] - job->blocks[b] : columns;
    }
    int64_t wanted = (ITEMS_OF_A_THREAD * context->n_threads + pairs - 1) / pairs;
    wanted = wanted < spans ? wanted : spans;
    job->pair_floats = spans * columns * group * yt_partial_floats(job->kv->value_stride);
    if (context->n_threads == 1 || wanted < 2 || columns * group > YT_MAX_QUERIES || pairs * job->pair_floats > most_floats) {
        wanted = 1;
    }
    job->part_spans = (spans + wanted - 1) / wanted;
    job->n_parts = (spans + job->part_spans - 1) / job->part_spans;
    if (job->n_parts > 1) {
        YT_TRY(yt_scratch_reserve(&context->partials, pairs * job->pair_floats * 4));
        YT_TRY(yt_scratch_reserve(&context->parts_finished, pairs * (int64_t)sizeof(atomic_int)));
        job->partials = context->partials.data;
        job->finished = context->parts_finished.data;
    }
    return YT_OK;
}

static int32_t prepare_attention(attention_job *job, yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, const yt_buffer *out)
{
    int64_t first = INT64_MAX;
    int64_t last = 0;
    for (int64_t c = 0; c < batch->n_columns; c++) {
        const int64_t position = yt_int_at(batch->positions, c);
        last = position > last ? position : last;
        first = yt_first_seen(layer, position) < first ? yt_first_seen(layer, position) : first;
    }
    *job = (attention_job){
        .context = context,
        .layer = layer,
        .batch = batch,
        .kv = kv,
        .q = yt_floats(q),
        .out = yt_floats(out),
        .first_span = first / YT_SPAN,
        .end_span = last / YT_SPAN + 1,
        .scratch_floats = yt_round_up(yt_attend_floats(layer->head_dim, kv->value_stride), 16),
    };
    YT_TRY(yt_scratch_reserve(&context->attention, yt_product(job->scratch_floats, context->n_threads, 4)));
    YT_TRY(yt_scratch_reserve(&context->blocks, yt_product(batch->n_columns + 1, 4, 1)));
    job->blocks = context->blocks.data;
    job->n_blocks = divide_columns(batch, columns_of_block(context, layer, batch), context->blocks.data);
    return divide_spans(job);
}

static int32_t attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out)
{
    const yt_stage stage = {context, "yt_attention"};
    attention_job job;
    YT_TRY(check_attention(stage, layer, batch, q, kv, out));
    if (yt_is_on_device(context)) {
        return yt_device_attention(context, layer, batch, q, kv, out);
    }
    YT_TRY(prepare_attention(&job, context, layer, batch, q, kv, out));
    yt_threads_run(context->threads, attention_work, &job);
    return YT_OK;
}

int32_t yt_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out)
{
    YT_TRY(yt_enter(context, layer != NULL && batch != NULL && q != NULL && kv != NULL && out != NULL && q != out, "yt_attention"));
    return yt_leave(context, attention(context, layer, batch, q, kv, out));
}

/* Whether every worker can have some KV heads of its own, whose rows are whole groups; not worth its while for many columns, which wait for each other anyway. */
static bool heads_divide(const yt_context *context, const yt_layer *layer, const yt_batch *batch)
{
    return batch->n_columns <= YT_TILE_COLUMNS && layer->head_dim % YT_GROUP == 0 && layer->n_kv_heads >= context->n_threads;
}

static int32_t qkv_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q, yt_buffer *out)
{
    const yt_stage stage = {context, "yt_qkv_attention"};
    attention_job job;
    YT_TRY(check_qkv(stage, layer, batch, x, kv, q));
    /* Some threads may write into out while others still multiply. */
    YT_TRY(yt_check_output(stage, out, layer->attention_norm, batch));
    YT_TRY(yt_check_bias(stage, "q_bias", layer->q_bias, layer->wq->rows, out));
    YT_TRY(yt_check_bias(stage, "k_bias", layer->k_bias, layer->wk->rows, out));
    YT_TRY(yt_check_bias(stage, "v_bias", layer->v_bias, layer->wv->rows, out));
    YT_TRY(check_attention(stage, layer, batch, q, kv, out));
    if (yt_is_on_device(context)) {
        YT_TRY(yt_device_qkv(context, layer, batch, x, kv, q));
        return yt_device_attention(context, layer, batch, q, kv, out);
    }
    YT_TRY(prepare_attention(&job, context, layer, batch, q, kv, out));
    YT_TRY(prepare_qkv(context, layer, batch, kv));
    yt_product_stage p = qkv_product(context, layer, batch, x, kv, q);
    p.by_heads = heads_divide(context, layer, batch) ? layer->n_kv_heads : 0;
    p.afterwards = attention_afterwards;
    p.argument = &job;
    return yt_product_run(&p);
}

int32_t yt_qkv_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q, yt_buffer *out)
{
    bool complete = layer != NULL && batch != NULL && x != NULL && kv != NULL && q != NULL && out != NULL && x != q && x != out && q != out;
    YT_TRY(yt_enter(context, complete, "yt_qkv_attention"));
    return yt_leave(context, qkv_attention(context, layer, batch, x, kv, q, out));
}
