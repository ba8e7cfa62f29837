/* The pool of keys and values: pages as a whole, and what is written into them. */
#include "checks.h"
#include "devices.h"
#include "error.h"
#include "half.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the pool --------------------------------------------------------------------------------------------------------------------- */

/* Fills in what follows from the shape of a pool; its sizes are checked. */
static void lay_out(yt_kv *kv)
{
    const int64_t head_dim = kv->shape.head_dim;
    switch (kv->shape.type) {
    case YT_Q8_0:
        kv->value_stride = yt_round_up(head_dim, 16);
        kv->key_group_bytes = yt_kv_scale_bytes(head_dim) + yt_round_up(head_dim, 4) * 16;
        kv->value_group_bytes = yt_kv_scale_bytes(head_dim) + kv->value_stride * 16;
        break;
    case YT_Q4_0:
        kv->value_stride = yt_round_up(head_dim, 32);
        kv->key_group_bytes = yt_kv_scale_bytes(head_dim) + yt_round_up(head_dim, 8) * 8;
        kv->value_group_bytes = yt_kv_scale_bytes(head_dim) + kv->value_stride * 8;
        break;
    default: {
        const int64_t element_bytes = kv->shape.type == YT_F32 ? 4 : 2;
        kv->value_stride = yt_round_up(head_dim, 16);
        kv->key_group_bytes = head_dim * 16 * element_bytes;
        kv->value_group_bytes = kv->value_stride * 16 * element_bytes;
        break;
    }
    }
    const int64_t groups = kv->shape.page_positions / 16;
    kv->key_bytes = groups * kv->key_group_bytes;
    kv->head_bytes = kv->key_bytes + groups * kv->value_group_bytes;
    kv->page_bytes = yt_product(kv->head_bytes, kv->shape.n_layers, kv->shape.n_kv_heads);
    kv->bytes = kv->page_bytes < 0 ? -1 : yt_product(kv->page_bytes, kv->shape.n_pages, 1);
}

/* The memory of all pages, zeroed. */
static int32_t allocate_pages(yt_kv *kv)
{
    if (yt_is_on_device(kv->context)) {
        void *memory;
        YT_TRY(yt_device_allocate(kv->context, kv->bytes, &memory));
        kv->data = memory;
        return YT_OK;
    }
    kv->data = yt_allocate(kv->bytes);
    return kv->data == NULL ? YT_ERR_MEMORY : YT_OK;
}

int32_t yt_kv_create(yt_context *context, const yt_kv_shape *shape, yt_kv **out)
{
    if (context == NULL || shape == NULL || out == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_kv_create: NULL argument");
    }
    switch (shape->type) {
    case YT_F32:
    case YT_F16:
    case YT_BF16:
    case YT_Q8_0:
    case YT_Q4_0:
        break;
    default:
        return yt_fail(YT_ERR_UNSUPPORTED, "yt_kv_create: keys and values cannot be kept as type %d", shape->type);
    }
    if (shape->page_positions < 16 || shape->page_positions % 16 != 0 || shape->page_positions > 1 << 20 || shape->n_pages < 1
        || shape->n_layers < 1 || shape->n_kv_heads < 1 || shape->head_dim < 2 || shape->head_dim % 2 != 0 || shape->head_dim > 1024) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_kv_create: %lld pages of %d positions, %lld layers, %lld heads of %lld elements are not possible",
            (long long)shape->n_pages, shape->page_positions, (long long)shape->n_layers, (long long)shape->n_kv_heads,
            (long long)shape->head_dim);
    }
    yt_kv laid_out = {.context = context, .shape = *shape};
    lay_out(&laid_out);
    if (yt_is_on_device(context)) {
        YT_TRY(yt_device_check_kv(context, shape->type, shape->head_dim));
    }
    yt_kv *kv = laid_out.bytes < 0 ? NULL : calloc(1, sizeof *kv);
    int32_t status = kv == NULL ? YT_ERR_MEMORY : allocate_pages(&laid_out);
    if (status != YT_OK) {
        free(kv);
        return status != YT_ERR_MEMORY ? status : yt_fail(status, "out of memory: %lld bytes for keys and values could not be had%s; a smaller context needs less",
            (long long)laid_out.bytes, yt_is_on_device(context) ? " on the device" : "");
    }
    *kv = laid_out;
    *out = kv;
    return YT_OK;
}

void yt_kv_destroy(yt_kv *kv)
{
    if (kv != NULL) {
        if (yt_is_on_device(kv->context)) {
            yt_device_release(kv->context, kv->data);
        } else {
            yt_free(kv->data, kv->bytes);
        }
        free(kv);
    }
}

/* ---- pages as a whole ------------------------------------------------------------------------------------------------------------- */

int64_t yt_kv_page_bytes(const yt_kv *kv)
{
    return kv == NULL ? 0 : kv->page_bytes;
}

static uint8_t *page_at(const yt_kv *kv, int64_t page)
{
    return kv->data + page * kv->page_bytes;
}

static int32_t check_page(const char *call, const yt_kv *kv, int64_t page)
{
    if (page < 0 || page >= kv->shape.n_pages) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: page %lld is outside a pool of %lld", call, (long long)page, (long long)kv->shape.n_pages);
    }
    return YT_OK;
}

int32_t yt_kv_copy_page(yt_kv *kv, int64_t from, int64_t to)
{
    if (kv == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_kv_copy_page: NULL argument");
    }
    YT_TRY(check_page("yt_kv_copy_page", kv, from));
    YT_TRY(check_page("yt_kv_copy_page", kv, to));
    if (from == to) {
        return YT_OK;
    }
    if (yt_is_on_device(kv->context)) {
        return yt_device_copy(kv->context, page_at(kv, to), page_at(kv, from), kv->page_bytes);
    }
    memcpy(page_at(kv, to), page_at(kv, from), (size_t)kv->page_bytes);
    return YT_OK;
}

/* What a page and host memory must be to be copied. */
static int32_t check_page_copy(const char *call, const yt_kv *kv, int64_t page, const void *host, int64_t byte_size)
{
    if (kv == NULL || host == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: NULL argument", call);
    }
    YT_TRY(check_page(call, kv, page));
    if (byte_size != kv->page_bytes) {
        return yt_fail(YT_ERR_SHAPE, "%s: %lld bytes are not a page of %lld", call, (long long)byte_size, (long long)kv->page_bytes);
    }
    return YT_OK;
}

int32_t yt_kv_download_page(const yt_kv *kv, int64_t page, void *target, int64_t byte_size)
{
    YT_TRY(check_page_copy("yt_kv_download_page", kv, page, target, byte_size));
    if (yt_is_on_device(kv->context)) {
        return yt_device_download(kv->context, target, page_at(kv, page), byte_size);
    }
    memcpy(target, page_at(kv, page), (size_t)byte_size);
    return YT_OK;
}

int32_t yt_kv_upload_page(yt_kv *kv, int64_t page, const void *source, int64_t byte_size)
{
    YT_TRY(check_page_copy("yt_kv_upload_page", kv, page, source, byte_size));
    if (yt_is_on_device(kv->context)) {
        return yt_device_upload(kv->context, page_at(kv, page), source, byte_size);
    }
    memcpy(page_at(kv, page), source, (size_t)byte_size);
    return YT_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------- */

/* The sixteen positions that a place is one of. */
static uint8_t *group_of(const yt_kv *kv, const yt_kv_place *place)
{
    uint8_t *base = page_at(kv, place->page) + (place->layer * kv->shape.n_kv_heads + place->head) * kv->head_bytes;
    const int64_t group = place->position_in_page / 16;
    return place->is_value ? base + kv->key_bytes + group * kv->value_group_bytes : base + group * kv->key_group_bytes;
}

void yt_kv_write(const yt_kv *kv, const yt_kv_place *place, int64_t first_element, int64_t count, const float *source)
{
    uint8_t *group = group_of(kv, place);
    const int64_t lane = place->position_in_page % 16;
    const int64_t first = place->is_value ? lane * kv->value_stride + first_element : first_element * 16 + lane;
    const int64_t step = place->is_value ? 1 : 16;
    for (int64_t i = 0; i < count; i++) {
        switch (kv->shape.type) {
        case YT_F16:
            ((uint16_t *)group)[first + i * step] = yt_float_to_half(source[i]);
            break;
        case YT_BF16:
            ((uint16_t *)group)[first + i * step] = yt_float_to_bfloat(source[i]);
            break;
        default:
            ((float *)group)[first + i * step] = source[i];
            break;
        }
    }
}

/* One block of 32 elements: its scale, and its quants as GGML has them, of Q8_0 or of Q4_0. A block with NaN or an infinity has NaN for its scale, so that damage shows. */
static uint16_t encode_block(const yt_kv *kv, const yt_kernels *kernels, const float *x, uint8_t *quants)
{
    enum { NAN_HALF = 0x7E00 };
    const int64_t bytes = kv->shape.type == YT_Q8_0 ? 32 : 16;
    float zero = 0.0f;
    for (int i = 0; i < YT_BLOCK; i++) {
        zero += x[i] * 0.0f;
    }
    if (isnan(zero)) {
        memset(quants, 0, (size_t)bytes);
        return NAN_HALF;
    }
    uint8_t block[2 + YT_BLOCK];
    uint16_t scale;
    kernels->encode(kv->shape.type, x, YT_BLOCK, block);
    memcpy(&scale, block, sizeof scale);
    memcpy(quants, block + sizeof scale, (size_t)bytes);
    return scale;
}

/* Quants of a block of a key; n of them exist. */
static void spread_key(int32_t type, const uint8_t *quants, int64_t n, int64_t lane, uint8_t *block)
{
    if (type == YT_Q8_0) {
        for (int64_t i = 0; i < yt_round_up(n, 4); i++) {
            block[i / 4 * 64 + lane * 4 + i % 4] = quants[i] ^ 0x80;
        }
        return;
    }
    for (int64_t i = 0; i < yt_round_up(n, 8); i++) {
        const uint8_t q = quants[i % 16] >> (i < 16 ? 0 : 4) & 15;
        uint8_t *pair = block + i / 8 * 64 + lane * 4 + i % 4;
        *pair = i % 8 < 4 ? q : (uint8_t)(*pair | q << 4);
    }
}

void yt_kv_write_quantized(const yt_kv *kv, const yt_kernels *kernels, const yt_kv_place *place, float *row)
{
    const int64_t head_dim = kv->shape.head_dim;
    const bool wide = kv->shape.type == YT_Q8_0;
    const int64_t lane = place->position_in_page % 16;
    uint8_t *group = group_of(kv, place);
    uint8_t *quants_of_group = group + yt_kv_scale_bytes(head_dim);
    for (int64_t i = head_dim; i < yt_round_up(head_dim, YT_BLOCK); i++) {
        row[i] = 0.0f;
    }
    for (int64_t first = 0; first < head_dim; first += YT_BLOCK) {
        uint8_t quants[YT_BLOCK];
        const int64_t left = head_dim - first < YT_BLOCK ? head_dim - first : YT_BLOCK;
        ((uint16_t *)group)[first / YT_BLOCK * 16 + lane] = encode_block(kv, kernels, row + first, quants);
        if (!place->is_value) {
            spread_key(kv->shape.type, quants, left, lane, quants_of_group + first * (wide ? 16 : 8));
        } else if (wide) {
            memcpy(quants_of_group + lane * kv->value_stride + first, quants, (size_t)yt_round_up(left, 16));
        } else {
            memcpy(quants_of_group + (lane * kv->value_stride + first) / 2, quants, YT_BLOCK / 2);
        }
    }
}
