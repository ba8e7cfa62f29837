/* The stages of a forward pass but self-attention (self_attention.c): checks of what comes in, and what happens with a finished tile. */
#include "candidates.h"
#include "checks.h"
#include "devices.h"
#include "error.h"
#include "products.h"

#include <string.h>

/* ---- embedding -------------------------------------------------------------------------------------------------------------------- */

static int32_t embed(yt_context *context, const yt_matrix *table, const yt_batch *batch, yt_buffer *x)
{
    const yt_stage stage = {context, "yt_embed"};
    YT_TRY(yt_check_columns(stage, batch));
    YT_TRY(yt_check_output(stage, x, NULL, batch));
    YT_TRY(yt_check_owner(stage, "table", table->context));
    YT_TRY(yt_check_ints(stage, "tokens", batch->tokens, batch->n_columns, 1));
    YT_TRY(yt_check_buffer(stage, "x", x, batch->n_columns, table->columns));
    for (int64_t c = 0; c < batch->n_columns; c++) {
        int64_t token = yt_int_at(batch->tokens, c);
        if (token < 0 || token >= table->rows) {
            return yt_fail(YT_ERR_ARGUMENT, "yt_embed: token %lld is outside the vocabulary of %lld", (long long)token, (long long)table->rows);
        }
    }
    if (yt_is_on_device(context)) {
        return yt_device_embed(context, table, batch, x);
    }
    for (int64_t c = 0; c < batch->n_columns; c++) {
        yt_matrix_decode_row(table, yt_int_at(batch->tokens, c), yt_floats(x) + c * table->columns);
    }
    return YT_OK;
}

int32_t yt_embed(yt_context *context, const yt_matrix *table, const yt_batch *batch, yt_buffer *x)
{
    YT_TRY(yt_enter(context, table != NULL && batch != NULL && x != NULL, "yt_embed"));
    return yt_leave(context, embed(context, table, batch, x));
}

/* ---- projections with the residual ------------------------------------------------------------------------------------------------ */

static void take_residual(
    const yt_product_stage *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    (void)second;
    for (int64_t c = 0; c < n_columns; c++) {
        float *x = p->out + (first_column + c) * p->matrices[m]->rows + first_row;
        for (int64_t i = 0; i < n_rows; i++) {
            x[i] = x[i] + tile[c * YT_TILE_ROWS + i];
        }
    }
}

static int32_t add_product(yt_context *context, const char *name, const yt_matrix *matrix, const yt_buffer *bias, const yt_batch *batch,
    const yt_buffer *input, yt_buffer *x)
{
    const yt_stage stage = {context, name};
    YT_TRY(yt_check_columns(stage, batch));
    YT_TRY(yt_check_owner(stage, "the matrix", matrix->context));
    YT_TRY(yt_check_bias(stage, "the bias", bias, matrix->rows, x));
    YT_TRY(yt_check_buffer(stage, "the input", input, batch->n_columns, matrix->columns));
    YT_TRY(yt_check_buffer(stage, "x", x, batch->n_columns, matrix->rows));
    if (yt_is_on_device(context)) {
        return yt_device_add_product(context, matrix, bias, batch->n_columns, input, x);
    }
    yt_product_stage p = {
        .context = context,
        .matrices = {matrix},
        .biases = {yt_bias(bias)},
        .n_matrices = 1,
        .n_columns = batch->n_columns,
        .width = matrix->columns,
        .x = yt_floats(input),
        .take = take_residual,
        .out = yt_floats(x),
    };
    return yt_product_run(&p);
}

int32_t yt_attention_output(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *attention, yt_buffer *x)
{
    bool complete = layer != NULL && layer->wo != NULL && batch != NULL && attention != NULL && x != NULL && attention != x;
    YT_TRY(yt_enter(context, complete, "yt_attention_output"));
    return yt_leave(context, add_product(context, "yt_attention_output", layer->wo, layer->o_bias, batch, attention, x));
}

int32_t yt_down(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *hidden, yt_buffer *x)
{
    bool complete = layer != NULL && layer->w_down != NULL && batch != NULL && hidden != NULL && x != NULL && hidden != x;
    YT_TRY(yt_enter(context, complete, "yt_down"));
    return yt_leave(context, add_product(context, "yt_down", layer->w_down, layer->down_bias, batch, hidden, x));
}

/* ---- gate and up ------------------------------------------------------------------------------------------------------------------ */

static void take_gate_up(
    const yt_product_stage *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    int64_t rounded = (n_rows + YT_GROUP - 1) / YT_GROUP * YT_GROUP;
    for (int64_t c = 0; c < n_columns; c++) {
        p->context->kernels->swiglu(tile + c * YT_TILE_ROWS, second + c * YT_TILE_ROWS, rounded);
        memcpy(p->out + (first_column + c) * p->matrices[m]->rows + first_row, tile + c * YT_TILE_ROWS, (size_t)n_rows * 4);
    }
}

static int32_t gate_up(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_buffer *hidden)
{
    const yt_stage stage = {context, "yt_gate_up"};
    YT_TRY(yt_check_columns(stage, batch));
    YT_TRY(yt_check_output(stage, hidden, layer->ffn_norm, NULL));
    int64_t dim = layer->w_gate == NULL ? 0 : layer->w_gate->columns;
    int64_t hidden_dim = layer->w_gate == NULL ? 0 : layer->w_gate->rows;
    YT_TRY(yt_check_matrix(stage, "w_gate", layer->w_gate, hidden_dim, dim));
    YT_TRY(yt_check_matrix(stage, "w_up", layer->w_up, hidden_dim, dim));
    YT_TRY(yt_check_bias(stage, "gate_bias", layer->gate_bias, hidden_dim, hidden));
    YT_TRY(yt_check_bias(stage, "up_bias", layer->up_bias, hidden_dim, hidden));
    YT_TRY(yt_check_buffer(stage, "ffn_norm", layer->ffn_norm, dim, 1));
    YT_TRY(yt_check_buffer(stage, "x", x, batch->n_columns, dim));
    YT_TRY(yt_check_buffer(stage, "hidden", hidden, batch->n_columns, hidden_dim));
    if (yt_is_on_device(context)) {
        return yt_device_gate_up(context, layer, batch->n_columns, x, hidden);
    }
    yt_product_stage p = {
        .context = context,
        .matrices = {layer->w_gate, layer->w_up},
        .biases = {yt_bias(layer->gate_bias), yt_bias(layer->up_bias)},
        .n_matrices = 2,
        .paired = true,
        .n_columns = batch->n_columns,
        .width = dim,
        .x = yt_floats(x),
        .norm_weight = yt_floats(layer->ffn_norm),
        .norm_eps = layer->norm_eps,
        .take = take_gate_up,
        .out = yt_floats(hidden),
    };
    return yt_product_run(&p);
}

int32_t yt_gate_up(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_buffer *hidden)
{
    YT_TRY(yt_enter(context, layer != NULL && batch != NULL && x != NULL && hidden != NULL && x != hidden, "yt_gate_up"));
    return yt_leave(context, gate_up(context, layer, batch, x, hidden));
}

/* ---- logits ----------------------------------------------------------------------------------------------------------------------- */

static void take_logits(
    const yt_product_stage *p, int m, int64_t first_row, int64_t n_rows, int64_t first_column, int64_t n_columns, float *tile, float *second)
{
    (void)second;
    for (int64_t c = 0; c < n_columns; c++) {
        memcpy(p->out + (first_column + c) * p->matrices[m]->rows + first_row, tile + c * YT_TILE_ROWS, (size_t)n_rows * 4);
    }
}

/* The candidates of one output after the other, whoever has time. */
static void choose_afterwards(const yt_product_stage *p, int32_t worker)
{
    (void)worker;
    const yt_candidates *wanted = p->argument;
    const int64_t vocab_size = p->matrices[0]->rows;
    atomic_llong *next = &yt_counter_of(p->context, 0)->next_item;
    for (int64_t i = atomic_fetch_add(next, 1); i < p->n_columns; i = atomic_fetch_add(next, 1)) {
        float *logits = p->out + i * vocab_size;
        yt_edit_logits(wanted, i, logits);
        yt_choose(logits, wanted->n_choices, wanted->count, (int32_t *)wanted->ids->data + i * wanted->count, yt_floats(wanted->values) + i * wanted->count);
    }
}

static int32_t check_logits(yt_stage stage, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, const yt_buffer *logits)
{
    const yt_matrix *matrix = output->matrix;
    if (n_outputs < 1 || n_outputs > INT32_MAX) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld outputs", stage.name, (long long)n_outputs);
    }
    YT_TRY(yt_check_output(stage, logits, output->norm, NULL));
    YT_TRY(yt_check_owner(stage, "matrix", matrix->context));
    YT_TRY(yt_check_buffer(stage, "norm", output->norm, matrix->columns, 1));
    YT_TRY(yt_check_ints(stage, "columns", columns, n_outputs, 1));
    YT_TRY(yt_check_buffer(stage, "logits", logits, n_outputs, matrix->rows));
    for (int64_t i = 0; i < n_outputs; i++) {
        int64_t column = yt_int_at(columns, i);
        if (column < 0) {
            return yt_fail(YT_ERR_ARGUMENT, "%s: output %lld is column %lld", stage.name, (long long)i, (long long)column);
        }
        YT_TRY(yt_check_buffer(stage, "x", x, column + 1, matrix->columns));
    }
    return YT_OK;
}

static int32_t logits_stage(yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns,
    yt_buffer *logits, const yt_candidates *candidates)
{
    const yt_stage stage = {context, "yt_logits"};
    const yt_matrix *matrix = output->matrix;
    YT_TRY(check_logits(stage, output, x, n_outputs, columns, logits));
    if (candidates != NULL) {
        const yt_buffer *others[] = {x, columns, logits, output->norm};
        YT_TRY(yt_check_candidates(stage, candidates, n_outputs, matrix->rows, others, sizeof others / sizeof others[0]));
    }
    if (yt_is_on_device(context)) {
        return yt_device_logits(context, output, x, n_outputs, columns, logits, candidates);
    }
    yt_product_stage p = {
        .context = context,
        .matrices = {matrix},
        .n_matrices = 1,
        .n_columns = n_outputs,
        .width = matrix->columns,
        .x = yt_floats(x),
        .columns = (const int32_t *)columns->data,
        .norm_weight = yt_floats(output->norm),
        .norm_eps = output->norm_eps,
        .take = take_logits,
        .out = yt_floats(logits),
    };
    yt_candidates wanted; /* p.argument is not const */
    if (candidates != NULL) {
        wanted = *candidates;
        p.afterwards = choose_afterwards;
        p.argument = &wanted;
    }
    return yt_product_run(&p);
}

int32_t yt_logits(yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, yt_buffer *logits,
    const yt_candidates *candidates)
{
    bool complete = output != NULL && output->matrix != NULL && x != NULL && columns != NULL && logits != NULL && x != logits && columns != logits;
    YT_TRY(yt_enter(context, complete, "yt_logits"));
    return yt_leave(context, logits_stage(context, output, x, n_outputs, columns, logits, candidates));
}
