/*
 * What libyangtuo's own functions give, for tests in C++ of kernels that must give the same bits: their headers are C alone. Programs that use it have the library's objects
 * in them, not the library, which hides these functions. Arguments are not checked; a failure ends the program.
 */
#ifndef YT_PROCESSOR_H
#define YT_PROCESSOR_H

#include "../../src/device.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A packed matrix of rows as GGML stores them. It lies in the host's memory, and so does what `view` describes. */
yt_matrix *processor_matrix(yt_context *context, int32_t type, int64_t rows, int64_t columns, const void *bytes, yt_device_matrix *view);

/* A row as float32. */
void processor_row(const yt_matrix *matrix, int64_t row, float *out);

/* y = rms_norm(x) * norm. */
void processor_norm(const float *x, const float *norm, int64_t width, float eps, float *y);

/* Activations of quantized matrices: quants [width], scales [width / 32], sums of sixteen quants [width / 16]. */
void processor_quantize(const float *x, int64_t width, int8_t *quants, float *scales, int32_t *sums);

/* RoPE of n values, in place. */
void processor_rotate(float *x, const float *rope, int64_t n);

/* A pool in the host's memory, all bytes of it 0xA5; *view describes it. */
yt_kv *processor_kv(yt_context *context, const yt_kv_shape *shape, yt_device_kv *view);

/* Writes head_dim elements of a key or a value. */
void processor_write_kv(const yt_kv *kv, int64_t page, int64_t layer, int64_t head, int64_t position_in_page, bool is_value, const float *x);

/* Edits the logits of an output; edit_ends as in yt_device_candidates. */
void processor_edit(const yt_edit *edits, const int32_t *edit_ends, int64_t output, float *logits);

/* The `count` largest of n logits. */
void processor_choose(const float *logits, int64_t n, int64_t count, int32_t *ids, float *values);

#ifdef __cplusplus
}
#endif

#endif
