#include "context.h"

#include "cpu.h"
#include "devices.h"
#include "error.h"
#include "memory.h"

#include <stdlib.h>
#include <unistd.h>

int32_t yt_abi_version(void)
{
    return YT_ABI_VERSION;
}

int64_t yt_user_id(void)
{
    return geteuid();
}

int32_t yt_scratch_reserve(yt_scratch *scratch, int64_t bytes)
{
    if (bytes <= scratch->bytes) {
        return YT_OK;
    }
    yt_free(scratch->data, scratch->bytes);
    scratch->bytes = 0;
    scratch->data = bytes < 0 ? NULL : yt_allocate(bytes);
    if (scratch->data == NULL) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: %lld bytes to compute with could not be had", (long long)bytes);
    }
    scratch->bytes = bytes;
    return YT_OK;
}

static int32_t choose_kernels(const char *name, const yt_kernels **out)
{
    const char *variable = "";
    if (name == NULL) {
        name = getenv("YANGTUO_KERNEL");
        variable = "environment variable YANGTUO_KERNEL: ";
    }
    if (name == NULL || name[0] == '\0') {
        *out = yt_best_kernels();
        return YT_OK;
    }
    *out = yt_find_kernels(name);
    if (*out == NULL) {
        return yt_fail(YT_ERR_UNSUPPORTED, "%sthere are no kernels named '%.40s'; there are: %s", variable, name, yt_kernel_names());
    }
    if (!yt_kernel_supported(name)) {
        return yt_fail(YT_ERR_UNSUPPORTED, "%sthis processor cannot run the kernels '%s'; it has: %s", variable, name, yt_cpu_features());
    }
    return YT_OK;
}

int32_t yt_context_begin(const char *kernel_name, yt_context **out)
{
    const yt_kernels *kernels;
    int32_t status = choose_kernels(kernel_name, &kernels);
    if (status != YT_OK) {
        return status;
    }
    yt_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: a context could not be had");
    }
    context->kernels = kernels;
    atomic_flag_clear(&context->busy);
    pthread_mutex_init(&context->device_mutex, NULL);
    pthread_mutex_init(&context->part_mutex, NULL);
    pthread_mutex_init(&context->slab_mutex, NULL);
    *out = context;
    return YT_OK;
}

int32_t yt_context_create(const char *kernel_name, int32_t n_threads, yt_context **out)
{
    if (out == NULL || n_threads < 1 || n_threads > 256) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_context_create: NULL argument, or %d threads; 1 to 256 are possible", n_threads);
    }
    yt_context *context;
    int32_t status = yt_context_begin(kernel_name, &context);
    if (status != YT_OK) {
        return status;
    }
    context->n_threads = n_threads;
    context->threads = yt_threads_create(n_threads);
    if (context->threads == NULL) {
        yt_context_destroy(context);
        return yt_fail(YT_ERR_SYSTEM, "the system gave no %d threads; ask for fewer", n_threads);
    }
    status = yt_scratch_reserve(&context->tiles, (int64_t)n_threads * 2 * YT_TILE_FLOATS * 4);
    if (status == YT_OK) {
        status = yt_scratch_reserve(&context->counters, (int64_t)n_threads * (int64_t)sizeof(yt_counter));
    }
    if (status != YT_OK) {
        yt_context_destroy(context);
        return status;
    }
    *out = context;
    return YT_OK;
}

void yt_context_destroy(yt_context *context)
{
    if (context == NULL) {
        return;
    }
    if (yt_is_on_device(context)) {
        yt_device_close(context);
    }
    yt_threads_destroy(context->threads);
    yt_scratch *all[] = {&context->normed, &context->quants, &context->floats, &context->pairs, &context->tiles, &context->counters, &context->attention, &context->blocks,
        &context->partials, &context->parts_finished, &context->kv_rows, &context->kv_counts};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        yt_free(all[i]->data, all[i]->bytes);
    }
    yt_slab_release(context->slab);
    pthread_mutex_destroy(&context->slab_mutex);
    pthread_mutex_destroy(&context->part_mutex);
    pthread_mutex_destroy(&context->device_mutex);
    free(context);
}

const char *yt_context_kernel(const yt_context *context)
{
    return context == NULL ? "" : yt_is_on_device(context) ? "cuda" : context->kernels->name;
}
