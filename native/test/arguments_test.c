/*
 * Calls that must fail: each gives its status and a message, and changes nothing. Every case takes a good set of arguments, spoils one thing, and
 * compares all memory that the library could have written with what it was.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int n_failures;
static yt_context *processor;
static yt_context *context; /* the same, or a device's */
static bool on_device;
static device_model d;

static void expect_status(const char *what, int32_t expected, int32_t actual)
{
    if (actual != expected || (expected != YT_OK && yt_last_error()[0] == '\0')) {
        fprintf(stderr, "FAILED %s: expected status %d and a message, got %d: %s\n", what, expected, actual, yt_last_error());
        n_failures++;
    }
}

#define EXPECT(status, call) expect_status(#call, status, call)

/* What no memory is large enough for. A device may have no kernels for it either. */
static void expect_too_large(const char *what, int32_t actual)
{
    expect_status(what, on_device && actual == YT_ERR_UNSUPPORTED ? actual : YT_ERR_MEMORY, actual);
}

#define EXPECT_TOO_LARGE(call) expect_too_large(#call, call)

static const model_shape SHAPE = {.type = YT_Q8_0, .values = NORMAL, .dim = 32, .n_heads = 4, .n_kv_heads = 2, .head_dim = 16, .hidden_dim = 64,
    .vocab_size = 50, .n_columns = 3, .n_sequences = 2, .page_positions = 16, .kv_type = YT_F16, .seed = 12};

/* ---- creation and copies ---------------------------------------------------------------------------------------------------------- */

static void check_contexts(void)
{
    yt_context *out = NULL;
    EXPECT(YT_ERR_ARGUMENT, yt_context_create("portable", 1, NULL));
    EXPECT(YT_ERR_ARGUMENT, yt_context_create("portable", 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_context_create("portable", -1, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_context_create("portable", 257, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_context_create("portable", INT32_MIN, &out));
    expect_status("out stays NULL", 1, out == NULL);
    yt_context_destroy(NULL);
    yt_buffer_destroy(NULL);
    yt_matrix_destroy(NULL);
    yt_kv_destroy(NULL);
}

static void check_measurements(void)
{
    double rate = -1;
    const char *name = NULL;
    if (on_device) {
        EXPECT(YT_ERR_UNSUPPORTED, yt_measure_read(context, 8 << 20, 1, &rate));
        EXPECT(YT_ERR_UNSUPPORTED, yt_measure_peak(context, YT_PEAK_INT8, 0.01, &rate, &name));
        return;
    }
    EXPECT(YT_ERR_ARGUMENT, yt_measure_read(NULL, 8 << 20, 1, &rate));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_read(context, 8 << 20, 1, NULL));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_read(context, 8 << 20, 0, &rate));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_read(context, (4 << 20) - 1, 1, &rate)); /* less than a large page for each thread */
    EXPECT(YT_ERR_ARGUMENT, yt_measure_read(context, -1, 1, &rate));
    EXPECT(YT_ERR_MEMORY, yt_measure_read(context, INT64_MAX, 1, &rate));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(NULL, YT_PEAK_INT8, 0.01, &rate, &name));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(context, YT_PEAK_INT8, 0.01, NULL, &name));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(context, YT_PEAK_INT8, 0.01, &rate, NULL));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(context, 2, 0.01, &rate, &name));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(context, -1, 0.01, &rate, &name));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(context, YT_PEAK_FMA, 0, &rate, &name));
    EXPECT(YT_ERR_ARGUMENT, yt_measure_peak(context, YT_PEAK_FMA, 61, &rate, &name));
    expect_status("nothing was written", 1, rate == -1 && name == NULL);
    EXPECT(YT_OK, yt_measure_read(context, 4 << 20, 1, &rate));
    expect_status("it reads", 1, rate > 0);
    for (int32_t kind = YT_PEAK_INT8; kind <= YT_PEAK_FMA; kind++) {
        int32_t status = yt_measure_peak(context, kind, 0.01, &rate, &name);
        expect_status("it computes, or cannot", 1, status == YT_ERR_UNSUPPORTED || (status == YT_OK && rate > 0 && name != NULL));
    }
}

static void check_buffers(void)
{
    static const uint8_t pattern[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t host[8];
    yt_buffer *out = NULL;
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_create(NULL, 8, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_create(context, 8, NULL));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_create(context, 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_create(context, -1, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_create(context, INT64_MIN, &out));
    EXPECT(YT_ERR_MEMORY, yt_buffer_create(context, INT64_MAX, &out));
    EXPECT(YT_ERR_MEMORY, yt_buffer_create(context, (int64_t)1 << 60, &out));
    expect_status("out stays NULL", 1, out == NULL);
    must(yt_buffer_create(context, 8, &out), "yt_buffer_create");
    must(yt_buffer_upload(out, 0, pattern, 8), "yt_buffer_upload");
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(NULL, 0, pattern, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, 0, NULL, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, 0, pattern, 9));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, -1, pattern, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, 0, pattern, -1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, 8, pattern, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, INT64_MAX, pattern, INT64_MAX));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_upload(out, 1, pattern, INT64_MAX));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_download(NULL, 0, host, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_download(out, 0, NULL, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_download(out, 4, host, 5));
    EXPECT(YT_ERR_ARGUMENT, yt_buffer_download(out, INT64_MIN, host, 1));
    EXPECT(YT_OK, yt_buffer_upload(out, 8, pattern, 0));
    must(yt_buffer_download(out, 0, host, 8), "yt_buffer_download");
    expect_status("the buffer is unchanged", 0, memcmp(host, pattern, 8) != 0);
    yt_buffer_destroy(out);
}

static void check_files(void)
{
    uint8_t host[64];
    char path[] = "/tmp/yangtuo-arguments-XXXXXX";
    int file = mkstemp(path);
    must(file < 0 || ftruncate(file, 65536 + 63) != 0 ? YT_ERR_SYSTEM : YT_OK, "a file");
    yt_matrix *out = NULL;
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(NULL, YT_F32, 1, 1, path, 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(context, YT_F32, 1, 1, NULL, 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(context, YT_F32, 1, 1, path, 0, NULL));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(context, YT_F32, 0, 1, path, 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(context, YT_F32, 1, -1, path, 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(context, YT_F32, 1, 1, path, -65536, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_map(context, YT_F32, 1, 1, path, 4096, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_map(context, YT_Q8_0, 1, 33, path, 0, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_map(context, 4, 1, 32, path, 0, &out));
    EXPECT(YT_ERR_MEMORY, yt_matrix_map(context, YT_F32, INT64_MAX, INT64_MAX, path, 0, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_map(context, YT_F32, 1, 1, path, 65536, &out)); /* a byte short */
    EXPECT(YT_ERR_SHAPE, yt_matrix_map(context, YT_F32, 1, 1, path, 131072, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_map(context, YT_F32, 1, 1, path, INT64_MAX / 65536 * 65536, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_map(context, YT_F32, 1 << 20, 1 << 20, path, 0, &out));
    EXPECT(YT_ERR_SYSTEM, yt_matrix_map(context, YT_F32, 1, 1, "/tmp/yangtuo-there-is-no-such-file", 0, &out));
    EXPECT(YT_ERR_SYSTEM, yt_matrix_map(context, YT_F32, 1, 1, "/dev/null", 0, &out));
    EXPECT(YT_ERR_SYSTEM, yt_matrix_map(context, YT_F32, 1, 1, "/tmp", 0, &out));
    expect_status("out stays NULL", 1, out == NULL);
    must(yt_matrix_map(context, YT_F32, 1, 1, path, 0, &out), "yt_matrix_map");
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(out, 0, 1, host, 4)); /* it is only read */
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(NULL, 0, host, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(out, 0, NULL, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(out, -1, host, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(out, 0, host, -1));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(out, 0, host, 65));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(out, 64, host, 1));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_download(out, INT64_MAX, host, INT64_MAX));
    EXPECT(YT_OK, yt_matrix_download(out, 64, host, 0));
    EXPECT(YT_OK, yt_matrix_download(out, 0, host, 64));
    expect_status("the library's versions are the header's", 1, yt_layout_version() == YT_LAYOUT_VERSION && yt_user_id() >= 0);
    yt_matrix_destroy(out);
    close(file);
    unlink(path);
}

static void check_matrices(void)
{
    static const uint8_t rows[2 * 34];
    yt_matrix *out = NULL;
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_create(NULL, YT_F32, 1, 1, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_create(context, YT_F32, 1, 1, NULL));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_create(context, YT_F32, 0, 1, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_create(context, YT_F32, 1, 0, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_create(context, YT_F32, INT64_MIN, 1, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_create(context, YT_Q8_0, 1, 33, &out));
    EXPECT(YT_ERR_SHAPE, yt_matrix_create(context, YT_Q4_0, 1, 31, &out));
    static const int32_t of_256[] = {YT_Q2_K, YT_Q3_K, YT_Q4_K, YT_Q5_K, YT_Q6_K, YT_IQ4_XS};
    for (size_t i = 0; i < sizeof of_256 / sizeof of_256[0]; i++) {
        EXPECT(YT_ERR_SHAPE, yt_matrix_create(context, of_256[i], 1, 128, &out));
    }
    static const int32_t unknown[] = {4, 5, 9, 15, 31, 40, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        EXPECT(YT_ERR_SHAPE, yt_matrix_create(context, unknown[i], 1, 32, &out));
    }
    static const int32_t types[] = {YT_F32, YT_F16, YT_BF16, YT_Q8_0, YT_Q4_0, YT_Q4_1, YT_Q5_0, YT_Q5_1, YT_IQ4_NL, YT_MXFP4};
    static const int64_t huge[] = {INT64_MAX / 32 * 32, INT64_MAX / 64 / 32 * 32, (int64_t)1 << 62, (int64_t)1 << 58};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (size_t j = 0; j < sizeof huge / sizeof huge[0]; j++) {
            EXPECT_TOO_LARGE(yt_matrix_create(context, types[i], 1, huge[j], &out));
            EXPECT_TOO_LARGE(yt_matrix_create(context, types[i], huge[j], 32, &out));
            EXPECT_TOO_LARGE(yt_matrix_create(context, types[i], huge[j], huge[j], &out));
        }
        EXPECT_TOO_LARGE(yt_matrix_create(context, types[i], INT64_MAX, 32, &out));
    }
    EXPECT_TOO_LARGE(yt_matrix_create(context, YT_F32, 1, INT64_MAX, &out));
    expect_status("out stays NULL", 1, out == NULL);
    must(yt_matrix_create(context, YT_Q8_0, 2, 32, &out), "yt_matrix_create");
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(NULL, 0, 1, rows, 34));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(out, 0, 1, NULL, 34));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(out, -1, 1, rows, 34));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(out, 0, -1, rows, -34));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(out, 2, 1, rows, 34));
    EXPECT(YT_ERR_ARGUMENT, yt_matrix_upload(out, 1, INT64_MAX, rows, 34));
    EXPECT(YT_ERR_SHAPE, yt_matrix_upload(out, 0, 2, rows, 67));
    EXPECT(YT_ERR_SHAPE, yt_matrix_upload(out, 0, 1, rows, 68));
    EXPECT(YT_OK, yt_matrix_upload(out, 2, 0, rows, 0));
    expect_status("yt_matrix_bytes", 1, yt_matrix_bytes(NULL) == 0 && yt_matrix_bytes(out) >= 2 * 34);
    yt_matrix_destroy(out);
}

static void check_kv(void)
{
    static const yt_kv_shape good = {YT_F16, 16, 2, 1, 1, 4};
    static const struct {
        yt_kv_shape shape;
        int32_t status;
    } cases[] = {
        {{YT_Q5_0, 16, 2, 1, 1, 4}, YT_ERR_UNSUPPORTED}, {{YT_Q4_K, 16, 2, 1, 1, 4}, YT_ERR_UNSUPPORTED}, {{-1, 16, 2, 1, 1, 4}, YT_ERR_UNSUPPORTED},
        {{YT_F16, 0, 2, 1, 1, 4}, YT_ERR_ARGUMENT}, {{YT_F16, -16, 2, 1, 1, 4}, YT_ERR_ARGUMENT}, {{YT_F16, 17, 2, 1, 1, 4}, YT_ERR_ARGUMENT},
        {{YT_F16, 1 << 30, 2, 1, 1, 4}, YT_ERR_ARGUMENT}, {{YT_F16, 16, 0, 1, 1, 4}, YT_ERR_ARGUMENT}, {{YT_F16, 16, 2, 0, 1, 4}, YT_ERR_ARGUMENT},
        {{YT_F16, 16, 2, 1, 0, 4}, YT_ERR_ARGUMENT}, {{YT_F16, 16, 2, 1, 1, 3}, YT_ERR_ARGUMENT}, {{YT_F16, 16, 2, 1, 1, 0}, YT_ERR_ARGUMENT},
        {{YT_F16, 16, 2, 1, 1, 1026}, YT_ERR_ARGUMENT}, {{YT_F16, 16, -2, -1, 1, 4}, YT_ERR_ARGUMENT},
        {{YT_F16, 16, INT64_MAX, 1, 1, 4}, YT_ERR_MEMORY}, {{YT_F16, 16, 1, INT64_MAX, INT64_MAX, 4}, YT_ERR_MEMORY},
        {{YT_F16, 16, (int64_t)1 << 51, 1, 1, 4}, YT_ERR_MEMORY},
    };
    yt_kv *out = NULL;
    EXPECT(YT_ERR_ARGUMENT, yt_kv_create(NULL, &good, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_kv_create(context, NULL, &out));
    EXPECT(YT_ERR_ARGUMENT, yt_kv_create(context, &good, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char what[64];
        snprintf(what, sizeof what, "yt_kv_create, case %d", (int)i);
        expect_status(what, cases[i].status, yt_kv_create(context, &cases[i].shape, &out));
    }
    expect_status("out stays NULL", 1, out == NULL);
}

static void check_pages(void)
{
    static const yt_kv_shape shape = {YT_F16, 16, 3, 1, 1, 4};
    uint8_t bytes[16 * (4 + 16) * 2];
    uint8_t read[sizeof bytes];
    const int64_t n = sizeof bytes;
    yt_kv *kv = NULL;
    must(yt_kv_create(context, &shape, &kv), "yt_kv_create");
    expect_status("yt_kv_page_bytes", 1, yt_kv_page_bytes(NULL) == 0 && yt_kv_page_bytes(kv) == n);
    for (int64_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    static const int64_t outside[] = {-1, 3, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        EXPECT(YT_ERR_ARGUMENT, yt_kv_copy_page(kv, outside[i], 0));
        EXPECT(YT_ERR_ARGUMENT, yt_kv_copy_page(kv, 0, outside[i]));
        EXPECT(YT_ERR_ARGUMENT, yt_kv_upload_page(kv, outside[i], bytes, n));
        EXPECT(YT_ERR_ARGUMENT, yt_kv_download_page(kv, outside[i], read, n));
        EXPECT(YT_ERR_SHAPE, yt_kv_upload_page(kv, 0, bytes, outside[i]));
        EXPECT(YT_ERR_SHAPE, yt_kv_download_page(kv, 0, read, outside[i]));
    }
    EXPECT(YT_ERR_ARGUMENT, yt_kv_copy_page(NULL, 0, 0));
    EXPECT(YT_ERR_ARGUMENT, yt_kv_upload_page(NULL, 0, bytes, n));
    EXPECT(YT_ERR_ARGUMENT, yt_kv_upload_page(kv, 0, NULL, n));
    EXPECT(YT_ERR_ARGUMENT, yt_kv_download_page(NULL, 0, read, n));
    EXPECT(YT_ERR_ARGUMENT, yt_kv_download_page(kv, 0, NULL, n));
    EXPECT(YT_OK, yt_kv_upload_page(kv, 1, bytes, n));
    EXPECT(YT_OK, yt_kv_copy_page(kv, 1, 2));
    EXPECT(YT_OK, yt_kv_copy_page(kv, 2, 2));
    EXPECT(YT_OK, yt_kv_download_page(kv, 2, read, n));
    expect_status("the copied page", 1, memcmp(read, bytes, sizeof bytes) == 0);
    EXPECT(YT_OK, yt_kv_copy_page(kv, 0, 2));
    EXPECT(YT_OK, yt_kv_download_page(kv, 2, read, n));
    memset(bytes, 0, sizeof bytes);
    expect_status("a page that was never written", 1, memcmp(read, bytes, sizeof bytes) == 0);
    yt_kv_destroy(kv);
}

/* ---- stages ----------------------------------------------------------------------------------------------------------------------- */

/* The arguments of all stages; a case changes one of them. */
typedef struct {
    yt_context *context;
    const yt_layer *layer;
    const yt_batch *batch;
    const yt_output *output;
    const yt_matrix *table;
    yt_buffer *x, *q, *attention, *hidden, *logits, *columns;
    yt_kv *kv;
    int64_t n_outputs;
    const yt_candidates *candidates;
    yt_layer layer_value;
    yt_batch batch_value;
    yt_output output_value;
    yt_candidates candidates_value;
} arguments;

/* Of the good candidates: two of each of two outputs, an edit of the first and two of the second. */
static yt_buffer *candidate_ids, *candidate_values, *edits, *edit_ends;
static yt_candidates good_candidates;

typedef int32_t (*stage)(const arguments *a);

static int32_t embed(const arguments *a)
{
    return yt_embed(a->context, a->table, a->batch, a->x);
}

static int32_t qkv(const arguments *a)
{
    return yt_qkv(a->context, a->layer, a->batch, a->x, a->kv, a->q);
}

static int32_t attention(const arguments *a)
{
    return yt_attention(a->context, a->layer, a->batch, a->q, a->kv, a->attention);
}

static int32_t qkv_attention(const arguments *a)
{
    return yt_qkv_attention(a->context, a->layer, a->batch, a->x, a->kv, a->q, a->attention);
}

static int32_t attention_output(const arguments *a)
{
    return yt_attention_output(a->context, a->layer, a->batch, a->attention, a->x);
}

static int32_t gate_up(const arguments *a)
{
    return yt_gate_up(a->context, a->layer, a->batch, a->x, a->hidden);
}

static int32_t down(const arguments *a)
{
    return yt_down(a->context, a->layer, a->batch, a->hidden, a->x);
}

static int32_t logits(const arguments *a)
{
    return yt_logits(a->context, a->output, a->x, a->n_outputs, a->columns, a->logits, a->candidates);
}

static arguments good(void)
{
    arguments a = {.context = context, .layer = &d.layer, .batch = &d.batch, .output = &d.output, .table = d.matrices[TABLE], .x = d.x, .q = d.q,
        .attention = d.attention, .hidden = d.hidden, .logits = d.logits, .columns = d.columns, .kv = d.kv, .n_outputs = 2};
    a.layer_value = d.layer;
    a.batch_value = d.batch;
    a.output_value = d.output;
    a.candidates_value = good_candidates;
    a.candidates = &good_candidates;
    return a;
}

/* Sum of all bytes that stages may write, but for the KV pool, which shows in what attention gives. */
static uint64_t contents(void)
{
    const model_shape *s = &SHAPE;
    yt_buffer *all[] = {d.x, d.q, d.attention, d.hidden, d.logits, d.tokens, d.positions, d.sequences, d.page_table, d.rope, d.columns, d.norm};
    const int64_t sizes[] = {s->n_columns * s->dim, s->n_columns * 64, s->n_columns * 64, s->n_columns * s->hidden_dim,
        (s->n_columns + 1) * s->vocab_size, s->n_columns, s->n_columns, s->n_columns, s->n_sequences * d.source->max_pages,
        s->n_columns * s->head_dim, s->n_columns + 1, s->dim};
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint8_t *bytes = malloc((size_t)sizes[i] * 4);
        must(yt_buffer_download(all[i], 0, bytes, sizes[i] * 4), "yt_buffer_download");
        for (int64_t j = 0; j < sizes[i] * 4; j++) {
            hash = (hash ^ bytes[j]) * 1099511628211u;
        }
        free(bytes);
    }
    return hash;
}

static const struct {
    stage run;
    const char *name;
} STAGES[] = {{embed, "yt_embed"}, {qkv, "yt_qkv"}, {attention, "yt_attention"}, {qkv_attention, "yt_qkv_attention"}, {attention_output, "yt_attention_output"}, {gate_up, "yt_gate_up"},
    {down, "yt_down"}, {logits, "yt_logits"}};

static const char *stage_name(stage run)
{
    size_t i = 0;
    while (STAGES[i].run != run) {
        i++;
    }
    return STAGES[i].name;
}

/* The spoiled arguments fail, nothing changes, and the context is not left busy. */
static void refuse(const char *change, int32_t status, stage run, const arguments *a)
{
    char what[160];
    snprintf(what, sizeof what, "%s, %s", stage_name(run), change);
    uint64_t before = contents();
    expect_status(what, status, run(a));
    if (contents() != before) {
        fprintf(stderr, "FAILED %s: memory was changed\n", what);
        n_failures++;
    }
    arguments null = good();
    null.n_outputs = 0;
    expect_status("the context is free again", YT_ERR_ARGUMENT, logits(&null));
}

#define REFUSE(status, run, change) \
    do { \
        arguments a = good(); \
        change; \
        refuse(#change, status, run, &a); \
    } while (0)

/* Of a stage, and of the one that holds it and another. */
#define REFUSE_QKV(status, change) \
    do { \
        REFUSE(status, qkv, change); \
        REFUSE(status, qkv_attention, change); \
    } while (0)
#define REFUSE_ATTENTION(status, change) \
    do { \
        REFUSE(status, attention, change); \
        REFUSE(status, qkv_attention, change); \
    } while (0)

#define LAYER(change) (a.layer = &a.layer_value, a.layer_value.change)
#define BATCH(change) (a.batch = &a.batch_value, a.batch_value.change)
#define CANDIDATES(change) (a.candidates = &a.candidates_value, a.candidates_value.change)
#define OUTPUT(change) (a.output = &a.output_value, a.output_value.change)

static yt_buffer *tiny;

static void check_nulls(void)
{
    for (size_t i = 0; i < sizeof STAGES / sizeof STAGES[0]; i++) {
        stage run = STAGES[i].run;
        REFUSE(YT_ERR_ARGUMENT, run, a.context = NULL);
        if (run != logits) {
            REFUSE(YT_ERR_ARGUMENT, run, a.batch = NULL);
            REFUSE(YT_ERR_ARGUMENT, run, BATCH(n_columns = 0));
            REFUSE(YT_ERR_ARGUMENT, run, BATCH(n_columns = -1));
            REFUSE(YT_ERR_ARGUMENT, run, BATCH(n_columns = INT64_MAX));
            REFUSE(YT_ERR_SHAPE, run, BATCH(n_columns = 4));
            REFUSE(YT_ERR_SHAPE, run, BATCH(n_columns = INT32_MAX));
        }
        if (run != logits && run != embed) {
            REFUSE(YT_ERR_ARGUMENT, run, a.layer = NULL);
        }
        if (run != attention) {
            REFUSE(YT_ERR_ARGUMENT, run, a.x = NULL);
            REFUSE(YT_ERR_SHAPE, run, a.x = tiny);
        }
        if (run == qkv || run == attention || run == qkv_attention) {
            REFUSE(YT_ERR_ARGUMENT, run, a.q = NULL);
            REFUSE(YT_ERR_SHAPE, run, a.q = tiny);
            REFUSE(YT_ERR_ARGUMENT, run, a.kv = NULL);
        }
    }
    REFUSE(YT_ERR_ARGUMENT, embed, a.table = NULL);
    REFUSE(YT_ERR_ARGUMENT, embed, BATCH(tokens = NULL));
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, a.attention = NULL);
    REFUSE_ATTENTION(YT_ERR_SHAPE, a.attention = tiny);
    REFUSE(YT_ERR_ARGUMENT, attention_output, a.attention = NULL);
    REFUSE(YT_ERR_SHAPE, attention_output, a.attention = tiny);
    REFUSE(YT_ERR_ARGUMENT, attention_output, LAYER(wo = NULL));
    REFUSE(YT_ERR_ARGUMENT, gate_up, a.hidden = NULL);
    REFUSE(YT_ERR_SHAPE, gate_up, a.hidden = tiny);
    REFUSE(YT_ERR_ARGUMENT, gate_up, LAYER(w_gate = NULL));
    REFUSE(YT_ERR_ARGUMENT, gate_up, LAYER(w_up = NULL));
    REFUSE(YT_ERR_ARGUMENT, gate_up, LAYER(ffn_norm = NULL));
    REFUSE(YT_ERR_ARGUMENT, down, a.hidden = NULL);
    REFUSE(YT_ERR_ARGUMENT, down, LAYER(w_down = NULL));
    REFUSE(YT_ERR_ARGUMENT, logits, a.output = NULL);
    REFUSE(YT_ERR_ARGUMENT, logits, OUTPUT(matrix = NULL));
    REFUSE(YT_ERR_ARGUMENT, logits, OUTPUT(norm = NULL));
    REFUSE(YT_ERR_ARGUMENT, logits, a.columns = NULL);
    REFUSE(YT_ERR_ARGUMENT, logits, a.logits = NULL);
}

static void check_shapes(void)
{
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(n_heads = 0));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(n_heads = 3));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(n_heads = INT64_MAX));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(n_kv_heads = 0));
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, LAYER(n_kv_heads = INT64_MIN));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(head_dim = 15));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(window = -1));
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, LAYER(window = INT64_MIN));
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, LAYER(head_dim = INT64_MAX));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(n_heads = 2));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(head_dim = 8));
    REFUSE_ATTENTION(YT_ERR_SHAPE, LAYER(n_kv_heads = 1));
    REFUSE_ATTENTION(YT_ERR_SHAPE, LAYER(head_dim = 8));
    REFUSE_ATTENTION(YT_ERR_SHAPE, LAYER(index = -1));
    REFUSE_ATTENTION(YT_ERR_SHAPE, LAYER(index = 3));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(index = INT64_MAX));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(wq = NULL));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(wk = NULL));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(wv = NULL));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(attention_norm = NULL));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(attention_norm = tiny));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(wk = d.matrices[WQ]));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(wv = d.matrices[WO]));
    REFUSE_QKV(YT_ERR_SHAPE, BATCH(rope = tiny));
    REFUSE_QKV(YT_ERR_ARGUMENT, BATCH(rope = NULL));
    REFUSE(YT_ERR_SHAPE, gate_up, LAYER(w_up = d.matrices[W_DOWN]));
    REFUSE(YT_ERR_SHAPE, gate_up, LAYER(ffn_norm = tiny));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(q_bias = tiny));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(k_bias = tiny));
    REFUSE_QKV(YT_ERR_SHAPE, LAYER(v_bias = tiny));
    REFUSE(YT_ERR_SHAPE, attention_output, LAYER(o_bias = tiny));
    REFUSE(YT_ERR_SHAPE, gate_up, LAYER(gate_bias = tiny));
    REFUSE(YT_ERR_SHAPE, gate_up, LAYER(up_bias = tiny));
    REFUSE(YT_ERR_SHAPE, down, LAYER(down_bias = tiny));
    REFUSE(YT_ERR_SHAPE, logits, OUTPUT(norm = tiny));
    REFUSE(YT_ERR_SHAPE, logits, a.logits = tiny);
    REFUSE(YT_ERR_SHAPE, logits, a.n_outputs = INT32_MAX);
    REFUSE(YT_ERR_ARGUMENT, logits, a.n_outputs = INT64_MAX);
    REFUSE(YT_ERR_ARGUMENT, logits, a.n_outputs = 0);
    static const stage paged[] = {qkv, attention, qkv_attention};
    for (int i = 0; i < 3; i++) {
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(n_sequences = 0));
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(max_pages = 0));
        REFUSE(YT_ERR_SHAPE, paged[i], BATCH(max_pages = INT64_MAX));
        REFUSE(YT_ERR_SHAPE, paged[i], BATCH(n_sequences = INT64_MAX));
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(positions = NULL));
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(sequences = NULL));
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(page_table = NULL));
        REFUSE(YT_ERR_SHAPE, paged[i], BATCH(page_table = tiny));
    }
}

/* What is written must not be read in the same stage. */
static void check_aliases(void)
{
    REFUSE(YT_ERR_ARGUMENT, embed, a.x = d.tokens);
    REFUSE_QKV(YT_ERR_ARGUMENT, a.q = a.x);
    REFUSE_QKV(YT_ERR_ARGUMENT, a.q = d.positions);
    REFUSE_QKV(YT_ERR_ARGUMENT, a.q = d.sequences);
    REFUSE_QKV(YT_ERR_ARGUMENT, a.q = d.page_table);
    REFUSE_QKV(YT_ERR_ARGUMENT, a.q = d.rope);
    REFUSE_QKV(YT_ERR_ARGUMENT, a.q = d.norm);
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, a.attention = a.q);
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, a.attention = d.page_table);
    REFUSE(YT_ERR_ARGUMENT, qkv_attention, a.attention = d.norm);
    REFUSE(YT_ERR_ARGUMENT, qkv_attention, a.attention = a.x);
    REFUSE(YT_ERR_ARGUMENT, qkv_attention, LAYER(q_bias = a.attention));
    REFUSE(YT_ERR_ARGUMENT, attention_output, a.attention = a.x);
    REFUSE(YT_ERR_ARGUMENT, gate_up, a.hidden = a.x);
    REFUSE(YT_ERR_ARGUMENT, gate_up, a.hidden = d.norm);
    REFUSE(YT_ERR_ARGUMENT, down, a.hidden = a.x);
    REFUSE(YT_ERR_ARGUMENT, logits, a.logits = a.x);
    REFUSE(YT_ERR_ARGUMENT, logits, a.logits = a.columns);
    REFUSE(YT_ERR_ARGUMENT, logits, a.logits = d.norm);
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(q_bias = a.q));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(v_bias = a.q));
    REFUSE(YT_ERR_ARGUMENT, attention_output, LAYER(o_bias = a.x));
    REFUSE(YT_ERR_ARGUMENT, gate_up, LAYER(up_bias = a.hidden));
    REFUSE(YT_ERR_ARGUMENT, down, LAYER(down_bias = a.x));
}

static void create_candidates(void)
{
    static const yt_edit good_edits[] = {{0, 1.0f, 0.5f}, {1, 1.5f, 0.0f}, {2, 2.0f, -1.0f}};
    static const int32_t ends[] = {1, 3};
    must(yt_buffer_create(context, 4 * 4, &candidate_ids), "yt_buffer_create");
    must(yt_buffer_create(context, 4 * 4, &candidate_values), "yt_buffer_create");
    must(yt_buffer_create(context, sizeof good_edits, &edits), "yt_buffer_create");
    must(yt_buffer_create(context, sizeof ends, &edit_ends), "yt_buffer_create");
    must(yt_buffer_upload(edits, 0, good_edits, sizeof good_edits), "yt_buffer_upload");
    must(yt_buffer_upload(edit_ends, 0, ends, sizeof ends), "yt_buffer_upload");
    good_candidates = (yt_candidates){2, SHAPE.vocab_size, candidate_ids, candidate_values, edits, edit_ends};
}

/* Objects of another context, of the right shapes. */
static void check_owners(const model *m)
{
    static const stage paged[] = {qkv, attention, qkv_attention};
    yt_context *other;
    device_model f;
    must(yt_context_create(NULL, 1, &other), "yt_context_create");
    device_create(m, other, &f);
    for (size_t i = 0; i < sizeof STAGES / sizeof STAGES[0]; i++) {
        stage run = STAGES[i].run;
        REFUSE(YT_ERR_ARGUMENT, run, a.context = other);
        if (run != attention) {
            REFUSE(YT_ERR_ARGUMENT, run, a.x = f.x);
        }
    }
    for (int i = 0; i < 3; i++) {
        REFUSE(YT_ERR_ARGUMENT, paged[i], a.kv = f.kv);
        REFUSE(YT_ERR_ARGUMENT, paged[i], a.q = f.q);
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(positions = f.positions));
        REFUSE(YT_ERR_ARGUMENT, paged[i], BATCH(page_table = f.page_table));
    }
    REFUSE(YT_ERR_ARGUMENT, embed, a.table = f.matrices[TABLE]);
    REFUSE(YT_ERR_ARGUMENT, embed, BATCH(tokens = f.tokens));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(wk = f.matrices[WK]));
    REFUSE_QKV(YT_ERR_ARGUMENT, LAYER(v_bias = f.biases[WV]));
    REFUSE_QKV(YT_ERR_ARGUMENT, BATCH(rope = f.rope));
    REFUSE_ATTENTION(YT_ERR_ARGUMENT, a.attention = f.attention);
    REFUSE(YT_ERR_ARGUMENT, attention_output, LAYER(wo = f.matrices[WO]));
    REFUSE(YT_ERR_ARGUMENT, attention_output, a.attention = f.attention);
    REFUSE(YT_ERR_ARGUMENT, gate_up, LAYER(w_up = f.matrices[W_UP]));
    REFUSE(YT_ERR_ARGUMENT, gate_up, a.hidden = f.hidden);
    REFUSE(YT_ERR_ARGUMENT, down, LAYER(w_down = f.matrices[W_DOWN]));
    REFUSE(YT_ERR_ARGUMENT, down, LAYER(down_bias = f.biases[W_DOWN]));
    REFUSE(YT_ERR_ARGUMENT, logits, OUTPUT(matrix = f.matrices[TABLE]));
    REFUSE(YT_ERR_ARGUMENT, logits, OUTPUT(norm = f.norm));
    REFUSE(YT_ERR_ARGUMENT, logits, a.columns = f.columns);
    REFUSE(YT_ERR_ARGUMENT, logits, a.logits = f.logits);
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(ids = f.tokens));
    device_destroy(&f);
    yt_context_destroy(other);
}

static void check_candidates(void)
{
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(count = 0));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(count = -1));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(count = SHAPE.vocab_size + 1));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(count = YT_MAX_CANDIDATES + 1));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(count = INT64_MAX));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(n_choices = 0));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(n_choices = 1));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(n_choices = SHAPE.vocab_size + 1));
    REFUSE(YT_ERR_SHAPE, logits, CANDIDATES(count = 3));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(ids = NULL));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(values = NULL));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(edits = NULL));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(edit_ends = NULL));
    REFUSE(YT_ERR_SHAPE, logits, CANDIDATES(ids = tiny));
    REFUSE(YT_ERR_SHAPE, logits, CANDIDATES(values = tiny));
    REFUSE(YT_ERR_SHAPE, logits, CANDIDATES(edits = tiny));
    REFUSE(YT_ERR_SHAPE, logits, CANDIDATES(edit_ends = tiny));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(ids = candidate_values));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(ids = d.x));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(ids = d.logits));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(values = d.norm));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(values = d.logits));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(edits = candidate_ids));
    REFUSE(YT_ERR_ARGUMENT, logits, CANDIDATES(edits = d.logits));
}

/* Puts a number into a buffer, expects the failure, and puts the old one back. */
static void refuse_number(const char *what, yt_buffer *buffer, int64_t index, int32_t number, int32_t status, stage run)
{
    int32_t before;
    must(yt_buffer_download(buffer, index * 4, &before, 4), "yt_buffer_download");
    must(yt_buffer_upload(buffer, index * 4, &number, 4), "yt_buffer_upload");
    char text[128];
    snprintf(text, sizeof text, "%s %d", what, number);
    arguments a = good();
    refuse(text, status, run, &a);
    must(yt_buffer_upload(buffer, index * 4, &before, 4), "yt_buffer_upload");
}

static void check_numbers(void)
{
    static const int32_t wild[] = {-1, INT32_MIN, INT32_MAX};
    static const stage paged[] = {qkv, attention, qkv_attention};
    int32_t n_pages = (int32_t)(SHAPE.n_sequences * d.source->max_pages);
    int64_t last_column = SHAPE.n_columns - 1;
    const expected_batch *b = &d.source->batches[0];
    int64_t page = b->sequences[last_column] * d.source->max_pages + b->positions[last_column] / SHAPE.page_positions;
    refuse_number("end of edits", edit_ends, 0, 4, YT_ERR_ARGUMENT, logits);
    refuse_number("end of edits", edit_ends, 1, 4, YT_ERR_SHAPE, logits);
    refuse_number("edited token", edits, 6, (int32_t)SHAPE.vocab_size, YT_ERR_ARGUMENT, logits);
    for (int i = 0; i < 3; i++) {
        refuse_number("end of edits", edit_ends, 1, wild[i], wild[i] < 0 ? YT_ERR_ARGUMENT : YT_ERR_SHAPE, logits);
        refuse_number("edited token", edits, 0, wild[i], YT_ERR_ARGUMENT, logits);
        refuse_number("token", d.tokens, last_column, wild[i], YT_ERR_ARGUMENT, embed);
        refuse_number("output column", d.columns, 1, wild[i], wild[i] < 0 ? YT_ERR_ARGUMENT : YT_ERR_SHAPE, logits);
        for (int j = 0; j < 3; j++) {
            refuse_number("position", d.positions, last_column, wild[i], YT_ERR_ARGUMENT, paged[j]);
            refuse_number("sequence", d.sequences, last_column, wild[i], YT_ERR_ARGUMENT, paged[j]);
            refuse_number("page", d.page_table, page, wild[i], YT_ERR_ARGUMENT, paged[j]);
        }
    }
    refuse_number("token", d.tokens, 0, (int32_t)SHAPE.vocab_size, YT_ERR_ARGUMENT, embed);
    refuse_number("output column", d.columns, 0, (int32_t)SHAPE.n_columns, YT_ERR_SHAPE, logits);
    for (int j = 0; j < 3; j++) {
        refuse_number("position", d.positions, 0, (int32_t)d.source->max_pages * SHAPE.page_positions, YT_ERR_ARGUMENT, paged[j]);
        refuse_number("sequence", d.sequences, 0, (int32_t)SHAPE.n_sequences, YT_ERR_ARGUMENT, paged[j]);
        refuse_number("page", d.page_table, page, n_pages, YT_ERR_ARGUMENT, paged[j]);
    }
}

/* With --device LIBRARY on the first device of a library of kernels. */
int main(int argc, char **argv)
{
    model m;
    model_create(&SHAPE, &m);
    must(yt_context_create(NULL, 2, &processor), "yt_context_create");
    on_device = argc > 2 && strcmp(argv[1], "--device") == 0;
    context = on_device ? create_device_context(argv[2]) : processor;
    check_contexts();
    check_measurements();
    check_buffers();
    check_matrices();
    check_files();
    check_kv();
    check_pages();
    device_create(&m, context, &d);
    device_set_batch(&d, &m.batches[0], 0, SHAPE.n_columns);
    must(yt_buffer_create(context, 4, &tiny), "yt_buffer_create");
    create_candidates();
    arguments a = good();
    must(embed(&a), "yt_embed");
    must(qkv(&a), "yt_qkv");
    must(attention(&a), "yt_attention");
    int64_t n = SHAPE.n_columns * SHAPE.n_heads * SHAPE.head_dim * 4;
    float *before = malloc((size_t)n);
    must(yt_buffer_download(d.attention, 0, before, n), "yt_buffer_download");
    expect_status("attention is as defined", 0, !on_device && memcmp(before, m.batches[0].attention, (size_t)n) != 0);
    check_nulls();
    check_shapes();
    check_aliases();
    check_owners(&m);
    check_candidates();
    check_numbers();
    /* After all of that the stages still give what they should: the pool was not touched either. */
    must(attention(&a), "yt_attention");
    float *out = malloc((size_t)n);
    must(yt_buffer_download(d.attention, 0, out, n), "yt_buffer_download");
    expect_status("attention is as before", 0, memcmp(out, before, (size_t)n) != 0);
    free(out);
    free(before);
    yt_buffer_destroy(tiny);
    yt_buffer_destroy(candidate_ids);
    yt_buffer_destroy(candidate_values);
    yt_buffer_destroy(edits);
    yt_buffer_destroy(edit_ends);
    device_destroy(&d);
    if (on_device) {
        yt_context_destroy(context);
    }
    yt_context_destroy(processor);
    model_destroy(&m);
    printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
