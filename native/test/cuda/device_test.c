/*
 * Contexts of devices on the emulated runtime: opening of libraries, whole passes against the processor, graphs, copies, threads, and failures of every call of the runtime.
 * Arguments: the emulated library, a library of another version, and libyangtuo, which is no library of kernels.
 */
#include "../model.h"
#include "runtime.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int n_failures;

static void expect(const char *what, bool holds)
{
    if (!holds) {
        fprintf(stderr, "FAILED %s (the last message: %s)\n", what, yt_last_error());
        n_failures++;
    }
}

/* A status with a message that names something. */
static void expect_status(const char *what, int32_t expected, int32_t actual, const char *word)
{
    if (actual != expected || (expected != YT_OK && strstr(yt_last_error(), word) == NULL)) {
        fprintf(stderr, "FAILED %s: expected status %d and '%s', got %d: %s\n", what, expected, word, actual, yt_last_error());
        n_failures++;
    }
}

#define EXPECT(status, word, call) expect_status(#call, status, call, word)

/* The emulated runtime in the library, which libyangtuo has opened for itself alone. */
static struct {
    void (*set_devices)(int32_t count);
    void (*set_memory)(int64_t bytes);
    void (*set_capability)(int32_t major, int32_t minor);
    void (*set_driver)(int32_t version);
    void (*fail)(int64_t call, int32_t error, int32_t sticky);
    int64_t (*calls)(void);
    int64_t (*alive)(char *names);
    int64_t (*kernel_launches)(void);
    int64_t (*graph_launches)(void);
} runtime;

enum { OUT_OF_MEMORY = 2, LAUNCH_FAILURE = 719 };
static const int64_t MEMORY = (int64_t)8 << 30;

static void find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        fprintf(stderr, "no %s: %s\n", name, dlerror());
        exit(1);
    }
    memcpy(function, &symbol, sizeof symbol);
}

static void find_runtime(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    find(library, "yt_emulated_set_devices", &runtime.set_devices);
    find(library, "yt_emulated_set_memory", &runtime.set_memory);
    find(library, "yt_emulated_set_capability", &runtime.set_capability);
    find(library, "yt_emulated_set_driver", &runtime.set_driver);
    find(library, "yt_emulated_fail", &runtime.fail);
    find(library, "yt_emulated_calls", &runtime.calls);
    find(library, "yt_emulated_alive", &runtime.alive);
    find(library, "yt_emulated_kernel_launches", &runtime.kernel_launches);
    find(library, "yt_emulated_graph_launches", &runtime.graph_launches);
}

static void expect_nothing_alive(const char *what)
{
    char names[256] = "";
    if (runtime.alive(names) != 0) {
        fprintf(stderr, "FAILED %s: not everything was freed: %s\n", what, names);
        n_failures++;
    }
}

/* ---- libraries -------------------------------------------------------------------------------------------------------------------- */

/* The first bytes of a library as a file of its own. */
static void check_cut_library(const char *path, int64_t bytes)
{
    char cut[] = "/tmp/yangtuo-device-XXXXXX";
    char *contents = malloc((size_t)bytes + 1);
    FILE *whole = fopen(path, "rb");
    int file = mkstemp(cut);
    expect("a part of the library", whole != NULL && fread(contents, 1, (size_t)bytes, whole) == (size_t)bytes && write(file, contents, (size_t)bytes) == bytes);
    EXPECT(YT_ERR_SYSTEM, cut, yt_device_library_open(cut));
    fclose(whole);
    free(contents);
    close(file);
    unlink(cut);
}

static int64_t file_bytes(const char *path)
{
    FILE *file = fopen(path, "rb");
    int64_t bytes = file == NULL || fseek(file, 0, SEEK_END) != 0 ? -1 : ftell(file);
    if (file != NULL) {
        fclose(file);
    }
    return bytes;
}

static void check_libraries(const char *library, const char *other_version, const char *no_kernels)
{
    int32_t n;
    yt_device_info info;
    yt_context *context;
    EXPECT(YT_ERR_UNSUPPORTED, "no library", yt_device_count(&n));
    EXPECT(YT_ERR_UNSUPPORTED, "no library", yt_device_versions(&n, &n));
    EXPECT(YT_ERR_UNSUPPORTED, "no library", yt_device_describe(0, &info));
    EXPECT(YT_ERR_UNSUPPORTED, "no library", yt_device_context_create(0, &context));
    EXPECT(YT_ERR_ARGUMENT, "absolute", yt_device_library_open(NULL));
    EXPECT(YT_ERR_ARGUMENT, "absolute", yt_device_library_open("libyangtuo-cuda.so"));
    EXPECT(YT_ERR_SYSTEM, "cannot be opened", yt_device_library_open("/tmp/yangtuo-there-is-no-such-file"));
    EXPECT(YT_ERR_SYSTEM, "not a plain file", yt_device_library_open("/tmp"));
    EXPECT(YT_ERR_SYSTEM, "not a plain file", yt_device_library_open("/dev/null"));
    EXPECT(YT_ERR_UNSUPPORTED, "yt_device_table_of", yt_device_library_open(no_kernels));
    EXPECT(YT_ERR_UNSUPPORTED, "another version", yt_device_library_open(other_version));
    const int64_t bytes = file_bytes(library);
    const int64_t cuts[] = {0, 3, 63, 64, 300, 4096, bytes / 2, bytes - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        check_cut_library(library, cuts[i]);
    }
    EXPECT(YT_OK, "", yt_device_library_open(library));
    EXPECT(YT_OK, "", yt_device_library_open(library));
    EXPECT(YT_ERR_UNSUPPORTED, "open already", yt_device_library_open(other_version));
}

static void check_devices(void)
{
    int32_t n = -1;
    int32_t driver;
    int32_t built_with;
    yt_device_info info;
    yt_context *context = NULL;
    EXPECT(YT_ERR_ARGUMENT, "NULL", yt_device_count(NULL));
    EXPECT(YT_ERR_ARGUMENT, "NULL", yt_device_versions(&driver, NULL));
    EXPECT(YT_ERR_ARGUMENT, "NULL", yt_device_describe(0, NULL));
    EXPECT(YT_ERR_ARGUMENT, "NULL", yt_device_context_create(0, NULL));
    runtime.set_devices(2);
    EXPECT(YT_OK, "", yt_device_count(&n));
    expect("two devices", n == 2);
    static const int32_t outside[] = {-1, 2, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        EXPECT(YT_ERR_ARGUMENT, "there are 2", yt_device_describe(outside[i], &info));
        EXPECT(YT_ERR_ARGUMENT, "there are 2", yt_device_context_create(outside[i], &context));
    }
    EXPECT(YT_OK, "", yt_device_describe(1, &info));
    expect("a device that can be used", info.is_usable && info.problem[0] == '\0' && info.name[0] != '\0' && info.compute_capability == 80 && info.total_bytes == MEMORY
        && info.free_bytes > 0 && info.free_bytes <= MEMORY);

    runtime.set_capability(7, 0);
    EXPECT(YT_OK, "", yt_device_describe(0, &info));
    expect("an old device", !info.is_usable && strstr(info.problem, "7.0") != NULL && strstr(info.problem, "7.5") != NULL);
    EXPECT(YT_ERR_UNSUPPORTED, "7.0", yt_device_context_create(0, &context));
    runtime.set_capability(8, 0);

    EXPECT(YT_OK, "", yt_device_versions(&driver, &built_with));
    expect("versions", driver >= built_with && built_with >= 12000);
    runtime.set_driver(11020);
    EXPECT(YT_OK, "", yt_device_versions(&driver, &built_with));
    expect("the driver's version", driver == 11020);
    EXPECT(YT_ERR_UNSUPPORTED, "11.2", yt_device_count(&n));
    EXPECT(YT_ERR_UNSUPPORTED, "11.2", yt_device_context_create(0, &context));
    runtime.set_driver(0);
    EXPECT(YT_ERR_UNSUPPORTED, "no NVIDIA driver", yt_device_count(&n));
    EXPECT(YT_ERR_UNSUPPORTED, "no NVIDIA driver", yt_device_describe(0, &info));
    runtime.set_driver(13000);
    runtime.set_devices(0);
    EXPECT(YT_ERR_UNSUPPORTED, "no device", yt_device_count(&n));
    EXPECT(YT_ERR_UNSUPPORTED, "no device", yt_device_context_create(0, &context));
    runtime.set_devices(1);
    expect("no context", context == NULL);

    must(yt_device_context_create(0, &context), "yt_device_context_create");
    expect("its name", strcmp(yt_context_kernel(context), "cuda") == 0);
    yt_context_destroy(context);
    expect_nothing_alive("a context that was opened and closed");
}

/* ---- whole passes ----------------------------------------------------------------------------------------------------------------- */

static const model_shape SHAPE = {.type = YT_Q8_0, .values = NORMAL, .dim = 64, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32, .hidden_dim = 96, .vocab_size = 70,
    .n_columns = 3, .n_sequences = 2, .page_positions = 16, .kv_type = YT_F16, .seed = 12};

enum { N_CANDIDATES = 5 };

/* What a pass gives, of one batch. */
typedef struct {
    float *x;      /* [n_columns][dim] */
    float *logits; /* [n_outputs][vocab_size] */
    int32_t ids[8 * N_CANDIDATES];
} pass_result;

static void create_result(const model *m, pass_result *r)
{
    memset(r, 0, sizeof *r);
    r->x = calloc((size_t)(m->shape.n_columns * m->shape.dim), 4);
    r->logits = calloc((size_t)((m->shape.n_columns + 1) * m->shape.vocab_size), 4);
}

static void destroy_result(pass_result *r)
{
    free(r->x);
    free(r->logits);
}

/* From tokens to candidates, without anything between that would be read. */
static void run_pass(device_model *d, yt_buffer *ids, yt_buffer *values, const expected_batch *b, pass_result *out)
{
    const model_shape *s = &d->source->shape;
    const yt_candidates wanted = {N_CANDIDATES, s->vocab_size, ids, values, NULL, NULL};
    device_set_batch(d, b, 0, s->n_columns);
    must(yt_buffer_upload(d->columns, 0, b->columns, b->n_outputs * 4), "yt_buffer_upload");
    must(yt_embed(d->context, d->matrices[TABLE], &d->batch, d->x), "yt_embed");
    must(yt_qkv_attention(d->context, &d->layer, &d->batch, d->x, d->kv, d->q, d->attention), "yt_qkv_attention");
    must(yt_attention_output(d->context, &d->layer, &d->batch, d->attention, d->x), "yt_attention_output");
    must(yt_gate_up(d->context, &d->layer, &d->batch, d->x, d->hidden), "yt_gate_up");
    must(yt_down(d->context, &d->layer, &d->batch, d->hidden, d->x), "yt_down");
    must(yt_logits(d->context, &d->output, d->x, b->n_outputs, d->columns, d->logits, &wanted), "yt_logits");
    must(yt_buffer_download(d->x, 0, out->x, s->n_columns * s->dim * 4), "yt_buffer_download");
    must(yt_buffer_download(d->logits, 0, out->logits, b->n_outputs * s->vocab_size * 4), "yt_buffer_download");
    must(yt_buffer_download(ids, 0, out->ids, b->n_outputs * N_CANDIDATES * 4), "yt_buffer_download");
}

static void create_outputs(const device_model *d, yt_buffer **ids, yt_buffer **values)
{
    must(yt_buffer_create(d->context, (d->source->shape.n_columns + 1) * N_CANDIDATES * 4, ids), "yt_buffer_create");
    must(yt_buffer_create(d->context, (d->source->shape.n_columns + 1) * N_CANDIDATES * 4, values), "yt_buffer_create");
}

/* All batches, repeated; results of the last time. */
static void run_passes(const model *m, yt_context *context, int times, pass_result results[N_BATCHES])
{
    device_model d;
    yt_buffer *ids;
    yt_buffer *values;
    device_create(m, context, &d);
    create_outputs(&d, &ids, &values);
    for (int t = 0; t < times; t++) {
        for (int i = 0; i < N_BATCHES; i++) {
            run_pass(&d, ids, values, &m->batches[i], &results[i]);
        }
    }
    yt_buffer_destroy(ids);
    yt_buffer_destroy(values);
    device_destroy(&d);
}

static float distance(const float *a, const float *b, int64_t n)
{
    float largest = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        const float d = fabsf(a[i] - b[i]);
        largest = d > largest || isnan(d) ? d : largest;
    }
    return largest;
}

static float largest_of(const float *a, int64_t n)
{
    float largest = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        largest = fabsf(a[i]) > largest ? fabsf(a[i]) : largest;
    }
    return largest;
}

/* Attention alone differs; its weights by the rounding of scores of about 100 (stages_test.c). */
static void check_passes(const model *m)
{
    const float tolerance = 0.1f;
    pass_result results[N_BATCHES];
    yt_context *context;
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    for (int i = 0; i < N_BATCHES; i++) {
        create_result(m, &results[i]);
    }
    run_passes(m, context, 1, results);
    for (int i = 0; i < N_BATCHES; i++) {
        const expected_batch *b = &m->batches[i];
        const int64_t n = m->shape.n_columns * m->shape.dim;
        const int64_t n_logits = b->n_outputs * m->shape.vocab_size;
        expect("x of a pass", distance(results[i].x, b->x, n) <= tolerance * largest_of(b->x, n));
        expect("logits of a pass", distance(results[i].logits, b->logits, n_logits) <= tolerance * largest_of(b->logits, n_logits));
        for (int64_t o = 0; o < b->n_outputs; o++) {
            const float *logits = results[i].logits + o * m->shape.vocab_size;
            expect("the best candidate", logits[results[i].ids[o * N_CANDIDATES]] == largest_of(logits, m->shape.vocab_size)
                || logits[results[i].ids[o * N_CANDIDATES]] >= logits[results[i].ids[o * N_CANDIDATES + 1]]);
        }
        destroy_result(&results[i]);
    }
    yt_context_destroy(context);
    expect_nothing_alive("passes");
}

static bool is_same(const model *m, const expected_batch *b, const pass_result *a, const pass_result *c)
{
    return memcmp(a->x, c->x, (size_t)(m->shape.n_columns * m->shape.dim) * 4) == 0
        && memcmp(a->logits, c->logits, (size_t)(b->n_outputs * m->shape.vocab_size) * 4) == 0
        && memcmp(a->ids, c->ids, (size_t)(b->n_outputs * N_CANDIDATES) * 4) == 0;
}

/* The first pass is launched, the second makes a graph, later ones are that graph: whatever the tokens and positions are. */
static void check_graphs(const model *m)
{
    device_model d;
    pass_result first[N_BATCHES];
    pass_result again;
    yt_buffer *ids;
    yt_buffer *values;
    yt_context *context;
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    device_create(m, context, &d);
    create_outputs(&d, &ids, &values);
    create_result(m, &again);
    for (int i = 0; i < N_BATCHES; i++) {
        create_result(m, &first[i]);
        const int64_t kernels = runtime.kernel_launches();
        const int64_t graphs = runtime.graph_launches();
        run_pass(&d, ids, values, &m->batches[i], &first[i]);
        expect("the first pass is launched, the second, of other positions, is a graph", runtime.graph_launches() == graphs + i);
        expect("what is launched is launched once", (runtime.kernel_launches() > kernels) == (i == 0));
    }
    for (int turn = 0; turn < 6; turn++) {
        const int i = turn % N_BATCHES;
        const int64_t graphs = runtime.graph_launches();
        run_pass(&d, ids, values, &m->batches[i], &again);
        expect("a pass that comes again is one graph", runtime.graph_launches() == graphs + 1);
        expect("a graph gives the same bits", is_same(m, &m->batches[i], &first[i], &again));
    }
    yt_buffer_destroy(ids);
    yt_buffer_destroy(values);
    destroy_result(&again);
    for (int i = 0; i < N_BATCHES; i++) {
        destroy_result(&first[i]);
    }
    device_destroy(&d);
    yt_context_destroy(context);
    expect_nothing_alive("graphs");
}

/* More lists of launches than are kept: those that were not used for longest are forgotten, and come again as before. */
static void check_many_graphs(const model *m)
{
    enum { SHAPES = 20 };
    device_model d;
    float x[3 * 64];
    yt_context *context;
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    device_create(m, context, &d);
    yt_buffer *buffers[SHAPES];
    device_set_batch(&d, &m->batches[0], 0, SHAPE.n_columns);
    for (int i = 0; i < SHAPES; i++) {
        must(yt_buffer_create(context, sizeof x, &buffers[i]), "yt_buffer_create");
    }
    for (int turn = 0; turn < 3 * SHAPES; turn++) {
        const int i = turn / 3 * 7 % SHAPES; /* three times each */
        const int64_t graphs = runtime.graph_launches();
        must(yt_embed(context, d.matrices[TABLE], &d.batch, buffers[i]), "yt_embed");
        must(yt_buffer_download(buffers[i], 0, x, sizeof x), "yt_buffer_download");
        expect("the second and the third time it is a graph", runtime.graph_launches() == graphs + (turn % 3 > 0));
        expect("what is embedded", memcmp(x, m->batches[0].embedded, sizeof x) == 0);
    }
    for (int i = 0; i < SHAPES; i++) {
        yt_buffer_destroy(buffers[i]);
    }
    device_destroy(&d);
    yt_context_destroy(context);
    expect_nothing_alive("many graphs");
}

/* Numbers that a device has computed are looked at before they are used as such. */
static void check_computed_numbers(const model *m)
{
    device_model d;
    yt_buffer *ids;
    yt_buffer *values;
    pass_result result;
    int32_t tokens[3];
    float x[3 * 64];
    float expected[3 * 64];
    yt_context *context;
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    device_create(m, context, &d);
    create_outputs(&d, &ids, &values);
    create_result(m, &result);
    run_pass(&d, ids, values, &m->batches[0], &result);
    yt_batch batch = d.batch;
    batch.tokens = ids;
    must(yt_embed(context, d.matrices[TABLE], &batch, d.x), "yt_embed");
    must(yt_buffer_download(d.x, 0, x, sizeof x), "yt_buffer_download");
    must(yt_buffer_download(ids, 0, tokens, sizeof tokens), "yt_buffer_download");
    must(yt_buffer_upload(d.tokens, 0, tokens, sizeof tokens), "yt_buffer_upload");
    must(yt_embed(context, d.matrices[TABLE], &d.batch, d.x), "yt_embed");
    must(yt_buffer_download(d.x, 0, expected, sizeof expected), "yt_buffer_download");
    expect("computed candidates are tokens", memcmp(x, expected, sizeof x) == 0);
    batch.tokens = d.hidden;
    EXPECT(YT_ERR_ARGUMENT, "vocabulary", yt_embed(context, d.matrices[TABLE], &batch, d.x));
    batch = d.batch;
    batch.positions = d.hidden;
    EXPECT(YT_ERR_ARGUMENT, "position", yt_attention(context, &d.layer, &batch, d.q, d.kv, d.attention));
    destroy_result(&result);
    yt_buffer_destroy(ids);
    yt_buffer_destroy(values);
    device_destroy(&d);
    yt_context_destroy(context);
}

/* ---- copies ----------------------------------------------------------------------------------------------------------------------- */

/* Through all pinned memory several times, at odd places, and small ones between. */
static void check_copies(void)
{
    const int64_t n = ((int64_t)9 << 20) + 12345;
    yt_context *context;
    yt_buffer *buffer;
    uint8_t *source = malloc((size_t)n);
    uint8_t *target = calloc(1, (size_t)n);
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    must(yt_buffer_create(context, n + 7, &buffer), "yt_buffer_create");
    for (int64_t i = 0; i < n; i++) {
        source[i] = (uint8_t)(i * 31 + i / 1000);
    }
    must(yt_buffer_upload(buffer, 7, source, n), "yt_buffer_upload");
    for (int64_t i = 0; i < 3000; i++) {
        const int64_t at = i * 1009;
        source[at] = (uint8_t)i;
        must(yt_buffer_upload(buffer, 7 + at, source + at, 1 + i % 700), "yt_buffer_upload");
        source[at] ^= 0xFF; /* a copy was taken */
        must(yt_buffer_upload(buffer, 7 + at, source + at, 1), "yt_buffer_upload");
    }
    must(yt_buffer_download(buffer, 7, target, n), "yt_buffer_download");
    expect("what was uploaded", memcmp(source, target, (size_t)n) == 0);
    must(yt_buffer_download(buffer, 0, target, 7), "yt_buffer_download");
    static const uint8_t zeros[7];
    expect("what was not is zero", memcmp(target, zeros, 7) == 0);
    free(source);
    free(target);
    yt_buffer_destroy(buffer);
    yt_context_destroy(context);
}

/* Rows of one group from two threads. */
typedef struct {
    yt_matrix *matrix;
    const float *rows;
    int64_t first, n_rows, columns;
    int32_t status;
} upload_job;

static void *upload_rows(void *argument)
{
    upload_job *job = argument;
    for (int64_t i = 0; i < job->n_rows && job->status == YT_OK; i++) {
        job->status = yt_matrix_upload(job->matrix, job->first + i, 1, job->rows + (job->first + i) * job->columns, job->columns * 4);
    }
    return NULL;
}

static void check_concurrent_uploads(void)
{
    enum { ROWS = 45, COLUMNS = 33 };
    static float rows[ROWS * COLUMNS];
    yt_context *processor;
    yt_context *context;
    yt_matrix *expected;
    yt_matrix *matrix;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        rows[i] = (float)i;
    }
    must(yt_context_create(NULL, 1, &processor), "yt_context_create");
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    must(yt_matrix_create(processor, YT_F32, ROWS, COLUMNS, &expected), "yt_matrix_create");
    must(yt_matrix_create(context, YT_F32, ROWS, COLUMNS, &matrix), "yt_matrix_create");
    must(yt_matrix_upload(expected, 0, ROWS, rows, sizeof rows), "yt_matrix_upload");
    upload_job jobs[2] = {{matrix, rows, 0, 23, COLUMNS, YT_OK}, {matrix, rows, 23, ROWS - 23, COLUMNS, YT_OK}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, upload_rows, &jobs[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        must(jobs[i].status, "yt_matrix_upload");
    }
    const int64_t bytes = yt_matrix_bytes(expected);
    uint8_t *a = malloc((size_t)bytes);
    uint8_t *b = malloc((size_t)bytes);
    must(yt_matrix_download(expected, 0, a, bytes), "yt_matrix_download");
    must(yt_matrix_download(matrix, 0, b, bytes), "yt_matrix_download");
    expect("rows of two threads", bytes == yt_matrix_bytes(matrix) && memcmp(a, b, (size_t)bytes) == 0);
    free(a);
    free(b);
    yt_matrix_destroy(expected);
    yt_matrix_destroy(matrix);
    yt_context_destroy(processor);
    yt_context_destroy(context);
}

/* ---- many columns ----------------------------------------------------------------------------------------------------------------- */

/* More than a launch takes: the processor's bits all the same. */
static void check_many_columns(void)
{
    const model_shape shape = {.type = YT_Q4_0, .values = NORMAL, .dim = 32, .n_heads = 2, .n_kv_heads = 1, .head_dim = 2, .hidden_dim = 32, .vocab_size = 16,
        .n_columns = 4097, .n_sequences = 3, .page_positions = 512, .kv_type = YT_F16, .seed = 7};
    model m;
    device_model d;
    yt_context *context;
    model_create(&shape, &m);
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    device_create(&m, context, &d);
    const expected_batch *b = &m.batches[0];
    const int64_t n = shape.n_columns;
    float *out = malloc((size_t)(n * 32) * 4);
    device_set_batch(&d, b, 0, n);
    must(yt_embed(context, d.matrices[TABLE], &d.batch, d.x), "yt_embed");
    must(yt_qkv(context, &d.layer, &d.batch, d.x, d.kv, d.q), "yt_qkv");
    must(yt_buffer_download(d.x, 0, out, n * 32 * 4), "yt_buffer_download");
    expect("many columns of x", memcmp(out, b->embedded, (size_t)(n * 32) * 4) == 0);
    must(yt_buffer_download(d.q, 0, out, n * 4 * 4), "yt_buffer_download");
    expect("many columns of q", memcmp(out, b->q, (size_t)(n * 4) * 4) == 0);
    must(yt_buffer_upload(d.x, 0, b->residual, n * 32 * 4), "yt_buffer_upload");
    must(yt_gate_up(context, &d.layer, &d.batch, d.x, d.hidden), "yt_gate_up");
    must(yt_buffer_download(d.hidden, 0, out, n * 32 * 4), "yt_buffer_download");
    expect("many columns of hidden", memcmp(out, b->hidden, (size_t)(n * 32) * 4) == 0);
    free(out);
    device_destroy(&d);
    yt_context_destroy(context);
    model_destroy(&m);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

static void check_memory(const model *m)
{
    const int64_t mega = 1 << 20;
    yt_context *context;
    device_model d;
    yt_buffer *buffer = NULL;
    yt_matrix *matrix = NULL;
    yt_kv *kv = NULL;
    const yt_kv_shape pool = {YT_F16, 16, 1 << 14, 4, 2, 32};
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    device_create(m, context, &d);
    runtime.set_memory(2 * mega);
    EXPECT(YT_ERR_MEMORY, "3145728", yt_buffer_create(context, 3 * mega, &buffer));
    EXPECT(YT_ERR_MEMORY, "4194304", yt_matrix_create(context, YT_F32, 1024, 1024, &matrix));
    EXPECT(YT_ERR_MEMORY, "268435456", yt_kv_create(context, &pool, &kv));
    expect("nothing was made", buffer == NULL && matrix == NULL && kv == NULL);
    runtime.set_memory(mega); /* what is there takes less, and scratch memory more */
    device_set_batch(&d, &m->batches[0], 0, SHAPE.n_columns);
    must(yt_embed(context, d.matrices[TABLE], &d.batch, d.x), "yt_embed");
    EXPECT(YT_ERR_MEMORY, "out of memory", yt_qkv(context, &d.layer, &d.batch, d.x, d.kv, d.q));
    runtime.set_memory(MEMORY);
    must(yt_qkv(context, &d.layer, &d.batch, d.x, d.kv, d.q), "yt_qkv");
    float q[3 * 128];
    must(yt_buffer_download(d.q, 0, q, sizeof q), "yt_buffer_download");
    expect("the context computes on", memcmp(q, m->batches[0].q, sizeof q) == 0);
    device_destroy(&d);
    yt_context_destroy(context);
    expect_nothing_alive("not enough memory");
}

/* Closed while nobody has waited for what is in the queue and in the stream. */
static void check_close_with_work(const model *m)
{
    device_model d;
    yt_context *context;
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    device_create(m, context, &d);
    device_set_batch(&d, &m->batches[0], 0, SHAPE.n_columns);
    must(yt_embed(context, d.matrices[TABLE], &d.batch, d.x), "yt_embed");
    must(yt_buffer_upload(d.tokens, 0, m->batches[0].tokens, 4), "yt_buffer_upload");
    must(yt_embed(context, d.matrices[TABLE], &d.batch, d.x), "yt_embed");
    device_destroy(&d);
    must(yt_device_context_create(0, &d.context), "yt_device_context_create");
    yt_context_destroy(d.context);
    yt_context_destroy(context);
    expect_nothing_alive("work in the queue");
}

/* ---- threads ---------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const model *m;
    int32_t device;
    pass_result results[N_BATCHES];
} thread_job;

static void *run_thread(void *argument)
{
    thread_job *job = argument;
    yt_context *context;
    must(yt_device_context_create(job->device, &context), "yt_device_context_create");
    run_passes(job->m, context, 3, job->results);
    yt_context_destroy(context);
    return NULL;
}

/* Two threads, on two devices and on the same. */
static void check_threads(const model *m)
{
    pass_result alone[N_BATCHES];
    yt_context *context;
    runtime.set_devices(2);
    for (int i = 0; i < N_BATCHES; i++) {
        create_result(m, &alone[i]);
    }
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    run_passes(m, context, 1, alone);
    yt_context_destroy(context);
    for (int32_t other = 0; other < 2; other++) {
        thread_job jobs[2] = {{.m = m, .device = 0}, {.m = m, .device = other}};
        pthread_t threads[2];
        for (int t = 0; t < 2; t++) {
            for (int i = 0; i < N_BATCHES; i++) {
                create_result(m, &jobs[t].results[i]);
            }
            pthread_create(&threads[t], NULL, run_thread, &jobs[t]);
        }
        for (int t = 0; t < 2; t++) {
            pthread_join(threads[t], NULL);
            for (int i = 0; i < N_BATCHES; i++) {
                expect("the same bits in every thread", is_same(m, &m->batches[i], &alone[i], &jobs[t].results[i]));
                destroy_result(&jobs[t].results[i]);
            }
        }
    }
    for (int i = 0; i < N_BATCHES; i++) {
        destroy_result(&alone[i]);
    }
    runtime.set_devices(1);
    expect_nothing_alive("threads");
}

/* ---- failures --------------------------------------------------------------------------------------------------------------------- */

/* A session whose calls may fail: it ends with the first that does. */
typedef struct {
    yt_context *context;
    yt_matrix *matrices[N_MATRICES];
    yt_buffer *norm, *tokens, *positions, *sequences, *page_table, *rope, *columns, *x, *q, *attention, *hidden, *logits, *ids, *values;
    yt_kv *kv;
    bool is_finished;
    int32_t status;
} session;

#define TRY(call) \
    do { \
        s->status = (call); \
        if (s->status != YT_OK) { \
            return; \
        } \
    } while (0)

static int32_t create_and_fill(yt_context *context, int64_t n, const void *source, yt_buffer **out)
{
    int32_t status = yt_buffer_create(context, n * 4, out);
    return status != YT_OK || source == NULL ? status : yt_buffer_upload(*out, 0, source, n * 4);
}

static void run_session(const model *m, session *s)
{
    const model_shape *h = &m->shape;
    const expected_batch *b = &m->batches[0];
    const int64_t n = h->n_columns;
    const int64_t q_dim = h->n_heads * h->head_dim;
    const int64_t n_pages = h->n_sequences * m->max_pages;
    float logits[2 * 16];
    TRY(yt_device_context_create(0, &s->context));
    for (int i = 0; i < N_MATRICES; i++) {
        const ref_matrix *r = &m->matrices[i];
        TRY(yt_matrix_create(s->context, r->type, r->rows, r->columns, &s->matrices[i]));
        TRY(yt_matrix_upload(s->matrices[i], 0, r->rows - 1, r->bytes, (r->rows - 1) * r->row_bytes)); /* not whole groups: they are read back */
        TRY(yt_matrix_upload(s->matrices[i], r->rows - 1, 1, r->bytes + (r->rows - 1) * r->row_bytes, r->row_bytes));
    }
    const yt_kv_shape pool = {h->kv_type, h->page_positions, n_pages, 1, h->n_kv_heads, h->head_dim};
    TRY(yt_kv_create(s->context, &pool, &s->kv));
    TRY(create_and_fill(s->context, h->dim, m->norm, &s->norm));
    TRY(create_and_fill(s->context, n, b->tokens, &s->tokens));
    TRY(create_and_fill(s->context, n, b->positions, &s->positions));
    TRY(create_and_fill(s->context, n, b->sequences, &s->sequences));
    TRY(create_and_fill(s->context, n_pages, m->page_table, &s->page_table));
    TRY(create_and_fill(s->context, n * h->head_dim, b->rope, &s->rope));
    TRY(create_and_fill(s->context, b->n_outputs, b->columns, &s->columns));
    TRY(create_and_fill(s->context, n * h->dim, NULL, &s->x));
    TRY(create_and_fill(s->context, n * q_dim, NULL, &s->q));
    TRY(create_and_fill(s->context, n * q_dim, NULL, &s->attention));
    TRY(create_and_fill(s->context, n * h->hidden_dim, NULL, &s->hidden));
    TRY(create_and_fill(s->context, b->n_outputs * h->vocab_size, NULL, &s->logits));
    TRY(create_and_fill(s->context, b->n_outputs, NULL, &s->ids));
    TRY(create_and_fill(s->context, b->n_outputs, NULL, &s->values));
    yt_batch batch = {n, h->n_sequences, m->max_pages, s->tokens, s->positions, s->sequences, s->page_table, s->rope};
    yt_matrix **w = s->matrices;
    const yt_layer layer = {.n_heads = h->n_heads, .n_kv_heads = h->n_kv_heads, .head_dim = h->head_dim, .norm_eps = 1e-5f, .attention_norm = s->norm, .wq = w[WQ],
        .wk = w[WK], .wv = w[WV], .wo = w[WO], .ffn_norm = s->norm, .w_gate = w[W_GATE], .w_up = w[W_UP], .w_down = w[W_DOWN]};
    const yt_output output = {s->norm, w[TABLE], 1e-5f};
    const yt_candidates wanted = {1, h->vocab_size, s->ids, s->values, NULL, NULL};
    /* A prompt, and three times one token: launched, made a graph, and that graph. */
    for (int pass = 0; pass < 4; pass++) {
        const int64_t n_outputs = pass == 0 ? b->n_outputs : 1;
        const int32_t first_column = 0;
        if (pass > 0) {
            batch.n_columns = 1;
            TRY(yt_buffer_upload(s->columns, 0, &first_column, 4));
        }
        TRY(yt_embed(s->context, w[TABLE], &batch, s->x));
        TRY(yt_qkv_attention(s->context, &layer, &batch, s->x, s->kv, s->q, s->attention));
        TRY(yt_attention_output(s->context, &layer, &batch, s->attention, s->x));
        TRY(yt_gate_up(s->context, &layer, &batch, s->x, s->hidden));
        TRY(yt_down(s->context, &layer, &batch, s->hidden, s->x));
        TRY(yt_logits(s->context, &output, s->x, n_outputs, s->columns, s->logits, &wanted));
        TRY(yt_buffer_download(s->logits, 0, logits, n_outputs * h->vocab_size * 4));
    }
    uint8_t *page = malloc((size_t)yt_kv_page_bytes(s->kv));
    s->status = yt_kv_download_page(s->kv, 0, page, yt_kv_page_bytes(s->kv));
    if (s->status == YT_OK) {
        s->status = yt_kv_upload_page(s->kv, 1, page, yt_kv_page_bytes(s->kv));
    }
    free(page);
    TRY(s->status);
    TRY(yt_kv_copy_page(s->kv, 0, 1));
    s->is_finished = true;
}

/* After a failure of the device nothing works, but everything can be freed. */
static void end_session(session *s, const char *what)
{
    if (s->status == YT_ERR_DEVICE && s->tokens != NULL) {
        int32_t token = 0;
        expect_status(what, YT_ERR_DEVICE, yt_buffer_upload(s->tokens, 0, &token, 4), "--device cpu");
        expect_status(what, YT_ERR_DEVICE, yt_buffer_download(s->tokens, 0, &token, 4), "CUDA device 0");
    }
    for (int i = 0; i < N_MATRICES; i++) {
        yt_matrix_destroy(s->matrices[i]);
    }
    yt_kv_destroy(s->kv);
    yt_buffer *all[] = {s->norm, s->tokens, s->positions, s->sequences, s->page_table, s->rope, s->columns, s->x, s->q, s->attention, s->hidden, s->logits, s->ids,
        s->values};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        yt_buffer_destroy(all[i]);
    }
    yt_context_destroy(s->context);
    expect_nothing_alive(what);
}

/* Every call of the runtime that a session makes fails in turn, once, and from then on. */
static void check_failures(void)
{
    const model_shape shape = {.type = YT_Q8_0, .values = NORMAL, .dim = 32, .n_heads = 1, .n_kv_heads = 1, .head_dim = 16, .hidden_dim = 32, .vocab_size = 16,
        .n_columns = 2, .n_sequences = 1, .page_positions = 16, .kv_type = YT_F16, .seed = 13};
    model small;
    model_create(&shape, &small);
    const model *m = &small;
    session whole = {0};
    const int64_t before = runtime.calls();
    const int64_t graphs = runtime.graph_launches();
    run_session(m, &whole);
    expect("a session without failures", whole.is_finished);
    expect("it has graphs", runtime.graph_launches() == graphs + 2);
    end_session(&whole, "a session without failures");
    const int64_t n = runtime.calls() - before;
    int n_survived = 0;
    for (int64_t call = 1; call <= n; call++) {
        for (int sticky = 0; sticky < 2; sticky++) {
            session s = {0};
            char what[96];
            snprintf(what, sizeof what, "call %lld of %lld fails%s", (long long)call, (long long)n, sticky ? " and all that follow" : "");
            runtime.fail(call, sticky ? LAUNCH_FAILURE : OUT_OF_MEMORY, sticky);
            run_session(m, &s);
            const bool has_words = s.status != YT_OK && strlen(yt_last_error()) > 20;
            expect(what, s.is_finished || (has_words && (s.status == YT_ERR_DEVICE || s.status == YT_ERR_MEMORY || s.status == YT_ERR_UNSUPPORTED)));
            n_survived += s.is_finished;
            end_session(&s, what);
            runtime.fail(0, 0, 0);
        }
    }
    /* Calls of closing, of a graph that there is no memory for, and of what is said of missing memory may fail without harm; others may not. */
    expect("most failures are reported", n_survived < n);
    model_destroy(&small);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "device_test EMULATED_LIBRARY LIBRARY_OF_ANOTHER_VERSION LIBYANGTUO\n");
        return 1;
    }
    model m;
    model_create(&SHAPE, &m);
    check_libraries(argv[1], argv[2], argv[3]);
    find_runtime(argv[1]);
    check_devices();
    check_passes(&m);
    check_graphs(&m);
    check_many_graphs(&m);
    check_computed_numbers(&m);
    check_copies();
    check_concurrent_uploads();
    check_many_columns();
    check_memory(&m);
    check_close_with_work(&m);
    check_threads(&m);
    check_failures();
    model_destroy(&m);
    printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
