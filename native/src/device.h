/*
 * The boundary between libyangtuo and a library of kernels for another device, such as libyangtuo-cuda, which is opened on demand (device.c). The library is a table of
 * functions; libyangtuo has checked every argument before it calls one, and keeps one thread at a time inside a context. All pointers to what stages work on are the
 * device's; layouts of matrices and pages are those of the processor (kernels/kernels.h, memory.h).
 *
 * Stages are put in a queue and may be computed later, in order; download waits for everything before it. A failure may therefore be reported by a later call. After one,
 * every call on the context fails; close and release still work.
 */
#ifndef YT_DEVICE_H
#define YT_DEVICE_H

#include "../include/yangtuo.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever anything below does. */
#define YT_DEVICE_VERSION 1

typedef struct yt_device_context yt_device_context;

/* A packed matrix (struct yt_matrix in kernels/kernels.h). */
typedef struct {
    int32_t type;
    int64_t rows;
    int64_t columns;
    int64_t n_groups;
    int64_t group_bytes;
    const uint8_t *data;
} yt_device_matrix;

/* yt_batch. */
typedef struct {
    int64_t n_columns;
    int64_t n_sequences;
    int64_t max_pages;
    int64_t max_position; /* the largest of positions */
    const int32_t *tokens;
    const int32_t *positions;
    const int32_t *sequences;
    const int32_t *page_table;
    const float *rope;
} yt_device_batch;

/* yt_layer; a bias that is not there is NULL. */
typedef struct {
    int64_t index;
    int64_t n_heads;
    int64_t n_kv_heads;
    int64_t head_dim;
    int64_t window;
    float norm_eps;
    const float *attention_norm;
    const float *ffn_norm;
    yt_device_matrix wq, wk, wv, wo, w_gate, w_up, w_down;
    const float *q_bias, *k_bias, *v_bias, *o_bias, *gate_bias, *up_bias, *down_bias;
} yt_device_layer;

/* struct yt_kv in memory.h. */
typedef struct {
    int32_t type;
    int32_t page_positions;
    int64_t n_kv_heads;
    int64_t head_dim;
    int64_t value_stride;
    int64_t key_group_bytes;
    int64_t value_group_bytes;
    int64_t key_bytes;
    int64_t head_bytes;
    int64_t page_bytes;
    uint8_t *data;
} yt_device_kv;

/* yt_candidates; edits and edit_ends are NULL if there are none, and edit_ends[n_outputs - 1] is n_edits. */
typedef struct {
    int64_t count;
    int64_t n_choices;
    int64_t n_edits;
    int32_t *ids;
    float *values;
    const yt_edit *edits;
    const int32_t *edit_ends;
} yt_device_candidates;

/* Every function but close and release returns a yt_status; on one that is not YT_OK it has given the message to set_error. */
typedef struct {
    int32_t version; /* YT_DEVICE_VERSION */

    /* Versions of the driver's and of the library's own runtime, 1000 * major + 10 * minor; 0: there is no driver. */
    int32_t (*versions)(int32_t *driver, int32_t *runtime);
    /* YT_ERR_UNSUPPORTED without a driver, or with one that is too old. */
    int32_t (*count)(int32_t *count);
    int32_t (*info)(int32_t device, yt_device_info *out);

    int32_t (*open)(int32_t device, yt_device_context **out);
    void (*close)(yt_device_context *context);

    /* Zeroed, aligned to 256 bytes. YT_ERR_MEMORY if it cannot be had. */
    int32_t (*allocate)(yt_device_context *context, int64_t byte_size, void **out);
    void (*release)(yt_device_context *context, void *memory);
    /* In the order of the queue. source may be changed when the call returns. */
    int32_t (*upload)(yt_device_context *context, void *target, const void *source, int64_t byte_size);
    /* Waits until everything before is computed. */
    int32_t (*download)(yt_device_context *context, void *target, const void *source, int64_t byte_size);
    int32_t (*copy)(yt_device_context *context, void *target, const void *source, int64_t byte_size);

    /* YT_OK if products with a matrix of this type, or keys and values of this type and head size, can be computed. */
    int32_t (*check_matrix)(yt_device_context *context, int32_t type, int64_t rows, int64_t columns);
    int32_t (*check_kv)(yt_device_context *context, int32_t type, int64_t head_dim);

    /* The stages of yangtuo.h; attention_output and down are add_product: x = x + (matrix input + bias). */
    int32_t (*embed)(yt_device_context *context, const yt_device_matrix *table, const yt_device_batch *batch, float *x);
    int32_t (*qkv)(yt_device_context *context, const yt_device_layer *layer, const yt_device_batch *batch, const float *x, const yt_device_kv *kv, float *q);
    int32_t (*attention)(
        yt_device_context *context, const yt_device_layer *layer, const yt_device_batch *batch, const float *q, const yt_device_kv *kv, float *out);
    int32_t (*add_product)(
        yt_device_context *context, const yt_device_matrix *matrix, const float *bias, int64_t n_columns, const float *input, float *x);
    int32_t (*gate_up)(yt_device_context *context, const yt_device_layer *layer, int64_t n_columns, const float *x, float *hidden);
    /* candidates: NULL if none are wanted. */
    int32_t (*logits)(yt_device_context *context, const yt_device_matrix *matrix, const float *norm, float norm_eps, const float *x, int64_t n_outputs,
        const int32_t *columns, float *logits, const yt_device_candidates *candidates);
} yt_device_table;

/*
 * The one function that such a library exports, named YT_DEVICE_ENTRY. version: the caller's YT_DEVICE_VERSION. set_error: keeps a copy of the text for the calling thread.
 * NULL if the library has another version. Any number of calls; the table is static.
 */
typedef const yt_device_table *yt_device_entry(int32_t version, void (*set_error)(const char *message));
#define YT_DEVICE_ENTRY "yt_device_table_of"

#ifdef __cplusplus
}
#endif

#endif
