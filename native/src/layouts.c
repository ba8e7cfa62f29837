/* What the structs of yangtuo.h look like as compiled, so that bindings can be held against them. */
#include "../include/yangtuo.h"

#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *name;
    size_t offset;
} field;

typedef struct {
    const char *name;
    size_t size;
    const field *fields;
    size_t n_fields;
} layout;

#define FIELD(type, name) {#name, offsetof(type, name)}
#define LAYOUT(type, fields) {#type, sizeof(type), fields, sizeof(fields) / sizeof((fields)[0])}

static const field KV_SHAPE[] = {
    FIELD(yt_kv_shape, type), FIELD(yt_kv_shape, page_positions), FIELD(yt_kv_shape, n_pages), FIELD(yt_kv_shape, n_layers),
    FIELD(yt_kv_shape, n_kv_heads), FIELD(yt_kv_shape, head_dim),
};

static const field BATCH[] = {
    FIELD(yt_batch, n_columns), FIELD(yt_batch, n_sequences), FIELD(yt_batch, max_pages), FIELD(yt_batch, tokens),
    FIELD(yt_batch, positions), FIELD(yt_batch, sequences), FIELD(yt_batch, page_table), FIELD(yt_batch, rope),
};

static const field LAYER[] = {
    FIELD(yt_layer, index), FIELD(yt_layer, n_heads), FIELD(yt_layer, n_kv_heads), FIELD(yt_layer, head_dim),
    FIELD(yt_layer, norm_eps), FIELD(yt_layer, attention_norm), FIELD(yt_layer, wq), FIELD(yt_layer, wk), FIELD(yt_layer, wv),
    FIELD(yt_layer, wo), FIELD(yt_layer, ffn_norm), FIELD(yt_layer, w_gate), FIELD(yt_layer, w_up), FIELD(yt_layer, w_down),
    FIELD(yt_layer, q_bias), FIELD(yt_layer, k_bias), FIELD(yt_layer, v_bias), FIELD(yt_layer, o_bias), FIELD(yt_layer, gate_bias),
    FIELD(yt_layer, up_bias), FIELD(yt_layer, down_bias), FIELD(yt_layer, window),
};

static const field OUTPUT[] = {
    FIELD(yt_output, norm), FIELD(yt_output, matrix), FIELD(yt_output, norm_eps),
};

static const field EDIT[] = {
    FIELD(yt_edit, id), FIELD(yt_edit, divisor), FIELD(yt_edit, addend),
};

static const field CANDIDATES[] = {
    FIELD(yt_candidates, count), FIELD(yt_candidates, n_choices), FIELD(yt_candidates, ids), FIELD(yt_candidates, values), FIELD(yt_candidates, edits), FIELD(yt_candidates, edit_ends),
};

static const field DEVICE_INFO[] = {
    FIELD(yt_device_info, total_bytes), FIELD(yt_device_info, free_bytes), FIELD(yt_device_info, compute_capability), FIELD(yt_device_info, multiprocessors),
    FIELD(yt_device_info, is_usable), FIELD(yt_device_info, reserved), FIELD(yt_device_info, name), FIELD(yt_device_info, problem),
};

static const layout LAYOUTS[] = {
    LAYOUT(yt_kv_shape, KV_SHAPE),
    LAYOUT(yt_batch, BATCH),
    LAYOUT(yt_layer, LAYER),
    LAYOUT(yt_output, OUTPUT),
    LAYOUT(yt_edit, EDIT),
    LAYOUT(yt_candidates, CANDIDATES),
    LAYOUT(yt_device_info, DEVICE_INFO),
};

const char *yt_struct_layouts(void)
{
    static _Thread_local char text[2048];
    size_t used = 0;
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof LAYOUTS[0]; i++) {
        const layout *l = &LAYOUTS[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %zu", l->name, l->size);
        for (size_t f = 0; f < l->n_fields; f++) {
            used += (size_t)snprintf(text + used, sizeof text - used, " %s:%zu", l->fields[f].name, l->fields[f].offset);
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
    }
    return text;
}
