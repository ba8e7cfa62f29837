/*
 * Products against the reference: of quantized matrices and of F32 with ==; of F16 and BF16 within what the order of additions may change, and there, too,
 * every column with == whatever columns it is among.
 */
#include "direct_queue.h"
#include "families.cuh"
#include "processor.h"

extern "C" {
#include "../reference.h"
}
#include "../random.h"

#include <cstdio>
#include <vector>

static int n_failures;
static yt_context *context;

/* The same bits, or both NaN. */
static bool is_same(float a, float b)
{
    return std::memcmp(&a, &b, 4) == 0 || (std::isnan(a) && std::isnan(b));
}

/* ---- matrices ----------------------------------------------------------------------------------------------------------------------- */

struct test_matrix {
    std::vector<uint8_t> bytes;
    std::vector<float> bias;
    ref_matrix reference;
    yt_matrix *packed;
    yt_device_matrix view;
};

/* Where a block has binary16 numbers, one or two; -1: nowhere. */
static void find_halves(int32_t type, int (&offsets)[2])
{
    const bool has_minimums = ref_find_type(type)->has_minimums;
    offsets[0] = type == YT_Q2_K ? 80 : type == YT_Q3_K ? 108 : type == YT_Q6_K ? 208 : type == YT_MXFP4 ? -1 : 0;
    offsets[1] = has_minimums ? offsets[0] + 2 : -1;
}

static void write_half(uint8_t *p, double value)
{
    const uint16_t bits = ref_half_bits(value);
    std::memcpy(p, &bits, 2);
}

static void fill_plain(test_matrix &m, int32_t type, int64_t n, uint64_t *state)
{
    for (int64_t i = 0; i < n; i++) {
        const float value = random_normal(state);
        if (type == YT_F32) {
            std::memcpy(&m.bytes[4 * i], &value, 4);
        } else if (type == YT_F16) {
            write_half(&m.bytes[2 * i], value);
        } else {
            std::memcpy(&m.bytes[2 * i], (const uint8_t *)&value + 2, 2);
        }
    }
}

/* Any bits for quants and packed scales; every few blocks, all quants are the largest or the smallest. */
static void fill_blocks(test_matrix &m, int32_t type, int64_t n_blocks, uint64_t *state)
{
    const ref_type *t = ref_find_type(type);
    int offsets[2];
    find_halves(type, offsets);
    for (int64_t b = 0; b < n_blocks; b++) {
        uint8_t *block = &m.bytes[b * t->block_bytes];
        const int64_t kind = random_below(state, 8);
        for (int i = 0; i < t->block_bytes; i++) {
            block[i] = kind == 0 ? 0xFF : kind == 1 ? 0 : kind == 2 && type == YT_Q8_0 ? 0x80 : (uint8_t)random_bits(state);
        }
        for (int i = 0; i < 2 && offsets[i] >= 0; i++) {
            write_half(block + offsets[i], random_normal(state) / 64);
        }
        if (type == YT_MXFP4) {
            block[0] = (uint8_t)(random_below(state, 16) == 0 ? random_below(state, 3) : 118 + random_below(state, 8));
        }
    }
}

static test_matrix make_matrix(int32_t type, int64_t rows, int64_t width, uint64_t *state)
{
    test_matrix m;
    const int64_t row_bytes = ref_row_bytes(type, width);
    m.bytes.resize(rows * row_bytes);
    if (ref_find_type(type)->part_elements > 0) {
        fill_blocks(m, type, rows * row_bytes / ref_find_type(type)->block_bytes, state);
    } else {
        fill_plain(m, type, rows * width, state);
    }
    for (int64_t r = 0; r < rows; r++) {
        m.bias.push_back(random_normal(state));
    }
    m.reference = {type, rows, width, row_bytes, m.bytes.data(), nullptr, nullptr};
    if (ref_find_type(type)->part_elements > 0) {
        ref_read_elements(&m.reference);
    }
    m.packed = processor_matrix(context, type, rows, width, m.bytes.data(), &m.view);
    return m;
}

static void free_matrix(test_matrix &m)
{
    free(m.reference.elements);
    yt_matrix_destroy(m.packed);
}

/* ---- what is expected --------------------------------------------------------------------------------------------------------------- */

/* Matrices with the columns that they are multiplied with, and the products without biases: [column][row]. */
struct test_case {
    std::vector<test_matrix> matrices;
    int64_t width;
    int64_t n_different; /* columns; more are the same again */
    std::vector<float> x;
    std::vector<std::vector<float>> products;
};

static void fail(const test_case &t, const char *what, int64_t n_columns, int64_t column, int64_t row, float actual, float expected)
{
    if (n_failures++ < 20) {
        std::fprintf(stderr, "FAILED %s: type %d, width %lld, %lld columns, column %lld, row %lld: %a instead of %a\n", what, t.matrices[0].view.type,
            (long long)t.width, (long long)n_columns, (long long)column, (long long)row, actual, expected);
    }
}

/* Memory on the device, aligned, with a guard behind it that nobody may write. */
template <typename T>
struct device_array {
    std::vector<uint4> memory;

    explicit device_array(int64_t n) : memory((n * sizeof(T) + 15) / 16 + 16)
    {
        std::memset(memory.data(), 0xA5, memory.size() * sizeof(uint4));
    }

    T *data()
    {
        return (T *)(((uintptr_t)memory.data() + 255) & ~(uintptr_t)255);
    }
};

/* Columns first to first + n - 1, as products take them. */
static yt_activations prepare(const test_case &t, int32_t type, int64_t first, int64_t n, device_array<uint8_t> &memory)
{
    std::vector<float> x(n * t.width);
    for (int64_t c = 0; c < n; c++) {
        std::memcpy(&x[c * t.width], &t.x[(first + c) % t.n_different * t.width], t.width * sizeof(float));
    }
    memory = device_array<uint8_t>(yt_activation_bytes(type, n, t.width));
    const yt_activations input = yt_activations_at(type, n, t.width, memory.data());
    yt_queue queue;
    yt_launch_prepare(queue, type, x.data(), n, t.width, nullptr, nullptr, 0.0f, input);
    return input;
}

/* Launches over the matrices first to first + n - 1 and checks all of out against expected(column, row); rows beyond them must stay as they were. */
template <typename F>
static void run_case(
    const test_case &t, const char *what, yt_product_kind kind, int first, int n, bool has_bias, int64_t first_column, int64_t n_columns, F expected)
{
    yt_products products = {};
    int64_t rows = 0;
    for (int i = 0; i < n; i++) {
        const test_matrix &m = t.matrices[first + i];
        products.matrices[i] = m.view;
        products.biases[i] = has_bias ? m.bias.data() : nullptr;
        rows = kind == YT_PRODUCT_STORE ? rows + m.view.rows : m.view.rows;
    }
    device_array<uint8_t> memory(0);
    products.n_matrices = n;
    products.kind = kind;
    products.input = prepare(t, t.matrices[first].view.type, first_column, n_columns, memory);
    products.out_stride = rows + 3;
    std::vector<float> out(n_columns * products.out_stride);
    for (size_t i = 0; i < out.size(); i++) {
        out[i] = (float)(i % 19) - 9.5f;
    }
    products.out = out.data();
    yt_queue queue;
    yt_launch_products(queue, products);
    for (int64_t c = 0; c < n_columns; c++) {
        for (int64_t r = 0; r < products.out_stride; r++) {
            const int64_t at = c * products.out_stride + r;
            const float before = (float)(at % 19) - 9.5f;
            const float wanted = r < rows ? expected((first_column + c) % t.n_different, r, before) : before;
            if (!is_same(out[at], wanted)) {
                fail(t, what, n_columns, c, r, out[at], wanted);
            }
        }
    }
}

static float silu(float g)
{
    return g / (1.0f + ref_exp(-g));
}

static float product_of(const test_case &t, int m, bool has_bias, int64_t c, int64_t r)
{
    const float value = t.products[m][c * t.matrices[m].view.rows + r];
    return has_bias ? value + t.matrices[m].bias[r] : value;
}

/* All matrices, one below the other. */
static void check_store(const test_case &t, bool has_bias, int64_t first_column, int64_t n_columns)
{
    run_case(t, "store", YT_PRODUCT_STORE, 0, (int)t.matrices.size(), has_bias, first_column, n_columns, [&](int64_t c, int64_t r, float) {
        int m = 0;
        while (r >= t.matrices[m].view.rows) {
            r -= t.matrices[m++].view.rows;
        }
        return product_of(t, m, has_bias, c, r);
    });
}

/* All kinds, each with and without biases if the number of columns is odd, otherwise with one of both. */
static void check_kinds(const test_case &t, int64_t n_columns)
{
    for (bool has_bias : {false, true}) {
        if (n_columns % 2 != 0 || has_bias) {
            check_store(t, has_bias, has_bias ? 1 : t.n_different - 1, n_columns);
        }
        if (n_columns % 2 != 0 || !has_bias) {
            run_case(t, "residual", YT_PRODUCT_RESIDUAL, 1, 1, has_bias, 0, n_columns, [&](int64_t c, int64_t r, float before) {
                return before + product_of(t, 1, has_bias, c, r);
            });
        }
        if (n_columns % 2 != 0 || has_bias) {
            run_case(t, "swiglu", YT_PRODUCT_SWIGLU, 0, 2, has_bias, 0, n_columns, [&](int64_t c, int64_t r, float) {
                return silu(product_of(t, 0, has_bias, c, r)) * product_of(t, 1, has_bias, c, r);
            });
        }
    }
}

/* Blocks of ordinary, zero, tiny and huge values. */
static std::vector<float> make_columns(int64_t width, int64_t n, uint64_t *state)
{
    std::vector<float> x(n * width);
    float scale = 1.0f;
    for (int64_t i = 0; i < n * width; i++) {
        if (i % width % 32 == 0) {
            static const float scales[16] = {0.0f, 1e-31f, 1e-6f, 3e4f, 1e12f};
            const int64_t kind = random_below(state, 16);
            scale = kind < 5 ? scales[kind] : 1.0f;
        }
        x[i] = random_normal(state) * scale;
    }
    return x;
}

/* The products of a matrix of F16 or BF16 in double, each held against what the kernel gives; which then is what is expected. */
static void check_tolerance(test_case &t, int m)
{
    const test_matrix &matrix = t.matrices[m];
    const int64_t rows = matrix.view.rows;
    std::vector<float> actual(t.n_different * rows);
    device_array<uint8_t> memory(0);
    yt_products products = {};
    products.matrices[0] = matrix.view;
    products.n_matrices = 1;
    products.input = prepare(t, matrix.view.type, 0, t.n_different, memory);
    products.out = actual.data();
    products.out_stride = rows;
    yt_queue queue;
    yt_launch_products(queue, products);
    /*
     * Each product of tiles may be off by two units in the last place of what it is a sum of; there is one for 16 inputs, of F16 two, and eight segments
     * are added. What two binary16 leave out of an activation is below 2^-22 of it, or 2^-39 of the column's largest.
     */
    const bool is_f16 = matrix.view.type == YT_F16;
    const double unit = ((double)(t.width / 16 + 1) * (is_f16 ? 2 : 1) + 8) * 0x1p-22;
    std::vector<float> w(t.width);
    for (int64_t r = 0; r < rows; r++) {
        ref_row(&matrix.reference, r, w.data());
        for (int64_t c = 0; c < t.n_different; c++) {
            double sum = 0.0;
            double size = 0.0;
            double largest = 0.0;
            double weights = 0.0;
            for (int64_t k = 0; k < t.width; k++) {
                const float value = t.x[c * t.width + k];
                const double x = is_f16 ? value : yt_bfloat_to_float(yt_float_to_bfloat(value));
                sum += (double)w[k] * x;
                size += fabs((double)w[k] * x);
                weights += fabs((double)w[k]);
                largest = fmax(largest, fabs(x));
            }
            const float value = actual[c * rows + r];
            if (!(fabs(value - sum) <= unit * size + weights * largest * 0x1p-38)) {
                fail(t, "tolerance", t.n_different, c, r, value, (float)sum);
            }
        }
    }
    t.products[m] = actual;
}

static test_case make_case(int32_t type, std::vector<int32_t> other_types, std::vector<int64_t> rows, int64_t width, int64_t n_different, uint64_t *state)
{
    test_case t;
    t.width = width;
    t.n_different = n_different;
    t.x = make_columns(width, n_different, state);
    for (size_t m = 0; m < rows.size(); m++) {
        const int32_t own_type = m < other_types.size() ? other_types[m] : type;
        t.matrices.push_back(make_matrix(own_type, rows[m], width, state));
        t.products.emplace_back(n_different * rows[m]);
    }
    for (size_t m = 0; m < rows.size(); m++) {
        if (type == YT_F16 || type == YT_BF16) {
            check_tolerance(t, (int)m);
            continue;
        }
        for (int64_t c = 0; c < n_different; c++) {
            ref_product(&t.matrices[m].reference, &t.x[c * width], &t.products[m][c * rows[m]]);
        }
    }
    return t;
}

static void free_case(test_case &t)
{
    for (test_matrix &m : t.matrices) {
        free_matrix(m);
    }
}

static void check_case(test_case t, std::vector<int64_t> columns)
{
    for (int64_t n : columns) {
        check_kinds(t, n);
    }
    free_case(t);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------------------- */

static const int32_t QUANTIZED[] = {
    YT_Q4_0, YT_Q4_1, YT_Q5_0, YT_Q5_1, YT_Q8_0, YT_Q2_K, YT_Q3_K, YT_Q4_K, YT_Q5_K, YT_Q6_K, YT_IQ4_NL, YT_IQ4_XS, YT_MXFP4};

static void check_quantized()
{
    uint64_t state = 1;
    for (int32_t type : QUANTIZED) {
        const bool is_k = ref_find_type(type)->block_elements == 256;
        check_case(make_case(type, {}, {17, 17, 1}, is_k ? 256 : 288, 5, &state), {1, 2, 4, 10, 34});
    }
}

/* All sizes of chunks, more inputs than a block takes at a time, more columns than a tile has, two types in one product. */
static void check_wide()
{
    uint64_t state = 2;
    for (int32_t type : QUANTIZED) {
        const bool is_k = ref_find_type(type)->block_elements == 256;
        check_case(make_case(type, {}, {33, 33, 15}, is_k ? 768 : 32, 5, &state), {3, 8, 66, 130});
    }
    check_case(make_case(YT_Q4_0, {}, {16, 16, 48}, 2048 + 544, 3, &state), {1, 4, 8, 65});
    check_case(make_case(YT_Q5_1, {}, {15, 15, 16}, 96, 3, &state), {1, 8, 65});
    check_case(make_case(YT_Q6_K, {}, {16, 16, 48}, 2048 + 768, 3, &state), {1, 4, 8, 65});
    check_case(make_case(YT_Q2_K, {}, {16, 16, 1}, 4096 + 256, 3, &state), {1, 2, 8});
    check_case(make_case(YT_Q4_K, {YT_Q4_K, YT_Q6_K, YT_Q6_K}, {20, 20, 5}, 512, 3, &state), {1, 3, 40});
}

static void check_plain()
{
    uint64_t state = 3;
    for (int32_t type : {YT_F32, YT_F16, YT_BF16}) {
        check_case(make_case(type, {}, {33, 33, 16}, 37, 20, &state), {1, 2, 17});
        check_case(make_case(type, {}, {17, 17, 2}, 264, 3, &state), {1, 3});
    }
}

static void check_plain_sizes()
{
    uint64_t state = 6;
    for (int32_t type : {YT_F32, YT_F16, YT_BF16}) {
        check_case(make_case(type, {}, {17, 17, 1}, 1, 3, &state), {1, 2});
        check_case(make_case(type, {}, {48, 48, 15}, 512, 9, &state), {2, 66});
        check_case(make_case(type, {}, {31, 31, 2}, 768, 3, &state), {8});
        check_case(make_case(type, {}, {16, 16, 2}, 1030, 3, &state), {1});
    }
}

/* So many columns, or rows, that warps divide rows alone among themselves. */
static void check_many()
{
    uint64_t state = 4;
    const struct {
        int32_t type;
        int64_t rows;
        int64_t width;
        int64_t n_columns;
    } cases[] = {{YT_Q4_1, 70, 32, 64 * 86 - 3}, {YT_F16, 128 * 126 - 5, 9, 17}, {YT_BF16, 70, 23, 64 * 43 - 3}};
    for (const auto &each : cases) {
        test_case t = make_case(each.type, {}, {each.rows, 33, 5}, each.width, 5, &state);
        check_store(t, true, 0, each.n_columns);
        free_case(t);
    }
}

/* A column with a value that is not finite has no finite product; the others do not notice. */
static void check_damage()
{
    uint64_t state = 5;
    for (int32_t type : {YT_Q4_0, YT_Q6_K, YT_Q4_K, YT_F32, YT_F16, YT_BF16}) {
        test_case t = make_case(type, {}, {20, 20, 20}, 512, 5, &state);
        t.x[1 * 512 + 40] = NAN;
        t.x[3 * 512 + 511] = NAN;
        for (size_t m = 0; m < 3; m++) {
            for (int64_t c : {1, 3}) {
                std::fill_n(&t.products[m][c * 20], 20, NAN);
            }
        }
        check_case(t, {5, 40});
    }
}

int main()
{
    if (yt_context_create("portable", 1, &context) != YT_OK) {
        std::fprintf(stderr, "%s\n", yt_last_error());
        return 1;
    }
    yt_emulation_each_order(check_quantized);
    yt_emulation_each_order(check_plain);
    check_wide();
    check_plain_sizes();
    check_many();
    check_damage();
    yt_context_destroy(context);
    std::printf("%d failures\n", n_failures);
    return n_failures != 0;
}
