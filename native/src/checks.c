#include "checks.h"

#include "error.h"

int32_t yt_enter(yt_context *context, bool complete, const char *stage)
{
    if (context == NULL || !complete) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: NULL argument", stage);
    }
    if (atomic_flag_test_and_set_explicit(&context->busy, memory_order_acquire)) {
        return yt_fail(YT_ERR_BUSY, "%s: another thread is inside a stage of the same context", stage);
    }
    return YT_OK;
}

int32_t yt_leave(yt_context *context, int32_t status)
{
    atomic_flag_clear_explicit(&context->busy, memory_order_release);
    return status;
}

int32_t yt_check_owner(yt_stage stage, const char *name, const yt_context *owner)
{
    return owner == stage.context ? YT_OK : yt_fail(YT_ERR_ARGUMENT, "%s: %s belongs to another context", stage.name, name);
}

int32_t yt_check_buffer(yt_stage stage, const char *name, const yt_buffer *buffer, int64_t a, int64_t b)
{
    if (buffer == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %s is NULL", stage.name, name);
    }
    YT_TRY(yt_check_owner(stage, name, buffer->context));
    int64_t bytes = yt_product(a, b, 4);
    if (bytes < 0 || buffer->bytes < bytes) {
        return yt_fail(YT_ERR_SHAPE, "%s: %s has %lld bytes, %lld x %lld elements of 4 bytes are needed", stage.name, name, (long long)buffer->bytes,
            (long long)a, (long long)b);
    }
    return YT_OK;
}

int32_t yt_check_ints(yt_stage stage, const char *name, const yt_buffer *buffer, int64_t a, int64_t b)
{
    YT_TRY(yt_check_buffer(stage, name, buffer, a, b));
    return yt_buffer_refresh(buffer);
}

int32_t yt_check_matrix(yt_stage stage, const char *name, const yt_matrix *matrix, int64_t rows, int64_t columns)
{
    if (matrix == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %s is NULL", stage.name, name);
    }
    YT_TRY(yt_check_owner(stage, name, matrix->context));
    if (matrix->rows != rows || matrix->columns != columns) {
        return yt_fail(YT_ERR_SHAPE, "%s: %s is %lld x %lld, %lld x %lld is needed", stage.name, name, (long long)matrix->rows,
            (long long)matrix->columns, (long long)rows, (long long)columns);
    }
    return YT_OK;
}

int32_t yt_check_output(yt_stage stage, const yt_buffer *out, const yt_buffer *norm, const yt_batch *batch)
{
    if (out == norm
        || (batch != NULL
            && (out == batch->tokens || out == batch->positions || out == batch->sequences || out == batch->page_table || out == batch->rope))) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: the output is also an input", stage.name);
    }
    return YT_OK;
}

int32_t yt_check_bias(yt_stage stage, const char *name, const yt_buffer *bias, int64_t rows, const yt_buffer *out)
{
    if (bias == NULL) {
        return YT_OK;
    }
    if (bias == out) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %s is also the output", stage.name, name);
    }
    return yt_check_buffer(stage, name, bias, rows, 1);
}

int32_t yt_check_columns(yt_stage stage, const yt_batch *batch)
{
    if (batch->n_columns < 1 || batch->n_columns > INT32_MAX) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld columns", stage.name, (long long)batch->n_columns);
    }
    return YT_OK;
}

int32_t yt_check_heads(yt_stage stage, const yt_layer *layer)
{
    if (layer->n_heads < 1 || layer->n_heads > 1 << 20 || layer->n_kv_heads < 1 || layer->n_heads % layer->n_kv_heads != 0 || layer->head_dim < 2
        || layer->head_dim % 2 != 0 || layer->head_dim > 1024 || layer->window < 0) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld heads, %lld key/value heads of %lld elements, a window of %lld are not possible", stage.name, (long long)layer->n_heads,
            (long long)layer->n_kv_heads, (long long)layer->head_dim, (long long)layer->window);
    }
    return YT_OK;
}

int32_t yt_check_pages(yt_stage stage, const yt_layer *layer, const yt_batch *batch, const yt_kv *kv, bool all_positions)
{
    const yt_kv_shape *shape = &kv->shape;
    YT_TRY(yt_check_owner(stage, "the pool", kv->context));
    if (layer->index < 0 || layer->index >= shape->n_layers || layer->n_kv_heads != shape->n_kv_heads || layer->head_dim != shape->head_dim) {
        return yt_fail(YT_ERR_SHAPE, "%s: layer %lld with %lld key/value heads of %lld elements does not fit a pool of %lld layers, %lld heads of %lld",
            stage.name, (long long)layer->index, (long long)layer->n_kv_heads, (long long)layer->head_dim, (long long)shape->n_layers,
            (long long)shape->n_kv_heads, (long long)shape->head_dim);
    }
    if (batch->n_sequences < 1 || batch->max_pages < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: a page table of %lld x %lld", stage.name, (long long)batch->n_sequences, (long long)batch->max_pages);
    }
    YT_TRY(yt_check_ints(stage, "positions", batch->positions, batch->n_columns, 1));
    YT_TRY(yt_check_ints(stage, "sequences", batch->sequences, batch->n_columns, 1));
    YT_TRY(yt_check_ints(stage, "page_table", batch->page_table, batch->n_sequences, batch->max_pages));
    for (int64_t c = 0; c < batch->n_columns; c++) {
        int64_t position = yt_int_at(batch->positions, c);
        int64_t sequence = yt_int_at(batch->sequences, c);
        if (position < 0 || position / shape->page_positions >= batch->max_pages || sequence < 0 || sequence >= batch->n_sequences) {
            return yt_fail(YT_ERR_ARGUMENT, "%s: column %lld is position %lld of sequence %lld; there are %lld sequences of %lld pages", stage.name,
                (long long)c, (long long)position, (long long)sequence, (long long)batch->n_sequences, (long long)batch->max_pages);
        }
        int64_t last = position / shape->page_positions;
        for (int64_t i = all_positions ? yt_first_seen(layer, position) / shape->page_positions : last; i <= last; i++) {
            int64_t page = yt_int_at(batch->page_table, sequence * batch->max_pages + i);
            if (page < 0 || page >= shape->n_pages) {
                return yt_fail(YT_ERR_ARGUMENT, "%s: page %lld of sequence %lld is number %lld; there are %lld", stage.name, (long long)i,
                    (long long)sequence, (long long)page, (long long)shape->n_pages);
            }
        }
    }
    return YT_OK;
}
