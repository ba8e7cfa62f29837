/* Weight matrices: created, filled row by row, and decoded for the embedding. The layouts are those of kernels.h. */
#include "checks.h"
#include "devices.h"
#include "error.h"
#include "half.h"
#include "kernels/blocks.h"
#include "memory.h"
#include "old_glibc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest page size of the systems that this runs on: what a place in a file is a multiple of, so that it can be mapped. */
enum { YT_MAP_ALIGNMENT = 65536 };

/* Host memory in which rows on their way to a device are packed, unless one row group takes more. */
enum { YT_STAGING_BYTES = 4 << 20 };

/* Bytes of a row as GGML stores it; 0 for an unknown type or a length that the type's blocks do not divide, -1 for one that overflows. */
static int64_t stored_row_bytes(const yt_type_info *info, int64_t columns)
{
    return info == NULL || columns % info->block_elements != 0 ? 0 : yt_product(columns / info->block_elements, info->block_bytes, 1);
}

/* Bytes of a row group; no sum overflows, since columns are fewer than INT64_MAX / 128. */
static int64_t group_bytes(const yt_type_info *info, int64_t columns)
{
    if (!yt_is_quantized(info)) {
        return yt_product(info->type == YT_BF16 ? yt_round_up(columns, 2) : columns, info->block_bytes, YT_GROUP);
    }
    int64_t n_blocks = columns / info->block_elements;
    int64_t chunk = yt_chunk_blocks(info->block_elements);
    int64_t heads = yt_product(n_blocks / chunk, chunk, yt_head_block_bytes(info)); /* whole cache lines */
    return heads + yt_chunk_head_bytes(n_blocks % chunk, yt_head_block_bytes(info)) + n_blocks * yt_body_block_bytes(info);
}

/* Where the head and the body of block b begin, in the group that begins at group. */
typedef struct {
    uint8_t *head;
    uint8_t *body;
} block_place;

static block_place place_of(const yt_matrix *m, uint8_t *group, int64_t b)
{
    const int64_t head_bytes = yt_head_block_bytes(m->info);
    const int64_t body_bytes = yt_body_block_bytes(m->info);
    const int64_t chunk = yt_chunk_blocks(m->info->block_elements);
    const int64_t in_chunk = b % chunk;
    int64_t n = m->columns / m->info->block_elements - (b - in_chunk); /* blocks of the chunk */
    if (n > chunk) {
        n = chunk;
    }
    uint8_t *start = group + (b - in_chunk) * (head_bytes + body_bytes);
    return (block_place){start + in_chunk * head_bytes, start + yt_chunk_head_bytes(n, head_bytes) + in_chunk * body_bytes};
}

/* Everything about a packed matrix but its memory; `call` is for messages. */
static int32_t describe(const char *call, yt_context *context, int32_t type, int64_t rows, int64_t columns, yt_matrix *out)
{
    const yt_type_info *info = yt_find_type(type);
    int64_t row_bytes = stored_row_bytes(info, columns);
    if (row_bytes == 0) {
        return yt_fail(YT_ERR_SHAPE, "%s: type %d does not exist, or rows of %lld elements do not divide into its blocks", call, type, (long long)columns);
    }
    /* Rows that are longer than this cannot exist in memory; it keeps the sums below from overflowing. */
    if (columns > INT64_MAX / 128) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld could not be had", (long long)rows, (long long)columns);
    }
    int64_t n_groups = rows / YT_GROUP + (rows % YT_GROUP != 0);
    int64_t bytes_of_group = group_bytes(info, columns);
    int64_t bytes = bytes_of_group < 0 ? -1 : yt_product(n_groups, bytes_of_group, 1);
    if (bytes < 0) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld could not be had", (long long)rows, (long long)columns);
    }
    if (yt_is_on_device(context)) {
        YT_TRY(yt_device_check_matrix(context, type, rows, columns));
    }
    *out = (yt_matrix){
        .context = context,
        .info = info,
        .rows = rows,
        .columns = columns,
        .n_groups = n_groups,
        .group_bytes = bytes_of_group,
        .memory_bytes = bytes,
    };
    return YT_OK;
}

/* A matrix in memory that exists; gives a copy of the description to the caller. */
static yt_matrix *with_memory(const yt_matrix *description, void *memory, bool is_mapped)
{
    yt_matrix *matrix = malloc(sizeof *matrix);
    if (matrix != NULL) {
        *matrix = *description;
        matrix->data = memory;
        matrix->memory = memory;
        matrix->is_mapped = is_mapped;
    }
    return matrix;
}

/* A matrix whose memory is a device's; source: its contents, or NULL for zeros. */
static int32_t create_on_device(const yt_matrix *description, const void *source, yt_matrix **out)
{
    yt_context *context = description->context;
    const int64_t bytes = description->memory_bytes;
    void *memory;
    YT_TRY(yt_device_allocate(context, bytes, &memory));
    int32_t status = source == NULL ? YT_OK : yt_device_upload(context, memory, source, bytes);
    yt_matrix *matrix = status == YT_OK ? with_memory(description, memory, source != NULL) : NULL;
    if (matrix == NULL) {
        yt_device_release(context, memory);
        return status != YT_OK ? status : yt_fail(YT_ERR_MEMORY, "out of memory: a matrix could not be had");
    }
    *out = matrix;
    return YT_OK;
}

int32_t yt_matrix_create(yt_context *context, int32_t type, int64_t rows, int64_t columns, yt_matrix **out)
{
    if (context == NULL || out == NULL || rows < 1 || columns < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_create: NULL argument, or a size of %lld x %lld", (long long)rows, (long long)columns);
    }
    yt_matrix description;
    int32_t status = describe("yt_matrix_create", context, type, rows, columns, &description);
    if (status != YT_OK) {
        return status;
    }
    if (yt_is_on_device(context)) {
        return create_on_device(&description, NULL, out);
    }
    void *memory = yt_allocate_weights(context, description.memory_bytes, &description.slab);
    yt_matrix *matrix = memory == NULL ? NULL : with_memory(&description, memory, false);
    if (matrix == NULL) {
        yt_free_weights(memory, description.memory_bytes, description.slab);
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix of %lld x %lld (%lld bytes) could not be had", (long long)rows, (long long)columns,
            (long long)description.memory_bytes);
    }
    *out = matrix;
    return YT_OK;
}

/* The memory of a mapped matrix, from an open file. */
static int32_t map_matrix(const char *path, int file, int64_t byte_offset, const yt_matrix *description, yt_matrix **out)
{
    struct stat facts;
    if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return yt_fail(YT_ERR_SYSTEM, "yt_matrix_map: %.400s is not a plain file", path);
    }
    int64_t bytes = description->memory_bytes;
    if (byte_offset > (int64_t)facts.st_size || bytes > (int64_t)facts.st_size - byte_offset) {
        return yt_fail(YT_ERR_SHAPE, "yt_matrix_map: %lld bytes from byte %lld on are not in %.400s, which has %lld", (long long)bytes, (long long)byte_offset,
            path, (long long)facts.st_size);
    }
    void *memory = yt_map_file(file, byte_offset, bytes);
    if (memory == NULL) {
        return yt_fail(YT_ERR_SYSTEM, "yt_matrix_map: %lld bytes of %.400s cannot be mapped: error %d", (long long)bytes, path, errno);
    }
    if (yt_is_on_device(description->context)) {
        int32_t status = create_on_device(description, memory, out);
        yt_unmap_file(memory, bytes);
        return status;
    }
    *out = with_memory(description, memory, true);
    if (*out == NULL) {
        yt_unmap_file(memory, bytes);
        return yt_fail(YT_ERR_MEMORY, "out of memory: a matrix could not be had");
    }
    return YT_OK;
}

int32_t yt_matrix_map(yt_context *context, int32_t type, int64_t rows, int64_t columns, const char *path, int64_t byte_offset, yt_matrix **out)
{
    if (context == NULL || out == NULL || path == NULL || rows < 1 || columns < 1 || byte_offset < 0 || byte_offset % YT_MAP_ALIGNMENT != 0) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_map: NULL argument, a size of %lld x %lld, or byte %lld, which is no multiple of %d", (long long)rows,
            (long long)columns, (long long)byte_offset, YT_MAP_ALIGNMENT);
    }
    yt_matrix description;
    int32_t status = describe("yt_matrix_map", context, type, rows, columns, &description);
    if (status != YT_OK) {
        return status;
    }
    /* Without waiting: a named pipe is refused, not waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return yt_fail(YT_ERR_SYSTEM, "yt_matrix_map: %.400s cannot be opened: error %d", path, errno);
    }
    yt_matrix *matrix = NULL;
    status = map_matrix(path, file, byte_offset, &description, &matrix);
    close(file); /* the mapping stays */
    if (status == YT_OK) {
        *out = matrix;
    }
    return status;
}

int32_t yt_layout_version(void)
{
    return YT_LAYOUT_VERSION;
}

void yt_matrix_destroy(yt_matrix *matrix)
{
    if (matrix != NULL) {
        if (yt_is_on_device(matrix->context)) {
            yt_device_release(matrix->context, matrix->memory);
        } else if (matrix->is_mapped) {
            yt_unmap_file(matrix->memory, matrix->memory_bytes);
        } else {
            yt_free_weights(matrix->memory, matrix->memory_bytes, matrix->slab);
        }
        free(matrix);
    }
}

int64_t yt_matrix_bytes(const yt_matrix *matrix)
{
    return matrix == NULL ? 0 : matrix->memory_bytes;
}

/* ---- packing ----------------------------------------------------------------------------------------------------------------------- */

/*
 * What GGML's layout and the packed one differ in beyond the place: Q8_0 is kept unsigned; of Q5_0 and Q5_1, whose fifth
 * bits come as bit i for element i, byte i % 4 gets the bits of the elements i, i + 4, i + 8 and so on.
 */
static uint32_t word_to_packed(const yt_type_info *info, int field, uint32_t word)
{
    if (info->type == YT_Q8_0) {
        return word ^ 0x80808080u;
    }
    if ((info->type == YT_Q5_0 || info->type == YT_Q5_1) && field == 0) {
        uint32_t packed = 0;
        for (int j = 0; j < 8; j++) {
            /* Four neighbouring bits go to bit j of the four bytes. */
            packed |= ((word >> 4 * j & 15) * 0x00204081u & 0x01010101u) << j;
        }
        return packed;
    }
    return word;
}

static uint32_t word_to_stored(const yt_type_info *info, int field, uint32_t word)
{
    if ((info->type == YT_Q5_0 || info->type == YT_Q5_1) && field == 0) {
        uint32_t stored = 0;
        for (int i = 0; i < 32; i++) {
            stored |= (word >> (i % 4 * 8 + i / 4) & 1) << i;
        }
        return stored;
    }
    return word_to_packed(info, field, word);
}

/* Four words, one of each row or one of each input; with the SSE2 or NEON that every processor has. */
typedef uint32_t words4 __attribute__((vector_size(16)));

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (words4){i, j, k, l})
#endif

/* Four consecutive words of all 16 rows of a group, row_bytes apart: [16][4] becomes [4][16], every word changed by exclusive or. */
static inline void transpose_words(const uint8_t *source, int64_t row_bytes, uint32_t change, uint8_t *target)
{
    for (int lane = 0; lane < YT_GROUP; lane += 4) {
        words4 row[4];
        for (int i = 0; i < 4; i++) {
            memcpy(&row[i], source + (lane + i) * row_bytes, 16);
        }
        words4 low_01 = SHUFFLE(row[0], row[1], 0, 4, 1, 5);
        words4 low_23 = SHUFFLE(row[2], row[3], 0, 4, 1, 5);
        words4 high_01 = SHUFFLE(row[0], row[1], 2, 6, 3, 7);
        words4 high_23 = SHUFFLE(row[2], row[3], 2, 6, 3, 7);
        words4 column[4] = {
            SHUFFLE(low_01, low_23, 0, 1, 4, 5),
            SHUFFLE(low_01, low_23, 2, 3, 6, 7),
            SHUFFLE(high_01, high_23, 0, 1, 4, 5),
            SHUFFLE(high_01, high_23, 2, 3, 6, 7),
        };
        for (int i = 0; i < 4; i++) {
            column[i] ^= change;
            memcpy(target + i * 4 * YT_GROUP + lane * 4, &column[i], 16);
        }
    }
}

/* Words FIELD of a block of n rows; target is that of the first row's lane. */
static inline void pack_words(const yt_type_info *info, int field, const uint8_t *source, int64_t row_bytes, int64_t n, uint8_t *target)
{
    int words = info->words[field].count / 4;
    if (n == YT_GROUP && words % 4 == 0) {
        uint32_t change = word_to_packed(info, field, 0); /* fields of several words are changed by an exclusive or at most */
        for (int i = 0; i < words; i += 4) {
            transpose_words(source + 4 * i, row_bytes, change, target + i * 4 * YT_GROUP);
        }
        return;
    }
    for (int i = 0; i < words; i++) {
        for (int64_t lane = 0; lane < n; lane++) {
            uint32_t word;
            memcpy(&word, source + lane * row_bytes + 4 * i, 4);
            word = word_to_packed(info, field, word);
            memcpy(target + i * 64 + lane * 4, &word, 4);
        }
    }
}

/* Halves of n rows, row_bytes apart. */
static inline void pack_halves(const uint8_t *source, int64_t row_bytes, int64_t n, uint8_t *target)
{
    if (n == YT_GROUP) {
        /* Four at a time, for a store takes longer than what puts them together. */
        for (int lane = 0; lane < YT_GROUP; lane += 4) {
            uint16_t h[4];
            for (int i = 0; i < 4; i++) {
                memcpy(&h[i], source + (lane + i) * row_bytes, 2);
            }
            uint64_t four = h[0] | (uint64_t)h[1] << 16 | (uint64_t)h[2] << 32 | (uint64_t)h[3] << 48;
            memcpy(target + lane * 2, &four, 8);
        }
        return;
    }
    for (int64_t lane = 0; lane < n; lane++) {
        memcpy(target + lane * 2, source + lane * row_bytes, 2);
    }
}

/* Some rows of one group, block by block. */
static void pack_quantized_rows(const yt_matrix *m, int64_t first_row, int64_t n, const uint8_t *source, int64_t row_bytes)
{
    const yt_type_info *info = m->info;
    const int64_t lane = first_row % YT_GROUP;
    uint8_t *group = m->data + first_row / YT_GROUP * m->group_bytes;
    for (int64_t b = 0; b < m->columns / info->block_elements; b++, source += info->block_bytes) {
        block_place place = place_of(m, group, b);
        uint8_t *field = place.head;
        uint8_t *body = place.body;
        for (int h = 0; h < YT_MAX_HALVES && info->halves[h] >= 0; h++, field += 2 * YT_GROUP) {
            pack_halves(source + info->halves[h], row_bytes, n, field + lane * 2);
        }
        for (int64_t l = 0; l < n && info->exponents.count > 0; l++) {
            field[lane + l] = source[l * row_bytes + info->exponents.offset];
        }
        for (int i = 0; i < info->bytes.count; i++, body += YT_GROUP) {
            for (int64_t l = 0; l < n; l++) {
                body[lane + l] = source[l * row_bytes + info->bytes.offset + i];
            }
        }
        for (int f = 0; f < YT_MAX_WORD_FIELDS; f++) {
            pack_words(info, f, source + info->words[f].offset, row_bytes, n, body + 4 * lane);
            body += (int64_t)info->words[f].count * YT_GROUP;
        }
    }
}

/* A block of a row as GGML stores it: the inverse. */
static void unpack_block(const yt_matrix *m, int64_t row, int64_t b, uint8_t *block)
{
    const yt_type_info *info = m->info;
    const int64_t lane = row % YT_GROUP;
    const block_place place = place_of(m, m->data + row / YT_GROUP * m->group_bytes, b);
    const uint8_t *field = place.head;
    const uint8_t *body = place.body;
    for (int h = 0; h < YT_MAX_HALVES && info->halves[h] >= 0; h++, field += 2 * YT_GROUP) {
        memcpy(block + info->halves[h], field + lane * 2, 2);
    }
    if (info->exponents.count > 0) {
        block[info->exponents.offset] = field[lane];
    }
    for (int i = 0; i < info->bytes.count; i++, body += YT_GROUP) {
        block[info->bytes.offset + i] = body[lane];
    }
    for (int f = 0; f < YT_MAX_WORD_FIELDS; f++) {
        for (int i = 0; i < info->words[f].count; i += 4, body += 64) {
            uint32_t word;
            memcpy(&word, body + 4 * lane, 4);
            word = word_to_stored(info, f, word);
            memcpy(block + info->words[f].offset + i, &word, 4);
        }
    }
}

/* Where element k of a row of an unquantized matrix is. */
static uint8_t *plain_element(const yt_matrix *m, int64_t row, int64_t k)
{
    const int64_t lane = row % YT_GROUP;
    const int64_t index = m->info->type == YT_BF16 ? (k / 2 * YT_GROUP + lane) * 2 + k % 2 : k * YT_GROUP + lane;
    return m->data + row / YT_GROUP * m->group_bytes + index * m->info->block_bytes;
}

/* The elements of a row from `first` on. */
static void pack_plain_row(const yt_matrix *m, int64_t row, int64_t first, const uint8_t *source)
{
    if (m->info->type == YT_F32) {
        for (int64_t k = first; k < m->columns; k++) {
            memcpy(plain_element(m, row, k), source + 4 * k, 4);
        }
    } else {
        for (int64_t k = first; k < m->columns; k++) {
            memcpy(plain_element(m, row, k), source + 2 * k, 2);
        }
    }
}

/*
 * A whole group of an unquantized type: 16 rows, words of which are transposed. Words of F32 are elements, those of BF16 the pairs that stay together; those of
 * F16 come apart again. What four words do not divide is left.
 *
 * Returns how many inputs were packed.
 */
static int64_t pack_plain_group(const yt_matrix *m, int64_t first_row, const uint8_t *source, int64_t row_bytes)
{
    uint8_t *target = m->data + first_row / YT_GROUP * m->group_bytes;
    int64_t n_words = row_bytes / 16 * 4;
    for (int64_t i = 0; i < n_words; i += 4, source += 16, target += 16 * YT_GROUP) {
        if (m->info->type != YT_F16) {
            transpose_words(source, row_bytes, 0, target);
            continue;
        }
        uint32_t pairs[4 * YT_GROUP];
        transpose_words(source, row_bytes, 0, (uint8_t *)pairs);
        for (int w = 0; w < 4; w++) {
            uint16_t halves[2][YT_GROUP];
            for (int lane = 0; lane < YT_GROUP; lane++) {
                halves[0][lane] = (uint16_t)pairs[w * YT_GROUP + lane];
                halves[1][lane] = (uint16_t)(pairs[w * YT_GROUP + lane] >> 16);
            }
            memcpy(target + w * 4 * YT_GROUP, halves, sizeof halves);
        }
    }
    return n_words * 4 / m->info->block_bytes;
}

/* Rows as GGML stores them. */
static void pack_rows(const yt_matrix *matrix, int64_t first_row, int64_t n_rows, const uint8_t *source, int64_t row_bytes)
{
    /* Rows of one group together. */
    for (int64_t row = first_row; row < first_row + n_rows;) {
        const uint8_t *rows = source + (row - first_row) * row_bytes;
        int64_t left = first_row + n_rows - row;
        int64_t n = YT_GROUP - row % YT_GROUP < left ? YT_GROUP - row % YT_GROUP : left;
        if (yt_is_quantized(matrix->info)) {
            pack_quantized_rows(matrix, row, n, rows, row_bytes);
        } else {
            int64_t done = n == YT_GROUP ? pack_plain_group(matrix, row, rows, row_bytes) : 0;
            for (int64_t i = 0; i < n; i++) {
                pack_plain_row(matrix, row + i, done, rows + i * row_bytes);
            }
        }
        row += n;
    }
}

/* Some rows of one group: its other rows are kept, and other threads may be writing them. */
static int32_t upload_part(const yt_matrix *matrix, int64_t first_row, int64_t n_rows, const uint8_t *source, int64_t row_bytes, uint8_t *staging)
{
    uint8_t *group = matrix->data + first_row / YT_GROUP * matrix->group_bytes;
    yt_matrix staged = *matrix;
    staged.data = staging;
    pthread_mutex_lock(&matrix->context->part_mutex);
    int32_t status = yt_device_download(matrix->context, staging, group, matrix->group_bytes);
    if (status == YT_OK) {
        pack_rows(&staged, first_row % YT_GROUP, n_rows, source, row_bytes);
        status = yt_device_upload(matrix->context, group, staging, matrix->group_bytes);
    }
    pthread_mutex_unlock(&matrix->context->part_mutex);
    return status;
}

/* Packed on the host, piece by piece. The last group is whole even if rows are missing in it: these are zeros. */
static int32_t upload_to_device(const yt_matrix *matrix, int64_t first_row, int64_t n_rows, const uint8_t *source, int64_t row_bytes)
{
    int64_t most_groups = YT_STAGING_BYTES / matrix->group_bytes;
    const int64_t all_groups = n_rows / YT_GROUP + 1;
    most_groups = most_groups < 1 ? 1 : most_groups < all_groups ? most_groups : all_groups;
    uint8_t *staging = malloc((size_t)(most_groups * matrix->group_bytes));
    if (staging == NULL) {
        return yt_fail(YT_ERR_MEMORY, "out of memory: %lld bytes to pack rows in could not be had", (long long)(most_groups * matrix->group_bytes));
    }
    yt_matrix staged = *matrix;
    staged.data = staging;
    const int64_t end = first_row + n_rows;
    int32_t status = YT_OK;
    for (int64_t row = first_row; row < end && status == YT_OK;) {
        const uint8_t *rows = source + (row - first_row) * row_bytes;
        const int64_t whole = (end == matrix->rows ? matrix->n_groups * YT_GROUP : end) - row;
        int64_t n;
        if (row % YT_GROUP != 0 || whole < YT_GROUP) {
            n = YT_GROUP - row % YT_GROUP < end - row ? YT_GROUP - row % YT_GROUP : end - row;
            status = upload_part(matrix, row, n, rows, row_bytes, staging);
        } else {
            const int64_t n_groups = whole / YT_GROUP < most_groups ? whole / YT_GROUP : most_groups;
            n = n_groups * YT_GROUP < end - row ? n_groups * YT_GROUP : end - row;
            memset(staging, 0, (size_t)(n_groups * matrix->group_bytes));
            pack_rows(&staged, 0, n, rows, row_bytes);
            status = yt_device_upload(matrix->context, matrix->data + row / YT_GROUP * matrix->group_bytes, staging, n_groups * matrix->group_bytes);
        }
        row += n;
    }
    free(staging);
    return status;
}

int32_t yt_matrix_upload(yt_matrix *matrix, int64_t first_row, int64_t n_rows, const void *source, int64_t byte_size)
{
    if (matrix == NULL || source == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_upload: NULL argument");
    }
    if (matrix->is_mapped) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_upload: the matrix is a file's, which is only read");
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
    if (yt_is_on_device(matrix->context)) {
        return upload_to_device(matrix, first_row, n_rows, source, row_bytes);
    }
    pack_rows(matrix, first_row, n_rows, source, row_bytes);
    return YT_OK;
}

int32_t yt_matrix_download(const yt_matrix *matrix, int64_t byte_offset, void *target, int64_t byte_size)
{
    if (matrix == NULL || target == NULL) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_download: NULL argument");
    }
    if (byte_offset < 0 || byte_size < 0 || byte_offset > matrix->memory_bytes || byte_size > matrix->memory_bytes - byte_offset) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_matrix_download: %lld bytes from byte %lld on are outside a matrix of %lld bytes", (long long)byte_size,
            (long long)byte_offset, (long long)matrix->memory_bytes);
    }
    if (byte_size > 0 && yt_is_on_device(matrix->context)) {
        return yt_device_download(matrix->context, target, matrix->data + byte_offset, byte_size);
    }
    memcpy(target, matrix->data + byte_offset, (size_t)byte_size);
    return YT_OK;
}

/* ---- decoding ---------------------------------------------------------------------------------------------------------------------- */

static float plain_value(int32_t type, const uint8_t *p)
{
    if (type == YT_F32) {
        float value;
        memcpy(&value, p, 4);
        return value;
    }
    uint16_t half;
    memcpy(&half, p, 2);
    return type == YT_F16 ? yt_half_to_float(half) : yt_bfloat_to_float(half);
}

static void decode_quantized_row(const yt_matrix *m, int64_t row, float *out)
{
    const yt_type_info *info = m->info;
    yt_unpacked values;
    uint8_t block[YT_MAX_BLOCK_BYTES];
    for (int64_t b = 0; b < m->columns / info->block_elements; b++, out += info->block_elements) {
        unpack_block(m, row, b, block);
        yt_unpack_block(info->type, block, &values);
        for (int i = 0; i < info->block_elements; i++) {
            int part = i / info->part_elements;
            float value = values.scales[part] * (float)values.q[i];
            out[i] = info->has_minimums ? value - values.minimums[part] : value;
        }
    }
}

void yt_matrix_decode_row(const yt_matrix *matrix, int64_t row, float *out)
{
    if (yt_is_quantized(matrix->info)) {
        decode_quantized_row(matrix, row, out);
        return;
    }
    for (int64_t k = 0; k < matrix->columns; k++) {
        out[k] = plain_value(matrix->info->type, plain_element(matrix, row, k));
    }
}
