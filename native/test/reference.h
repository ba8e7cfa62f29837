/*
 * The arithmetic of docs/kernels.md as plain loops over row-major data. It shares no code with the library: it reads weights as GGML stores them, and
 * converts binary16 through double. Every array is float32, row-major, slowest dimension first.
 */
#ifndef YT_TEST_REFERENCE_H
#define YT_TEST_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/* An element type. */
typedef struct {
    int32_t type;
    const char *name;
    int block_elements;
    int block_bytes;
    int part_elements; /* that share a scale; 0 for unquantized types */
    bool has_minimums;
} ref_type;

/* One element of a block: scale * q - minimum. */
typedef struct {
    int q;
    float scale;
    float minimum;
} ref_element;

/* A weight matrix as GGML stores it. */
typedef struct {
    int32_t type;
    int64_t rows;
    int64_t columns;
    int64_t row_bytes;
    uint8_t *bytes;
    const float *bias;     /* [rows], added to every product; NULL if there is none */
    ref_element *elements; /* [rows][columns] of a quantized type: what ref_read_elements found */
} ref_matrix;

/*
 * Keys or values: [sequence][position][kv_dim]. What was never written is zero. Of a quantized type, keys and values are the integers, and each element's scale stands at
 * the same place of the scales.
 */
typedef struct {
    int64_t max_positions;
    int64_t kv_dim;
    int32_t type;
    float *keys;
    float *values;
    float *key_scales;   /* NULL if the type has none */
    float *value_scales;
} ref_kv;

typedef struct {
    int64_t n_columns;
    const int32_t *positions;
    const int32_t *sequences;
    const float *rope; /* [n_columns][head_dim / 2][2] */
} ref_batch;

typedef struct {
    int64_t n_heads;
    int64_t n_kv_heads;
    int64_t head_dim;
    int64_t window; /* positions that a column sees; 0: all */
} ref_heads;

/* The value of 16 bits as binary16. */
double ref_half_value(uint16_t bits);

/* The binary16 nearest to a value, ties to even; NaN becomes 0x7E00 with the sign lost. */
uint16_t ref_half_bits(double value);

/* NULL for an unknown type. */
const ref_type *ref_find_type(int32_t type);

/* Element i of a block of a quantized type. */
ref_element ref_block_element(int32_t type, const uint8_t *block, int i);

uint16_t ref_read16(const uint8_t *p);

/* Bytes of a row; -1 if the blocks of the type do not divide it. */
int64_t ref_row_bytes(int32_t type, int64_t columns);

/* Fills elements of a quantized matrix from its bytes; products and rows need them. */
void ref_read_elements(ref_matrix *m);

void ref_row(const ref_matrix *m, int64_t row, float *out);
void ref_rms_norm(const float *x, const float *weight, int64_t dim, float eps, float *y);
float ref_exp(float x);

/* y[rows] = m x + bias. */
void ref_product(const ref_matrix *m, const float *x, float *y);

void ref_embed(const ref_matrix *table, const int32_t *tokens, int64_t n_columns, float *x);
void ref_qkv(const ref_matrix *wq, const ref_matrix *wk, const ref_matrix *wv, const float *norm, float eps, const ref_heads *heads,
    const ref_batch *batch, const float *x, ref_kv *kv, float *q);
void ref_attention(const ref_heads *heads, const ref_batch *batch, const float *q, const ref_kv *kv, float *out);

/* Stores a row, kv_dim elements at index at, of keys or of values, as the type has them. */
void ref_store_kv(const ref_kv *kv, bool is_value, int64_t head_dim, int64_t at, const float *source);

/* Attention of one query: [head_dim]; it sees positions first to end - 1 of kv's first sequence and the KV head that begins at element offset. */
void ref_attend(const ref_kv *kv, int64_t offset, int64_t head_dim, int64_t first, int64_t end, const float *q, float *out);

/* x += m input, of n_columns columns. */
void ref_add_product(const ref_matrix *m, int64_t n_columns, const float *input, float *x);
void ref_gate_up(const ref_matrix *gate, const ref_matrix *up, const float *norm, float eps, int64_t n_columns, const float *x, float *hidden);
void ref_logits(const ref_matrix *m, const float *norm, float eps, const int32_t *columns, int64_t n_outputs, const float *x, float *logits);

#endif
