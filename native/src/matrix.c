/* Weight matrices: created, filled row by row, and decoded for the embedding. The layouts are those of kernels.h. */
#include "error.h"
#include "half.h"
#include "kernels/blocks.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a row as GGML stores it; 0 for an unknown type or a length that the type's blocks do not divide, -1 for one that overflows. */
static int64_t stored_row_bytes(const yt_type_info *info, int64_t columns)
{
    return info == NULL || columns % info->block_elements != 0 ? 0 : yt_product(columns / info->block_elements, info->block_bytes, 1);
}

/* Bytes of the data of sixteen rows, or -1. */
static int64_t data_group_bytes(const yt_type_info *info, int64_t columns, int64_t row_bytes)
{
    if (info->layout != YT_LAYOUT_PACKED) {
        return yt_product(row_bytes, YT_GROUP, 1);
    }
    return yt_product(columns / YT_BLOCK, info->type == YT_Q8_0 ? 512 : 256, 1);
}

int32_t yt_matrix_create(yt_context *context, int32_t type, int64_t rows, int64_t columns, yt_matrix **out)
{
    if (context == NULL || out == NULL || rows < 1 || columns < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_create: NULL argument, or a size of %lld x %lld", (long long)rows, (long long)columns);
    }
    const yt_type_info *info = yt_find_type(type);
    int64_t row_bytes = stored_row_bytes(info, columns);
    if (row_bytes == 0) {
        return yt_fail(YT_ERR_SHAPE, "yt_matrix_create: type %d does not exist, or rows of %lld elements do not divide into its blocks", type,
            (long long)columns);
    }
    /* Rows that are longer than this cannot exist in memory; it keeps the sums below from overflowing. */
    if (columns > INT64_MAX / 128) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld could not be had", (long long)rows, (long long)columns);
    }
    int64_t n_groups = rows / YT_GROUP + (rows % YT_GROUP != 0);
    int64_t scale_group = info->layout == YT_LAYOUT_PACKED ? yt_round_up(columns / YT_BLOCK * YT_GROUP * 2, 64) : 0;
    int64_t group = data_group_bytes(info, columns, row_bytes);
    int64_t bytes = yt_product(n_groups, group + scale_group, 1);
    yt_matrix *matrix = bytes < 0 ? NULL : calloc(1, sizeof *matrix);
    void *memory = matrix == NULL ? NULL : yt_allocate(bytes);
    if (memory == NULL) {
        free(matrix);
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld (%lld bytes) could not be had", (long long)rows, (long long)columns,
            (long long)bytes);
    }
    *matrix = (yt_matrix){
        .info = info,
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
    if (m->info->type == YT_F32) {
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
    int64_t row_bytes = stored_row_bytes(matrix->info, matrix->columns);
    if (byte_size != n_rows * row_bytes) {
        return yt_fail(YT_ERR_SHAPE, "yt_matrix_upload: %lld bytes were given for %lld rows of %lld bytes", (long long)byte_size,
            (long long)n_rows, (long long)row_bytes);
    }
    for (int64_t i = 0; i < n_rows; i++) {
        const uint8_t *row = (const uint8_t *)source + i * row_bytes;
        if (matrix->info->layout == YT_LAYOUT_STORED) {
            memcpy(matrix->data + (first_row + i) * row_bytes, row, (size_t)row_bytes);
        } else if (matrix->info->type == YT_Q8_0) {
            pack_q8_row(matrix, first_row + i, row);
        } else if (matrix->info->type == YT_Q4_0) {
            pack_q4_row(matrix, first_row + i, row);
        } else {
            pack_plain_row(matrix, first_row + i, row);
        }
    }
    return YT_OK;
}

/* An element of a matrix whose rows are not kept as they are stored. */
static float decode_element(const yt_matrix *m, int64_t row, int64_t k)
{
    int64_t lane = row % YT_GROUP;
    const uint8_t *group = m->data + row / YT_GROUP * m->group_bytes;
    int64_t block = k / YT_BLOCK;
    int i = (int)(k % YT_BLOCK);
    switch (m->info->type) {
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

static void decode_stored_row(const yt_matrix *m, int64_t row, float *out)
{
    const yt_type_info *info = m->info;
    const uint8_t *source = m->data + row * (m->group_bytes / YT_GROUP);
    yt_stretch stretch;
    for (int64_t first = 0; first < m->columns; first += YT_STRETCH) {
        int64_t n = m->columns - first < YT_STRETCH ? m->columns - first : YT_STRETCH;
        yt_unpack_stretch(info, source, first, n, &stretch);
        for (int64_t i = 0; i < n; i++) {
            int64_t part = i / info->part_elements;
            float value = stretch.scales[part] * (float)stretch.q[i];
            out[first + i] = info->has_minimums ? value - stretch.minimums[part] : value;
        }
    }
}

void yt_matrix_decode_row(const yt_matrix *matrix, int64_t row, float *out)
{
    if (matrix->info->layout == YT_LAYOUT_STORED) {
        decode_stored_row(matrix, row, out);
        return;
    }
    for (int64_t k = 0; k < matrix->columns; k++) {
        out[k] = decode_element(matrix, row, k);
    }
}
