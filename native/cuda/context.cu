/* Contexts of devices: opening and closing, memory, copies, and what becomes of errors. */
#include "context.cuh"

#include <cstdarg>
#include <cstdio>

/* ---- errors ----------------------------------------------------------------------------------------------------------------------- */

void (*yt_set_error)(const char *message);

int32_t yt_report(int32_t status, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    yt_set_error(message);
    return status;
}

static int32_t report_failure(const yt_device_context *context)
{
    return yt_report(YT_ERR_DEVICE, "%s", context->failure);
}

int32_t yt_check_cuda(yt_device_context *context, cudaError_t error, const char *what)
{
    if (error == cudaSuccess) {
        return YT_OK;
    }
    cudaGetLastError(); /* it is dealt with, unless it is one that stays */
    if (!context->has_failed) {
        context->has_failed = true;
        snprintf(context->failure, sizeof context->failure, "CUDA device %d (%s): %s: %s; close the model and load it again, or use --device cpu", context->device,
            context->name, what, cudaGetErrorString(error));
    }
    return report_failure(context);
}

int32_t yt_begin(yt_device_context *context)
{
    if (context->has_failed) {
        return report_failure(context);
    }
    return yt_check_cuda(context, cudaSetDevice(context->device), "choosing the device");
}

static int32_t flush(yt_device_context *context)
{
    const char *what = "";
    const cudaError_t error = yt_queue_flush(context->queue, context->stream, &what);
    return yt_check_cuda(context, error, what);
}

int32_t yt_begin_stage(yt_device_context *context)
{
    const int32_t status = yt_begin(context);
    return status != YT_OK || context->queue.list.launches.n < YT_GRAPH_LAUNCHES ? status : flush(context);
}

/* Everything that was put into the queue is computed and copied. */
static int32_t finish(yt_device_context *context)
{
    const int32_t status = flush(context);
    return status != YT_OK ? status : yt_check_cuda(context, cudaStreamSynchronize(context->stream), "computing");
}

static int32_t out_of_memory(yt_device_context *context, const char *kind, int64_t byte_size)
{
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    const bool is_known = cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess;
    cudaGetLastError();
    char free_text[64] = "";
    if (is_known) {
        snprintf(free_text, sizeof free_text, "; %lld of %lld are free", (long long)free_bytes, (long long)total_bytes);
    }
    return yt_report(YT_ERR_MEMORY, "CUDA device %d (%s): out of memory: %lld bytes of %s could not be had%s", context->device, context->name, (long long)byte_size, kind,
        free_text);
}

/* ---- opening and closing ----------------------------------------------------------------------------------------------------------- */

/* Its stream, events and pinned memory; what was made before something fails is closed by the caller. */
static int32_t create_stream(yt_device_context *context)
{
    int32_t status = yt_begin(context);
    if (status == YT_OK) {
        status = yt_check_cuda(context, cudaStreamCreateWithFlags(&context->stream, cudaStreamNonBlocking), "creating a stream");
    }
    for (int i = 0; i < YT_SEGMENTS && status == YT_OK; i++) {
        status = yt_check_cuda(context, cudaEventCreateWithFlags(&context->segment_events[i], cudaEventDisableTiming), "creating an event");
    }
    for (int i = 0; i < YT_DOWNLOAD_PARTS && status == YT_OK; i++) {
        status = yt_check_cuda(context, cudaEventCreateWithFlags(&context->part_events[i], cudaEventDisableTiming), "creating an event");
    }
    if (status != YT_OK) {
        return status;
    }
    const int64_t pinned_bytes = YT_SEGMENTS * (int64_t)YT_SEGMENT_BYTES + YT_DOWNLOAD_PARTS * (int64_t)YT_DOWNLOAD_BYTES;
    void *pinned = nullptr;
    const cudaError_t error = cudaHostAlloc(&pinned, (size_t)pinned_bytes, cudaHostAllocDefault);
    context->pinned = (unsigned char *)pinned;
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return out_of_memory(context, "pinned memory of the host", pinned_bytes);
    }
    return yt_check_cuda(context, error, "allocating pinned memory");
}

int32_t yt_context_open(int32_t device, yt_device_context **out)
{
    yt_device_info info;
    int32_t status = yt_describe_device(device, &info);
    if (status != YT_OK) {
        return status;
    }
    if (!info.is_usable) {
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA device %d (%s): %s", device, info.name, info.problem);
    }
    yt_device_context *context = (yt_device_context *)calloc(1, sizeof *context);
    if (context == nullptr) {
        return yt_report(YT_ERR_MEMORY, "out of memory: a context of a device could not be had");
    }
    context->device = device;
    context->total_bytes = info.total_bytes;
    memcpy(context->name, info.name, sizeof context->name);
    status = create_stream(context);
    if (status != YT_OK) {
        yt_context_close(context);
        return status;
    }
    *out = context;
    return YT_OK;
}

void yt_context_close(yt_device_context *context)
{
    /* After a failure these calls may fail, too: then nothing is left to be freed. */
    cudaSetDevice(context->device);
    if (context->stream != nullptr) {
        cudaStreamSynchronize(context->stream);
    }
    yt_queue_free(context->queue);
    for (int64_t i = 0; i < context->allocations.n; i++) {
        cudaFree(context->allocations.items[i]);
    }
    yt_array_free(context->allocations);
    for (cudaEvent_t event : context->segment_events) {
        if (event != nullptr) {
            cudaEventDestroy(event);
        }
    }
    for (cudaEvent_t event : context->part_events) {
        if (event != nullptr) {
            cudaEventDestroy(event);
        }
    }
    if (context->pinned != nullptr) {
        cudaFreeHost(context->pinned);
    }
    if (context->stream != nullptr) {
        cudaStreamDestroy(context->stream);
    }
    cudaGetLastError(); /* nobody else's business */
    free(context);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

/* Of a context that has not failed. */
static int32_t allocate(yt_device_context *context, int64_t byte_size, void **out)
{
    void *memory = nullptr;
    if (byte_size > context->total_bytes) {
        return out_of_memory(context, "its memory", byte_size);
    }
    if (!yt_array_reserve(context->allocations, 1)) {
        return yt_report(YT_ERR_MEMORY, "out of memory: a list of allocations could not be had");
    }
    const cudaError_t error = cudaMalloc(&memory, (size_t)byte_size);
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return out_of_memory(context, "its memory", byte_size);
    }
    int32_t status = yt_check_cuda(context, error, "allocating memory");
    if (status != YT_OK) {
        return status;
    }
    yt_array_append(context->allocations, &memory, 1);
    status = yt_check_cuda(context, cudaMemsetAsync(memory, 0, (size_t)byte_size, context->stream), "clearing memory");
    if (status != YT_OK) {
        yt_memory_release(context, memory);
        return status;
    }
    *out = memory;
    return YT_OK;
}

int32_t yt_memory_allocate(yt_device_context *context, int64_t byte_size, void **out)
{
    const int32_t status = yt_begin(context);
    return status != YT_OK ? status : allocate(context, byte_size, out);
}

void yt_memory_release(yt_device_context *context, void *memory)
{
    if (context->has_failed) {
        cudaSetDevice(context->device);
    } else if (yt_begin(context) == YT_OK) {
        finish(context); /* what is in the queue may use it */
    }
    /* An error may be that of something earlier: the memory counts as freed. */
    yt_check_cuda(context, cudaFree(memory), "freeing memory");
    yt_array<void *> &all = context->allocations;
    for (int64_t i = 0; i < all.n; i++) {
        if (all.items[i] == memory) {
            all.items[i] = all.items[--all.n];
            return;
        }
    }
}

int32_t yt_reserve_scratch(yt_device_context *context, yt_scratch_use use, int64_t byte_size, void **out)
{
    yt_scratch_memory &scratch = context->scratch[use];
    if (byte_size > scratch.bytes) {
        const int64_t unit = 1 << 20; /* less would be larger again soon */
        const int64_t bytes = (byte_size + unit - 1) / unit * unit;
        if (scratch.data != nullptr) {
            yt_memory_release(context, scratch.data);
            scratch = {};
            yt_queue_forget(context->queue);
        }
        int32_t status = yt_begin(context);
        if (status == YT_OK) {
            status = allocate(context, bytes, &scratch.data);
        }
        if (status != YT_OK) {
            return status;
        }
        scratch.bytes = bytes;
    }
    *out = scratch.data;
    return YT_OK;
}

/* ---- copies ----------------------------------------------------------------------------------------------------------------------- */

/* Makes the next segment the one to fill, once its last copy is done. */
static int32_t next_segment(yt_device_context *context)
{
    int32_t status = yt_check_cuda(context, cudaEventRecord(context->segment_events[context->segment], context->stream), "uploading");
    if (status != YT_OK) {
        return status;
    }
    context->segment_is_used[context->segment] = true;
    context->segment = (context->segment + 1) % YT_SEGMENTS;
    context->segment_bytes = 0;
    if (context->segment_is_used[context->segment]) {
        context->segment_is_used[context->segment] = false;
        status = yt_check_cuda(context, cudaEventSynchronize(context->segment_events[context->segment]), "uploading");
    }
    return status;
}

int32_t yt_memory_upload(yt_device_context *context, void *target, const void *source, int64_t byte_size)
{
    enum { ALIGNMENT = 64 };
    int32_t status = yt_begin(context);
    if (status == YT_OK) {
        status = flush(context);
    }
    for (int64_t at = 0; at < byte_size && status == YT_OK;) {
        if (context->segment_bytes == YT_SEGMENT_BYTES) {
            status = next_segment(context);
            if (status != YT_OK) {
                break;
            }
        }
        const int64_t room = YT_SEGMENT_BYTES - context->segment_bytes;
        const int64_t n = byte_size - at < room ? byte_size - at : room;
        unsigned char *const segment = context->pinned + context->segment * (int64_t)YT_SEGMENT_BYTES + context->segment_bytes;
        memcpy(segment, (const unsigned char *)source + at, (size_t)n);
        status = yt_check_cuda(
            context, cudaMemcpyAsync((unsigned char *)target + at, segment, (size_t)n, cudaMemcpyHostToDevice, context->stream), "uploading");
        context->segment_bytes += (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        at += n;
    }
    return status;
}

static unsigned char *download_part(const yt_device_context *context, int64_t part)
{
    return context->pinned + YT_SEGMENTS * (int64_t)YT_SEGMENT_BYTES + part % YT_DOWNLOAD_PARTS * YT_DOWNLOAD_BYTES;
}

static int64_t bytes_of_part(int64_t byte_size, int64_t part)
{
    const int64_t left = byte_size - part * YT_DOWNLOAD_BYTES;
    return left < (int64_t)YT_DOWNLOAD_BYTES ? left : (int64_t)YT_DOWNLOAD_BYTES;
}

/* Into pinned memory. */
static int32_t begin_part(yt_device_context *context, const void *source, int64_t byte_size, int64_t part)
{
    const unsigned char *from = (const unsigned char *)source + part * YT_DOWNLOAD_BYTES;
    const size_t n = (size_t)bytes_of_part(byte_size, part);
    const int32_t status =
        yt_check_cuda(context, cudaMemcpyAsync(download_part(context, part), from, n, cudaMemcpyDeviceToHost, context->stream), "downloading");
    return status != YT_OK ? status : yt_check_cuda(context, cudaEventRecord(context->part_events[part % YT_DOWNLOAD_PARTS], context->stream), "downloading");
}

int32_t yt_memory_download(yt_device_context *context, void *target, const void *source, int64_t byte_size)
{
    const int64_t n_parts = (byte_size + YT_DOWNLOAD_BYTES - 1) / YT_DOWNLOAD_BYTES;
    int32_t status = yt_begin(context);
    if (status == YT_OK) {
        status = flush(context);
    }
    if (status == YT_OK && n_parts > 0) {
        status = begin_part(context, source, byte_size, 0);
    }
    for (int64_t part = 0; part < n_parts && status == YT_OK; part++) {
        if (part + 1 < n_parts) {
            status = begin_part(context, source, byte_size, part + 1);
        }
        if (status == YT_OK) {
            status = yt_check_cuda(context, cudaEventSynchronize(context->part_events[part % YT_DOWNLOAD_PARTS]), "computing and downloading");
        }
        if (status == YT_OK) {
            memcpy((unsigned char *)target + part * YT_DOWNLOAD_BYTES, download_part(context, part), (size_t)bytes_of_part(byte_size, part));
        }
    }
    return status;
}

int32_t yt_memory_copy(yt_device_context *context, void *target, const void *source, int64_t byte_size)
{
    int32_t status = yt_begin(context);
    if (status == YT_OK) {
        status = flush(context);
    }
    return status != YT_OK ? status
                           : yt_check_cuda(context, cudaMemcpyAsync(target, source, (size_t)byte_size, cudaMemcpyDeviceToDevice, context->stream), "copying");
}
