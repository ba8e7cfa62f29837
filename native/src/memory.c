#include "memory.h"

#include "context.h"
#include "devices.h"
#include "error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((int64_t)2 << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLABS = 0 };
#else
enum { SLABS = 1 };
#endif

#if defined(__SANITIZE_ADDRESS__)
/* AddressSanitizer watches the borders of what malloc gives, not of what is mapped. Larger blocks stay mapped, since they must cost nothing until used. */
static int is_watched(int64_t bytes)
{
    return bytes < (int64_t)64 << 20;
}
#endif

void *yt_allocate(int64_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    if (is_watched(bytes)) {
        void *watched = NULL;
        if (posix_memalign(&watched, 64, (size_t)bytes) != 0) {
            return NULL;
        }
        return memset(watched, 0, (size_t)bytes);
    }
#endif
    /* Mapped, not taken from malloc: what is freed goes back to the system, what is not touched costs nothing. */
    bool large = bytes >= 2 * HUGE_PAGE;
    if (bytes > INT64_MAX - HUGE_PAGE) {
        return NULL;
    }
    int64_t mapped = large ? bytes + HUGE_PAGE : bytes;
    uint8_t *memory = mmap(NULL, (size_t)mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (large) {
        /* Large pages begin at multiples of their size; what is mapped too much before and behind goes back. */
        int64_t before = (int64_t)(-(uintptr_t)memory & (uintptr_t)(HUGE_PAGE - 1));
        int64_t page = sysconf(_SC_PAGESIZE);
        int64_t end = yt_round_up(before + bytes, page);
        if (before > 0) {
            munmap(memory, (size_t)before);
        }
        if (end < mapped) {
            munmap(memory + end, (size_t)(mapped - end));
        }
        memory += before;
#if defined(MADV_HUGEPAGE)
        (void)madvise(memory, (size_t)bytes, MADV_HUGEPAGE); /* a hint: without large pages everything still works */
#endif
    }
    return memory;
}

void yt_free(void *memory, int64_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    if (is_watched(bytes)) {
        free(memory);
        return;
    }
#endif
    if (memory != NULL) {
        munmap(memory, (size_t)bytes);
    }
}

void *yt_map_file(int file, int64_t byte_offset, int64_t bytes)
{
    /* Whole large pages of the file, at addresses that are multiples of them: so it is mapped in large pages wherever the system keeps it in such. */
    const int64_t before = byte_offset % HUGE_PAGE;
    const int64_t mapped = yt_round_up(before + bytes, HUGE_PAGE);
    uint8_t *reserved = mmap(NULL, (size_t)(mapped + HUGE_PAGE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) {
        return NULL;
    }
    const int64_t skipped = (int64_t)(-(uintptr_t)reserved & (uintptr_t)(HUGE_PAGE - 1));
    uint8_t *memory = mmap(reserved + skipped, (size_t)mapped, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, byte_offset - before);
    if (memory == MAP_FAILED) {
        munmap(reserved, (size_t)(mapped + HUGE_PAGE));
        return NULL;
    }
    if (skipped > 0) {
        munmap(reserved, (size_t)skipped);
    }
    if (skipped < HUGE_PAGE) {
        munmap(memory + mapped, (size_t)(HUGE_PAGE - skipped));
    }
    memory += before;
    /* Hints. Large pages: when it has to be read first, in pieces of that size. */
#if defined(MADV_HUGEPAGE)
    (void)madvise(memory - before, (size_t)mapped, MADV_HUGEPAGE);
#endif
#if defined(__linux__)
    /*
     * MADV_POPULATE_READ, Linux 5.14: all pages at once, for a small part of what it costs to meet them one by one in the first product. Of the matrix alone: what else
     * was mapped may lie behind the end of the file.
     */
    const int64_t page_start = (int64_t)((uintptr_t)memory & (uintptr_t)(sysconf(_SC_PAGESIZE) - 1));
    (void)madvise(memory - page_start, (size_t)(bytes + page_start), 22);
#endif
    return memory;
}

void yt_unmap_file(void *memory, int64_t bytes)
{
    uint8_t *start = (uint8_t *)((uintptr_t)memory & ~(uintptr_t)(HUGE_PAGE - 1));
    munmap(start, (size_t)yt_round_up((uint8_t *)memory - start + bytes, HUGE_PAGE));
}

/* ---- slabs of weights -------------------------------------------------------------------------------------------------------------- */

/* Half of this and more is allocated on its own: its last page, which is not large, is then a small part of it. */
#define SLAB_BYTES ((int64_t)64 << 20)

void yt_slab_release(yt_slab *slab)
{
    if (slab != NULL && atomic_fetch_sub(&slab->owners, 1) == 1) {
        yt_free(slab->data, slab->bytes);
        free(slab);
    }
}

/* A new slab, owned by the caller. */
static yt_slab *create_slab(void)
{
    yt_slab *slab = calloc(1, sizeof *slab);
    uint8_t *data = slab == NULL ? NULL : yt_allocate(SLAB_BYTES);
    if (data == NULL) {
        free(slab);
        return NULL;
    }
    slab->data = data;
    slab->bytes = SLAB_BYTES;
    atomic_init(&slab->owners, 1);
    return slab;
}

void *yt_allocate_weights(yt_context *context, int64_t bytes, yt_slab **slab)
{
    *slab = NULL;
    if (!SLABS || bytes > SLAB_BYTES / 2) {
        return yt_allocate(bytes);
    }
    pthread_mutex_lock(&context->slab_mutex);
    yt_slab *current = context->slab;
    if (current == NULL || bytes > current->bytes - current->used) {
        yt_slab_release(current);
        current = context->slab = create_slab();
    }
    void *memory = NULL;
    if (current != NULL) {
        memory = current->data + current->used;
        current->used = yt_round_up(current->used + bytes, 64);
        atomic_fetch_add(&current->owners, 1);
        *slab = current;
    }
    pthread_mutex_unlock(&context->slab_mutex);
    return memory;
}

void yt_free_weights(void *memory, int64_t bytes, yt_slab *slab)
{
    if (slab != NULL) {
        yt_slab_release(slab);
    } else {
        yt_free(memory, bytes);
    }
}

int64_t yt_product(int64_t a, int64_t b, int64_t c)
{
    int64_t ab;
    int64_t abc;
    if (__builtin_mul_overflow(a, b, &ab) || __builtin_mul_overflow(ab, c, &abc)) {
        return -1;
    }
    return abc;
}

/* ---- buffers ---------------------------------------------------------------------------------------------------------------------- */

int32_t yt_buffer_create(yt_context *context, int64_t byte_size, yt_buffer **out)
{
    if (context == NULL || out == NULL || byte_size < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_buffer_create: NULL argument, or a size of %lld bytes", (long long)byte_size);
    }
    void *device_data = NULL;
    if (yt_is_on_device(context)) {
        int32_t status = yt_device_allocate(context, byte_size, &device_data);
        if (status != YT_OK) {
            return status;
        }
    }
    yt_buffer *buffer = calloc(1, sizeof *buffer);
    uint8_t *data = buffer == NULL ? NULL : yt_allocate(byte_size);
    if (data == NULL) {
        free(buffer);
        if (device_data != NULL) {
            yt_device_release(context, device_data);
        }
        return yt_fail(YT_ERR_MEMORY, "out of memory: a buffer of %lld bytes could not be had", (long long)byte_size);
    }
    *buffer = (yt_buffer){.context = context, .data = data, .bytes = byte_size, .device_data = device_data};
    *out = buffer;
    return YT_OK;
}

void yt_buffer_destroy(yt_buffer *buffer)
{
    if (buffer != NULL) {
        if (buffer->device_data != NULL) {
            yt_device_release(buffer->context, buffer->device_data);
        }
        yt_free(buffer->data, buffer->bytes);
        free(buffer);
    }
}

static int32_t check_range(const yt_buffer *buffer, int64_t byte_offset, const void *host, int64_t byte_size)
{
    if (buffer == NULL || host == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "copy: NULL argument");
    }
    if (byte_offset < 0 || byte_size < 0 || byte_offset > buffer->bytes || byte_size > buffer->bytes - byte_offset) {
        return yt_fail(YT_ERR_ARGUMENT, "copy: %lld bytes at offset %lld are outside a buffer of %lld bytes", (long long)byte_size,
            (long long)byte_offset, (long long)buffer->bytes);
    }
    return YT_OK;
}

int32_t yt_buffer_upload(yt_buffer *buffer, int64_t byte_offset, const void *source, int64_t byte_size)
{
    int32_t status = check_range(buffer, byte_offset, source, byte_size);
    if (status != YT_OK || byte_size == 0) {
        return status;
    }
    memcpy(buffer->data + byte_offset, source, (size_t)byte_size);
    return buffer->device_data == NULL ? YT_OK : yt_device_upload(buffer->context, buffer->device_data + byte_offset, source, byte_size);
}

int32_t yt_buffer_download(const yt_buffer *buffer, int64_t byte_offset, void *target, int64_t byte_size)
{
    int32_t status = check_range(buffer, byte_offset, target, byte_size);
    if (status != YT_OK || byte_size == 0) {
        return status;
    }
    if (buffer->device_data != NULL) {
        return yt_device_download(buffer->context, target, buffer->device_data + byte_offset, byte_size);
    }
    memcpy(target, buffer->data + byte_offset, (size_t)byte_size);
    return YT_OK;
}

int32_t yt_buffer_refresh(const yt_buffer *buffer)
{
    if (!buffer->is_computed) {
        return YT_OK;
    }
    int32_t status = yt_device_download(buffer->context, buffer->data, buffer->device_data, buffer->bytes);
    ((yt_buffer *)buffer)->is_computed = status != YT_OK; /* the contents are the same as before */
    return status;
}
