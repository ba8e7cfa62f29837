/* One layer with everything around it, twice: as objects of the library and as the reference's arrays, from a seed. */
#ifndef YT_TEST_MODEL_H
#define YT_TEST_MODEL_H

#include "reference.h"
#include "yangtuo.h"

#include <stdbool.h>

/* What the weights, and through the embedding the activations, look like. */
typedef enum { NORMAL, ZEROS, SUBNORMAL, LARGE, ALTERNATING, MAX_QUANTS, N_MAGNITUDES } magnitude;

/* Takes the types of a list in turn, instead of one for all matrices. */
enum { MIXED_TYPES = -1 };

typedef struct {
    int32_t type; /* of all matrices whose columns fit it (the others are F32), or MIXED_TYPES */
    magnitude values;
    int64_t dim;
    int64_t n_heads;
    int64_t n_kv_heads;
    int64_t head_dim;
    int64_t hidden_dim;
    int64_t vocab_size;
    int64_t n_columns; /* of a batch */
    int64_t n_sequences;
    int32_t page_positions;
    int32_t kv_type;
    int64_t window; /* 0: none */
    uint64_t seed; /* an even one: some projections have biases, all of them if 4 divides it */
} model_shape;

enum { WQ, WK, WV, WO, W_GATE, W_UP, W_DOWN, TABLE, N_MATRICES };

/* Batches that follow each other, so that attention looks back at what an earlier one wrote. */
enum { N_BATCHES = 2 };

/* What every stage must give for one batch. */
typedef struct {
    int32_t *tokens;
    int32_t *positions;
    int32_t *sequences;
    int32_t *columns; /* of the outputs: [n_outputs] */
    int64_t n_outputs;
    float *rope;
    float *embedded;
    float *q;
    float *attention;
    float *residual; /* x after attention */
    float *hidden;
    float *x; /* at the end */
    float *logits;
} expected_batch;

typedef struct {
    model_shape shape;
    ref_matrix matrices[N_MATRICES];
    float *norm;
    float *biases[N_MATRICES]; /* [rows] or NULL */
    int64_t max_pages;
    int32_t *page_table; /* [n_sequences][max_pages], pages in no order */
    expected_batch batches[N_BATCHES];
} model;

/* The model on one context. */
typedef struct {
    const model *source;
    yt_context *context;
    yt_matrix *matrices[N_MATRICES];
    yt_kv *kv;
    yt_buffer *norm;
    yt_buffer *biases[N_MATRICES];
    yt_buffer *tokens, *positions, *sequences, *page_table, *rope, *columns;
    yt_buffer *x, *q, *attention, *hidden, *logits;
    yt_batch batch;
    yt_layer layer;
    yt_output output;
} device_model;

const char *type_name(int32_t type);
const char *magnitude_name(magnitude m);

/* "type F16, normal, dim 96, ..., seed 7" of the calling thread's last call. */
const char *shape_text(const model_shape *shape);

/* Creates random weights and computes what is expected. */
void model_create(const model_shape *shape, model *out);
void model_destroy(model *m);

void device_create(const model *source, yt_context *context, device_model *out);
void device_destroy(device_model *d);

/* Puts columns first to first + n - 1 of a batch into the buffers. */
void device_set_batch(device_model *d, const expected_batch *b, int64_t first, int64_t n);

/* A context of a device, the first one, of a library of its kernels. */
yt_context *create_device_context(const char *library);

/* The kernels compiled in, best last; returns how many. The texts are valid until the next call. */
enum { MAX_KERNELS = 8 };
int list_kernels(const char *names[MAX_KERNELS]);

/* Ends the program with the library's message if status is not YT_OK. */
void must(int32_t status, const char *what);

#endif
