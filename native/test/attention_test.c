/*
 * Attention of every kernel set against the reference, bit for bit, over contexts of one to some thousand positions: all types of keys and values, head sizes, groups, windows,
 * pages and numbers of threads in turn. Pages are filled here, as memory.h says that they lie. Arguments are as for stages_test; a device computes less exactly, and gives the
 * same bits each time.
 */
#include "model.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 3, MAX_COLUMNS = 20 };

static const char *kernels[MAX_KERNELS];
static int n_kernels;
static yt_context *contexts[MAX_KERNELS][MAX_THREADS];
static int n_failures;
static bool on_device;
static bool few_shapes;
static int n_run;

/*
 * Of a device, relative to the largest value: docs/cuda.md has its definition. Scores reach 100 here, of which binary16 has ten bits behind the first; a test of its own holds
 * the kernels to much narrower bounds.
 */
static const float TOLERANCE = 0.05f;

typedef struct {
    int32_t type;
    int64_t head_dim;
    int64_t group;
    int64_t n_kv_heads;
    int64_t length;    /* of the last column */
    int64_t n_columns; /* the last ones */
    int64_t window;
    int32_t page_positions;
    uint64_t seed;
} context_shape;

static int64_t round_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* ---- pages ------------------------------------------------------------------------------------------------------------------------ */

static int element_bytes(int32_t type)
{
    return type == YT_F32 ? 4 : 2;
}

static int64_t scale_bytes(const context_shape *s)
{
    bool quantized = s->type == YT_Q8_0 || s->type == YT_Q4_0;
    return quantized ? round_up((s->head_dim + 31) / 32 * 32, 64) : 0;
}

static int64_t value_stride(const context_shape *s)
{
    return round_up(s->head_dim, s->type == YT_Q4_0 ? 32 : 16);
}

/* Of sixteen positions of one head. */
static int64_t group_bytes(const context_shape *s, bool is_value)
{
    switch (s->type) {
    case YT_Q8_0:
        return scale_bytes(s) + (is_value ? 16 * value_stride(s) : 16 * round_up(s->head_dim, 4));
    case YT_Q4_0:
        return scale_bytes(s) + (is_value ? 8 * value_stride(s) : 8 * round_up(s->head_dim, 8));
    default:
        return 16 * element_bytes(s->type) * (is_value ? value_stride(s) : s->head_dim);
    }
}

static void put_nibble(uint8_t *p, int shift, float q)
{
    *p = (uint8_t)((*p & ~(15 << shift)) | ((int)q + 8) << shift);
}

/* Element d of a position; q: the value, or the integer that it has. */
static void put_element(const context_shape *s, bool is_value, uint8_t *group, int64_t lane, int64_t d, float q, float scale)
{
    uint8_t *quants = group + scale_bytes(s);
    uint16_t half = ref_half_bits(s->type == YT_F16 ? q : scale);
    uint32_t bits;
    memcpy(&bits, &q, 4);
    int64_t index = is_value ? lane * value_stride(s) + d : d * 16 + lane;
    switch (s->type) {
    case YT_F32:
        memcpy(group + 4 * index, &bits, 4);
        return;
    case YT_F16:
        memcpy(group + 2 * index, &half, 2);
        return;
    case YT_BF16:
        bits >>= 16;
        memcpy(group + 2 * index, &bits, 2);
        return;
    case YT_Q8_0:
        quants[is_value ? index : d / 4 * 64 + lane * 4 + d % 4] = is_value ? (uint8_t)(int8_t)q : (uint8_t)((int)q + 128);
        break;
    default:
        if (is_value) {
            put_nibble(quants + lane * value_stride(s) / 2 + d / 32 * 16 + d % 16, d % 32 < 16 ? 0 : 4, q);
        } else {
            put_nibble(quants + d / 8 * 64 + lane * 4 + d % 4, d % 8 < 4 ? 0 : 4, q);
        }
        break;
    }
    memcpy(group + (d / 32 * 16 + lane) * 2, &half, 2);
}

/* Layer 1 of two; the rest of the pool is what no result may depend on. */
static void fill_pages(const context_shape *s, const ref_kv *kv, const int32_t *table, yt_kv *pool)
{
    const int64_t page_bytes = yt_kv_page_bytes(pool);
    const int64_t groups = s->page_positions / 16;
    const int64_t key_bytes = groups * group_bytes(s, false);
    const int64_t head_bytes = key_bytes + groups * group_bytes(s, true);
    if (page_bytes != 2 * s->n_kv_heads * head_bytes) {
        fprintf(stderr, "FAILED a page has %lld bytes, expected %lld\n", (long long)page_bytes, (long long)(2 * s->n_kv_heads * head_bytes));
        n_failures++;
        return;
    }
    uint8_t *page = malloc((size_t)page_bytes);
    for (int64_t start = 0; start < s->length; start += s->page_positions) {
        memset(page, 0xFF, (size_t)page_bytes); /* NaN, of every type that has it */
        for (int64_t t = start; t < start + s->page_positions && t < s->length; t++) {
            for (int64_t i = 0; i < 2 * kv->kv_dim; i++) {
                bool is_value = i >= kv->kv_dim;
                int64_t at = i % kv->kv_dim;
                uint8_t *head = page + (s->n_kv_heads + at / s->head_dim) * head_bytes + (is_value ? key_bytes : 0);
                const float *scales = is_value ? kv->value_scales : kv->key_scales;
                put_element(s, is_value, head + (t - start) / 16 * group_bytes(s, is_value), t % 16, at % s->head_dim,
                    (is_value ? kv->values : kv->keys)[t * kv->kv_dim + at], scales == NULL ? 0.0f : scales[t * kv->kv_dim + at]);
            }
        }
        must(yt_kv_upload_page(pool, table[start / s->page_positions], page, page_bytes), "yt_kv_upload_page");
    }
    free(page);
}

/* ---- running ---------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    ref_kv kv;
    int32_t *table;
    int64_t n_pages;
    float *q;        /* [n_columns][heads][head_dim] */
    float *expected;
} context_data;

static float *new_floats(int64_t n)
{
    return calloc((size_t)n, sizeof(float));
}

/* Some scores far below the others, and positions that are all zero. */
static context_data create(const context_shape *s)
{
    uint64_t random = s->seed;
    const int64_t kv_dim = s->n_kv_heads * s->head_dim;
    const int64_t n_heads = s->n_kv_heads * s->group;
    context_data d = {.kv = {.max_positions = s->length, .kv_dim = kv_dim, .type = s->type}, .n_pages = (s->length + s->page_positions - 1) / s->page_positions};
    float **rows[] = {&d.kv.keys, &d.kv.values, &d.kv.key_scales, &d.kv.value_scales};
    for (int i = 0; i < (scale_bytes(s) > 0 ? 4 : 2); i++) {
        *rows[i] = new_floats(s->length * kv_dim);
    }
    float *row = new_floats(kv_dim);
    for (int64_t t = 0; t < s->length; t++) {
        for (int is_value = 0; is_value < 2; is_value++) {
            const float size = t % 37 == 5 ? 0.0f : t % 19 == 3 ? 8.0f : 1.0f;
            for (int64_t i = 0; i < kv_dim; i++) {
                row[i] = random_normal(&random) * size;
            }
            ref_store_kv(&d.kv, is_value, s->head_dim, t * kv_dim, row);
        }
    }
    free(row);
    d.table = malloc((size_t)d.n_pages * sizeof *d.table);
    for (int64_t i = 0; i < d.n_pages; i++) {
        d.table[i] = (int32_t)(d.n_pages - 1 - i);
    }
    d.q = new_floats(s->n_columns * n_heads * s->head_dim);
    d.expected = new_floats(s->n_columns * n_heads * s->head_dim);
    for (int64_t i = 0; i < s->n_columns * n_heads * s->head_dim; i++) {
        d.q[i] = random_normal(&random) * 2.0f;
    }
    for (int64_t c = 0; c < s->n_columns; c++) {
        const int64_t end = s->length - s->n_columns + c + 1;
        for (int64_t h = 0; h < n_heads; h++) {
            const int64_t at = (c * n_heads + h) * s->head_dim;
            ref_attend(&d.kv, h / s->group * s->head_dim, s->head_dim, s->window > 0 && end > s->window ? end - s->window : 0, end, d.q + at, d.expected + at);
        }
    }
    return d;
}

static void destroy(context_data *d)
{
    float *all[] = {d->kv.keys, d->kv.values, d->kv.key_scales, d->kv.value_scales, d->q, d->expected};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]);
    }
    free(d->table);
}

static yt_buffer *buffer_of(yt_context *context, int64_t bytes, const void *source)
{
    yt_buffer *buffer;
    must(yt_buffer_create(context, bytes, &buffer), "yt_buffer_create");
    if (source != NULL) {
        must(yt_buffer_upload(buffer, 0, source, bytes), "yt_buffer_upload");
    }
    return buffer;
}

static float largest_of(const float *values, int64_t n)
{
    float largest = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        largest = fabsf(values[i]) > largest ? fabsf(values[i]) : largest;
    }
    return largest;
}

static void run(const context_shape *s, const context_data *d, yt_context *context, const char *kernel, int threads)
{
    const int64_t n = s->n_columns * s->n_kv_heads * s->group * s->head_dim;
    const yt_kv_shape shape = {s->type, s->page_positions, d->n_pages, 2, s->n_kv_heads, s->head_dim};
    int32_t positions[MAX_COLUMNS];
    int32_t sequences[MAX_COLUMNS] = {0};
    for (int64_t c = 0; c < s->n_columns; c++) {
        positions[c] = (int32_t)(s->length - s->n_columns + c);
    }
    yt_kv *pool;
    must(yt_kv_create(context, &shape, &pool), "yt_kv_create");
    fill_pages(s, &d->kv, d->table, pool);
    yt_buffer *buffers[] = {buffer_of(context, n * 4, d->q), buffer_of(context, n * 4, NULL), buffer_of(context, s->n_columns * 4, positions),
        buffer_of(context, s->n_columns * 4, sequences), buffer_of(context, d->n_pages * 4, d->table)};
    const yt_batch batch = {.n_columns = s->n_columns, .n_sequences = 1, .max_pages = d->n_pages, .positions = buffers[2], .sequences = buffers[3],
        .page_table = buffers[4]};
    const yt_layer layer = {.index = 1, .n_heads = s->n_kv_heads * s->group, .n_kv_heads = s->n_kv_heads, .head_dim = s->head_dim, .window = s->window};
    float *actual = new_floats(n);
    float *first = new_floats(n);
    /* Twice: counts must be as before. */
    must(yt_attention(context, &layer, &batch, buffers[0], pool, buffers[1]), "yt_attention");
    must(yt_buffer_download(buffers[1], 0, first, n * 4), "yt_buffer_download");
    must(yt_attention(context, &layer, &batch, buffers[0], pool, buffers[1]), "yt_attention");
    must(yt_buffer_download(buffers[1], 0, actual, n * 4), "yt_buffer_download");
    const float distance = on_device ? TOLERANCE * largest_of(d->expected, n) : 0.0f;
    for (int64_t i = 0; i < n; i++) {
        const bool is_close = on_device && fabsf(actual[i] - d->expected[i]) <= distance;
        if (memcmp(&actual[i], &first[i], 4) != 0 || (!is_close && memcmp(&actual[i], &d->expected[i], 4) != 0)) {
            fprintf(stderr, "FAILED %s, %d threads: KV %s, head size %lld, %lld queries for each of %lld heads, %lld positions, %lld columns, window %lld, pages of %d\n"
                "  element %lld of %lld: expected %a, got %a\n", kernel, threads, type_name(s->type), (long long)s->head_dim, (long long)s->group,
                (long long)s->n_kv_heads, (long long)s->length, (long long)s->n_columns, (long long)s->window, s->page_positions, (long long)i, (long long)n,
                (double)d->expected[i], (double)actual[i]);
            n_failures++;
            break;
        }
    }
    free(actual);
    free(first);
    n_run++;
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        yt_buffer_destroy(buffers[i]);
    }
    yt_kv_destroy(pool);
}

/* Whether the device has kernels for keys and values of a shape. */
static bool is_supported(const context_shape *s)
{
    const yt_kv_shape shape = {s->type, s->page_positions, 1, 1, s->n_kv_heads, s->head_dim};
    yt_kv *pool = NULL;
    const int32_t status = yt_kv_create(contexts[0][0], &shape, &pool);
    yt_kv_destroy(pool);
    if (status != YT_ERR_UNSUPPORTED) {
        must(status, "yt_kv_create");
    }
    return status == YT_OK;
}

/* On every kernel set, with one of the numbers of threads. Of a device, which is emulated in most places, some shapes. */
static void run_shape(const context_shape *s)
{
    if (on_device && ((few_shapes && s->seed % 3 != 0) || !is_supported(s))) {
        return;
    }
    context_data d = create(s);
    for (int k = 0; k < n_kernels; k++) {
        const int t = on_device ? 0 : (int)((s->seed + (uint64_t)k) % MAX_THREADS);
        if (contexts[k][t] != NULL) {
            run(s, &d, contexts[k][t], kernels[k], t + 1);
        }
    }
    destroy(&d);
}

static void run_all(bool brief)
{
    static const int32_t types[] = {YT_F32, YT_F16, YT_BF16, YT_Q8_0, YT_Q4_0};
    static const int64_t head_dims[] = {32, 64, 80, 96, 128, 256};
    static const int64_t lengths[] = {1, 15, 16, 17, 511, 4097};
    static const int64_t groups[] = {1, 2, 4, 8};
    static const int64_t windows[] = {0, 0, 1, 20, 700};
    static const int32_t pages[] = {64, 16, 48};
    uint64_t seed = 0;
    for (int t = 0; t < 5; t++) {
        for (int h = 0; h < 6; h++) {
            for (int l = 0; l < 6; l++) {
                seed++;
                const int64_t length = lengths[l];
                if ((brief && length > 511 && h % 3 != t % 3) || (brief && h * 7 % 5 == l)) {
                    continue;
                }
                const int64_t most = length > 511 ? 3 : MAX_COLUMNS;
                const context_shape shape = {.type = types[t], .head_dim = head_dims[h], .group = groups[(seed + (uint64_t)h) % 4], .n_kv_heads = length > 17 ? 1 : 2,
                    .length = length, .n_columns = seed % 3 == 0 ? 1 : length < most ? length : most, .window = windows[seed % 5],
                    .page_positions = pages[seed % 3], .seed = seed};
                run_shape(&shape);
            }
        }
    }
    /* More queries than one call takes, many of one head, over several spans. */
    for (int t = 0; t < 5; t++) {
        const context_shape shape = {.type = types[t], .head_dim = 10, .group = 40, .n_kv_heads = 1, .length = 1100, .n_columns = 2, .window = t % 2 * 600,
            .page_positions = 64, .seed = 1000 + (uint64_t)t};
        run_shape(&shape);
    }
}

static bool is_wanted(const char *kernel, int n_names, char **names)
{
    bool wanted = n_names == 0;
    for (int i = 0; i < n_names; i++) {
        wanted = wanted || strcmp(names[i], kernel) == 0;
    }
    return wanted;
}

int main(int argc, char **argv)
{
    on_device = argc > 2 && strcmp(argv[1], "--device") == 0;
    few_shapes = on_device && argc == 3;
    const bool brief = few_shapes || (argc > 1 && strcmp(argv[1], "--brief") == 0);
    const int n_options = brief ? 2 : 1;
    n_kernels = on_device ? 1 : list_kernels(kernels);
    if (on_device) {
        kernels[0] = "of the device";
        contexts[0][0] = create_device_context(argv[2]);
    }
    for (int k = 0; k < n_kernels && !on_device; k++) {
        if (!is_wanted(kernels[k], argc - n_options, argv + n_options)) {
            continue;
        }
        if (!yt_kernel_supported(kernels[k])) {
            printf("skipped: this processor has no kernels %s\n", kernels[k]);
            continue;
        }
        for (int t = 0; t < MAX_THREADS; t++) {
            must(yt_context_create(kernels[k], t + 1, &contexts[k][t]), "yt_context_create");
        }
    }
    run_all(brief);
    for (int k = 0; k < n_kernels; k++) {
        for (int t = 0; t < MAX_THREADS; t++) {
            yt_context_destroy(contexts[k][t]);
        }
    }
    printf("%d contexts, %d failures\n", n_run, n_failures);
    return n_failures == 0 ? 0 : 1;
}
