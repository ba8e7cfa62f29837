/*
 * Every kernel set against the reference, bit for bit, through all stages of a layer: in whole batches and column by column, with one, two and three
 * threads. Arguments are the kernels to run instead of all; with --brief, whole batches run with one of these numbers of threads for each shape, and
 * every other shape column by column.
 *
 * With --device LIBRARY the first device of a library of kernels; a few shapes of each type, since most are emulated, or with --all behind it all. Each stage gets what the reference has for its input, and must give the same bits but
 * where docs/cuda.md has a definition of its own: products of F16 and BF16, and attention.
 */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 3 };

static const char *kernels[MAX_KERNELS];
static int n_kernels;
static bool brief;
static bool on_device;
static int n_run;
static yt_context *contexts[MAX_KERNELS][MAX_THREADS];
static int n_failures;

/* What is being run, for the message. */
typedef struct {
    device_model *device;
    const char *kernel;
    int threads;
    bool alone;
    int batch;
} run;

/* The same bits; NaN has no defined sign; what comes of BF16's subnormal products may be zero of either sign (docs/kernels.md). */
static bool same(const run *r, float actual, float expected)
{
    if (memcmp(&actual, &expected, 4) == 0 || (isnan(actual) && isnan(expected))) {
        return true;
    }
    const int32_t type = r->device->source->shape.type;
    return (type == YT_BF16 || type == MIXED_TYPES) && fabsf(actual) < 0x1p-126f && fabsf(expected) < 0x1p-126f;
}

/*
 * Of what a device defines itself, relative to the largest value. Products have float32 sums in another order, of at most 288 products. Scores of attention are about 100
 * here, so that a rounding of queries and keys to binary16 changes weights by some percent.
 */
static const float PRODUCT_TOLERANCE = 1e-4f;
static const float ATTENTION_TOLERANCE = 0.1f;

/* Of the products with matrices first to last. */
static float product_tolerance(const run *r, int first, int last)
{
    for (int i = first; on_device && i <= last; i++) {
        const int32_t type = r->device->source->matrices[i].type;
        if (type == YT_F16 || type == YT_BF16) {
            return PRODUCT_TOLERANCE;
        }
    }
    return 0.0f;
}

static float largest_of(const float *values, int64_t n)
{
    float largest = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        largest = fabsf(values[i]) > largest ? fabsf(values[i]) : largest;
    }
    return largest;
}

static void compare(const run *r, const char *stage, const yt_buffer *buffer, const float *expected, int64_t n, float tolerance)
{
    float *actual = malloc((size_t)n * 4);
    const float distance = tolerance * (largest_of(expected, n) + 1e-6f); /* what is nothing beside the weights, which are about 1, may be nothing at all */
    must(yt_buffer_download(buffer, 0, actual, n * 4), "yt_buffer_download");
    for (int64_t i = 0; memcmp(actual, expected, (size_t)n * 4) != 0 && i < n; i++) {
        if (!same(r, actual[i], expected[i]) && !(tolerance > 0.0f && fabsf(actual[i] - expected[i]) <= distance)) {
            fprintf(stderr, "FAILED %s, %s, %d threads, batch %d%s: %s\n  element %lld of %lld: expected %a (%.9g), got %a (%.9g)\n", stage, r->kernel,
                r->threads, r->batch, r->alone ? ", columns alone" : "", shape_text(&r->device->source->shape), (long long)i, (long long)n,
                (double)expected[i], (double)expected[i], (double)actual[i], (double)actual[i]);
            n_failures++;
            break;
        }
    }
    free(actual);
}

/* What the stage before should have given, so that every stage is compared alone. */
static void replace(yt_buffer *buffer, const float *expected, int64_t n)
{
    if (on_device) {
        must(yt_buffer_upload(buffer, 0, expected, n * 4), "yt_buffer_upload");
    }
}

/* Of other values the scores are such that the smallest difference chooses another position. */
static void compare_attention(const run *r, const char *stage, const float *expected, int64_t n)
{
    if (!on_device || r->device->source->shape.values == NORMAL) {
        compare(r, stage, r->device->attention, expected, n, on_device ? ATTENTION_TOLERANCE : 0.0f);
    }
}

/* Columns first to first + n - 1 of a batch through the layer. */
static void run_columns(const run *r, const expected_batch *b, int64_t first, int64_t n)
{
    device_model *d = r->device;
    const model_shape *s = &d->source->shape;
    int64_t q_dim = s->n_heads * s->head_dim;
    device_set_batch(d, b, first, n);
    must(yt_embed(d->context, d->matrices[TABLE], &d->batch, d->x), "yt_embed");
    compare(r, "yt_embed", d->x, b->embedded + first * s->dim, n * s->dim, 0.0f);
    if ((r->batch + r->threads) % 2 == 0) {
        must(yt_qkv(d->context, &d->layer, &d->batch, d->x, d->kv, d->q), "yt_qkv");
        compare(r, "yt_qkv", d->q, b->q + first * q_dim, n * q_dim, product_tolerance(r, WQ, WQ));
        replace(d->q, b->q + first * q_dim, n * q_dim);
        must(yt_attention(d->context, &d->layer, &d->batch, d->q, d->kv, d->attention), "yt_attention");
        compare_attention(r, "yt_attention", b->attention + first * q_dim, n * q_dim);
    } else {
        must(yt_qkv_attention(d->context, &d->layer, &d->batch, d->x, d->kv, d->q, d->attention), "yt_qkv_attention");
        compare(r, "yt_qkv_attention's q", d->q, b->q + first * q_dim, n * q_dim, product_tolerance(r, WQ, WQ));
        compare_attention(r, "yt_qkv_attention", b->attention + first * q_dim, n * q_dim);
    }
    replace(d->attention, b->attention + first * q_dim, n * q_dim);
    must(yt_attention_output(d->context, &d->layer, &d->batch, d->attention, d->x), "yt_attention_output");
    compare(r, "yt_attention_output", d->x, b->residual + first * s->dim, n * s->dim, product_tolerance(r, WO, WO));
    replace(d->x, b->residual + first * s->dim, n * s->dim);
    must(yt_gate_up(d->context, &d->layer, &d->batch, d->x, d->hidden), "yt_gate_up");
    compare(r, "yt_gate_up", d->hidden, b->hidden + first * s->hidden_dim, n * s->hidden_dim, product_tolerance(r, W_GATE, W_UP));
    replace(d->hidden, b->hidden + first * s->hidden_dim, n * s->hidden_dim);
    must(yt_down(d->context, &d->layer, &d->batch, d->hidden, d->x), "yt_down");
    compare(r, "yt_down", d->x, b->x + first * s->dim, n * s->dim, product_tolerance(r, W_DOWN, W_DOWN));
    replace(d->x, b->x + first * s->dim, n * s->dim);
}

static void run_logits(const run *r, const expected_batch *b)
{
    device_model *d = r->device;
    must(yt_buffer_upload(d->columns, 0, b->columns, b->n_outputs * 4), "yt_buffer_upload");
    must(yt_logits(d->context, &d->output, d->x, b->n_outputs, d->columns, d->logits, NULL), "yt_logits");
    compare(r, "yt_logits", d->logits, b->logits, b->n_outputs * d->source->shape.vocab_size, product_tolerance(r, TABLE, TABLE));
}

static void run_model(const model *m, yt_context *context, const char *kernel, int threads, bool alone)
{
    device_model device;
    device_create(m, context, &device);
    for (int i = 0; i < N_BATCHES; i++) {
        run r = {&device, kernel, threads, alone, i};
        const expected_batch *b = &m->batches[i];
        if (alone) {
            for (int64_t c = 0; c < m->shape.n_columns; c++) {
                run_columns(&r, b, c, 1);
            }
        } else {
            run_columns(&r, b, 0, m->shape.n_columns);
            run_logits(&r, b);
        }
    }
    device_destroy(&device);
}

/* Whether the device has kernels for keys and values of a shape. */
static bool is_supported(const model_shape *shape)
{
    const yt_kv_shape kv = {shape->kv_type, shape->page_positions, 1, 1, shape->n_kv_heads, shape->head_dim};
    yt_kv *pool = NULL;
    const int32_t status = yt_kv_create(contexts[0][0], &kv, &pool);
    yt_kv_destroy(pool);
    if (status != YT_ERR_UNSUPPORTED) {
        must(status, "yt_kv_create");
    }
    return status == YT_OK;
}

static void run_shape(const model_shape *shape)
{
    model m;
    if (on_device && !is_supported(shape)) {
        return;
    }
    n_run++;
    model_create(shape, &m);
    for (int k = 0; k < n_kernels; k++) {
        for (int t = 0; t < MAX_THREADS; t++) {
            if (contexts[k][t] != NULL && (on_device || !brief || (uint64_t)t == shape->seed % MAX_THREADS)) {
                run_model(&m, contexts[k][t], kernels[k], t + 1, false);
            }
        }
        if (contexts[k][0] != NULL && (on_device ? !brief || shape->n_columns < 10 : !brief || shape->seed % 2 == 1)) {
            int t = on_device ? 0 : (int)(shape->seed % 2);
            run_model(&m, contexts[k][t], kernels[k], t + 1, true);
        }
    }
    model_destroy(&m);
}

/* Sizes: dim, heads, KV heads, head_dim, hidden, vocabulary, columns, sequences, positions of a page. */
typedef struct {
    int64_t dim, n_heads, n_kv_heads, head_dim, hidden_dim, vocab_size, n_columns, n_sequences;
    int32_t page_positions;
} sizes;

static const sizes FLOAT_SIZES[] = {
    {2, 1, 1, 2, 1, 1, 1, 1, 16},
    {30, 3, 1, 10, 13, 16, 7, 2, 16},
    {34, 2, 2, 24, 17, 17, 9, 3, 16},
    {34, 8, 1, 16, 31, 33, 33, 2, 32},
    {96, 5, 1, 10, 96, 100, 5, 1, 16},
    {257, 4, 2, 64, 33, 40, 3, 2, 16},
    {30, 1, 1, 128, 100, 1003, 2, 1, 48},
    {96, 4, 2, 2, 65, 64, 40, 4, 16},
    {34, 40, 1, 2, 1, 5, 8, 1, 16},
    {2, 6, 6, 10, 13, 70, 17, 5, 16},
    {34, 6, 3, 32, 33, 40, 6, 3, 16},
};

static const sizes QUANT_SIZES[] = {
    {32, 1, 1, 2, 1, 1, 1, 1, 16},
    {64, 16, 2, 2, 32, 17, 7, 2, 16},
    {96, 2, 2, 16, 96, 16, 9, 3, 16},
    {32, 5, 1, 64, 64, 33, 33, 2, 32},
    {288, 4, 2, 24, 96, 70, 3, 2, 16},
    {64, 3, 1, 128, 31, 40, 16, 1, 16},
    {32, 1, 1, 10, 100, 1003, 2, 1, 48},
    {96, 8, 1, 16, 160, 64, 40, 4, 16},
    {32, 48, 1, 2, 13, 5, 8, 1, 16},
    {64, 4, 4, 24, 32, 100, 5, 5, 16},
    {64, 6, 3, 32, 33, 40, 6, 3, 16},
};

/* Of types with blocks of 256. */
static const sizes K_SIZES[] = {
    {256, 1, 1, 2, 1, 1, 1, 1, 16},
    {512, 2, 1, 128, 256, 17, 7, 2, 16},
    {256, 4, 2, 16, 256, 33, 33, 2, 32},
    {768, 3, 3, 10, 31, 70, 3, 3, 16},
};

static void run_type(int32_t type, const sizes *list, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        const sizes *z = &list[i];
        static const int32_t kv_types[] = {YT_F16, YT_Q8_0, YT_F32, YT_Q4_0, YT_BF16};
        static const int64_t windows[] = {0, 5, 0, 17};
        /* Two kinds of values for each size, among all sizes and types every kind, with every kind of KV. */
        for (uint64_t j = 0; j < 2; j++) {
            /* A device's kernels have tests of their own, type by type: here some shapes of each are enough. */
            if (on_device && brief && ((i + seed) % 4 != 0 || (i / 4 + seed) % 2 != j)) {
                continue;
            }
            model_shape shape = {.type = type, .values = j == 0 ? NORMAL : (magnitude)(1 + (i + seed) % (N_MAGNITUDES - 1)), .dim = z->dim,
                .n_heads = z->n_heads, .n_kv_heads = z->n_kv_heads, .head_dim = z->head_dim, .hidden_dim = z->hidden_dim,
                .vocab_size = z->vocab_size, .n_columns = z->n_columns, .n_sequences = z->n_sequences, .page_positions = z->page_positions,
                .kv_type = on_device ? kv_types[(i / 4 + j + seed) % 2] : kv_types[(i + 2 * j + seed) % 5], .window = windows[(i + seed) % 4], .seed = seed * 100 + i * 2 + j};
            run_shape(&shape);
        }
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

static void create_contexts(int n_names, char **names)
{
    int n_wanted = 0;
    n_kernels = list_kernels(kernels);
    for (int k = 0; k < n_kernels; k++) {
        if (!is_wanted(kernels[k], n_names, names)) {
            continue;
        }
        n_wanted++;
        if (!yt_kernel_supported(kernels[k])) {
            printf("skipped: this processor has no kernels %s\n", kernels[k]);
            continue;
        }
        for (int t = 0; t < MAX_THREADS; t++) {
            must(yt_context_create(kernels[k], t + 1, &contexts[k][t]), "yt_context_create");
        }
    }
    if (n_names > 0 && n_wanted != n_names) {
        fprintf(stderr, "FAILED: of the kernels named, not all are among %s\n", yt_kernel_names());
        n_failures++;
    }
}

int main(int argc, char **argv)
{
    on_device = argc > 2 && strcmp(argv[1], "--device") == 0;
    brief = on_device ? argc == 3 : argc > 1 && strcmp(argv[1], "--brief") == 0;
    if (on_device) {
        kernels[0] = "of the device";
        n_kernels = 1;
        contexts[0][0] = create_device_context(argv[2]);
    } else {
        int n_options = brief ? 2 : 1;
        create_contexts(argc - n_options, argv + n_options);
    }
    size_t n_float = sizeof FLOAT_SIZES / sizeof FLOAT_SIZES[0];
    size_t n_quant = sizeof QUANT_SIZES / sizeof QUANT_SIZES[0];
    size_t n_k = sizeof K_SIZES / sizeof K_SIZES[0];
    run_type(YT_F32, FLOAT_SIZES, n_float, 1);
    run_type(YT_F16, FLOAT_SIZES, n_float, 2);
    run_type(YT_BF16, FLOAT_SIZES, n_float, 3);
    run_type(YT_Q8_0, QUANT_SIZES, n_quant, 4);
    run_type(YT_Q4_0, QUANT_SIZES, n_quant, 5);
    run_type(MIXED_TYPES, QUANT_SIZES, n_quant, 6);
    run_type(MIXED_TYPES, K_SIZES, n_k, 7);
    /* They share all but the unpacking of blocks: fewer sizes serve. */
    static const int32_t of_32[] = {YT_Q4_1, YT_Q5_0, YT_Q5_1, YT_IQ4_NL, YT_MXFP4};
    for (size_t i = 0; i < sizeof of_32 / sizeof of_32[0]; i++) {
        run_type(of_32[i], QUANT_SIZES, 6, 10 + i);
    }
    static const int32_t of_256[] = {YT_Q2_K, YT_Q3_K, YT_Q4_K, YT_Q5_K, YT_Q6_K, YT_IQ4_XS};
    for (size_t i = 0; i < sizeof of_256 / sizeof of_256[0]; i++) {
        run_type(of_256[i], K_SIZES, n_k, 20 + i);
    }
    for (int k = 0; k < n_kernels; k++) {
        for (int t = 0; t < MAX_THREADS; t++) {
            yt_context_destroy(contexts[k][t]);
        }
    }
    printf("%d models, %d failures\n", n_run, n_failures);
    return n_failures == 0 ? 0 : 1;
}
