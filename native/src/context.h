/*
 * A context: kernels, threads, and the memory that stages work in, grown when a larger batch comes and kept from then on. That of a device has no threads and none of the
 * memory: its kernels encode rows, and everything else is the device's.
 */
#ifndef YT_CONTEXT_H
#define YT_CONTEXT_H

#include "../include/yangtuo.h"
#include "device.h"
#include "kernels/kernels.h"
#include "threads.h"

#include <pthread.h>

/* Memory that grows. */
typedef struct {
    void *data;
    int64_t bytes;
} yt_scratch;

/* Counts of a range, each alone in its cache lines: pieces taken, pieces finished, and what is taken of what comes after them. */
typedef struct {
    atomic_llong next;
    char alone[128 - sizeof(atomic_llong)];
    atomic_llong finished;
    char alone_too[128 - sizeof(atomic_llong)];
    atomic_llong next_item;
    char and_alone[128 - sizeof(atomic_llong)];
} yt_counter;

struct yt_context {
    const yt_kernels *kernels;
    int32_t n_threads;
    yt_threads *threads;
    atomic_flag busy;

    /* NULL on the processor. */
    yt_device_context *device;
    const yt_device_table *table;
    /* Held while a thread is inside the table. */
    pthread_mutex_t device_mutex;
    /* Held while a part of a row group is read from the device, changed and written back. */
    pthread_mutex_t part_mutex;

    /* Per thread: a column after the norm, float32 [width]. */
    yt_scratch normed;
    /* The stage's inputs in tiles, see yt_input: for one column each thread's own. */
    yt_scratch quants;
    yt_scratch floats;
    yt_scratch pairs;
    /* Per thread: two tiles of a product, float32 [YT_MAX_COLUMNS][YT_MAX_GROUPS * 16]. */
    yt_scratch tiles;
    /* Per thread: yt_counter. */
    yt_scratch counters;
    /* Per thread: what attend needs. */
    yt_scratch attention;
    /* Where the blocks of columns begin that attention takes together, int32. */
    yt_scratch blocks;
    /* What queries have of each span, where spans of a block are divided among threads, and how many parts of a block and KV head are finished, atomic_int. */
    yt_scratch partials;
    yt_scratch parts_finished;
    /* Keys and values on their way into a quantized pool, float32 [2][n_columns][n_kv_heads][head_dim rounded up to 32], and how many elements there are, atomic_int. */
    yt_scratch kv_rows;
    yt_scratch kv_counts;

    /* Where matrices come from; NULL before the first. */
    struct yt_slab *slab;
    pthread_mutex_t slab_mutex;
};

enum { YT_TILE_ROWS = YT_MAX_GROUPS * YT_GROUP, YT_TILE_FLOATS = YT_MAX_COLUMNS * YT_TILE_ROWS };

/* A context with its choice of kernels and nothing else; kernel_name as for yt_context_create. */
int32_t yt_context_begin(const char *kernel_name, yt_context **out);

/* Makes it at least that large; the contents are lost if it was not, and are then zero. YT_ERR_MEMORY if that cannot be had. */
int32_t yt_scratch_reserve(yt_scratch *scratch, int64_t bytes);

#endif
