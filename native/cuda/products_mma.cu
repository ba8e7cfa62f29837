/*
 * Products with many columns, quantized weights, by tensor cores of integers.
 *
 * A warp takes 32 rows and up to 64 columns. Its weights come straight from memory: lane 4 g + t reads 16 bytes, word t of either half of a part of the
 * four rows 4 g and on, which is what two products of tiles take of it, one with the first two of its rows, one with the last two; which rows stand
 * together does not matter as long as what is written back agrees. The columns' quants stand in shared memory, 128 inputs of 64 columns at a time, the
 * next while these are multiplied.
 *
 * The processor's bits: the tensor cores' sums of a part are exact integers. They start with the bits of 1.5 * 2^23, less what the weights' zero costs, so
 * that one subtraction makes them floating-point numbers: they stay below 32 * 128 * 127 < 2^22. Then each is multiplied and added in the order of
 * docs/kernels.md.
 */
#include "products.cuh"

enum { STAGE_PARTS = 4, STAGE_INPUTS = 32 * STAGE_PARTS, WARPS = 4, TILES = YT_TILE_COLUMNS / 8, PAIR_SUMS = 16 };

/* What the warps of a block share of the columns: 128 inputs of each. */
template <int TYPE>
struct alignas(16) yt_stage {
    using Q = yt_quants<TYPE>;
    /* Chunks of 16 bytes, number i of a column at place i ^ column % 8, so that eight columns' are in different banks. */
    int8_t quants[YT_TILE_COLUMNS][STAGE_INPUTS];
    alignas(8) float scales[STAGE_PARTS][YT_TILE_COLUMNS];
    /* Of each scale of a part: what the sums start with; with minimums, minus the sum of the column's quants, times their scale, as a float. */
    alignas(8) int starts[STAGE_PARTS][Q::scales][YT_TILE_COLUMNS];
};

/* Two columns' that are read together. */
struct alignas(8) yt_two_floats {
    float x;
    float y;
};

/* A lane's share of the columns of a stage: scales and sums of two parts of a column each, loaded while the stage before is multiplied. */
struct yt_stage_inputs {
    static constexpr int items = STAGE_PARTS * YT_TILE_COLUMNS / (32 * WARPS);
    float scales[items];
    yt_two_words sums[items];
};

YT_DEVICE int64_t yt_stage_column(const yt_product_launch &launch, int first_column, int c)
{
    return first_column + c < launch.n_columns ? first_column + c : launch.n_columns - 1;
}

template <int TYPE>
YT_DEVICE void yt_begin_stage(const yt_product_launch &launch, int first_column, int n_columns, int first_part, yt_stage<TYPE> &stage, yt_stage_inputs &inputs)
{
    const int n_parts = launch.width / 32;
    const int left = n_parts - first_part;
    for (int i = (int)threadIdx.x; i < n_columns * 2 * STAGE_PARTS; i += 32 * WARPS) {
        const int c = i / (2 * STAGE_PARTS);
        const int chunk = i % (2 * STAGE_PARTS);
        if (chunk / 2 < left) {
            yt_copy_async(&stage.quants[c][16 * (chunk ^ c % 8)],
                launch.input.quants + yt_stage_column(launch, first_column, c) * launch.width + (int64_t)first_part * 32 + 16 * chunk);
        }
    }
    yt_copy_commit();
    for (int i = 0; i < yt_stage_inputs::items; i++) {
        const int item = (int)threadIdx.x + i * 32 * WARPS;
        const int part = item % STAGE_PARTS;
        const int64_t block = yt_stage_column(launch, first_column, item / STAGE_PARTS) * n_parts + first_part + (part < left ? part : left - 1);
        inputs.scales[i] = launch.input.scales[block];
        inputs.sums[i] = ((const yt_two_words *)launch.input.sums)[block];
    }
}

template <int TYPE>
YT_DEVICE void yt_finish_stage(const yt_stage_inputs &inputs, yt_stage<TYPE> &stage)
{
    using Q = yt_quants<TYPE>;
    for (int i = 0; i < yt_stage_inputs::items; i++) {
        const int item = (int)threadIdx.x + i * 32 * WARPS;
        const int part = item % STAGE_PARTS;
        const int c = item / STAGE_PARTS;
        const int halves[2] = {-(int)inputs.sums[i].x, -(int)inputs.sums[i].y};
        stage.scales[part][c] = inputs.scales[i];
        for (int h = 0; h < Q::scales; h++) {
            const int sum = Q::scales == 2 ? halves[h] : halves[0] + halves[1];
            const uint32_t scaled = yt_float_to_bits_device(inputs.scales[i] * (float)sum);
            stage.starts[part][h][c] = Q::has_minimums ? (int)scaled : YT_FLOAT_START + sum * (1 << Q::zero_bit);
        }
    }
}

/* A lane's weights of one part: word t of either half of its four rows, as they lie in memory. */
template <int TYPE>
struct yt_raw_part {
    using Q = yt_quants<TYPE>;
    uint4 low[Q::shares_bytes ? 1 : 2];
    uint4 high[Q::high_lines == 8 ? 2 : 1];
    yt_raw_scales scales;

    YT_DEVICE void load(const uint8_t *group, int n_parts, int part, int quad, int t)
    {
        const int p = Q::is_k ? part % 8 : 0;
        const yt_block_place place = yt_place_of<TYPE>(group, n_parts / Q::parts, part / Q::parts);
        const uint8_t *body = place.body + 16 * quad;
        yt_load_scales<TYPE>(place, p, quad, scales);
        for (int half = 0; half < 2; half++) {
            if (half == 0 || !Q::shares_bytes) {
                low[half] = yt_load_stream(body + yt_low_line<TYPE>(p, half, t));
            }
            if (Q::high_lines == 8) {
                high[half] = yt_load_stream(body + yt_high_line<TYPE>(p, half, t));
            }
        }
        if (Q::high_lines == 1) {
            high[0] = yt_load_stream(body);
        }
    }

    YT_DEVICE uint4 quants(int part, int half, int t) const
    {
        return yt_quants_of<TYPE>(low[Q::shares_bytes ? 0 : half], high[Q::high_lines == 8 ? half : 0], Q::is_k ? part % 8 : 0, half, t);
    }
};

/* A part of the weights, taken apart. */
template <int TYPE>
struct yt_part {
    uint4 q[2]; /* of either half */
    float scales[yt_quants<TYPE>::scales][4];
    float minimums[yt_quants<TYPE>::scales][4];
};

/* Eight columns, of which a lane has two, c (even) and the next, times the four rows of a lane: sums[row / 2][2 * (row % 2) + column]. */
template <int TYPE>
YT_DEVICE void yt_multiply_tile(const yt_part<TYPE> &w, const yt_stage<TYPE> &stage, int part, int c, uint32_t b0, uint32_t b1, float (&acc)[8])
{
    using Q = yt_quants<TYPE>;
    const yt_two_floats scales = *(const yt_two_floats *)&stage.scales[part][c];
    const float d[2] = {scales.x, scales.y};
    float input_sums[Q::scales][2];
    float products[8];
#pragma unroll
    for (int h = 0; h < Q::scales; h++) {
        const yt_two_words starts = *(const yt_two_words *)&stage.starts[part][h][c];
        input_sums[h][0] = yt_bits_to_float_device(starts.x);
        input_sums[h][1] = yt_bits_to_float_device(starts.y);
        const int first = Q::has_minimums ? YT_FLOAT_START : (int)starts.x;
        const int second = Q::has_minimums ? YT_FLOAT_START : (int)starts.y;
        int sums[2][4] = {{first, second, first, second}, {first, second, first, second}};
        if (Q::scales == 1) {
            yt_mma_u8s8_k32(sums[0], w.q[0].x, w.q[0].y, w.q[1].x, w.q[1].y, b0, b1);
            yt_mma_u8s8_k32(sums[1], w.q[0].z, w.q[0].w, w.q[1].z, w.q[1].w, b0, b1);
        } else {
            yt_mma_u8s8_k16(sums[0], w.q[h].x, w.q[h].y, h == 0 ? b0 : b1);
            yt_mma_u8s8_k16(sums[1], w.q[h].z, w.q[h].w, h == 0 ? b0 : b1);
        }
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const float n = yt_bits_to_float_device((uint32_t)sums[i / 4][i % 4]) - YT_FLOAT_OFFSET;
            products[i] = h == 0 ? n * w.scales[h][i / 2] : fmaf(n, w.scales[h][i / 2], products[i]);
        }
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
        acc[i] = fmaf(products[i], d[i % 2], acc[i]);
        for (int h = 0; h < Q::scales && Q::has_minimums; h++) {
            acc[i] = fmaf(input_sums[h][i % 2], w.minimums[h][i / 2], acc[i]);
        }
    }
}

/* One part, of the stage and of the row, times n_pairs pairs of tiles from column c on. */
template <int TYPE>
YT_DEVICE void yt_multiply_part(const yt_part<TYPE> &w, const yt_stage<TYPE> &stage, int part, int c, int n_pairs, float (&acc)[TILES][8])
{
    const int lane = (int)threadIdx.x % 32;
    /* The lane's row of the four tiles of bytes: either half of eight columns, then of the next eight. */
    const int column = c + lane % 8 + lane / 16 * 8;
    const int chunk = 2 * part + lane / 8 % 2;
#pragma unroll
    for (int pair = 0; pair < TILES / 2; pair++) {
        if (pair < n_pairs) {
            uint32_t b[4];
            yt_load_tiles(b, &stage.quants[column + 16 * pair][16 * (chunk ^ column % 8)]);
            yt_multiply_tile<TYPE>(w, stage, part, c + 16 * pair + lane % 4 * 2, b[0], b[1], acc[2 * pair]);
            yt_multiply_tile<TYPE>(w, stage, part, c + 16 * pair + 8 + lane % 4 * 2, b[2], b[3], acc[2 * pair + 1]);
        }
    }
}

template <int TYPE>
__global__ void __launch_bounds__(32 * WARPS) yt_multiply_mma(YT_PARAMETER(yt_product_launch, launch))
{
    using Q = yt_quants<TYPE>;
    yt_stage<TYPE> *stages = (yt_stage<TYPE> *)yt_shared();
    const yt_product_tile tile = yt_find_tile(launch);
    const auto &matrix = launch.matrices[tile.matrix];
    const int first_column = tile.column_tile * YT_TILE_COLUMNS;
    const int left = launch.n_columns - first_column;
    const int n_staged = left < YT_TILE_COLUMNS ? (left + 15) / 16 * 16 : YT_TILE_COLUMNS;
    const int warp = (int)threadIdx.x / 32;
    const int lane = (int)threadIdx.x % 32;
    const int t = lane % 4;

    /* The warp's columns of the tile, and its rows. */
    const int warp_columns = YT_TILE_COLUMNS / launch.column_warps;
    const int c = warp % launch.column_warps * warp_columns;
    const int n_wanted = n_staged - c < warp_columns ? n_staged - c : warp_columns;
    const int n_pairs = n_wanted > 0 ? n_wanted / 16 : 0;
    const int first_group = (tile.row_tile * (WARPS / launch.column_warps) + warp / launch.column_warps) * (YT_WARP_ROWS / 16);
    const int own_group = first_group + lane / 16;
    const uint8_t *group = matrix.data + (own_group < matrix.n_groups ? own_group : matrix.n_groups - 1) * matrix.group_bytes;
    const int quad = lane / 4 % 4;
    const int n_parts = launch.width / 32;

    float acc[TILES][8] = {};
    yt_raw_part<TYPE> raw;
    yt_stage_inputs inputs;
    yt_begin_stage<TYPE>(launch, first_column, n_staged, 0, stages[0], inputs);
    raw.load(group, n_parts, 0, quad, t);
    yt_finish_stage<TYPE>(inputs, stages[0]);
    yt_copy_wait<0>();
    __syncthreads();
    for (int first_part = 0; first_part < n_parts; first_part += STAGE_PARTS) {
        yt_stage<TYPE> &stage = stages[first_part / STAGE_PARTS % 2];
        yt_stage<TYPE> &next = stages[(first_part / STAGE_PARTS + 1) % 2];
        const bool has_next = first_part + STAGE_PARTS < n_parts;
        if (has_next) {
            yt_begin_stage<TYPE>(launch, first_column, n_staged, first_part + STAGE_PARTS, next, inputs);
        }
        for (int part = first_part; part < n_parts && part < first_part + STAGE_PARTS; part++) {
            yt_part<TYPE> w;
            for (int i = 0; i < 2; i++) {
                w.q[i] = raw.quants(part, i, t);
            }
            for (int i = 0; i < Q::scales; i++) {
                yt_scales_of<TYPE>(raw.scales, Q::is_k ? part % 8 : 0, i, w.scales[i], w.minimums[i]);
            }
            if (part + 1 < n_parts) {
                raw.load(group, n_parts, part + 1, quad, t);
            }
            yt_multiply_part<TYPE>(w, stage, part - first_part, c, n_pairs, acc);
        }
        if (has_next) {
            yt_finish_stage<TYPE>(inputs, next);
        }
        yt_copy_wait<0>();
        __syncthreads();
    }

    /* By way of shared memory, where each lane gets a row. */
    float *sums = (float *)yt_shared() + warp * PAIR_SUMS * 32;
#pragma unroll
    for (int pair = 0; pair < TILES / 2; pair++) {
        if (pair < n_pairs) {
#pragma unroll
            for (int i = 0; i < PAIR_SUMS; i++) {
                sums[i * 32 + lane] = acc[2 * pair + i / 8][i % 8];
            }
            yt_warp_sync();
#pragma unroll 1
            for (int i = 0; i < 16; i++) {
                yt_finish_product(launch, tile.matrix, (int64_t)first_group * 16 + lane, first_column + c + 16 * pair + i, sums[yt_sum_at(lane, i)]);
            }
            yt_warp_sync();
        }
    }
}

/* Few blocks of 128 rows are divided further, by columns, which each warp takes fewer of. */
enum { ENOUGH_BLOCKS = 256 };

template <int TYPE>
static void launch_mma(yt_queue &queue, yt_product_launch &launch)
{
    int64_t blocks;
    launch.column_warps = 1;
    while ((blocks = yt_divide_products(launch, YT_WARP_ROWS * WARPS / launch.column_warps, YT_TILE_COLUMNS)) < ENOUGH_BLOCKS && launch.column_warps < WARPS &&
        launch.n_columns > YT_TILE_COLUMNS / 2 / launch.column_warps) {
        launch.column_warps *= 2;
    }
    yt_launch(queue, yt_multiply_mma<TYPE>, dim3((unsigned)blocks), dim3(32 * WARPS), (unsigned)(2 * sizeof(yt_stage<TYPE>)), launch);
}

void yt_launch_mma_products(yt_queue &queue, int32_t type, yt_product_launch &launch)
{
    switch (type) {
#define TYPE_CASE(type) \
    case type: \
        launch_mma<type>(queue, launch); \
        break;
        YT_QUANTIZED_TYPES(TYPE_CASE)
#undef TYPE_CASE
    default:
        break;
    }
}
