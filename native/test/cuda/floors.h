/*
 * What a kernel must move and compute, and how long a device needs for that at least. The model is the same for tables without a device (bench --floors) and for shares of
 * measured times. Left out: taking quants apart, addresses, the start and the end of a kernel, what caches keep from one kernel to the next.
 */
#ifndef YT_FLOORS_H
#define YT_FLOORS_H

#include "families.cuh"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/* Bytes and operations a second, of which a multiplication and an addition are two; dense, at the boost clock. */
struct device_limits {
    const char *name;
    const char *matches; /* what CUDA's name of the device contains */
    double bandwidth;
    double int8;
    double half; /* float16 and bfloat16 with float32 sums */
    double multiprocessors;
    double clock;
    double mma_share; /* of int8 and half that mma.sync reaches at most */

    /* Instructions of 32 lanes: float32 arithmetic and conversions, of which a multiprocessor does 128 lanes per clock, and dp4a, 64. */
    double float_lanes() const { return 128 * multiprocessors * clock; }
    double dp4a_lanes() const { return 64 * multiprocessors * clock; }
};

/* Hopper's tensor cores reach their peak with wgmma alone. That mma.sync reaches 62 % of it is an assumption: neither measured nor read in a source that could be named. */
static const device_limits KNOWN_DEVICES[] = {
    {"H100 SXM", "H100 80GB HBM3", 3.35e12, 1979e12, 989e12, 132, 1.98e9, 0.62},
    {"RTX 4090", "RTX 4090", 1.008e12, 660e12, 165e12, 128, 2.52e9, 1.0},
    {"H200 SXM", "H200", 4.8e12, 1979e12, 989e12, 132, 1.98e9, 0.62},
};

/* Of them, those that the tables have. */
enum { TABLE_DEVICES = 2 };

struct kernel_cost {
    std::string kernel;
    double bytes = 0;
    double int8 = 0;  /* operations of tensor cores */
    double half = 0;
    double dp4a = 0;  /* instructions of a lane */
    double floats = 0;
};

struct kernel_floor {
    double seconds;
    const char *bound;
};

static inline kernel_floor floor_of(const kernel_cost &cost, const device_limits &device)
{
    const kernel_floor floors[] = {
        {cost.bytes / device.bandwidth, "memory"},
        {cost.int8 / (device.int8 * device.mma_share), "int8 mma"},
        {cost.half / (device.half * device.mma_share), "f16 mma"},
        {cost.dp4a / device.dp4a_lanes(), "dp4a"},
        {(cost.floats + cost.dp4a) / device.float_lanes(), "issue"},
    };
    return *std::max_element(std::begin(floors), std::end(floors), [](const kernel_floor &a, const kernel_floor &b) { return a.seconds < b.seconds; });
}

/* Elements and bytes of a block of weights; minimums and scales of 32 inputs. */
struct weight_type {
    const char *name;
    int32_t type;
    double block_elements;
    double block_bytes;
    int scales;
    int minimums;
};

static const weight_type WEIGHT_TYPES[] = {
    {"Q4_0", YT_Q4_0, 32, 18, 1, 0}, {"Q4_1", YT_Q4_1, 32, 20, 1, 1}, {"Q5_0", YT_Q5_0, 32, 22, 1, 0}, {"Q5_1", YT_Q5_1, 32, 24, 1, 1},
    {"Q8_0", YT_Q8_0, 32, 34, 1, 0}, {"Q4_K", YT_Q4_K, 256, 144, 1, 1}, {"Q5_K", YT_Q5_K, 256, 176, 1, 1}, {"Q6_K", YT_Q6_K, 256, 210, 2, 0},
    {"F16", YT_F16, 1, 2, 0, 0}, {"BF16", YT_BF16, 1, 2, 0, 0}, {"F32", YT_F32, 1, 4, 0, 0},
};

static inline const weight_type *find_weight_type(const char *name)
{
    for (const weight_type &type : WEIGHT_TYPES) {
        if (strcmp(type.name, name) == 0) {
            return &type;
        }
    }
    return nullptr;
}

static inline bool is_quantized(const weight_type &type)
{
    return type.scales > 0;
}

/* Bytes of a column as a product of that type takes it (yt_activations). */
static inline double activation_bytes(const weight_type &type, double width)
{
    return is_quantized(type) ? width + width / 32 * 4 + width / 16 * 4 : type.type == YT_F16 ? 4 * width + 4 : type.type == YT_BF16 ? 2 * width : 4 * width;
}

/* Columns that a product by dp4a computes: there are kernels for 1, 4 and 8, and what these have too many is computed and not kept (products.cu). */
static inline double dp4a_columns(double columns)
{
    return columns <= 1 ? 1 : columns <= 4 ? 4 : 8 * std::ceil(columns / 8);
}

/*
 * A product of `rows` rows in all. out_bytes: written, and read where something is added, for each row and column. An output takes a conversion, a multiplication and an fma for
 * every 32 inputs (mma: an addition in place of the conversion), with minimums an fma more, with two scales a conversion and an fma more.
 */
static inline kernel_cost product_cost(const char *kernel, const weight_type &type, double rows, double width, double columns, double out_bytes)
{
    kernel_cost cost;
    cost.kernel = kernel;
    const bool is_dp4a = is_quantized(type) && columns <= YT_DP4A_COLUMNS;
    const double products = rows * width * (is_dp4a ? dp4a_columns(columns) : columns);
    const double padded_rows = std::max(rows, 16.0 * (int64_t)((rows + 15) / 16));
    cost.bytes = padded_rows * width / type.block_elements * type.block_bytes + columns * (activation_bytes(type, width) + rows * out_bytes);
    if (is_quantized(type)) {
        (is_dp4a ? cost.dp4a : cost.int8) = products * (is_dp4a ? 0.25 : 2.0);
        cost.floats = products / 32 * (3 + type.minimums + 2 * (type.scales - 1));
    } else if (type.type == YT_F32) {
        cost.floats = products;
    } else {
        /* F16: activations are the sum of two halves. Fewer than eight columns take as long as eight. */
        cost.half = rows * width * std::max(columns, 8.0) * (type.type == YT_F16 ? 4 : 2);
    }
    return cost;
}

/*
 * Gate and up: by dp4a one kernel, which writes one number for two rows; else two (yt_launch_products), of which the second reads what the first has written and writes over it.
 */
static inline std::vector<kernel_cost> gate_up_costs(const weight_type &type, double hidden, double width, double columns)
{
    if (is_quantized(type) && columns <= YT_DP4A_COLUMNS) {
        return {product_cost("gate, up", type, 2 * hidden, width, columns, 2)};
    }
    return {product_cost("gate", type, hidden, width, columns, 4), product_cost("up", type, hidden, width, columns, 8)};
}

static inline kernel_cost sum_of(const char *kernel, const std::vector<kernel_cost> &costs)
{
    kernel_cost sum;
    sum.kernel = kernel;
    for (const kernel_cost &cost : costs) {
        sum.bytes += cost.bytes;
        sum.int8 += cost.int8;
        sum.half += cost.half;
        sum.dp4a += cost.dp4a;
        sum.floats += cost.floats;
    }
    return sum;
}

static inline kernel_cost prepare_cost(const weight_type &type, double width, double columns, bool has_norm)
{
    kernel_cost cost;
    cost.kernel = has_norm ? "prepare (norm)" : "prepare";
    cost.bytes = columns * (4 * width + activation_bytes(type, width)) + (has_norm ? 4 * width : 0);
    cost.floats = columns * width * 6;
    return cost;
}

struct attention_shape {
    double n_heads;
    double n_kv_heads;
    double head_dim;
    double kv_bytes; /* of an element of keys and values: F16 2, Q8_0 34 / 32 */
};

/*
 * `columns` queries of each of `sequences` sequences, the first behind `start` positions. Keys and values are read once for a sequence. Query and weights are sums of two
 * halves, so products with F16 are done twice; a tile has 16 rows, of which one query of a head that shares its keys with no other fills one.
 */
static inline kernel_cost attention_cost(const attention_shape &shape, double sequences, double columns, double start)
{
    kernel_cost cost;
    cost.kernel = "attention";
    const double positions = start + columns;
    const double group = shape.n_heads / shape.n_kv_heads;
    const double kv_dim = shape.n_kv_heads * shape.head_dim;
    const double rows = std::max(columns * group, 16.0); /* of a KV head */
    const double seen = columns == 1 ? positions : start + (columns + 1) / 2;
    cost.bytes = sequences * (positions * kv_dim * 2 * shape.kv_bytes + 8 * columns * shape.n_heads * shape.head_dim);
    cost.half = sequences * shape.n_kv_heads * rows * seen * shape.head_dim * 4 * 2;
    cost.floats = sequences * columns * shape.n_heads * seen * 24; /* exp and what goes with it */
    return cost;
}

struct model_shape {
    const char *name;
    double dim, hidden, n_layers, n_heads, n_kv_heads, vocab;
};

static const model_shape MODEL_SHAPES[] = {
    {"7b", 4096, 11008, 32, 32, 32, 49953},
    {"1b", 2048, 5632, 22, 32, 4, 49953},
};

/* The kernels of one layer in their order; for one sequence of `columns` columns, or one column of each of `sequences`. */
static inline std::vector<kernel_cost> layer_costs(const model_shape &m, const weight_type &type, double sequences, double columns, double start, double kv_bytes)
{
    const double n = sequences * columns;
    const double kv_dim = m.dim / m.n_heads * m.n_kv_heads;
    std::vector<kernel_cost> costs;
    costs.push_back(prepare_cost(type, m.dim, n, true));
    costs.push_back(product_cost("q, k, v", type, m.dim + 2 * kv_dim, m.dim, n, 4));
    kernel_cost append;
    append.kernel = "append";
    append.bytes = n * (4 * (m.dim + 2 * kv_dim) + 4 * m.dim + 2 * kv_dim * kv_bytes);
    append.floats = n * (m.dim + kv_dim) * 3;
    costs.push_back(append);
    costs.push_back(attention_cost({m.n_heads, m.n_kv_heads, m.dim / m.n_heads, kv_bytes}, sequences, columns, start));
    costs.push_back(prepare_cost(type, m.dim, n, false));
    costs.push_back(product_cost("o", type, m.dim, m.dim, n, 8));
    costs.push_back(prepare_cost(type, m.dim, n, true));
    for (const kernel_cost &cost : gate_up_costs(type, m.hidden, m.dim, n)) {
        costs.push_back(cost);
    }
    costs.push_back(prepare_cost(type, m.hidden, n, false));
    costs.push_back(product_cost("down", type, m.dim, m.hidden, n, 8));
    return costs;
}

/* What comes once: the output matrix for one column of each sequence. */
static inline std::vector<kernel_cost> output_costs(const model_shape &m, const weight_type &output, double sequences)
{
    kernel_cost choose;
    choose.kernel = "choose";
    choose.bytes = sequences * 4 * m.vocab;
    return {prepare_cost(output, m.dim, sequences, true), product_cost("logits", output, m.vocab, m.dim, sequences, 4), choose};
}

#endif
