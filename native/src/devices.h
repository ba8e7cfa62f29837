/*
 * What libyangtuo does with a context that computes on a device (device.h): its memory (device.c) and its stages (device_stages.c). Any thread may call; one at a time is
 * let into a context, the others wait. All return the library's status and message, which is YT_ERR_DEVICE after a failure.
 */
#ifndef YT_DEVICES_H
#define YT_DEVICES_H

#include "context.h"
#include "memory.h"

static inline bool yt_is_on_device(const yt_context *context)
{
    return context->device != NULL;
}

/* Returns what a function of the table gives, which one thread at a time is in. */
#define YT_DEVICE_CALL(context, function, ...) \
    pthread_mutex_lock(&(context)->device_mutex); \
    int32_t yt_call_status = (context)->table->function((context)->device, __VA_ARGS__); \
    pthread_mutex_unlock(&(context)->device_mutex); \
    return yt_call_status

/* Closes what a context has of its device. */
void yt_device_close(yt_context *context);

/* Zeroed memory of the device. YT_ERR_MEMORY, with the bytes, if it cannot be had. */
int32_t yt_device_allocate(yt_context *context, int64_t bytes, void **out);
void yt_device_release(yt_context *context, void *memory);

/* A copy of the source is taken; a download waits for what comes before it. */
int32_t yt_device_upload(yt_context *context, void *target, const void *source, int64_t bytes);
int32_t yt_device_download(yt_context *context, void *target, const void *source, int64_t bytes);
int32_t yt_device_copy(yt_context *context, void *target, const void *source, int64_t bytes);

/* YT_ERR_UNSUPPORTED if the device has no kernels for them. */
int32_t yt_device_check_matrix(yt_context *context, int32_t type, int64_t rows, int64_t columns);
int32_t yt_device_check_kv(yt_context *context, int32_t type, int64_t head_dim);

/* The stages of yangtuo.h; all arguments are checked. */
int32_t yt_device_embed(yt_context *context, const yt_matrix *table, const yt_batch *batch, yt_buffer *x);
int32_t yt_device_qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q);
int32_t yt_device_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out);
int32_t yt_device_add_product(
    yt_context *context, const yt_matrix *matrix, const yt_buffer *bias, int64_t n_columns, const yt_buffer *input, yt_buffer *x);
int32_t yt_device_gate_up(yt_context *context, const yt_layer *layer, int64_t n_columns, const yt_buffer *x, yt_buffer *hidden);
int32_t yt_device_logits(yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, yt_buffer *logits,
    const yt_candidates *candidates);

#endif
