/* Embedding, norms and quantization, RoPE and what is written into pages, against the processor's functions, with ==. */
#include "direct_queue.h"
#include "families.cuh"
#include "processor.h"

extern "C" {
#include "../reference.h"
}
#include "../../src/half.h"
#include "../random.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

static int n_failures;
static yt_context *context;

static void check(bool is_right, const char *what, int32_t type, long long size)
{
    if (!is_right) {
        std::fprintf(stderr, "FAILED %s, type %d, size %lld\n", what, type, size);
        n_failures++;
    }
}

/* The same bits, or both NaN. */
static bool is_same(const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (std::memcmp(&a[i], &b[i], 4) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) {
            return false;
        }
    }
    return true;
}

/* Values in which something is to be seen: blocks of 32 that are ordinary, zero, tiny, huge, of one magnitude, at the borders of rounding, or damaged. */
static std::vector<float> values_of(int64_t n, bool has_damage, uint64_t *state)
{
    std::vector<float> x(n);
    int64_t kind = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i % 32 == 0) {
            kind = random_below(state, 16);
        }
        static const float scales[16] = {0.0f, -0.0f, 1e-45f, 1e-38f, 1e-31f, 1e-6f, 3e4f, 1e18f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
        x[i] = kind == 15 ? (random_below(state, 2) == 0 ? 0.75f : -0.75f) : random_normal(state) * scales[kind];
        if (kind == 13) {
            static const float borders[] = {127.0f, 0x1.fffffep-2f, -0x1.fffffep-2f, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f};
            x[i] = borders[i % 32 == 0 ? 0 : random_below(state, 8)];
        }
        if (has_damage && kind == 14 && random_below(state, 20) == 0) {
            static const float damage[] = {INFINITY, -INFINITY, NAN, -NAN};
            x[i] = damage[random_below(state, 4)];
        }
    }
    return x;
}

/* ---- embedding ---------------------------------------------------------------------------------------------------------------------- */

static const int32_t TYPES[] = {YT_F32, YT_F16, YT_BF16, YT_Q4_0, YT_Q4_1, YT_Q5_0, YT_Q5_1, YT_Q8_0, YT_Q2_K, YT_Q3_K, YT_Q4_K, YT_Q5_K, YT_Q6_K, YT_IQ4_NL,
    YT_IQ4_XS, YT_MXFP4};

/* Any bytes are a matrix; some of their scales are NaN. */
static void check_embed(int32_t type, int64_t rows, int64_t columns, uint64_t *state)
{
    std::vector<uint8_t> bytes(rows * ref_row_bytes(type, columns));
    for (auto &byte : bytes) {
        byte = (uint8_t)random_bits(state);
    }
    yt_device_matrix table;
    yt_matrix *matrix = processor_matrix(context, type, rows, columns, bytes.data(), &table);
    const std::vector<int32_t> tokens = {(int32_t)rows - 1, 0, (int32_t)random_below(state, rows), 0};
    std::vector<float> x(tokens.size() * columns);
    std::vector<float> expected(columns);
    yt_queue queue;
    yt_launch_embed(queue, table, tokens.data(), (int64_t)tokens.size(), x.data());
    for (size_t c = 0; c < tokens.size(); c++) {
        processor_row(matrix, tokens[c], expected.data());
        check(is_same(expected.data(), &x[c * columns], columns), "embedding", type, columns);
    }
    yt_matrix_destroy(matrix);
}

static void check_embeddings()
{
    uint64_t state = 1;
    for (int32_t type : TYPES) {
        const int block = ref_find_type(type)->block_elements;
        for (int64_t blocks : {1, 2, 3, 8, 9, 35}) {
            check_embed(type, 1 + random_below(&state, 40), blocks * block, &state);
        }
    }
}

/* ---- activations -------------------------------------------------------------------------------------------------------------------- */

/* What yt_activations has of a column, checked against the column in float32. */
static void check_quantized(const yt_activations &a, int64_t c, const float *x, int32_t type)
{
    const int64_t width = a.width;
    std::vector<int8_t> quants(width);
    std::vector<float> scales(width / 32);
    std::vector<int32_t> sums(width / 16);
    processor_quantize(x, width, quants.data(), scales.data(), sums.data());
    check(std::memcmp(quants.data(), a.quants + c * width, width) == 0, "quants", type, width);
    check(is_same(scales.data(), a.scales + c * (width / 32), width / 32), "scales", type, width);
    check(std::memcmp(sums.data(), a.sums + c * (width / 16), width / 16 * 4) == 0, "sums", type, width);
}

static void check_halves(const yt_activations &a, int64_t c, const float *x)
{
    const int64_t width = a.width;
    const uint16_t *halves = a.halves + c * 2 * width;
    float largest = 0.0f;
    for (int64_t i = 0; i < width; i++) {
        largest = std::isfinite(x[i]) ? fmaxf(largest, fabsf(x[i])) : largest;
    }
    const int exponent = largest == 0.0f ? 0 : ilogb(largest) < -112 ? -126 : ilogb(largest) - 14;
    bool is_right = a.exponents[c] == exponent;
    for (int64_t i = 0; i < width; i++) {
        const double scaled = ldexp((double)x[i], -exponent);
        const double large = ref_half_value(halves[i]);
        const double small = ref_half_value(halves[width + i]);
        if (std::isfinite(x[i])) {
            /* 22 bits of what is not too small, and never more than half of the last bit of a binary16 beside. */
            is_right &= halves[i] == ref_half_bits((float)scaled) && fabs(scaled - (large + small)) <= fmax(ldexp(fabs(scaled), -22), 0x1p-25);
        } else {
            is_right &= (std::isnan(x[i]) ? std::isnan(large) : large == (double)x[i]) && small == 0.0;
        }
    }
    check(is_right, "halves", YT_F16, width);
}

static void check_bfloat(const yt_activations &a, int64_t c, const float *x)
{
    const int64_t stride = (a.width + 1) / 2 * 2;
    bool is_right = true;
    for (int64_t i = 0; i < stride; i++) {
        const uint16_t half = a.halves[c * stride + i];
        const bool is_nan = i < a.width && std::isnan(x[i]); /* whose sign is lost in a norm */
        is_right &= is_nan ? std::isnan(yt_bfloat_to_float(half)) : half == (i < a.width ? yt_float_to_bfloat(x[i]) : 0);
    }
    check(is_right, "bfloat16", YT_BF16, a.width);
}

static void check_prepare(int32_t type, int64_t width, bool has_norm, bool has_columns, bool has_damage, uint64_t *state)
{
    const int64_t rows = 3;
    const float eps = 1e-5f;
    std::vector<float> x = values_of(rows * width, has_damage, state);
    const std::vector<float> norm = values_of(width, false, state);
    for (int64_t i = 0; i < rows * width && has_norm && !has_damage; i++) {
        x[i] = random_normal(state); /* each of them counts in the sum */
    }
    const std::vector<int32_t> columns = {2, 0, 2, 1};
    const int64_t n_columns = has_columns ? (int64_t)columns.size() : rows;
    std::vector<uint4> memory(yt_activation_bytes(type, n_columns, width) / sizeof(uint4));
    std::memset(memory.data(), 0xA5, memory.size() * sizeof(uint4));
    const yt_activations a = yt_activations_at(type, n_columns, width, memory.data());
    /* On the device rows are aligned to what four elements take. */
    std::vector<float4> aligned_x((x.size() + 3) / 4), aligned_norm((norm.size() + 3) / 4);
    std::memcpy(aligned_x.data(), x.data(), x.size() * 4);
    std::memcpy(aligned_norm.data(), norm.data(), norm.size() * 4);
    yt_queue queue;
    yt_launch_prepare(queue, type, &aligned_x[0].x, n_columns, width, has_columns ? columns.data() : nullptr, has_norm ? &aligned_norm[0].x : nullptr, eps, a);
    std::vector<float> row(width);
    for (int64_t c = 0; c < n_columns; c++) {
        const float *source = &x[(has_columns ? columns[c] : c) * width];
        if (has_norm) {
            processor_norm(source, norm.data(), width, eps, row.data());
        } else {
            std::memcpy(row.data(), source, width * 4);
        }
        switch (type) {
        case YT_F32:
            check(is_same(row.data(), a.floats + c * width, width), "floats", type, width);
            break;
        case YT_F16:
            check_halves(a, c, row.data());
            break;
        case YT_BF16:
            check_bfloat(a, c, row.data());
            break;
        default:
            check_quantized(a, c, row.data(), type);
            break;
        }
    }
}

/* Widths around what a block takes (2,048), what shared memory holds with the weights (5,888) and without them (12,032), and what is summed at a time (256). */
static void check_activations()
{
    uint64_t state = 2;
    for (int32_t type : {YT_F32, YT_F16, YT_BF16, YT_Q8_0}) {
        for (int64_t width : {1, 15, 16, 17, 32, 96, 255, 256, 257, 2048, 2080, 5888, 5889, 12032, 12033, 24577}) {
            const int64_t fitting = type == YT_Q8_0 ? (width + 31) / 32 * 32 : width;
            const bool is_long = width > 3000;
            check_prepare(type, fitting, true, !is_long, false, &state);
            check_prepare(type, fitting, false, width % 2 == 0, true, &state);
            if (!is_long) {
                check_prepare(type, fitting, true, false, true, &state);
            }
        }
    }
}

/* ---- RoPE, keys and values ---------------------------------------------------------------------------------------------------------- */

struct append_case {
    yt_kv_shape shape;
    int64_t n_heads;
    int64_t n_columns;
};

/* One pool is written by the processor, another by the kernel; all their bytes must be the same, written or not. */
static void check_append(const append_case &test, uint64_t *state)
{
    const yt_kv_shape &shape = test.shape;
    const int64_t head_dim = shape.head_dim;
    const int64_t n_rows = test.n_heads + 2 * shape.n_kv_heads;
    yt_device_kv view, expected_view;
    yt_kv *kv = processor_kv(context, &shape, &view);
    yt_kv *expected = processor_kv(context, &shape, &expected_view);
    const bool is_quantized = shape.type == YT_Q8_0 || shape.type == YT_Q4_0;
    std::vector<float> rows, q(test.n_columns * test.n_heads * head_dim), rope;
    std::vector<int32_t> positions, sequences, page_table;
    const int64_t max_pages = shape.n_pages / 2;
    for (int64_t i = 0; i < shape.n_pages; i++) {
        page_table.push_back((int32_t)(i * 5 % shape.n_pages)); /* n_pages is no multiple of 5 */
    }
    for (int64_t c = 0; c < test.n_columns; c++) {
        sequences.push_back((int32_t)(c % 2));
        positions.push_back((int32_t)((c * 13 + 5) % (max_pages * shape.page_positions)));
        for (int64_t i = 0; i < head_dim; i += 2) {
            const float angle = random_unit(state) * 3.0f;
            rope.push_back(cosf(angle));
            rope.push_back(sinf(angle));
        }
        /* The bits of a NaN survive no arithmetic: queries and keys are damaged where these bits are not stored. */
        const std::vector<float> turned = values_of((n_rows - shape.n_kv_heads) * head_dim, is_quantized, state);
        const std::vector<float> values = values_of(shape.n_kv_heads * head_dim, true, state);
        rows.insert(rows.end(), turned.begin(), turned.end());
        rows.insert(rows.end(), values.begin(), values.end());
    }
    yt_device_layer layer = {};
    layer.index = shape.n_layers - 1;
    layer.n_heads = test.n_heads;
    layer.n_kv_heads = shape.n_kv_heads;
    layer.head_dim = head_dim;
    const yt_device_batch batch = {test.n_columns, 2, max_pages, 0, nullptr, positions.data(), sequences.data(), page_table.data(), rope.data()};
    yt_queue queue;
    yt_launch_rope_append(queue, layer, batch, rows.data(), view, q.data());
    for (int64_t c = 0; c < test.n_columns; c++) {
        const int64_t page = page_table[sequences[c] * max_pages + positions[c] / shape.page_positions];
        for (int64_t h = 0; h < n_rows; h++) {
            float *row = &rows[(c * n_rows + h) * head_dim];
            const bool is_value = h >= test.n_heads + shape.n_kv_heads;
            if (!is_value) {
                processor_rotate(row, &rope[c * head_dim], head_dim);
            }
            if (h < test.n_heads) {
                check(is_same(row, &q[(c * test.n_heads + h) * head_dim], head_dim), "queries", shape.type, head_dim);
            } else {
                const int64_t kv_head = h - test.n_heads - (is_value ? shape.n_kv_heads : 0);
                processor_write_kv(expected, page, layer.index, kv_head, positions[c] % shape.page_positions, is_value, row);
            }
        }
    }
    check(std::memcmp(view.data, expected_view.data, view.page_bytes * shape.n_pages) == 0, "pages", shape.type, head_dim);
    yt_kv_destroy(kv);
    yt_kv_destroy(expected);
}

static void check_appends()
{
    uint64_t state = 3;
    for (int32_t type : {YT_F16, YT_BF16, YT_F32, YT_Q8_0, YT_Q4_0}) {
        for (int64_t head_dim : {2, 6, 10, 16, 18, 32, 34, 48, 64, 100, 128, 1022, 1024}) {
            const int64_t n_kv_heads = head_dim > 500 ? 1 : 1 + head_dim % 3;
            check_append({{type, 16, 4, 2, n_kv_heads, head_dim}, 2 * n_kv_heads, head_dim > 500 ? 3 : 9}, &state);
        }
        check_append({{type, 64, 2, 1, 3, 64}, 12, 1}, &state);
    }
}

int main()
{
    if (yt_context_create("portable", 1, &context) != YT_OK) {
        std::fprintf(stderr, "%s\n", yt_last_error());
        return 1;
    }
    yt_emulation_each_order(check_embeddings);
    yt_emulation_each_order(check_activations);
    yt_emulation_each_order(check_appends);
    yt_context_destroy(context);
    std::printf("%d failures\n", n_failures);
    return n_failures != 0;
}
