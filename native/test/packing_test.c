/*
 * The bytes of packed matrices: the same however the rows arrive, the same from a file, and those of YT_LAYOUT_VERSION: files of packed matrices outlive the
 * library that wrote them.
 */
#include "model.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int n_failures;
static yt_context *context;

static void expect(int32_t type, const char *what, int holds)
{
    if (!holds) {
        fprintf(stderr, "FAILED type %d: %s: %s\n", type, what, yt_last_error());
        n_failures++;
    }
}

typedef struct {
    int32_t type;
    int64_t block_elements;
    int64_t block_bytes;
    /* FNV-1a of the packed bytes that pack_all gives in layout version LAYOUT_OF_HASHES. A changed layout changes them: then YT_LAYOUT_VERSION counts up, and they become those
       that this program says it found. */
    uint64_t hash;
} pinned;

#define LAYOUT_OF_HASHES 2

static const pinned TYPES[] = {
    {YT_F32, 1, 4, 0xBB3BD69E15EAC4D4u},
    {YT_F16, 1, 2, 0x496E8573A836294Cu},
    {YT_BF16, 1, 2, 0x4122B2B21747E004u},
    {YT_Q4_0, 32, 18, 0x5952514137A091D0u},
    {YT_Q4_1, 32, 20, 0xD4BDCEA8C49C6EE6u},
    {YT_Q5_0, 32, 22, 0x2B1A5EC13AC62D7Eu},
    {YT_Q5_1, 32, 24, 0xFDC1C2FA668CA741u},
    {YT_Q8_0, 32, 34, 0x0709665848DFCDDFu},
    {YT_Q2_K, 256, 84, 0x7B758E3064F2D9C9u},
    {YT_Q3_K, 256, 110, 0x1A1D0DBCD8CE4AC0u},
    {YT_Q4_K, 256, 144, 0xAF3343A11FFA352Du},
    {YT_Q5_K, 256, 176, 0x874728ECEF08AB61u},
    {YT_Q6_K, 256, 210, 0xF2207E45D7C4EA5Du},
    {YT_IQ4_NL, 32, 18, 0x5952514137A091D0u},
    {YT_IQ4_XS, 256, 136, 0xC1A9D50764ABF4DEu},
    {YT_MXFP4, 32, 17, 0x8578C5C17A330E23u},
};

static uint64_t fnv(const uint8_t *bytes, int64_t n)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (int64_t i = 0; i < n; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    }
    return hash;
}

/* Makes a matrix, uploads rows in pieces of `step` rows, and gives its packed bytes, to be freed. */
static uint8_t *pack(const pinned *t, int64_t rows, int64_t columns, const uint8_t *source, int64_t row_bytes, int64_t step, int64_t *bytes)
{
    yt_matrix *matrix = NULL;
    expect(t->type, "yt_matrix_create", yt_matrix_create(context, t->type, rows, columns, &matrix) == YT_OK);
    for (int64_t row = 0; row < rows; row += step) {
        int64_t n = step < rows - row ? step : rows - row;
        expect(t->type, "yt_matrix_upload", yt_matrix_upload(matrix, row, n, source + row * row_bytes, n * row_bytes) == YT_OK);
    }
    *bytes = yt_matrix_bytes(matrix);
    uint8_t *packed = malloc((size_t)*bytes);
    expect(t->type, "yt_matrix_download", packed != NULL && yt_matrix_download(matrix, 0, packed, *bytes) == YT_OK);
    yt_matrix_destroy(matrix);
    return packed;
}

/* Writes packed bytes behind 64 KB of something else and maps them. */
static void check_mapped(const pinned *t, int64_t rows, int64_t columns, const uint8_t *packed, int64_t bytes)
{
    char path[] = "/tmp/yangtuo-packing-XXXXXX";
    int file = mkstemp(path);
    expect(t->type, "a file", file >= 0 && pwrite(file, packed, (size_t)bytes, 65536) == (ssize_t)bytes);
    yt_matrix *matrix = NULL;
    expect(t->type, "yt_matrix_map", yt_matrix_map(context, t->type, rows, columns, path, 65536, &matrix) == YT_OK);
    close(file);
    unlink(path);
    uint8_t *read = malloc((size_t)bytes);
    expect(t->type, "its size", yt_matrix_bytes(matrix) == bytes);
    expect(t->type, "mapped bytes", yt_matrix_download(matrix, 0, read, bytes) == YT_OK && memcmp(read, packed, (size_t)bytes) == 0);
    free(read);
    yt_matrix_destroy(matrix);
}

/* Random rows in all ways; returns the hash of the packed bytes. */
static uint64_t check_shape(const pinned *t, int64_t rows, int64_t columns, uint64_t hash)
{
    uint64_t random = 7;
    int64_t row_bytes = columns / t->block_elements * t->block_bytes;
    uint8_t *source = malloc((size_t)(rows * row_bytes));
    for (int64_t i = 0; i < rows * row_bytes; i++) {
        source[i] = (uint8_t)random_bits(&random);
    }
    int64_t bytes;
    uint8_t *whole = pack(t, rows, columns, source, row_bytes, rows, &bytes);
    static const int64_t STEPS[] = {1, 3, 16, 17};
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        uint8_t *pieces = pack(t, rows, columns, source, row_bytes, STEPS[i], &bytes);
        expect(t->type, "rows in pieces", memcmp(whole, pieces, (size_t)bytes) == 0);
        free(pieces);
    }
    check_mapped(t, rows, columns, whole, bytes);
    hash ^= fnv(whole, bytes);
    free(whole);
    free(source);
    return hash;
}

/* With --device LIBRARY on the first device of a library of kernels. */
int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--device") == 0) {
        context = create_device_context(argv[2]);
    } else if (yt_context_create("portable", 1, &context) != YT_OK) {
        fprintf(stderr, "no context: %s\n", yt_last_error());
        return 1;
    }
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        const pinned *t = &TYPES[i];
        uint64_t hash = check_shape(t, 37, 3 * t->block_elements, 0);
        hash = check_shape(t, 48, 16 * t->block_elements, hash);
        if (t->block_elements == 1) {
            hash = check_shape(t, 33, 131, hash);
        }
        if (hash != t->hash || YT_LAYOUT_VERSION != LAYOUT_OF_HASHES) {
            fprintf(stderr, "FAILED type %d: the packed bytes of layout version %d have the hash 0x%016llX; another one stands here, for version %d\n", t->type,
                YT_LAYOUT_VERSION, (unsigned long long)hash, LAYOUT_OF_HASHES);
            n_failures++;
        }
    }
    yt_context_destroy(context);
    printf("%d failures\n", n_failures);
    return n_failures != 0;
}
