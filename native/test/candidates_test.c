/*
 * The candidates that yt_logits chooses, against a sort of all logits. The model's one input is 1, so that a logit is what its row holds: the tests say what the
 * logits are.
 */
#include "model.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VOCAB = 50000 };

static int n_failures;

typedef struct {
    float logit;
    int32_t id;
} entry;

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    if (isnan(x->logit) != isnan(y->logit)) {
        return isnan(x->logit) ? -1 : 1;
    }
    if (x->logit != y->logit && !isnan(x->logit)) {
        return x->logit > y->logit ? -1 : 1;
    }
    return x->id < y->id ? -1 : 1;
}

/* A matrix with one column, whose product with the normed input, exactly 1, are the values; two more rows are padding. */
typedef struct {
    yt_context *context;
    yt_matrix *matrix;
    yt_buffer *norm, *x, *columns, *logits, *ids, *values, *edits, *edit_ends;
    int64_t vocab_size;
} fixture;

static yt_buffer *buffer_of(yt_context *context, int64_t elements, const void *values)
{
    yt_buffer *buffer;
    must(yt_buffer_create(context, elements * 4, &buffer), "yt_buffer_create");
    if (values != NULL) {
        must(yt_buffer_upload(buffer, 0, values, elements * 4), "yt_buffer_upload");
    }
    return buffer;
}

static void create(yt_context *context, const float *values, int64_t n, int64_t outputs, int64_t count, fixture *f)
{
    float *ones = malloc((size_t)outputs * 4);
    int32_t *columns = malloc((size_t)outputs * 4);
    for (int64_t i = 0; i < outputs; i++) {
        ones[i] = 1.0f;
        columns[i] = (int32_t)i;
    }
    *f = (fixture){.context = context, .norm = buffer_of(context, 1, ones), .x = buffer_of(context, outputs, ones), .columns = buffer_of(context, outputs, columns),
        .logits = buffer_of(context, outputs * (n + 2), NULL), .ids = buffer_of(context, outputs * count, NULL), .values = buffer_of(context, outputs * count, NULL),
        .vocab_size = n};
    const float padding[2] = {1e30f, NAN}; /* must not be chosen */
    must(yt_matrix_create(context, YT_F32, n + 2, 1, &f->matrix), "yt_matrix_create");
    must(yt_matrix_upload(f->matrix, 0, n, values, n * 4), "yt_matrix_upload");
    must(yt_matrix_upload(f->matrix, n, 2, padding, sizeof padding), "yt_matrix_upload");
    free(ones);
    free(columns);
}

static void destroy(fixture *f)
{
    yt_buffer *all[] = {f->norm, f->x, f->columns, f->logits, f->ids, f->values, f->edits, f->edit_ends};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        yt_buffer_destroy(all[i]);
    }
    yt_matrix_destroy(f->matrix);
}

static float edited(float logit, const yt_edit *edit)
{
    return (logit > 0.0f ? logit / edit->divisor : logit * edit->divisor) + edit->addend;
}

/* All outputs have the same logits before their edits: edits[i] for output i, each of them n_edits. */
static void check(const char *what, yt_context *context, const float *values, int64_t n, int64_t outputs, int64_t count, const yt_edit *edits, int64_t n_edits)
{
    fixture f;
    create(context, values, n, outputs, count, &f);
    if (n_edits > 0) {
        int32_t *ends = malloc((size_t)outputs * 4);
        for (int64_t i = 0; i < outputs; i++) {
            ends[i] = (int32_t)((i + 1) * n_edits);
        }
        f.edits = buffer_of(context, outputs * n_edits * 3, edits);
        f.edit_ends = buffer_of(context, outputs, ends);
        free(ends);
    }
    yt_output output = {f.norm, f.matrix, 0.0f};
    yt_candidates wanted = {count, n, f.ids, f.values, f.edits, f.edit_ends};
    must(yt_logits(context, &output, f.x, outputs, f.columns, f.logits, &wanted), "yt_logits");
    int32_t *ids = malloc((size_t)(outputs * count) * 4);
    float *logits = malloc((size_t)(outputs * count) * 4);
    entry *all = malloc((size_t)n * sizeof *all);
    must(yt_buffer_download(f.ids, 0, ids, outputs * count * 4), "yt_buffer_download");
    must(yt_buffer_download(f.values, 0, logits, outputs * count * 4), "yt_buffer_download");
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t i = 0; i < n; i++) {
            all[i] = (entry){values[i], (int32_t)i};
        }
        for (int64_t i = 0; i < n_edits; i++) {
            const yt_edit *edit = &edits[o * n_edits + i];
            all[edit->id].logit = edited(all[edit->id].logit, edit);
        }
        qsort(all, (size_t)n, sizeof *all, compare_entries);
        for (int64_t i = 0; i < count; i++) {
            float value = logits[o * count + i];
            bool same = value == all[i].logit || (isnan(value) && isnan(all[i].logit));
            if (ids[o * count + i] != all[i].id || !same) {
                fprintf(stderr, "FAILED %s, %lld logits, output %lld: candidate %lld of %lld is %d (%g), expected %d (%g)\n", what, (long long)n, (long long)o,
                    (long long)i, (long long)count, ids[o * count + i], (double)value, all[i].id, (double)all[i].logit);
                n_failures++;
                break;
            }
        }
    }
    free(ids);
    free(logits);
    free(all);
    destroy(&f);
}

/* brief: some sizes and numbers of candidates alone. */
static void check_values(yt_context *context, uint64_t seed, bool brief)
{
    static const int64_t sizes[] = {1, 2, 63, 64, 65, 1000, 1024, 1025, MAX_VOCAB - 47};
    static const int64_t counts[] = {1, 2, 40, 64, 1000, YT_MAX_CANDIDATES};
    static float values[MAX_VOCAB];
    static yt_edit edits[3 * 100];
    uint64_t state = seed;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const int64_t n = sizes[s];
        for (size_t c = 0; c < sizeof counts / sizeof counts[0] && counts[c] <= n; c++) {
            if (brief && (s + c) % 4 != 0) {
                continue;
            }
            for (int64_t i = 0; i < n; i++) {
                values[i] = (float)random_normal(&state);
            }
            for (int i = 0; i < 300; i++) {
                edits[i] = (yt_edit){(int32_t)(random_bits(&state) % (uint64_t)n), 1.0f + (float)(i % 3) * 0.25f, (float)(i % 5 - 2)};
            }
            check("random", context, values, n, 3, counts[c], edits, 100);
            check("no edits", context, values, n, 2, counts[c], NULL, 0);
            for (int64_t i = 0; i < n; i++) { /* a few different values, of which two are the same number */
                static const float few[] = {1.0f, 0.0f, -0.0f, -INFINITY, -1.0f};
                values[i] = few[random_bits(&state) % 5];
            }
            check("equal values", context, values, n, 1, counts[c], NULL, 0);
            for (int64_t i = 0; i < n; i++) {
                values[i] = (float)i;
            }
            check("ascending", context, values, n, 1, counts[c], NULL, 0);
            for (int64_t i = 0; i < n; i++) {
                values[i] = -(float)i;
            }
            values[n / 2] = NAN;
            values[n - 1] = -NAN;
            values[n / 3] = INFINITY;
            check("descending, with NaN", context, values, n, 1, counts[c], NULL, 0);
        }
    }
}

/* With --device LIBRARY on the first device of a library of kernels, some sizes alone, or with --all behind it all. */
int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--device") == 0) {
        yt_context *context = create_device_context(argv[2]);
        check_values(context, 1, argc == 3);
        yt_context_destroy(context);
        printf("%d failures\n", n_failures);
        return n_failures == 0 ? 0 : 1;
    }
    for (int32_t threads = 1; threads <= 3; threads++) {
        yt_context *context;
        must(yt_context_create(NULL, threads, &context), "yt_context_create");
        check_values(context, (uint64_t)threads, false);
        yt_context_destroy(context);
    }
    printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
