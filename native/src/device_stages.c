/* The stages of a context that computes on a device: the objects of yangtuo.h become those of device.h. */
#include "checks.h"
#include "devices.h"

#include <string.h>

/* ---- what stages work on ---------------------------------------------------------------------------------------------------------- */

/* With zeros where there is padding: launches are compared byte by byte, so that those of a pass are found again. */
static yt_device_matrix matrix_of(const yt_matrix *matrix)
{
    yt_device_matrix out;
    memset(&out, 0, sizeof out);
    if (matrix != NULL) {
        out.type = matrix->info->type;
        out.rows = matrix->rows;
        out.columns = matrix->columns;
        out.n_groups = matrix->n_groups;
        out.group_bytes = matrix->group_bytes;
        out.data = matrix->data;
    }
    return out;
}

/* Where a buffer's contents are on the device; NULL for one that is not there. */
static void *memory_of(const yt_buffer *buffer)
{
    return buffer == NULL ? NULL : buffer->device_data;
}

/* A buffer that the stage writes: what the host knows of it is old from now on. */
static void *output_of(yt_buffer *buffer)
{
    buffer->is_computed = true;
    return buffer->device_data;
}

/* What a stage does not need of a layer may be missing. */
static yt_device_layer layer_of(const yt_layer *layer)
{
    return (yt_device_layer){
        .index = layer->index,
        .n_heads = layer->n_heads,
        .n_kv_heads = layer->n_kv_heads,
        .head_dim = layer->head_dim,
        .window = layer->window,
        .norm_eps = layer->norm_eps,
        .attention_norm = memory_of(layer->attention_norm),
        .ffn_norm = memory_of(layer->ffn_norm),
        .wq = matrix_of(layer->wq),
        .wk = matrix_of(layer->wk),
        .wv = matrix_of(layer->wv),
        .wo = matrix_of(layer->wo),
        .w_gate = matrix_of(layer->w_gate),
        .w_up = matrix_of(layer->w_up),
        .w_down = matrix_of(layer->w_down),
        .q_bias = memory_of(layer->q_bias),
        .k_bias = memory_of(layer->k_bias),
        .v_bias = memory_of(layer->v_bias),
        .o_bias = memory_of(layer->o_bias),
        .gate_bias = memory_of(layer->gate_bias),
        .up_bias = memory_of(layer->up_bias),
        .down_bias = memory_of(layer->down_bias),
    };
}

static yt_device_batch batch_of(const yt_batch *batch)
{
    return (yt_device_batch){
        .n_columns = batch->n_columns,
        .n_sequences = batch->n_sequences,
        .max_pages = batch->max_pages,
        .tokens = memory_of(batch->tokens),
        .positions = memory_of(batch->positions),
        .sequences = memory_of(batch->sequences),
        .page_table = memory_of(batch->page_table),
        .rope = memory_of(batch->rope),
    };
}

/* Of a stage that has checked the positions. */
static yt_device_batch batch_with_positions(const yt_batch *batch)
{
    yt_device_batch out = batch_of(batch);
    for (int64_t c = 0; c < batch->n_columns; c++) {
        const int64_t position = yt_int_at(batch->positions, c);
        out.max_position = position > out.max_position ? position : out.max_position;
    }
    return out;
}

static yt_device_kv kv_of(const yt_kv *kv)
{
    return (yt_device_kv){
        .type = kv->shape.type,
        .page_positions = kv->shape.page_positions,
        .n_kv_heads = kv->shape.n_kv_heads,
        .head_dim = kv->shape.head_dim,
        .value_stride = kv->value_stride,
        .key_group_bytes = kv->key_group_bytes,
        .value_group_bytes = kv->value_group_bytes,
        .key_bytes = kv->key_bytes,
        .head_bytes = kv->head_bytes,
        .page_bytes = kv->page_bytes,
        .data = kv->data,
    };
}

/* ---- stages ----------------------------------------------------------------------------------------------------------------------- */

int32_t yt_device_embed(yt_context *context, const yt_matrix *table, const yt_batch *batch, yt_buffer *x)
{
    const yt_device_matrix matrix = matrix_of(table);
    const yt_device_batch columns = batch_of(batch);
    YT_DEVICE_CALL(context, embed, &matrix, &columns, output_of(x));
}

int32_t yt_device_qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q)
{
    const yt_device_layer weights = layer_of(layer);
    const yt_device_batch columns = batch_with_positions(batch);
    const yt_device_kv pool = kv_of(kv);
    YT_DEVICE_CALL(context, qkv, &weights, &columns, memory_of(x), &pool, output_of(q));
}

int32_t yt_device_attention(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out)
{
    const yt_device_layer weights = layer_of(layer);
    const yt_device_batch columns = batch_with_positions(batch);
    const yt_device_kv pool = kv_of(kv);
    YT_DEVICE_CALL(context, attention, &weights, &columns, memory_of(q), &pool, output_of(out));
}

int32_t yt_device_add_product(
    yt_context *context, const yt_matrix *matrix, const yt_buffer *bias, int64_t n_columns, const yt_buffer *input, yt_buffer *x)
{
    const yt_device_matrix weights = matrix_of(matrix);
    YT_DEVICE_CALL(context, add_product, &weights, memory_of(bias), n_columns, memory_of(input), output_of(x));
}

int32_t yt_device_gate_up(yt_context *context, const yt_layer *layer, int64_t n_columns, const yt_buffer *x, yt_buffer *hidden)
{
    const yt_device_layer weights = layer_of(layer);
    YT_DEVICE_CALL(context, gate_up, &weights, n_columns, memory_of(x), output_of(hidden));
}

int32_t yt_device_logits(yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, yt_buffer *logits,
    const yt_candidates *candidates)
{
    const yt_device_matrix matrix = matrix_of(output->matrix);
    yt_device_candidates wanted;
    if (candidates != NULL) {
        wanted = (yt_device_candidates){
            .count = candidates->count,
            .n_choices = candidates->n_choices,
            .n_edits = candidates->edit_ends == NULL ? 0 : yt_int_at(candidates->edit_ends, n_outputs - 1),
            .ids = output_of(candidates->ids),
            .values = output_of(candidates->values),
            .edits = memory_of(candidates->edits),
            .edit_ends = memory_of(candidates->edit_ends),
        };
    }
    YT_DEVICE_CALL(context, logits, &matrix, memory_of(output->norm), output->norm_eps, memory_of(x), n_outputs, memory_of(columns), output_of(logits),
        candidates == NULL ? NULL : &wanted);
}
