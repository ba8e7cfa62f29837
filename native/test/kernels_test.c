/* The choice of kernels, two threads in one context, and contexts that come and go. */
#include "model.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kernels[MAX_KERNELS];
static int n_kernels;
static int n_failures;

#define CHECK(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "FAILED %s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__); \
            fprintf(stderr, "\n"); \
            n_failures++; \
        } \
    } while (0)

static const model_shape SHAPE = {.type = YT_F32, .values = NORMAL, .dim = 34, .n_heads = 2, .n_kv_heads = 1, .head_dim = 10, .hidden_dim = 70,
    .vocab_size = 100, .n_columns = 5, .n_sequences = 1, .page_positions = 16, .kv_type = YT_F32, .seed = 9};

static void check_refused(const char *name, const char *variable)
{
    if (variable == NULL) {
        unsetenv("YANGTUO_KERNEL");
    } else {
        setenv("YANGTUO_KERNEL", variable, 1);
    }
    yt_context *context = NULL;
    int32_t status = yt_context_create(name, 1, &context);
    CHECK(status == YT_ERR_UNSUPPORTED, "status %d", status);
    CHECK(context == NULL, "a context was made");
    CHECK(strstr(yt_last_error(), yt_kernel_names()) != NULL, "the message does not name the kernels: %s", yt_last_error());
    CHECK(variable == NULL || strstr(yt_last_error(), "YANGTUO_KERNEL") != NULL, "the message does not name the variable: %s", yt_last_error());
    unsetenv("YANGTUO_KERNEL");
}

static void check_names(void)
{
    check_refused("nonsense", NULL);
    check_refused("AVX2", NULL);
    check_refused("portable ", NULL);
    check_refused(NULL, "nonsense");
    CHECK(yt_kernel_supported("portable") == 1, "portable");
    CHECK(yt_kernel_supported("nonsense") == 0 && yt_kernel_supported("") == 0 && yt_kernel_supported(NULL) == 0, "unknown names");
    CHECK(yt_kernel_calls("nonsense") == 0 && yt_kernel_calls(NULL) == 0, "unknown names");
    CHECK(strcmp(yt_context_kernel(NULL), "") == 0, "NULL context");
    CHECK(yt_abi_version() == YT_ABI_VERSION, "%d", yt_abi_version());
    CHECK(strstr(yt_struct_layouts(), "yt_layer ") != NULL, "%s", yt_struct_layouts());
    CHECK(yt_cpu_features() != NULL, "NULL");
}

/* Without a name, the best supported one; the variable chooses, if no name is given. */
static void check_default(void)
{
    const char *best = kernels[0];
    for (int k = 1; k < n_kernels; k++) {
        best = yt_kernel_supported(kernels[k]) ? kernels[k] : best;
    }
    const struct {
        const char *name;
        const char *variable;
        const char *expected;
    } cases[] = {{NULL, NULL, best}, {NULL, "", best}, {NULL, "portable", "portable"}, {best, "portable", best}, {"portable", "nonsense", "portable"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].variable != NULL) {
            setenv("YANGTUO_KERNEL", cases[i].variable, 1);
        }
        yt_context *context = NULL;
        must(yt_context_create(cases[i].name, 1, &context), "yt_context_create");
        CHECK(strcmp(yt_context_kernel(context), cases[i].expected) == 0, "case %d: %s", (int)i, yt_context_kernel(context));
        yt_context_destroy(context);
        unsetenv("YANGTUO_KERNEL");
    }
}

/* A forced kernel runs, and no other. */
static void check_calls(const model *m)
{
    for (int k = 0; k < n_kernels; k++) {
        if (!yt_kernel_supported(kernels[k])) {
            printf("skipped: no kernels %s\n", kernels[k]);
            continue;
        }
        yt_context *context;
        device_model d;
        must(yt_context_create(kernels[k], 2, &context), "yt_context_create");
        CHECK(strcmp(yt_context_kernel(context), kernels[k]) == 0, "%s", yt_context_kernel(context));
        device_create(m, context, &d);
        device_set_batch(&d, &m->batches[0], 0, m->shape.n_columns);
        int64_t before[MAX_KERNELS];
        for (int i = 0; i < n_kernels; i++) {
            before[i] = yt_kernel_calls(kernels[i]);
        }
        must(yt_gate_up(context, &d.layer, &d.batch, d.x, d.hidden), "yt_gate_up");
        for (int i = 0; i < n_kernels; i++) {
            int64_t calls = yt_kernel_calls(kernels[i]) - before[i];
            CHECK(i == k ? calls > 0 : calls == 0, "%s forced, %s ran %lld times", kernels[k], kernels[i], (long long)calls);
        }
        device_destroy(&d);
        yt_context_destroy(context);
    }
}

/* ---- two threads in one context --------------------------------------------------------------------------------------------------- */

typedef struct {
    device_model *device;
    yt_buffer *logits;
    const expected_batch *batch;
    int64_t n_logits;
    float *actual;
    int n_done;
    int n_busy;
    int n_wrong;
    int n_other;
    atomic_int *ready;
} visitor;

static void *visit(void *argument)
{
    visitor *v = argument;
    device_model *d = v->device;
    atomic_fetch_add(v->ready, 1);
    while (atomic_load(v->ready) < 2) {
    }
    for (int i = 0; i < 300; i++) {
        int32_t status = yt_logits(d->context, &d->output, d->x, v->batch->n_outputs, d->columns, v->logits, NULL);
        if (status == YT_ERR_BUSY) {
            v->n_busy++;
            v->n_other += strstr(yt_last_error(), "another thread") == NULL;
        } else if (status == YT_OK) {
            v->n_done++;
            (void)yt_buffer_download(v->logits, 0, v->actual, v->n_logits * 4);
            v->n_wrong += memcmp(v->actual, v->batch->logits, (size_t)v->n_logits * 4) != 0;
        } else {
            v->n_other++;
        }
    }
    return NULL;
}

static void check_two_visitors(const model *m)
{
    yt_context *context;
    device_model d;
    must(yt_context_create(NULL, 2, &context), "yt_context_create");
    device_create(m, context, &d);
    const expected_batch *b = &m->batches[0];
    int64_t n_logits = b->n_outputs * m->shape.vocab_size;
    must(yt_buffer_upload(d.x, 0, b->x, m->shape.n_columns * m->shape.dim * 4), "upload");
    must(yt_buffer_upload(d.columns, 0, b->columns, b->n_outputs * 4), "upload");
    atomic_int ready = 0;
    visitor visitors[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        visitors[i] = (visitor){.device = &d, .batch = b, .n_logits = n_logits, .ready = &ready, .actual = malloc((size_t)n_logits * 4)};
        must(yt_buffer_create(context, n_logits * 4, &visitors[i].logits), "yt_buffer_create");
    }
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, visit, &visitors[i]) != 0) {
            fprintf(stderr, "the system gave no thread\n");
            exit(1);
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        CHECK(visitors[i].n_wrong == 0 && visitors[i].n_other == 0, "thread %d: %d wrong, %d with other errors, %d busy", i, visitors[i].n_wrong,
            visitors[i].n_other, visitors[i].n_busy);
        yt_buffer_destroy(visitors[i].logits);
        free(visitors[i].actual);
    }
    CHECK(visitors[0].n_done + visitors[1].n_done > 0, "nobody got in");
    device_destroy(&d);
    yt_context_destroy(context);
}

static void check_cycles(const model *m)
{
    for (int i = 0; i < 200; i++) {
        yt_context *context = NULL;
        must(yt_context_create(NULL, 1 + i % 5, &context), "yt_context_create");
        if (i % 20 == 0) {
            device_model d;
            device_create(m, context, &d);
            device_set_batch(&d, &m->batches[0], 0, m->shape.n_columns);
            must(yt_embed(context, d.matrices[TABLE], &d.batch, d.x), "yt_embed");
            must(yt_gate_up(context, &d.layer, &d.batch, d.x, d.hidden), "yt_gate_up");
            device_destroy(&d);
        }
        yt_context_destroy(context);
    }
}

int main(void)
{
    n_kernels = list_kernels(kernels);
    model m;
    model_create(&SHAPE, &m);
    check_names();
    check_default();
    check_calls(&m);
    check_two_visitors(&m);
    check_cycles(&m);
    model_destroy(&m);
    printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
