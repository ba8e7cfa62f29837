/*
 * The stages of a forward pass, put together from the families of kernels. Many columns are divided into launches of at most COLUMNS, so that scratch memory has a bound;
 * no result depends on it.
 */
#include "context.cuh"
#include "families.cuh"

enum { COLUMNS = 4096 };

/* Outputs whose candidates are chosen together, where there are no edits: these are counted over all outputs. */
enum { OUTPUTS = 64 };

static int64_t round_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static int64_t at_most(int64_t value, int64_t most)
{
    return value < most ? value : most;
}

/* ---- checks ----------------------------------------------------------------------------------------------------------------------- */

int32_t yt_check_matrix_type(yt_device_context *context, int32_t type, int64_t rows, int64_t columns)
{
    const int64_t most = 1 << 27; /* so that no number of a thread or an element of a row overflows */
    const int32_t status = yt_begin(context);
    if (status != YT_OK) {
        return status;
    }
    if (!yt_has_products(type)) {
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: there are no kernels for matrices of type %d; convert the model to another type, or use --device cpu", type);
    }
    if (rows > most || columns > most) {
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: a matrix of %lld x %lld is too large for its kernels; use --device cpu", (long long)rows, (long long)columns);
    }
    return YT_OK;
}

int32_t yt_check_kv_type(yt_device_context *context, int32_t type, int64_t head_dim)
{
    const char *problem = "";
    const int32_t status = yt_begin(context);
    if (status != YT_OK || yt_has_attention(type, head_dim, &problem)) {
        return status;
    }
    return yt_report(YT_ERR_UNSUPPORTED, "CUDA: keys and values of type %d with heads of %lld elements: %s", type, (long long)head_dim, problem);
}

/* ---- products --------------------------------------------------------------------------------------------------------------------- */

/* The columns that a stage multiplies. */
struct stage_input {
    const float *x;
    int64_t n_columns;
    int64_t width;
    const int32_t *columns; /* which rows of x; NULL: all */
    const float *norm;      /* NULL: none */
    float eps;
};

/* A type that stands for all that take their columns in the same form. */
static int32_t form_of(int32_t type)
{
    return type == YT_F32 || type == YT_F16 || type == YT_BF16 ? type : (int32_t)YT_Q8_0;
}

static bool is_first_of_form(const yt_device_matrix *matrices, int i)
{
    for (int before = 0; before < i; before++) {
        if (form_of(matrices[before].type) == form_of(matrices[i].type)) {
            return false;
        }
    }
    return true;
}

/* Scratch memory for the columns in every form that one of the matrices takes. */
static int64_t input_bytes(const stage_input &input, const yt_device_matrix *matrices, int n)
{
    int64_t bytes = 0;
    for (int i = 0; i < n; i++) {
        if (is_first_of_form(matrices, i)) {
            bytes += round_up(yt_activation_bytes(matrices[i].type, input.n_columns, input.width), 256);
        }
    }
    return bytes;
}

/* Prepares the columns in every form, in memory of input_bytes; out[i] is what matrix i takes. */
static void prepare_input(yt_queue &queue, const stage_input &input, const yt_device_matrix *matrices, int n, unsigned char *memory, yt_activations *out)
{
    for (int i = 0; i < n; i++) {
        if (is_first_of_form(matrices, i)) {
            out[i] = yt_activations_at(matrices[i].type, input.n_columns, input.width, memory);
            memory += round_up(yt_activation_bytes(matrices[i].type, input.n_columns, input.width), 256);
            yt_launch_prepare(queue, matrices[i].type, input.x, input.n_columns, input.width, input.columns, input.norm, input.eps, out[i]);
            continue;
        }
        for (int before = 0; before < i; before++) {
            if (form_of(matrices[before].type) == form_of(matrices[i].type)) {
                out[i] = out[before];
            }
        }
    }
}

/* The products of matrices that stand one below the other, with the input that is in memory of input_bytes; neighbours that take it in one form are multiplied together. */
static void multiply(yt_queue &queue, const stage_input &input, const yt_device_matrix *matrices, const float *const *biases, int n, yt_product_kind kind,
    unsigned char *memory, float *out, int64_t out_stride)
{
    yt_activations inputs[3];
    prepare_input(queue, input, matrices, n, memory, inputs);
    for (int i = 0; i < n;) {
        yt_products p = {};
        p.kind = kind;
        p.input = inputs[i];
        p.out = out;
        p.out_stride = out_stride;
        const int first = i;
        for (; i < n && form_of(matrices[i].type) == form_of(matrices[first].type); i++) {
            p.matrices[p.n_matrices] = matrices[i];
            p.biases[p.n_matrices] = biases[i];
            p.n_matrices++;
            out += matrices[i].rows;
        }
        yt_launch_products(queue, p);
    }
}

/* ---- SwiGLU of matrices that take their columns in two forms ----------------------------------------------------------------------- */

enum { THREADS = 256 };

struct swiglu_parameters {
    const float *products; /* [n_columns][2][n] */
    float *out;            /* [n_columns][n] */
    int64_t n;
    int64_t blocks_per_column;
};

/* Other products are finished by their own kernels; these are so rare that they are not worth more than this. */
static __global__ void __launch_bounds__(THREADS) swiglu(YT_PARAMETER(swiglu_parameters, p))
{
    const int64_t column = blockIdx.x / p.blocks_per_column;
    const int64_t i = blockIdx.x % p.blocks_per_column * THREADS + threadIdx.x;
    if (i < p.n) {
        const float gate = p.products[2 * column * p.n + i];
        const float up = p.products[(2 * column + 1) * p.n + i];
        p.out[column * p.n + i] = gate / (1.0f + yt_exp(-gate)) * up;
    }
}

cudaError_t yt_try_kernel()
{
    const char *what;
    yt_queue queue = {};
    const swiglu_parameters nothing = {nullptr, nullptr, 0, 1};
    yt_launch(queue, swiglu, dim3(1), dim3(THREADS), 0, nothing);
    cudaError_t error = yt_queue_flush(queue, nullptr, &what);
    if (error == cudaSuccess) {
        error = cudaStreamSynchronize(nullptr);
    }
    yt_queue_free(queue);
    return error;
}

/* ---- stages ----------------------------------------------------------------------------------------------------------------------- */

/* The batch of some of the columns. */
static yt_device_batch columns_of(const yt_device_batch &batch, int64_t first, int64_t n, int64_t head_dim)
{
    yt_device_batch part = batch;
    part.n_columns = n;
    part.positions += first;
    part.sequences += first;
    part.rope = batch.rope == nullptr ? nullptr : batch.rope + first * head_dim;
    return part;
}

int32_t yt_stage_embed(yt_device_context *context, const yt_device_matrix *table, const yt_device_batch *batch, float *x)
{
    const int32_t status = yt_begin_stage(context);
    for (int64_t first = 0; first < batch->n_columns && status == YT_OK; first += COLUMNS) {
        yt_launch_embed(context->queue, *table, batch->tokens + first, at_most(batch->n_columns - first, COLUMNS), x + first * table->columns);
    }
    return status;
}

static int32_t qkv_part(yt_device_context *context, const yt_device_layer &layer, const yt_device_batch &batch, const float *x, const yt_device_kv &kv, float *q)
{
    const yt_device_matrix matrices[] = {layer.wq, layer.wk, layer.wv};
    const float *const biases[] = {layer.q_bias, layer.k_bias, layer.v_bias};
    const stage_input input = {x, batch.n_columns, layer.wq.columns, nullptr, layer.attention_norm, layer.norm_eps};
    const int64_t n_rows = layer.wq.rows + layer.wk.rows + layer.wv.rows;
    const int64_t row_bytes = round_up(batch.n_columns * n_rows * 4, 256);
    void *scratch;
    const int32_t status = yt_reserve_scratch(context, YT_SCRATCH_STAGE, row_bytes + input_bytes(input, matrices, 3), &scratch);
    if (status == YT_OK) {
        float *const rows = (float *)scratch;
        multiply(context->queue, input, matrices, biases, 3, YT_PRODUCT_STORE, (unsigned char *)scratch + row_bytes, rows, n_rows);
        yt_launch_rope_append(context->queue, layer, batch, rows, kv, q);
    }
    return status;
}

int32_t yt_stage_qkv(yt_device_context *context, const yt_device_layer *layer, const yt_device_batch *batch, const float *x, const yt_device_kv *kv, float *q)
{
    int32_t status = yt_begin_stage(context);
    for (int64_t first = 0; first < batch->n_columns && status == YT_OK; first += COLUMNS) {
        const yt_device_batch part = columns_of(*batch, first, at_most(batch->n_columns - first, COLUMNS), layer->head_dim);
        status = qkv_part(context, *layer, part, x + first * layer->wq.columns, *kv, q + first * layer->wq.rows);
    }
    return status;
}

int32_t yt_stage_attention(
    yt_device_context *context, const yt_device_layer *layer, const yt_device_batch *batch, const float *q, const yt_device_kv *kv, float *out)
{
    const int64_t q_dim = layer->n_heads * layer->head_dim;
    int32_t status = yt_begin_stage(context);
    for (int64_t first = 0; first < batch->n_columns && status == YT_OK; first += COLUMNS) {
        const yt_device_batch part = columns_of(*batch, first, at_most(batch->n_columns - first, COLUMNS), layer->head_dim);
        void *scratch;
        status = yt_reserve_scratch(context, YT_SCRATCH_ATTENTION, yt_attention_scratch_bytes(*layer, part, *kv), &scratch);
        if (status == YT_OK) {
            yt_launch_attention(context->queue, *layer, part, q + first * q_dim, *kv, scratch, out + first * q_dim);
        }
    }
    return status;
}

int32_t yt_stage_add_product(
    yt_device_context *context, const yt_device_matrix *matrix, const float *bias, int64_t n_columns, const float *input, float *x)
{
    int32_t status = yt_begin_stage(context);
    for (int64_t first = 0; first < n_columns && status == YT_OK; first += COLUMNS) {
        const stage_input part = {input + first * matrix->columns, at_most(n_columns - first, COLUMNS), matrix->columns, nullptr, nullptr, 0.0f};
        void *scratch;
        status = yt_reserve_scratch(context, YT_SCRATCH_STAGE, input_bytes(part, matrix, 1), &scratch);
        if (status == YT_OK) {
            multiply(context->queue, part, matrix, &bias, 1, YT_PRODUCT_RESIDUAL, (unsigned char *)scratch, x + first * matrix->rows, matrix->rows);
        }
    }
    return status;
}

static int32_t gate_up_part(yt_device_context *context, const yt_device_layer &layer, int64_t n_columns, const float *x, float *hidden)
{
    const yt_device_matrix matrices[] = {layer.w_gate, layer.w_up};
    const float *const biases[] = {layer.gate_bias, layer.up_bias};
    const stage_input input = {x, n_columns, layer.w_gate.columns, nullptr, layer.ffn_norm, layer.norm_eps};
    const int64_t n = layer.w_gate.rows;
    const bool is_one_form = form_of(layer.w_gate.type) == form_of(layer.w_up.type);
    const int64_t product_bytes = is_one_form ? 0 : round_up(n_columns * 2 * n * 4, 256);
    void *scratch;
    const int32_t status = yt_reserve_scratch(context, YT_SCRATCH_STAGE, product_bytes + input_bytes(input, matrices, 2), &scratch);
    if (status != YT_OK) {
        return status;
    }
    unsigned char *const memory = (unsigned char *)scratch + product_bytes;
    if (is_one_form) {
        multiply(context->queue, input, matrices, biases, 2, YT_PRODUCT_SWIGLU, memory, hidden, n);
    } else {
        const swiglu_parameters p = {(const float *)scratch, hidden, n, (n + THREADS - 1) / THREADS};
        multiply(context->queue, input, matrices, biases, 2, YT_PRODUCT_STORE, memory, (float *)scratch, 2 * n);
        yt_launch(context->queue, swiglu, dim3((unsigned)(n_columns * p.blocks_per_column)), dim3(THREADS), 0, p);
    }
    return status;
}

int32_t yt_stage_gate_up(yt_device_context *context, const yt_device_layer *layer, int64_t n_columns, const float *x, float *hidden)
{
    int32_t status = yt_begin_stage(context);
    for (int64_t first = 0; first < n_columns && status == YT_OK; first += COLUMNS) {
        status = gate_up_part(context, *layer, at_most(n_columns - first, COLUMNS), x + first * layer->w_gate.columns, hidden + first * layer->w_gate.rows);
    }
    return status;
}

int32_t yt_stage_logits(yt_device_context *context, const yt_device_matrix *matrix, const float *norm, float norm_eps, const float *x, int64_t n_outputs,
    const int32_t *columns, float *logits, const yt_device_candidates *candidates)
{
    const float *no_bias = nullptr;
    void *scratch;
    int32_t status = yt_begin_stage(context);
    for (int64_t first = 0; first < n_outputs && status == YT_OK; first += COLUMNS) {
        const stage_input part = {x, at_most(n_outputs - first, COLUMNS), matrix->columns, columns + first, norm, norm_eps};
        status = yt_reserve_scratch(context, YT_SCRATCH_STAGE, input_bytes(part, matrix, 1), &scratch);
        if (status == YT_OK) {
            multiply(context->queue, part, matrix, &no_bias, 1, YT_PRODUCT_STORE, (unsigned char *)scratch, logits + first * matrix->rows, matrix->rows);
        }
    }
    const int64_t together = candidates == nullptr || candidates->edits != nullptr ? n_outputs : (int64_t)OUTPUTS;
    for (int64_t first = 0; candidates != nullptr && first < n_outputs && status == YT_OK; first += together) {
        const int64_t n = at_most(n_outputs - first, together);
        yt_device_candidates part = *candidates;
        part.ids += first * part.count;
        part.values += first * part.count;
        status = yt_reserve_scratch(context, YT_SCRATCH_STAGE, yt_candidate_scratch_bytes(n, part.n_choices, part.count), &scratch);
        if (status == YT_OK) {
            yt_launch_candidates(context->queue, part, n, matrix->rows, logits + first * matrix->rows, scratch);
        }
    }
    return status;
}
