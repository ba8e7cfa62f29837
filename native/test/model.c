#include "model.h"

#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NORM_EPS 1e-5f

void must(int32_t status, const char *what)
{
    if (status != YT_OK) {
        fprintf(stderr, "%s: status %d, %s\n", what, status, yt_last_error());
        exit(1);
    }
}

yt_context *create_device_context(const char *library)
{
    yt_context *context = NULL;
    must(yt_device_library_open(library), "yt_device_library_open");
    must(yt_device_context_create(0, &context), "yt_device_context_create");
    return context;
}

int list_kernels(const char *names[MAX_KERNELS])
{
    static char text[256];
    snprintf(text, sizeof text, "%s", yt_kernel_names());
    int n = 0;
    for (char *name = strtok(text, " "); name != NULL; name = strtok(NULL, " ")) {
        if (n == MAX_KERNELS) {
            fprintf(stderr, "more kernels than MAX_KERNELS: %s\n", yt_kernel_names());
            exit(1);
        }
        names[n++] = name;
    }
    return n;
}

const char *type_name(int32_t type)
{
    return type == MIXED_TYPES ? "mixed" : ref_find_type(type)->name;
}

const char *magnitude_name(magnitude m)
{
    static const char *names[] = {"normal", "zeros", "subnormal", "large", "alternating", "largest quants"};
    return names[m];
}

const char *shape_text(const model_shape *s)
{
    static _Thread_local char text[256];
    snprintf(text, sizeof text,
        "type %s, %s, dim %lld, heads %lld/%lld of %lld, hidden %lld, vocabulary %lld, %lld columns of %lld sequences, pages of %d, KV %s, window %lld, seed %llu",
        type_name(s->type), magnitude_name(s->values), (long long)s->dim, (long long)s->n_heads, (long long)s->n_kv_heads,
        (long long)s->head_dim, (long long)s->hidden_dim, (long long)s->vocab_size, (long long)s->n_columns, (long long)s->n_sequences,
        s->page_positions, type_name(s->kv_type), (long long)s->window, (unsigned long long)s->seed);
    return text;
}

/* ---- weights ---------------------------------------------------------------------------------------------------------------------- */

static float random_value(magnitude m, int64_t i, float large, uint64_t *random)
{
    switch (m) {
    case ZEROS:
        return random_below(random, 2) == 0 ? 0.0f : -0.0f;
    case SUBNORMAL:
        return random_unit(random) * 0x1p-126f;
    case LARGE:
        return random_unit(random) * large;
    case ALTERNATING:
        return (i % 2 == 0 ? 1.0f : -1.0f) * fabsf(random_normal(random));
    case MAX_QUANTS:
        return random_below(random, 2) == 0 ? 1.0f : -1.0f;
    default:
        return random_normal(random);
    }
}

static void write16(uint8_t *p, uint16_t bits)
{
    p[0] = (uint8_t)bits;
    p[1] = (uint8_t)(bits >> 8);
}

static uint16_t random_scale(magnitude m, double large, uint64_t *random)
{
    switch (m) {
    case ZEROS:
        return random_below(random, 2) == 0 ? 0 : 0x8000;
    case SUBNORMAL:
        return (uint16_t)(random_below(random, 1024) | random_below(random, 2) << 15);
    case LARGE:
        return ref_half_bits(random_unit(random) * large / 128);
    default:
        return ref_half_bits(random_normal(random) / 64);
    }
}

/* Where a block has binary16 scales: that of the quants, and for some types that of the minimums right behind it. -1: none. */
static int scale_offset(int32_t type)
{
    switch (type) {
    case YT_Q2_K:
        return 80;
    case YT_Q3_K:
        return 108;
    case YT_Q6_K:
        return 208;
    case YT_MXFP4:
        return -1;
    default:
        return 0;
    }
}

/* What the integers that multiply a block's scale reach. */
static double scale_factor(int32_t type)
{
    switch (type) {
    case YT_Q2_K:
        return 16;
    case YT_Q3_K:
    case YT_IQ4_XS:
        return 32;
    case YT_Q4_K:
    case YT_Q5_K:
        return 64;
    case YT_Q6_K:
        return 128;
    default:
        return 1;
    }
}

/* The exponent of MXFP4. */
static uint8_t random_exponent(magnitude m, double large, uint64_t *random)
{
    int below = (int)random_below(random, 8);
    switch (m) {
    case ZEROS:
    case SUBNORMAL:
        return (uint8_t)(below % 3);
    case LARGE:
        return (uint8_t)(127 + ilogb(large) - below);
    default:
        return (uint8_t)(126 - below);
    }
}

static void random_block(uint8_t *block, int32_t type, magnitude m, double large, uint64_t *random)
{
    const ref_type *t = ref_find_type(type);
    /* All at one end: the largest sums that the integer products can meet. */
    uint8_t extreme = type == YT_Q8_0 ? (random_below(random, 2) == 0 ? 0x80 : 0x7F) : (random_below(random, 2) == 0 ? 0x00 : 0xFF);
    for (int i = 0; i < t->block_bytes; i++) {
        block[i] = m == MAX_QUANTS ? extreme : (uint8_t)random_bits(random);
        if (m == ALTERNATING && type == YT_Q8_0) {
            block[i] = i % 2 == 0 ? block[i] | 0x80 : block[i] & 0x7F;
        }
    }
    int offset = scale_offset(type);
    if (offset < 0) {
        block[0] = random_exponent(m, large, random);
        return;
    }
    write16(block + offset, random_scale(m, large / scale_factor(type), random));
    if (t->has_minimums) {
        write16(block + offset + 2, random_scale(m, large / scale_factor(type), random));
    }
}

static void random_matrix(ref_matrix *matrix, magnitude m, float large, uint64_t *random)
{
    matrix->row_bytes = ref_row_bytes(matrix->type, matrix->columns);
    int64_t bytes = matrix->rows * matrix->row_bytes;
    matrix->bytes = calloc((size_t)bytes, 1);
    const ref_type *t = ref_find_type(matrix->type);
    if (t->part_elements > 0) {
        int64_t block = t->block_bytes;
        for (int64_t at = 0; at < bytes; at += block) {
            random_block(matrix->bytes + at, matrix->type, m, large, random);
        }
        ref_read_elements(matrix);
        return;
    }
    for (int64_t i = 0; i < matrix->rows * matrix->columns; i++) {
        float value = random_value(m, i, large, random);
        if (matrix->type == YT_F32) {
            memcpy(matrix->bytes + 4 * i, &value, 4);
        } else if (matrix->type == YT_F16) {
            /* The subnormals of binary16 are larger. */
            write16(matrix->bytes + 2 * i, ref_half_bits(m == SUBNORMAL ? ldexp(value, 112) : value));
        } else {
            memcpy(matrix->bytes + 2 * i, (uint8_t *)&value + 2, 2);
        }
    }
}

static void create_weights(model *m, uint64_t *random)
{
    static const int32_t types[] = {YT_Q8_0, YT_F32, YT_Q6_K, YT_Q4_0, YT_Q4_K, YT_BF16, YT_Q5_1, YT_F16, YT_Q2_K, YT_MXFP4};
    const model_shape *s = &m->shape;
    int64_t q_dim = s->n_heads * s->head_dim;
    int64_t kv_dim = s->n_kv_heads * s->head_dim;
    const int64_t sizes[N_MATRICES][2] = {{q_dim, s->dim}, {kv_dim, s->dim}, {kv_dim, s->dim}, {s->dim, q_dim}, {s->hidden_dim, s->dim},
        {s->hidden_dim, s->dim}, {s->dim, s->hidden_dim}, {s->vocab_size, s->dim}};
    for (int i = 0; i < N_MATRICES; i++) {
        ref_matrix *matrix = &m->matrices[i];
        matrix->rows = sizes[i][0];
        matrix->columns = sizes[i][1];
        matrix->type = s->type == MIXED_TYPES ? types[(i + s->seed) % 10] : s->type;
        if (ref_row_bytes(matrix->type, matrix->columns) < 0) {
            matrix->type = YT_F32;
        }
        /* Keys and values, or their scales, must stay within binary16. */
        float large = (i == WK || i == WV) && s->kv_type != YT_F32 && s->kv_type != YT_BF16 ? 100.0f : 1e4f;
        random_matrix(matrix, s->values, large, random);
    }
    for (int i = WQ; i <= W_DOWN && s->seed % 2 == 0; i++) {
        if (s->seed % 4 == 0 || random_below(random, 2) == 0) {
            m->biases[i] = malloc((size_t)sizes[i][0] * 4);
            for (int64_t row = 0; row < sizes[i][0]; row++) {
                m->biases[i][row] = random_value(s->values, row, 100.0f, random);
            }
            m->matrices[i].bias = m->biases[i];
        }
    }
    m->norm = malloc((size_t)s->dim * 4);
    for (int64_t i = 0; i < s->dim; i++) {
        m->norm[i] = 1.0f + 0.25f * random_normal(random);
    }
}

/* ---- batches ---------------------------------------------------------------------------------------------------------------------- */

static float *new_floats(int64_t a, int64_t b)
{
    return calloc(a * b > 0 ? (size_t)(a * b) : 0, 4);
}

static int32_t *new_ints(int64_t n)
{
    return calloc(n > 0 ? (size_t)n : 0, 4);
}

/* Columns of random sequences; next: the position that each sequence goes on from. */
static void create_batch(const model *m, expected_batch *b, int32_t *next, uint64_t *random)
{
    const model_shape *s = &m->shape;
    b->tokens = new_ints(s->n_columns);
    b->positions = new_ints(s->n_columns);
    b->sequences = new_ints(s->n_columns);
    b->rope = new_floats(s->n_columns, s->head_dim);
    for (int64_t c = 0; c < s->n_columns; c++) {
        b->tokens[c] = c == 0 ? (int32_t)s->vocab_size - 1 : (int32_t)random_below(random, s->vocab_size);
        b->sequences[c] = (int32_t)random_below(random, s->n_sequences);
        b->positions[c] = next[b->sequences[c]]++;
        for (int64_t j = 0; j < s->head_dim / 2; j++) {
            double angle = random_unit(random) * 3.2;
            b->rope[c * s->head_dim + 2 * j] = (float)cos(angle);
            b->rope[c * s->head_dim + 2 * j + 1] = (float)sin(angle);
        }
    }
    b->n_outputs = s->n_columns == 1 ? 2 : (s->n_columns + 1) / 2;
    b->columns = new_ints(b->n_outputs);
    for (int64_t i = 0; i < b->n_outputs; i++) {
        b->columns[i] = (int32_t)random_below(random, s->n_columns);
    }
}

static float *copy_floats(const float *source, int64_t a, int64_t b)
{
    float *copy = new_floats(a, b);
    memcpy(copy, source, (size_t)(a * b) * 4);
    return copy;
}

static void expect(const model *m, expected_batch *b, ref_kv *kv)
{
    const model_shape *s = &m->shape;
    const ref_matrix *w = m->matrices;
    const ref_heads heads = {s->n_heads, s->n_kv_heads, s->head_dim, s->window};
    const ref_batch batch = {s->n_columns, b->positions, b->sequences, b->rope};
    int64_t n = s->n_columns;
    b->embedded = new_floats(n, s->dim);
    b->q = new_floats(n, s->n_heads * s->head_dim);
    b->attention = new_floats(n, s->n_heads * s->head_dim);
    b->hidden = new_floats(n, s->hidden_dim);
    b->logits = new_floats(b->n_outputs, s->vocab_size);
    ref_embed(&w[TABLE], b->tokens, n, b->embedded);
    ref_qkv(&w[WQ], &w[WK], &w[WV], m->norm, NORM_EPS, &heads, &batch, b->embedded, kv, b->q);
    ref_attention(&heads, &batch, b->q, kv, b->attention);
    b->residual = copy_floats(b->embedded, n, s->dim);
    ref_add_product(&w[WO], n, b->attention, b->residual);
    ref_gate_up(&w[W_GATE], &w[W_UP], m->norm, NORM_EPS, n, b->residual, b->hidden);
    b->x = copy_floats(b->residual, n, s->dim);
    ref_add_product(&w[W_DOWN], n, b->hidden, b->x);
    ref_logits(&w[TABLE], m->norm, NORM_EPS, b->columns, b->n_outputs, b->x, b->logits);
}

void model_create(const model_shape *shape, model *out)
{
    memset(out, 0, sizeof *out);
    out->shape = *shape;
    uint64_t random = shape->seed * 1000003;
    create_weights(out, &random);
    /* Sequences begin just before the end of a page; what lies before was never written and is zero. */
    int64_t n_sequences = shape->n_sequences;
    int32_t *next = new_ints(n_sequences);
    for (int64_t i = 0; i < n_sequences; i++) {
        next[i] = (int32_t)(i % 2 == 0 ? shape->page_positions * i / 2 : shape->page_positions - 1);
    }
    int64_t max_positions = shape->page_positions * (n_sequences + 1) + N_BATCHES * shape->n_columns;
    out->max_pages = max_positions / shape->page_positions + 1;
    int64_t n_pages = n_sequences * out->max_pages;
    out->page_table = new_ints(n_pages);
    for (int64_t i = 0; i < n_pages; i++) {
        int64_t j = random_below(&random, i + 1);
        out->page_table[i] = out->page_table[j];
        out->page_table[j] = (int32_t)i;
    }
    ref_kv kv = {.max_positions = max_positions, .kv_dim = shape->n_kv_heads * shape->head_dim, .type = shape->kv_type};
    if (ref_find_type(kv.type)->part_elements > 0) {
        kv.key_scales = new_floats(n_sequences * max_positions, kv.kv_dim);
        kv.value_scales = new_floats(n_sequences * max_positions, kv.kv_dim);
    }
    kv.keys = new_floats(n_sequences * max_positions, kv.kv_dim);
    kv.values = new_floats(n_sequences * max_positions, kv.kv_dim);
    for (int i = 0; i < N_BATCHES; i++) {
        create_batch(out, &out->batches[i], next, &random);
        expect(out, &out->batches[i], &kv);
    }
    free(kv.key_scales);
    free(kv.value_scales);
    free(kv.keys);
    free(kv.values);
    free(next);
}

void model_destroy(model *m)
{
    for (int i = 0; i < N_MATRICES; i++) {
        free(m->matrices[i].bytes);
        free(m->matrices[i].elements);
        free(m->biases[i]);
    }
    for (int i = 0; i < N_BATCHES; i++) {
        expected_batch *b = &m->batches[i];
        void *all[] = {b->tokens, b->positions, b->sequences, b->columns, b->rope, b->embedded, b->q, b->attention, b->residual, b->hidden, b->x,
            b->logits};
        for (size_t j = 0; j < sizeof all / sizeof all[0]; j++) {
            free(all[j]);
        }
    }
    free(m->norm);
    free(m->page_table);
}

/* ---- on the device ---------------------------------------------------------------------------------------------------------------- */

static yt_buffer *buffer(yt_context *context, int64_t a, int64_t b)
{
    yt_buffer *out;
    must(yt_buffer_create(context, a * b * 4, &out), "yt_buffer_create");
    return out;
}

static void upload(yt_buffer *target, const void *source, int64_t n)
{
    must(yt_buffer_upload(target, 0, source, n * 4), "yt_buffer_upload");
}

void device_create(const model *source, yt_context *context, device_model *d)
{
    memset(d, 0, sizeof *d);
    const model_shape *s = &source->shape;
    int64_t n = s->n_columns;
    int64_t q_dim = s->n_heads * s->head_dim;
    d->source = source;
    d->context = context;
    for (int i = 0; i < N_MATRICES; i++) {
        const ref_matrix *m = &source->matrices[i];
        must(yt_matrix_create(context, m->type, m->rows, m->columns, &d->matrices[i]), "yt_matrix_create");
        int64_t half = m->rows / 2; /* in two parts, the later first */
        must(yt_matrix_upload(d->matrices[i], half, m->rows - half, m->bytes + half * m->row_bytes, (m->rows - half) * m->row_bytes), "upload");
        must(yt_matrix_upload(d->matrices[i], 0, half, m->bytes, half * m->row_bytes), "upload");
        if (m->bias != NULL) {
            d->biases[i] = buffer(context, m->rows, 1);
            upload(d->biases[i], m->bias, m->rows);
        }
    }
    /* The layer's number is not 0, so that a wrong stride of layers shows. */
    yt_kv_shape kv = {s->kv_type, s->page_positions, s->n_sequences * source->max_pages, 3, s->n_kv_heads, s->head_dim};
    must(yt_kv_create(context, &kv, &d->kv), "yt_kv_create");
    d->norm = buffer(context, s->dim, 1);
    upload(d->norm, source->norm, s->dim);
    d->tokens = buffer(context, n, 1);
    d->positions = buffer(context, n, 1);
    d->sequences = buffer(context, n, 1);
    d->page_table = buffer(context, s->n_sequences, source->max_pages);
    upload(d->page_table, source->page_table, s->n_sequences * source->max_pages);
    d->rope = buffer(context, n, s->head_dim);
    d->columns = buffer(context, n + 1, 1);
    d->x = buffer(context, n, s->dim);
    d->q = buffer(context, n, q_dim);
    d->attention = buffer(context, n, q_dim);
    d->hidden = buffer(context, n, s->hidden_dim);
    d->logits = buffer(context, n + 1, s->vocab_size);
    d->batch = (yt_batch){n, s->n_sequences, source->max_pages, d->tokens, d->positions, d->sequences, d->page_table, d->rope};
    yt_matrix **m = d->matrices;
    yt_buffer **b = d->biases;
    d->layer = (yt_layer){2, s->n_heads, s->n_kv_heads, s->head_dim, NORM_EPS, d->norm, m[WQ], m[WK], m[WV], m[WO], d->norm, m[W_GATE], m[W_UP],
        m[W_DOWN], b[WQ], b[WK], b[WV], b[WO], b[W_GATE], b[W_UP], b[W_DOWN], s->window};
    d->output = (yt_output){d->norm, m[TABLE], NORM_EPS};
}

void device_set_batch(device_model *d, const expected_batch *b, int64_t first, int64_t n)
{
    int64_t head_dim = d->source->shape.head_dim;
    d->batch.n_columns = n;
    upload(d->tokens, b->tokens + first, n);
    upload(d->positions, b->positions + first, n);
    upload(d->sequences, b->sequences + first, n);
    upload(d->rope, b->rope + first * head_dim, n * head_dim);
}

void device_destroy(device_model *d)
{
    for (int i = 0; i < N_MATRICES; i++) {
        yt_matrix_destroy(d->matrices[i]);
        yt_buffer_destroy(d->biases[i]);
    }
    yt_kv_destroy(d->kv);
    yt_buffer *all[] = {d->norm, d->tokens, d->positions, d->sequences, d->page_table, d->rope, d->columns, d->x, d->q, d->attention, d->hidden,
        d->logits};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        yt_buffer_destroy(all[i]);
    }
}
