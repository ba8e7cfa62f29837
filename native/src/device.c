/* Devices beside the processor: the library of their kernels, their contexts, and their memory. */
#include "device.h"

#include "cpu.h"
#include "devices.h"
#include "error.h"
#include "old_glibc.h"

#include <stdlib.h>
#include <string.h>

/* ---- the library ------------------------------------------------------------------------------------------------------------------ */

#if defined(__linux__)
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one library of the process: never closed, so that its functions are there as long as anyone may call them. */
static pthread_mutex_t library_mutex = PTHREAD_MUTEX_INITIALIZER;
static char library_path[PATH_MAX];
static _Atomic(const yt_device_table *) library_table;

static const yt_device_table *open_library(void)
{
    return atomic_load_explicit(&library_table, memory_order_acquire);
}

static void keep_error(const char *message)
{
    yt_fail(YT_OK, "%s", message);
}

static bool read_at(int file, void *target, size_t bytes, int64_t offset)
{
    return pread(file, target, bytes, offset) == (ssize_t)bytes;
}

/* Whether offset + count * size is within a file. */
static bool is_within(uint64_t offset, uint64_t count, uint64_t size, int64_t file_bytes)
{
    return offset <= (uint64_t)file_bytes && count * size <= (uint64_t)file_bytes - offset;
}

/*
 * The dynamic linker maps what the headers say and reads it: where the file is shorter, the process ends. So the places of everything are held against its size before. What is
 * no ELF file, or one for another processor, is left to the linker, which says so.
 */
static bool is_complete(int file, int64_t file_bytes)
{
    Elf64_Ehdr header;
    if (!read_at(file, &header, sizeof header, 0)) {
        return false;
    }
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr)) {
        return true;
    }
    if (!is_within(header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr), file_bytes) || !is_within(header.e_shoff, header.e_shnum, header.e_shentsize, file_bytes)) {
        return false;
    }
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        if (!read_at(file, &segment, sizeof segment, (int64_t)(header.e_phoff + (uint64_t)i * sizeof segment))
            || !is_within(segment.p_offset, 1, segment.p_filesz, file_bytes)) {
            return false;
        }
    }
    return true;
}

static int32_t check_file(const char *path)
{
    struct stat facts;
    /* Without waiting: a named pipe is refused, not waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return yt_fail(YT_ERR_SYSTEM, "yt_device_library_open: %.400s cannot be opened: error %d", path, errno);
    }
    int32_t status = YT_OK;
    if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        status = yt_fail(YT_ERR_SYSTEM, "yt_device_library_open: %.400s is not a plain file", path);
    } else if (!is_complete(file, (int64_t)facts.st_size)) {
        status = yt_fail(YT_ERR_SYSTEM, "yt_device_library_open: %.400s is cut off after %lld bytes; build or unpack it again", path, (long long)facts.st_size);
    }
    close(file);
    return status;
}

static int32_t load_library(const char *path, const yt_device_table **out)
{
    int32_t status = check_file(path);
    if (status != YT_OK) {
        return status;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return yt_fail(YT_ERR_SYSTEM, "yt_device_library_open: %.400s", dlerror());
    }
    void *symbol = dlsym(library, YT_DEVICE_ENTRY);
    yt_device_entry *entry;
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no conversion from an object's pointer to a function's */
    if (symbol == NULL) {
        status = yt_fail(YT_ERR_UNSUPPORTED, "yt_device_library_open: %.300s is no library of kernels for a device: it has no %s", path, YT_DEVICE_ENTRY);
    } else {
        *out = entry(YT_DEVICE_VERSION, keep_error);
        if (*out == NULL || (*out)->version != YT_DEVICE_VERSION) {
            status = yt_fail(YT_ERR_UNSUPPORTED, "yt_device_library_open: %.300s is of another version than %d; take the one that belongs to this library", path,
                YT_DEVICE_VERSION);
        }
    }
    if (status != YT_OK) {
        dlclose(library);
    }
    return status;
}

int32_t yt_device_library_open(const char *path)
{
    if (path == NULL || path[0] != '/' || strlen(path) >= sizeof library_path) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_device_library_open: '%.300s' is no absolute path of a file", path == NULL ? "" : path);
    }
    int32_t status = YT_OK;
    pthread_mutex_lock(&library_mutex);
    if (open_library() == NULL) {
        const yt_device_table *table = NULL;
        status = load_library(path, &table);
        if (status == YT_OK) {
            strcpy(library_path, path);
            atomic_store_explicit(&library_table, table, memory_order_release);
        }
    } else if (strcmp(path, library_path) != 0) {
        status = yt_fail(YT_ERR_UNSUPPORTED, "yt_device_library_open: %.200s is open already, and stays open as long as the process; %.200s cannot be opened", library_path, path);
    }
    pthread_mutex_unlock(&library_mutex);
    return status;
}

#else

static const yt_device_table *open_library(void)
{
    return NULL;
}

int32_t yt_device_library_open(const char *path)
{
    return yt_fail(YT_ERR_UNSUPPORTED, "yt_device_library_open: '%.300s': libraries of devices are opened on Linux alone", path == NULL ? "" : path);
}

#endif

static int32_t no_library(const char *call)
{
    return yt_fail(YT_ERR_UNSUPPORTED, "%s: no library of a device is open", call);
}

int32_t yt_device_versions(int32_t *driver, int32_t *runtime)
{
    if (driver == NULL || runtime == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_device_versions: NULL argument");
    }
    const yt_device_table *table = open_library();
    return table == NULL ? no_library("yt_device_versions") : table->versions(driver, runtime);
}

int32_t yt_device_count(int32_t *count)
{
    if (count == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_device_count: NULL argument");
    }
    const yt_device_table *table = open_library();
    return table == NULL ? no_library("yt_device_count") : table->count(count);
}

/* Whether there is a device of that number. */
static int32_t check_device(const char *call, const yt_device_table *table, int32_t device)
{
    int32_t count = 0;
    if (table == NULL) {
        return no_library(call);
    }
    int32_t status = table->count(&count);
    if (status == YT_OK && (device < 0 || device >= count)) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: there is no device %d; there are %d, the first being 0", call, device, count);
    }
    return status;
}

int32_t yt_device_describe(int32_t device, yt_device_info *out)
{
    if (out == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_device_describe: NULL argument");
    }
    const yt_device_table *table = open_library();
    int32_t status = check_device("yt_device_describe", table, device);
    return status != YT_OK ? status : table->info(device, out);
}

/* ---- contexts --------------------------------------------------------------------------------------------------------------------- */

int32_t yt_device_context_create(int32_t device, yt_context **out)
{
    if (out == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_device_context_create: NULL argument");
    }
    const yt_device_table *table = open_library();
    int32_t status = check_device("yt_device_context_create", table, device);
    if (status != YT_OK) {
        return status;
    }
    yt_context *context;
    status = yt_context_begin(NULL, &context);
    if (status != YT_OK) {
        return status;
    }
    status = table->open(device, &context->device);
    if (status != YT_OK) {
        context->device = NULL;
        yt_context_destroy(context);
        return status;
    }
    context->table = table;
    *out = context;
    return YT_OK;
}

void yt_device_close(yt_context *context)
{
    context->table->close(context->device);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

int32_t yt_device_allocate(yt_context *context, int64_t bytes, void **out)
{
    YT_DEVICE_CALL(context, allocate, bytes, out);
}

void yt_device_release(yt_context *context, void *memory)
{
    pthread_mutex_lock(&context->device_mutex);
    context->table->release(context->device, memory);
    pthread_mutex_unlock(&context->device_mutex);
}

int32_t yt_device_upload(yt_context *context, void *target, const void *source, int64_t bytes)
{
    YT_DEVICE_CALL(context, upload, target, source, bytes);
}

int32_t yt_device_download(yt_context *context, void *target, const void *source, int64_t bytes)
{
    YT_DEVICE_CALL(context, download, target, source, bytes);
}

int32_t yt_device_copy(yt_context *context, void *target, const void *source, int64_t bytes)
{
    YT_DEVICE_CALL(context, copy, target, source, bytes);
}

int32_t yt_device_check_matrix(yt_context *context, int32_t type, int64_t rows, int64_t columns)
{
    YT_DEVICE_CALL(context, check_matrix, type, rows, columns);
}

int32_t yt_device_check_kv(yt_context *context, int32_t type, int64_t head_dim)
{
    YT_DEVICE_CALL(context, check_kv, type, head_dim);
}
