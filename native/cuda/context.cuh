/*
 * A context of a device: its stream, the queue of its launches (queue.cu), its memory and what went wrong (context.cu). One thread at a time is inside; each call makes the
 * context's device the thread's.
 */
#ifndef YT_CONTEXT_CUH
#define YT_CONTEXT_CUH

#include "../src/device.h"
#include "launch.cuh"

#include <cstdlib>

/* ---- arrays that grow ------------------------------------------------------------------------------------------------------------- */

/* Of plain values; zero bytes are an empty one. */
template <typename T>
struct yt_array {
    T *items;
    int64_t n;
    int64_t capacity;
};

/* Room for some more; false if it cannot be had. */
template <typename T>
bool yt_array_reserve(yt_array<T> &array, int64_t more)
{
    if (array.n + more <= array.capacity) {
        return true;
    }
    const int64_t capacity = array.n + more > 2 * array.capacity ? array.n + more + 16 : 2 * array.capacity;
    void *const items = realloc((void *)array.items, (size_t)capacity * sizeof(T));
    if (items == nullptr) {
        return false;
    }
    array.items = (T *)items;
    array.capacity = capacity;
    return true;
}

template <typename T>
bool yt_array_append(yt_array<T> &array, const T *values, int64_t n)
{
    if (!yt_array_reserve(array, n)) {
        return false;
    }
    memcpy((void *)(array.items + array.n), (const void *)values, (size_t)n * sizeof(T));
    array.n += n;
    return true;
}

template <typename T>
void yt_array_free(yt_array<T> &array)
{
    free((void *)array.items);
    array = {};
}

/* ---- the queue -------------------------------------------------------------------------------------------------------------------- */

/* Without padding, so that launches can be compared byte by byte. */
struct yt_queued {
    const void *kernel;
    dim3 grid;
    dim3 block;
    unsigned shared_bytes;
    unsigned parameter_bytes;
    int64_t parameter_offset; /* in the list's parameters, a multiple of 16 */
};
static_assert(sizeof(yt_queued) == 48, "a queued launch has no padding");

/* Launches in their order. */
struct yt_launch_list {
    yt_array<yt_queued> launches;
    yt_array<unsigned char> parameters;
};

/* A list that was computed before; graph is NULL until it comes again. */
struct yt_known_list {
    yt_launch_list list;
    cudaGraphExec_t graph;
    int64_t last_use;
};

/* A kernel that was allowed more than 48 KB of shared memory. */
struct yt_large_kernel {
    const void *kernel;
    unsigned shared_bytes;
};

/*
 * Lists that came once are few, for most never come again: prefill. Graphs are as many as there are numbers of sequences that generate at the same time, and some.
 * What is longer than GRAPH_LAUNCHES is no pass of a model that one waits for.
 */
enum { YT_SEEN_LISTS = 4, YT_GRAPHS = 12, YT_GRAPH_LAUNCHES = 4096 };

class yt_queue {
public:
    yt_launch_list list;
    bool is_incomplete; /* a launch is missing: there was no memory for it */
    yt_known_list seen[YT_SEEN_LISTS];
    yt_known_list graphs[YT_GRAPHS];
    int64_t clock;
    yt_array<yt_large_kernel> large_kernels;
};

/* Starts everything that was put into the queue, which is empty afterwards. what: on an error, what was being done. */
cudaError_t yt_queue_flush(yt_queue &queue, cudaStream_t stream, const char **what);

/* Graphs and lists of before, whose pointers are no longer valid. */
void yt_queue_forget(yt_queue &queue);

void yt_queue_free(yt_queue &queue);

/* ---- the context ------------------------------------------------------------------------------------------------------------------ */

/*
 * Pinned memory. Uploads go through a ring of segments, each free again when its event has come; downloads through two parts in turn.
 */
enum { YT_SEGMENTS = 4, YT_SEGMENT_BYTES = 1 << 20, YT_DOWNLOAD_PARTS = 2, YT_DOWNLOAD_BYTES = 512 << 10 };

/* Memory that stages work in. That of attention is nobody else's, since it keeps counters there. */
enum yt_scratch_use { YT_SCRATCH_STAGE, YT_SCRATCH_ATTENTION, YT_SCRATCH_USES };

struct yt_scratch_memory {
    void *data;
    int64_t bytes;
};

struct yt_device_context {
    int32_t device;
    char name[128];
    int64_t total_bytes;
    cudaStream_t stream;
    yt_queue queue;
    yt_array<void *> allocations;
    yt_scratch_memory scratch[YT_SCRATCH_USES];

    unsigned char *pinned; /* segments, then parts */
    cudaEvent_t segment_events[YT_SEGMENTS];
    bool segment_is_used[YT_SEGMENTS]; /* its event is recorded, and was not waited for */
    int segment;                       /* the one that is being filled */
    int64_t segment_bytes;             /* of it that are used */
    cudaEvent_t part_events[YT_DOWNLOAD_PARTS];

    bool has_failed;
    char failure[480];
};

/* Where messages go; set by yt_device_table_of. */
extern void (*yt_set_error)(const char *message);

/* Gives a message to the calling thread and returns status. */
int32_t yt_report(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* YT_OK, or the failure of the context, which is dead from then on. what: what was being done. */
int32_t yt_check_cuda(yt_device_context *context, cudaError_t error, const char *what);

/* Every call begins with it: the failure of a context that has failed; makes the device the thread's. */
int32_t yt_begin(yt_device_context *context);

/* Every stage, which also starts what is in the queue if that is more than is kept. */
int32_t yt_begin_stage(yt_device_context *context);

int32_t yt_context_open(int32_t device, yt_device_context **out);
void yt_context_close(yt_device_context *context);
int32_t yt_memory_allocate(yt_device_context *context, int64_t byte_size, void **out);
void yt_memory_release(yt_device_context *context, void *memory);
int32_t yt_memory_upload(yt_device_context *context, void *target, const void *source, int64_t byte_size);
int32_t yt_memory_download(yt_device_context *context, void *target, const void *source, int64_t byte_size);
int32_t yt_memory_copy(yt_device_context *context, void *target, const void *source, int64_t byte_size);

/*
 * Memory of at least that size, aligned to 256 bytes, zero when it is given for the first time or larger than before. It stays where it is until it has to grow, so that
 * launches of a pass are the same as those of the pass before.
 */
int32_t yt_reserve_scratch(yt_device_context *context, yt_scratch_use use, int64_t byte_size, void **out);

/* ---- devices and stages ----------------------------------------------------------------------------------------------------------- */

/* Facts of a device and whether it can be used (table.cu). */
int32_t yt_describe_device(int32_t device, yt_device_info *out);

/* Runs a kernel that does nothing on the current device: whether the library has code for it that the driver takes (stages.cu). */
cudaError_t yt_try_kernel();

int32_t yt_check_matrix_type(yt_device_context *context, int32_t type, int64_t rows, int64_t columns);
int32_t yt_check_kv_type(yt_device_context *context, int32_t type, int64_t head_dim);

int32_t yt_stage_embed(yt_device_context *context, const yt_device_matrix *table, const yt_device_batch *batch, float *x);
int32_t yt_stage_qkv(yt_device_context *context, const yt_device_layer *layer, const yt_device_batch *batch, const float *x, const yt_device_kv *kv, float *q);
int32_t yt_stage_attention(
    yt_device_context *context, const yt_device_layer *layer, const yt_device_batch *batch, const float *q, const yt_device_kv *kv, float *out);
int32_t yt_stage_add_product(
    yt_device_context *context, const yt_device_matrix *matrix, const float *bias, int64_t n_columns, const float *input, float *x);
int32_t yt_stage_gate_up(yt_device_context *context, const yt_device_layer *layer, int64_t n_columns, const float *x, float *hidden);
int32_t yt_stage_logits(yt_device_context *context, const yt_device_matrix *matrix, const float *norm, float norm_eps, const float *x, int64_t n_outputs,
    const int32_t *columns, float *logits, const yt_device_candidates *candidates);

#endif
