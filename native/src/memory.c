#include "memory.h"

#include "error.h"
#include "half.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((int64_t)2 << 20)

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
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
#if defined(MADV_HUGEPAGE)
    if (bytes >= 2 * HUGE_PAGE) {
        (void)madvise(memory, (size_t)bytes, MADV_HUGEPAGE); /* a hint: without large pages everything still works */
    }
#endif
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

int64_t yt_product(int64_t a, int64_t b, int64_t c)
{
    int64_t ab;
    int64_t abc;
    if (__builtin_mul_overflow(a, b, &ab) || __builtin_mul_overflow(ab, c, &abc)) {
        return -1;
    }
    return abc;
}

static int64_t round_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* ---- buffers ---------------------------------------------------------------------------------------------------------------------- */

int32_t yt_buffer_create(yt_context *context, int64_t byte_size, yt_buffer **out)
{
    if (context == NULL || out == NULL || byte_size < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_buffer_create: NULL argument, or a size of %lld bytes", (long long)byte_size);
    }
    yt_buffer *buffer = calloc(1, sizeof *buffer);
    uint8_t *data = buffer == NULL ? NULL : yt_allocate(byte_size);
    if (data == NULL) {
        free(buffer);
        return yt_fail(YT_ERR_MEMORY, "out of memory: a buffer of %lld bytes could not be had", (long long)byte_size);
    }
    buffer->data = data;
    buffer->bytes = byte_size;
    *out = buffer;
    return YT_OK;
}

void yt_buffer_destroy(yt_buffer *buffer)
{
    if (buffer != NULL) {
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
    if (status == YT_OK) {
        memcpy(buffer->data + byte_offset, source, (size_t)byte_size);
    }
    return status;
}

int32_t yt_buffer_download(const yt_buffer *buffer, int64_t byte_offset, void *target, int64_t byte_size)
{
    int32_t status = check_range(buffer, byte_offset, target, byte_size);
    if (status == YT_OK) {
        memcpy(target, buffer->data + byte_offset, (size_t)byte_size);
    }
    return status;
}

/* ---- matrices --------------------------------------------------------------------------------------------------------------------- */

static int is_quantized(int32_t type)
{
    return type == YT_Q8_0 || type == YT_Q4_0;
}

/* Bytes of a row as GGML stores it; 0 for an unknown type or a length that the type's blocks do not divide. */
static int64_t stored_row_bytes(int32_t type, int64_t columns)
{
    switch (type) {
    case YT_F32:
        return yt_product(columns, 4, 1);
    case YT_F16:
    case YT_BF16:
        return yt_product(columns, 2, 1);
    case YT_Q8_0:
        return columns % YT_BLOCK == 0 ? yt_product(columns / YT_BLOCK, 34, 1) : 0;
    case YT_Q4_0:
        return columns % YT_BLOCK == 0 ? yt_product(columns / YT_BLOCK, 18, 1) : 0;
    default:
        return 0;
    }
}

int32_t yt_matrix_create(yt_context *context, int32_t type, int64_t rows, int64_t columns, yt_matrix **out)
{
    if (context == NULL || out == NULL || rows < 1 || columns < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_create: NULL argument, or a size of %lld x %lld", (long long)rows, (long long)columns);
    }
    int64_t row_bytes = stored_row_bytes(type, columns);
    if (row_bytes == 0) {
        return yt_fail(YT_ERR_SHAPE, "yt_matrix_create: type %d does not exist, or rows of %lld elements do not divide into its blocks", type,
            (long long)columns);
    }
    /* Rows that are longer than this cannot exist in memory; it keeps the sums below from overflowing. */
    if (columns > INT64_MAX / 128) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld could not be had", (long long)rows, (long long)columns);
    }
    int64_t n_groups = rows / YT_GROUP + (rows % YT_GROUP != 0);
    int64_t scale_group = is_quantized(type) ? round_up(columns / YT_BLOCK * YT_GROUP * 2, 64) : 0;
    int64_t per_block = type == YT_Q8_0 ? 512 : 256;
    int64_t group = is_quantized(type) ? yt_product(columns / YT_BLOCK, per_block, 1) : yt_product(row_bytes, YT_GROUP, 1);
    int64_t bytes = yt_product(n_groups, group + scale_group, 1);
    yt_matrix *matrix = bytes < 0 ? NULL : calloc(1, sizeof *matrix);
    void *memory = matrix == NULL ? NULL : yt_allocate(bytes);
    if (memory == NULL) {
        free(matrix);
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld (%lld bytes) could not be had", (long long)rows, (long long)columns,
            (long long)bytes);
    }
    *matrix = (yt_matrix){
        .type = type,
        .rows = rows,
        .columns = columns,
        .n_groups = n_groups,
        .group_bytes = group,
        .scale_group_bytes = scale_group,
        .scales = memory,
        .data = (uint8_t *)memory + n_groups * scale_group,
        .memory = memory,
        .memory_bytes = bytes,
    };
    *out = matrix;
    return YT_OK;
}

void yt_matrix_destroy(yt_matrix *matrix)
{
    if (matrix != NULL) {
        yt_free(matrix->memory, matrix->memory_bytes);
        free(matrix);
    }
}

int64_t yt_matrix_bytes(const yt_matrix *matrix)
{
    return matrix == NULL ? 0 : matrix->memory_bytes;
}

/* Where the scale of a block of a row is. */
static uint16_t *scale_of(const yt_matrix *m, int64_t row, int64_t block)
{
    return (uint16_t *)(m->scales + row / YT_GROUP * m->scale_group_bytes) + block * YT_GROUP + row % YT_GROUP;
}

static void pack_q8_row(const yt_matrix *m, int64_t row, const uint8_t *source)
{
    for (int64_t b = 0; b < m->columns / YT_BLOCK; b++, source += 34) {
        memcpy(scale_of(m, row, b), source, 2);
        uint8_t *target = m->data + row / YT_GROUP * m->group_bytes + b * 512 + row % YT_GROUP * 4;
        for (int i = 0; i < YT_BLOCK; i++) {
            target[i / 4 * 64 + i % 4] = source[2 + i] ^ 0x80;
        }
    }
}

static void pack_q4_row(const yt_matrix *m, int64_t row, const uint8_t *source)
{
    for (int64_t b = 0; b < m->columns / YT_BLOCK; b++, source += 18) {
        memcpy(scale_of(m, row, b), source, 2);
        uint8_t *target = m->data + row / YT_GROUP * m->group_bytes + b * 256 + row % YT_GROUP * 4;
        /* GGML keeps input i in the low and input i + 16 in the high nibble of byte i, which is what the kernels want. */
        for (int i = 0; i < 16; i++) {
            target[i / 4 * 64 + i % 4] = source[2 + i];
        }
    }
}

static void pack_plain_row(const yt_matrix *m, int64_t row, const uint8_t *source)
{
    int64_t lane = row % YT_GROUP;
    uint8_t *group = m->data + row / YT_GROUP * m->group_bytes;
    if (m->type == YT_F32) {
        for (int64_t k = 0; k < m->columns; k++) {
            memcpy(group + (k * YT_GROUP + lane) * 4, source + 4 * k, 4);
        }
    } else {
        for (int64_t k = 0; k < m->columns; k++) {
            memcpy(group + (k * YT_GROUP + lane) * 2, source + 2 * k, 2);
        }
    }
}

int32_t yt_matrix_upload(yt_matrix *matrix, int64_t first_row, int64_t n_rows, const void *source, int64_t byte_size)
{
    if (matrix == NULL || source == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_upload: NULL argument");
    }
    if (first_row < 0 || n_rows < 0 || first_row > matrix->rows || n_rows > matrix->rows - first_row) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_upload: %lld rows from row %lld on are outside a matrix of %lld rows", (long long)n_rows,
            (long long)first_row, (long long)matrix->rows);
    }
    int64_t row_bytes = stored_row_bytes(matrix->type, matrix->columns);
    if (byte_size != n_rows * row_bytes) {
        return yt_fail(YT_ERR_SHAPE, "yt_matrix_upload: %lld bytes were given for %lld rows of %lld bytes", (long long)byte_size,
            (long long)n_rows, (long long)row_bytes);
    }
    for (int64_t i = 0; i < n_rows; i++) {
        const uint8_t *row = (const uint8_t *)source + i * row_bytes;
        switch (matrix->type) {
        case YT_Q8_0:
            pack_q8_row(matrix, first_row + i, row);
            break;
        case YT_Q4_0:
            pack_q4_row(matrix, first_row + i, row);
            break;
        default:
            pack_plain_row(matrix, first_row + i, row);
            break;
        }
    }
    return YT_OK;
}

static float decode_element(const yt_matrix *m, int64_t row, int64_t k)
{
    int64_t lane = row % YT_GROUP;
    const uint8_t *group = m->data + row / YT_GROUP * m->group_bytes;
    int64_t block = k / YT_BLOCK;
    int i = (int)(k % YT_BLOCK);
    switch (m->type) {
    case YT_F32:
        return ((const float *)group)[k * YT_GROUP + lane];
    case YT_F16:
        return yt_half_to_float(((const uint16_t *)group)[k * YT_GROUP + lane]);
    case YT_BF16:
        return yt_bfloat_to_float(((const uint16_t *)group)[k * YT_GROUP + lane]);
    case YT_Q8_0:
        return yt_half_to_float(*scale_of(m, row, block)) * (float)(group[block * 512 + i / 4 * 64 + lane * 4 + i % 4] - 128);
    default: {
        uint8_t pair = group[block * 256 + i % 16 / 4 * 64 + lane * 4 + i % 4];
        int q = i < 16 ? pair & 15 : pair >> 4;
        return yt_half_to_float(*scale_of(m, row, block)) * (float)(q - 8);
    }
    }
}

void yt_matrix_decode_row(const yt_matrix *matrix, int64_t row, float *out)
{
    for (int64_t k = 0; k < matrix->columns; k++) {
        out[k] = decode_element(matrix, row, k);
    }
}

/* ---- keys and values -------------------------------------------------------------------------------------------------------------- */

int32_t yt_kv_create(yt_context *context, const yt_kv_shape *shape, yt_kv **out)
{
    if (context == NULL || shape == NULL || out == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_kv_create: NULL argument");
    }
    if (shape->type != YT_F16 && shape->type != YT_F32) {
        return yt_fail(YT_ERR_UNSUPPORTED, "yt_kv_create: keys and values cannot be kept as type %d", shape->type);
    }
    if (shape->page_positions < 16 || shape->page_positions % 16 != 0 || shape->page_positions > 1 << 20 || shape->n_pages < 1
        || shape->n_layers < 1 || shape->n_kv_heads < 1 || shape->head_dim < 2 || shape->head_dim % 2 != 0 || shape->head_dim > 1024) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_kv_create: %lld pages of %d positions, %lld layers, %lld heads of %lld elements are not possible",
            (long long)shape->n_pages, shape->page_positions, (long long)shape->n_layers, (long long)shape->n_kv_heads,
            (long long)shape->head_dim);
    }
    int64_t element_bytes = shape->type == YT_F16 ? 2 : 4;
    int64_t value_stride = round_up(shape->head_dim, 16);
    int64_t key_bytes = shape->page_positions * shape->head_dim * element_bytes;
    int64_t head_bytes = key_bytes + shape->page_positions * value_stride * element_bytes;
    int64_t page_bytes = yt_product(head_bytes, shape->n_layers, shape->n_kv_heads);
    int64_t bytes = page_bytes < 0 ? -1 : yt_product(page_bytes, shape->n_pages, 1);
    yt_kv *kv = bytes < 0 ? NULL : calloc(1, sizeof *kv);
    uint8_t *data = kv == NULL ? NULL : yt_allocate(bytes);
    if (data == NULL) {
        free(kv);
        return yt_fail(YT_ERR_MEMORY, "out of memory: %lld bytes for keys and values could not be had; a smaller context needs less",
            (long long)bytes);
    }
    *kv = (yt_kv){
        .shape = *shape,
        .element_bytes = element_bytes,
        .value_stride = value_stride,
        .key_bytes = key_bytes,
        .head_bytes = head_bytes,
        .page_bytes = page_bytes,
        .data = data,
        .bytes = bytes,
    };
    *out = kv;
    return YT_OK;
}

void yt_kv_destroy(yt_kv *kv)
{
    if (kv != NULL) {
        yt_free(kv->data, kv->bytes);
        free(kv);
    }
}

void yt_kv_write(const yt_kv *kv, int64_t page, int64_t layer, int64_t head, int64_t position_in_page, int is_value, int64_t first_element,
    int64_t count, const float *source)
{
    uint8_t *base = kv->data + page * kv->page_bytes + (layer * kv->shape.n_kv_heads + head) * kv->head_bytes;
    int64_t first = is_value ? position_in_page * kv->value_stride + first_element
                             : (position_in_page / 16 * kv->shape.head_dim + first_element) * 16 + position_in_page % 16;
    int64_t step = is_value ? 1 : 16;
    base += is_value ? kv->key_bytes : 0;
    for (int64_t i = 0; i < count; i++) {
        if (kv->shape.type == YT_F16) {
            ((uint16_t *)base)[first + i * step] = yt_float_to_half(source[i]);
        } else {
            ((float *)base)[first + i * step] = source[i];
        }
    }
}
