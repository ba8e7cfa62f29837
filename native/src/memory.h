/* Buffers (memory.c), weight matrices (matrix.c) and the KV pool (kv.c). */
#ifndef YT_MEMORY_H
#define YT_MEMORY_H

#include "../include/yangtuo.h"
#include "kernels/kernels.h"

#include <stdbool.h>

/*
 * Large pages that matrices share, since few are a multiple of one. Goes back to the system with its last owner: a matrix, or the context while it takes more
 * from it. ThreadSanitizer and AddressSanitizer see single allocations instead.
 */
typedef struct yt_slab {
    uint8_t *data;
    int64_t bytes;
    int64_t used;
    atomic_llong owners;
} yt_slab;

/*
 * On a device, data is the host's copy of what was uploaded, which checks read; it is lazy memory (yt_allocate), so that it takes none where nothing is uploaded. Once a
 * stage has written the buffer, only the device has its contents.
 */
struct yt_buffer {
    yt_context *context;
    uint8_t *data;
    int64_t bytes;
    uint8_t *device_data; /* NULL on the processor */
    bool is_computed;     /* a stage of the device has written it, and it was not downloaded into data since */
};

/*
 * A page holds, for each layer and KV head, the keys of groups of sixteen positions, then their values.
 *  F32, F16, BF16: keys of a group [head_dim][16], so that 16 scores land in one vector; values [16][value_stride], value_stride being head_dim rounded up to 16.
 *  Q8_0: of both first the scales, binary16 [blocks of 32 elements][16], padded to 64 bytes; head sizes that are no multiple of 32 have a shorter last block. Then keys
 *    [head_dim / 4, rounded up][16][4], unsigned: 128 more than GGML's; values [16][value_stride], value_stride being head_dim rounded up to 16.
 *  Q4_0: scales likewise. Keys [head_dim / 8, rounded up][16][4]: in the low bits of a byte element i of eight, in the high ones element i + 4; values
 *    [16][value_stride / 2], value_stride being head_dim rounded up to 32, in GGML's order: elements i and i + 16 of a block share a byte.
 * What fills up a row may be anything: it is multiplied with zeros, or its sums are not looked at.
 */
struct yt_kv {
    yt_context *context;
    yt_kv_shape shape;
    int64_t value_stride;
    int64_t key_group_bytes;   /* of sixteen positions of one head */
    int64_t value_group_bytes;
    int64_t key_bytes;   /* of one head in a page */
    int64_t head_bytes;  /* keys and values of one head in a page */
    int64_t page_bytes;
    uint8_t *data; /* the device's, if the context is one's */
    int64_t bytes;
};

/* Zeroed memory, aligned to 64 bytes, large pages where it pays; returned to the system when freed. NULL if it cannot be had. */
void *yt_allocate(int64_t bytes);
void yt_free(void *memory, int64_t bytes);

/* A file's bytes, mapped read-only and already in memory where that can be had; byte_offset is a multiple of the page size. NULL with errno set if not. */
void *yt_map_file(int file, int64_t byte_offset, int64_t bytes);
void yt_unmap_file(void *memory, int64_t bytes);

/*
 * The same for a matrix, from the context's slab or on its own; *slab is NULL for what is on its own, and handed back by yt_free_weights.
 * Any number of threads may take and free.
 */
void *yt_allocate_weights(yt_context *context, int64_t bytes, yt_slab **slab);
void yt_free_weights(void *memory, int64_t bytes, yt_slab *slab);

/* One owner less. */
void yt_slab_release(yt_slab *slab);

/* What a stage of a device has computed becomes what data is; a context's own stages call it. */
int32_t yt_buffer_refresh(const yt_buffer *buffer);

/* a * b * c without overflow, or -1. All are at least 0. */
int64_t yt_product(int64_t a, int64_t b, int64_t c);

static inline int64_t yt_round_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* A row of a matrix as float32. */
void yt_matrix_decode_row(const yt_matrix *matrix, int64_t row, float *out);

/* Where a key or a value belongs. */
typedef struct {
    int64_t page;
    int64_t layer;
    int64_t head;
    int64_t position_in_page;
    bool is_value;
} yt_kv_place;

/* Writes some elements into a page of an unquantized type: of a key spread over its vectors, of a value as they are. */
void yt_kv_write(const yt_kv *kv, const yt_kv_place *place, int64_t first_element, int64_t count, const float *source);

/* Writes all elements into a page of a quantized type. row: head_dim elements, and room for it to be rounded up to 32. */
void yt_kv_write_quantized(const yt_kv *kv, const yt_kernels *kernels, const yt_kv_place *place, float *row);

static inline bool yt_kv_is_quantized(const yt_kv *kv)
{
    return kv->shape.type == YT_Q8_0 || kv->shape.type == YT_Q4_0;
}

#endif
