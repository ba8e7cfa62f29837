#include "processor.h"

#include "../../src/candidates.h"
#include "../../src/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int32_t status)
{
    if (status != YT_OK) {
        fprintf(stderr, "status %d: %s\n", status, yt_last_error());
        exit(1);
    }
}

yt_matrix *processor_matrix(yt_context *context, int32_t type, int64_t rows, int64_t columns, const void *bytes, yt_device_matrix *view)
{
    yt_matrix *m;
    must(yt_matrix_create(context, type, rows, columns, &m));
    must(yt_matrix_upload(m, 0, rows, bytes, rows * (columns / m->info->block_elements) * m->info->block_bytes));
    *view = (yt_device_matrix){type, rows, columns, m->n_groups, m->group_bytes, m->data};
    return m;
}

void processor_row(const yt_matrix *matrix, int64_t row, float *out)
{
    yt_matrix_decode_row(matrix, row, out);
}

void processor_norm(const float *x, const float *norm, int64_t width, float eps, float *y)
{
    yt_kernels_portable.rms_norm(x, norm, width, eps, 0, width, y);
}

void processor_quantize(const float *x, int64_t width, int8_t *quants, float *scales, int32_t *sums)
{
    uint8_t *tile = malloc((size_t)(width / YT_BLOCK) * YT_RECORD);
    yt_kernels_portable.quantize(x, 0, width, tile, 1, 0);
    for (int64_t b = 0; b < width / YT_BLOCK; b++) {
        const uint8_t *record = tile + b * YT_RECORD;
        int32_t minus_sums[2];
        memcpy(quants + b * YT_BLOCK, record, YT_BLOCK);
        memcpy(&scales[b], record + 32, 4);
        memcpy(minus_sums, record + 44, sizeof minus_sums);
        sums[2 * b] = -minus_sums[0];
        sums[2 * b + 1] = -minus_sums[1];
    }
    free(tile);
}

void processor_rotate(float *x, const float *rope, int64_t n)
{
    yt_kernels_portable.rotate(x, rope, n);
}

yt_kv *processor_kv(yt_context *context, const yt_kv_shape *shape, yt_device_kv *view)
{
    yt_kv *kv;
    must(yt_kv_create(context, shape, &kv));
    memset(kv->data, 0xA5, (size_t)kv->bytes);
    *view = (yt_device_kv){shape->type, shape->page_positions, shape->n_kv_heads, shape->head_dim, kv->value_stride, kv->key_group_bytes, kv->value_group_bytes,
        kv->key_bytes, kv->head_bytes, kv->page_bytes, kv->data};
    return kv;
}

void processor_write_kv(const yt_kv *kv, int64_t page, int64_t layer, int64_t head, int64_t position_in_page, bool is_value, const float *x)
{
    const yt_kv_place place = {page, layer, head, position_in_page, is_value};
    if (!yt_kv_is_quantized(kv)) {
        yt_kv_write(kv, &place, 0, kv->shape.head_dim, x);
        return;
    }
    float row[YT_MAX_HEAD];
    memcpy(row, x, (size_t)kv->shape.head_dim * 4);
    yt_kv_write_quantized(kv, &yt_kernels_portable, &place, row);
}

void processor_edit(const yt_edit *edits, const int32_t *edit_ends, int64_t output, float *logits)
{
    const yt_buffer edit_buffer = {.data = (uint8_t *)edits};
    const yt_buffer end_buffer = {.data = (uint8_t *)edit_ends};
    const yt_candidates candidates = {.edits = &edit_buffer, .edit_ends = &end_buffer};
    yt_edit_logits(&candidates, output, logits);
}

void processor_choose(const float *logits, int64_t n, int64_t count, int32_t *ids, float *values)
{
    yt_choose(logits, n, count, ids, values);
}
