/*
 * The families of kernels, one .cu each, as the stages (stages.cu) call them. All put launches into the queue; arguments were checked. Pointers are the device's;
 * shapes and formulas are those of yangtuo.h and docs/kernels.md, orders of operations those of docs/cuda.md.
 */
#ifndef YT_FAMILIES_CUH
#define YT_FAMILIES_CUH

#include "../src/device.h"
#include "launch.cuh"

/*
 * What products take of their columns, as the matrix's type wants it.
 *  Quantized types: quants int8 [n_columns][width]; scales float32 [n_columns][width / 32]; sums int32 [n_columns][width / 16], of sixteen quants each.
 *  F32: floats [n_columns][width].
 *  F16: halves uint16 [n_columns][2][width]: the column times 2^-exponent as a sum of two binary16, the larger first; exponents int32 [n_columns].
 *  BF16: halves uint16 [n_columns][width rounded up to 2]: bfloat16, to nearest even; an odd last one is followed by zero.
 */
struct yt_activations {
    int64_t n_columns;
    int64_t width;
    int8_t *quants;
    float *scales;
    int32_t *sums;
    float *floats;
    uint16_t *halves;
    int32_t *exponents;
};

/* Bytes of device memory that yt_activations for a type take, and its pointers into memory of that size, aligned to 256. */
int64_t yt_activation_bytes(int32_t type, int64_t n_columns, int64_t width);
yt_activations yt_activations_at(int32_t type, int64_t n_columns, int64_t width, void *memory);

/* ---- elements.cu ------------------------------------------------------------------------------------------------------------------ */

/* x[c] = row tokens[c] of table, as float32. */
void yt_launch_embed(yt_queue &queue, const yt_device_matrix &table, const int32_t *tokens, int64_t n_columns, float *x);

/*
 * RMSNorm and quantization: out = x, or rms_norm(x) * norm where norm is not NULL, as a product of that type takes it. columns: int32 [n_columns], which rows of x; NULL: 0, 1,
 * 2 and so on.
 */
void yt_launch_prepare(yt_queue &queue, int32_t type, const float *x, int64_t n_columns, int64_t width, const int32_t *columns, const float *norm, float eps,
    const yt_activations &out);

/* RoPE and append: of rows [n_columns][q_dim + 2 kv_dim] (queries, keys, values, biases added) the queries, turned, go to q, the keys, turned, and the values into the pages. */
void yt_launch_rope_append(
    yt_queue &queue, const yt_device_layer &layer, const yt_device_batch &batch, const float *rows, const yt_device_kv &kv, float *q);

/* ---- products.cu (dp4a), products_mma.cu (tensor cores, integers), products_float.cu (F16, BF16, F32) ------------------------------- */

enum yt_product_kind {
    YT_PRODUCT_STORE,    /* out[c][first_row of the matrix + r] = product + bias, over all matrices one below the other */
    YT_PRODUCT_RESIDUAL, /* out[c][r] = out[c][r] + (product + bias) */
    YT_PRODUCT_SWIGLU    /* two matrices of one shape: out[c][r] = silu(first + bias) * (second + bias) */
};

struct yt_products {
    yt_device_matrix matrices[3]; /* of one width, whose types take their columns in one form */
    const float *biases[3];
    int n_matrices;
    yt_product_kind kind;
    yt_activations input;
    float *out;
    int64_t out_stride; /* elements from a column to the next */
};

/* Columns up to which quantized matrices are multiplied by dp4a, eight at a time. */
enum { YT_DP4A_COLUMNS = 32 };

/* Whether there are kernels for a type. */
bool yt_has_products(int32_t type);
void yt_launch_products(yt_queue &queue, const yt_products &products);

/* ---- attention.cu ----------------------------------------------------------------------------------------------------------------- */

/* Whether there are kernels for keys and values of a type and head size; problem, if not: why. */
bool yt_has_attention(int32_t type, int64_t head_dim, const char **problem);

/*
 * Bytes of scratch memory that attention needs, 0 if none. It is zero at first and nobody else's, but launches of other shapes find what these left there.
 */
int64_t yt_attention_scratch_bytes(const yt_device_layer &layer, const yt_device_batch &batch, const yt_device_kv &kv);

/* q, out: float32 [n_columns][q_dim]. */
void yt_launch_attention(yt_queue &queue, const yt_device_layer &layer, const yt_device_batch &batch, const float *q, const yt_device_kv &kv, void *scratch, float *out);

/* ---- candidates.cu ---------------------------------------------------------------------------------------------------------------- */

/* Bytes of scratch memory for candidates; it holds anything. */
int64_t yt_candidate_scratch_bytes(int64_t n_outputs, int64_t n_choices, int64_t count);

/* Edits the logits and chooses (yt_candidates in yangtuo.h). */
void yt_launch_candidates(
    yt_queue &queue, const yt_device_candidates &candidates, int64_t n_outputs, int64_t vocab_size, float *logits, void *scratch);

#endif
