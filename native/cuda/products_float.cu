/*
 * Products of unquantized matrices: F16 and BF16 by tensor cores, F32 by fma.
 *
 * F16, BF16: the inputs are divided into eight segments, whatever the number of columns: of ceil(width / 256) * 32 inputs each, the last ones shorter or
 * empty. The sum of a segment begins with zero and takes sixteen inputs at a time in their order, of F16 first the larger, then the smaller halves of the
 * activations; how the sixteen are added is the tensor cores' matter. The segments' sums are added in their order, of F16 the result is multiplied with
 * 2^exponent. For few columns, eight warps take a segment each of 32 rows; for many, four warps take all segments of 32 rows each and share the columns.
 * Both add the same numbers in the same order, so they give the same bits.
 *
 * A lane reads its weights straight from memory: those of the four rows 4 g and on, two inputs at a time; rows 0 and 1 of the four go into one product of
 * tiles, 2 and 3 into another.
 *
 * F32: one chain of fma for each row and column, in the order of the inputs: the processor's bits.
 */
#include "products.cuh"

enum { SEGMENTS = 8, STEP = 32, FEW_COLUMNS = 16, MANY_WARPS = 4 };

/* Halves that an activation is the sum of. */
template <int TYPE>
struct yt_half_parts {
    static constexpr int n = TYPE == YT_F16 ? 2 : 1;
};

/* ---- activations -------------------------------------------------------------------------------------------------------------------- */

/*
 * 32 inputs of some columns in shared memory: uint16 [parts][n_columns][32]; of the four chunks of a column, number i at place i ^ (column / 2) % 4, so
 * that eight columns' are in different banks.
 */
template <int TYPE>
struct yt_half_stage {
    uint16_t *halves;
    int n_columns;

    YT_DEVICE uint16_t *at(int part, int column, int chunk) const
    {
        return halves + (part * n_columns + column) * STEP + 8 * (chunk ^ column / 2 % 4);
    }

    /*
     * Copies the inputs from k on, zeros where there are none; by n_threads threads, of which this is one. Columns that do not exist keep what is there: no
     * other column's sums depend on them.
     */
    YT_DEVICE void copy(const yt_product_launch &launch, int first_column, int64_t k, int thread, int n_threads) const
    {
        const int64_t width = launch.width;
        const int64_t stride = TYPE == YT_F16 ? 2 * width : (width + 1) / 2 * 2;
        const int left = launch.n_columns - first_column;
        for (int part = 0; part < yt_half_parts<TYPE>::n; part++) {
            for (int i = thread; i < 4 * (left < n_columns ? left : n_columns); i += n_threads) {
                const int chunk = i % 4;
                const int c = i / 4;
                const int64_t first = k + 8 * chunk;
                const uint16_t *source = launch.input.halves + (first_column + c) * stride + part * width + first;
                uint16_t *target = at(part, c, chunk);
                if (width % 8 == 0 && first < width) {
                    yt_copy_async(target, source);
                } else {
                    for (int e = 0; e < 8; e++) {
                        target[e] = first + e < width ? source[e] : (uint16_t)0;
                    }
                }
            }
        }
        yt_copy_commit();
    }
};

/* ---- weights ------------------------------------------------------------------------------------------------------------------------ */

/* A lane's weights of 32 inputs: number i is inputs 8 i + 2 t and the next of its four rows. */
template <int TYPE>
struct yt_half_weights {
    uint4 raw[4];

    /* group: of the lane's four rows, number quad of it; inputs from k on, zeros where there are none. */
    YT_DEVICE void load(const uint8_t *group, int64_t width, int64_t k, int quad, int t)
    {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int64_t first = k + 8 * i + 2 * t;
            raw[i] = uint4{0, 0, 0, 0};
            if (TYPE == YT_BF16 && first < width) {
                raw[i] = yt_load_stream(group + first * 32 + 16 * quad);
            }
            if (TYPE == YT_F16 && first < width) {
                const yt_two_words rows = *(const yt_two_words *)(group + first * 32 + 8 * quad);
                raw[i].x = rows.x;
                raw[i].y = rows.y;
            }
            if (TYPE == YT_F16 && first + 1 < width) {
                const yt_two_words rows = *(const yt_two_words *)(group + (first + 1) * 32 + 8 * quad);
                raw[i].z = rows.x;
                raw[i].w = rows.y;
            }
        }
    }

    /* Both inputs of each of the four rows. */
    YT_DEVICE uint4 pairs(int i) const
    {
        if (TYPE == YT_BF16) {
            return raw[i];
        }
        uint4 w;
        w.x = yt_permute(raw[i].x, raw[i].z, 0x5410);
        w.y = yt_permute(raw[i].x, raw[i].z, 0x7632);
        w.z = yt_permute(raw[i].y, raw[i].w, 0x5410);
        w.w = yt_permute(raw[i].y, raw[i].w, 0x7632);
        return w;
    }
};

template <int TYPE>
YT_DEVICE void yt_half_mma(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1)
{
    if (TYPE == YT_F16) {
        yt_mma_f16_k16(c, a0, a1, a2, a3, b0, b1);
    } else {
        yt_mma_bf16_k16(c, a0, a1, a2, a3, b0, b1);
    }
}

/* 32 inputs of 32 rows times n_pairs pairs of eight columns, added to acc: [eight columns][rows 0 and 1, 2 and 3 of the four][2 * row + column]. */
template <int TYPE, int SLOTS>
YT_DEVICE void yt_multiply_step(const uint4 (&w)[4], const yt_half_stage<TYPE> &stage, int n_pairs, float (&acc)[SLOTS / 8][2][4])
{
    const int lane = (int)threadIdx.x % 32;
    const int column = lane % 8 + lane / 16 * 8;
#pragma unroll
    for (int pair = 0; pair < SLOTS / 16; pair++) {
        if (pair < n_pairs) {
#pragma unroll
            for (int i = 0; i < 2 * yt_half_parts<TYPE>::n; i++) {
                const int sixteen = i / yt_half_parts<TYPE>::n;
                const uint4 &low = w[2 * sixteen];
                const uint4 &high = w[2 * sixteen + 1];
                uint32_t b[4];
                yt_load_tiles(b, stage.at(i % yt_half_parts<TYPE>::n, column + 16 * pair, 2 * sixteen + lane / 8 % 2));
                yt_half_mma<TYPE>(acc[2 * pair][0], low.x, low.y, high.x, high.y, b[0], b[1]);
                yt_half_mma<TYPE>(acc[2 * pair][1], low.z, low.w, high.z, high.w, b[0], b[1]);
                yt_half_mma<TYPE>(acc[2 * pair + 1][0], low.x, low.y, high.x, high.y, b[2], b[3]);
                yt_half_mma<TYPE>(acc[2 * pair + 1][1], low.z, low.w, high.z, high.w, b[2], b[3]);
            }
        }
    }
}

/* ---- F16 and BF16 ------------------------------------------------------------------------------------------------------------------- */

/* value * 2^exponent, of any size. */
YT_DEVICE float yt_scaled(float value, int exponent)
{
    const int half = exponent >> 1;
    return value * yt_bits_to_float_device((uint32_t)(half + 127) << 23) * yt_bits_to_float_device((uint32_t)(exponent - half + 127) << 23);
}

template <int TYPE>
YT_DEVICE void yt_finish_halves(const yt_product_launch &launch, const yt_product_tile &tile, int64_t row, int64_t column, float sum)
{
    if (column < launch.n_columns) {
        yt_finish_product(launch, tile.matrix, row, column, TYPE == YT_F16 ? yt_scaled(sum, launch.input.exponents[column]) : sum);
    }
}

/*
 * Few columns are bound by memory: what counts is how many warps have weights on their way, so theirs is a kernel of its own, of which several blocks fit into a
 * multiprocessor: of F16 three, of BF16 two but on 7.5, where its products take too many registers.
 */
template <int TYPE, bool IS_FEW>
struct yt_halves_shape {
    static constexpr int warps = IS_FEW ? SEGMENTS : MANY_WARPS;
    static constexpr int blocks = IS_FEW && TYPE == YT_F16 ? 3 : 1;
    static constexpr int columns = IS_FEW ? (int)FEW_COLUMNS : (int)YT_TILE_COLUMNS;
};

template <int TYPE, bool IS_FEW>
__global__ void __launch_bounds__(32 * yt_halves_shape<TYPE, IS_FEW>::warps, yt_halves_shape<TYPE, IS_FEW>::blocks)
    yt_multiply_halves(YT_PARAMETER(yt_product_launch, launch))
{
    constexpr int tile_columns = yt_halves_shape<TYPE, IS_FEW>::columns;
    const yt_product_tile tile = yt_find_tile(launch);
    const auto &matrix = launch.matrices[tile.matrix];
    const int warp = (int)threadIdx.x / 32;
    const int lane = (int)threadIdx.x % 32;
    const int quad = lane / 4 % 4;
    const int first_column = tile.column_tile * tile_columns;
    const int left = launch.n_columns - first_column;
    const int n_pairs = ((left < tile_columns ? left : tile_columns) + 15) / 16;
    const int64_t first_row = (IS_FEW ? tile.row_tile : (int64_t)tile.row_tile * MANY_WARPS + warp) * YT_WARP_ROWS;
    const int64_t own_group = first_row / 16 + lane / 16;
    const uint8_t *group = matrix.data + (own_group < matrix.n_groups ? own_group : matrix.n_groups - 1) * matrix.group_bytes;

    const int segment_steps = (launch.width + SEGMENTS * STEP - 1) / (SEGMENTS * STEP);
    const int n_steps = IS_FEW ? segment_steps : SEGMENTS * segment_steps;
    const int64_t first_k = IS_FEW ? (int64_t)warp * segment_steps * STEP : 0;

    /* Two stages of each warp, or of the block. */
    const int stage_halves = yt_half_parts<TYPE>::n * tile_columns * STEP;
    uint16_t *stage_memory = (uint16_t *)yt_shared() + (IS_FEW ? warp * 2 * stage_halves : 0);
    const int thread = IS_FEW ? lane : (int)threadIdx.x;
    const int n_threads = IS_FEW ? 32 : 32 * MANY_WARPS;
    /* Sums, [segment, or warp][slot][lane]: of few columns in the place of the stages, when these are done with; of many columns behind them. */
    float *sums = (IS_FEW ? (float *)yt_shared() : (float *)((uint16_t *)yt_shared() + 2 * stage_halves)) + warp * tile_columns * 32;

    float acc[tile_columns / 8][2][4] = {};
    yt_half_weights<TYPE> weights;
    yt_half_stage<TYPE>{stage_memory, tile_columns}.copy(launch, first_column, first_k, thread, n_threads);
    weights.load(group, launch.width, first_k, quad, lane % 4);
    for (int step = 0; step < n_steps; step++) {
        const yt_half_stage<TYPE> stage = {stage_memory + step % 2 * stage_halves, tile_columns};
        uint4 w[4];
        for (int i = 0; i < 4; i++) {
            w[i] = weights.pairs(i);
        }
        yt_copy_wait<0>();
        if (IS_FEW) {
            yt_warp_sync();
        } else {
            __syncthreads();
        }
        if (step + 1 < n_steps) {
            const yt_half_stage<TYPE> next = {stage_memory + (step + 1) % 2 * stage_halves, tile_columns};
            next.copy(launch, first_column, first_k + (int64_t)(step + 1) * STEP, thread, n_threads);
            weights.load(group, launch.width, first_k + (int64_t)(step + 1) * STEP, quad, lane % 4);
        }
        yt_multiply_step<TYPE, tile_columns>(w, stage, n_pairs, acc);
        if (!IS_FEW && (step + 1) % segment_steps == 0) {
#pragma unroll
            for (int slot = 0; slot < tile_columns; slot++) {
                float *sum = &sums[slot * 32 + lane];
                float &own = acc[slot / 8][slot % 8 / 4][slot % 4];
                *sum = step + 1 == segment_steps ? own : *sum + own;
                own = 0.0f;
            }
        }
    }

    if (!IS_FEW) {
        yt_warp_sync();
        for (int c = 0; c < 16 * n_pairs; c++) {
            yt_finish_halves<TYPE>(launch, tile, first_row + lane, first_column + c, sums[yt_sum_at(lane, c)]);
        }
        return;
    }
    __syncthreads();
#pragma unroll
    for (int slot = 0; slot < tile_columns; slot++) {
        sums[slot * 32 + lane] = acc[slot / 8][slot % 8 / 4][slot % 4];
    }
    __syncthreads();
    for (int item = (int)threadIdx.x; item < FEW_COLUMNS * 32; item += 32 * SEGMENTS) {
        const int row = item % 32;
        const int c = item / 32;
        const float *first = (const float *)yt_shared() + yt_sum_at(row, c);
        float sum = first[0];
        for (int segment = 1; segment < SEGMENTS; segment++) {
            sum = sum + first[segment * FEW_COLUMNS * 32];
        }
        yt_finish_halves<TYPE>(launch, tile, first_row + row, first_column + c, sum);
    }
}

/* Blocks of four warps that take all segments, from as many on: then there is enough for all of a GPU to do. */
enum { ENOUGH_BLOCKS = 128 };

template <int TYPE>
static void launch_halves(yt_queue &queue, yt_product_launch &launch)
{
    const int parts = yt_half_parts<TYPE>::n;
    int64_t blocks = yt_divide_products(launch, MANY_WARPS * YT_WARP_ROWS, YT_TILE_COLUMNS);
    if (launch.n_columns > FEW_COLUMNS && blocks >= ENOUGH_BLOCKS) {
        const unsigned shared = 2 * parts * YT_TILE_COLUMNS * STEP * 2 + MANY_WARPS * YT_TILE_COLUMNS * 32 * 4;
        yt_launch(queue, yt_multiply_halves<TYPE, false>, dim3((unsigned)blocks), dim3(32 * MANY_WARPS), shared, launch);
        return;
    }
    blocks = yt_divide_products(launch, YT_WARP_ROWS, FEW_COLUMNS);
    const unsigned shared = SEGMENTS * FEW_COLUMNS * 32 * 2 * 2 * parts; /* the stages; the sums take no more */
    yt_launch(queue, yt_multiply_halves<TYPE, true>, dim3((unsigned)blocks), dim3(32 * SEGMENTS), shared, launch);
}

/* ---- F32 ---------------------------------------------------------------------------------------------------------------------------- */

/* A block takes sixteen rows and 32 columns, a thread one row and four columns; 32 inputs at a time, of which three times as many are on their way. */
enum { FLOAT_THREADS = 128, FLOAT_COLUMNS = 32, FLOAT_STAGES = 4 };

struct alignas(16) yt_float_stage {
    float weights[STEP][16];
    float inputs[FLOAT_COLUMNS][STEP + 4]; /* four more, so that columns begin in other banks */
};

YT_DEVICE void yt_copy_floats(const yt_product_launch &launch, const uint8_t *group, int first_column, int64_t k, yt_float_stage &stage)
{
    const int64_t width = launch.width;
    if (k + threadIdx.x / 4 < width) {
        yt_copy_async(&stage.weights[0][0] + 4 * threadIdx.x, group + k * 64 + 16 * threadIdx.x);
    }
    for (int i = (int)threadIdx.x; i < FLOAT_COLUMNS * STEP / 4; i += FLOAT_THREADS) {
        const int c = i / (STEP / 4);
        const int at = i % (STEP / 4) * 4;
        const float *source = launch.input.floats + (int64_t)(first_column + c) * width + k + at;
        if (first_column + c >= launch.n_columns || k + at >= width) {
            continue;
        }
        if (width % 4 == 0) {
            yt_copy_async(&stage.inputs[c][at], source);
        } else {
            for (int e = 0; e < 4 && k + at + e < width; e++) {
                stage.inputs[c][at + e] = source[e];
            }
        }
    }
}

__global__ void __launch_bounds__(FLOAT_THREADS) yt_multiply_floats(YT_PARAMETER(yt_product_launch, launch))
{
    yt_float_stage *stages = (yt_float_stage *)yt_shared();
    const yt_product_tile tile = yt_find_tile(launch);
    const auto &matrix = launch.matrices[tile.matrix];
    const uint8_t *group = matrix.data + tile.row_tile * matrix.group_bytes;
    const int first_column = tile.column_tile * FLOAT_COLUMNS;
    const int row = (int)threadIdx.x % 16;
    const int c = (int)threadIdx.x / 16 * 4;
    float acc[4] = {};
    for (int i = 0; i < FLOAT_STAGES - 1; i++) {
        yt_copy_floats(launch, group, first_column, (int64_t)i * STEP, stages[i]);
        yt_copy_commit();
    }
    for (int64_t k = 0, i = 0; k < launch.width; k += STEP, i++) {
        const yt_float_stage &stage = stages[i % FLOAT_STAGES];
        yt_copy_wait<FLOAT_STAGES - 2>();
        __syncthreads();
        yt_copy_floats(launch, group, first_column, k + (FLOAT_STAGES - 1) * STEP, stages[(i + FLOAT_STAGES - 1) % FLOAT_STAGES]);
        yt_copy_commit();
        const int n = launch.width - k < STEP ? (int)(launch.width - k) : STEP;
        if (first_column + c < launch.n_columns) {
#pragma unroll 8
            for (int j = 0; j < n; j++) {
                for (int e = 0; e < 4; e++) {
                    acc[e] = fmaf(stage.weights[j][row], stage.inputs[c + e][j], acc[e]);
                }
            }
        }
    }
    for (int e = 0; e < 4; e++) {
        yt_finish_product(launch, tile.matrix, (int64_t)tile.row_tile * 16 + row, first_column + c + e, acc[e]);
    }
}

void yt_launch_float_products(yt_queue &queue, int32_t type, yt_product_launch &launch)
{
    if (type == YT_F16) {
        launch_halves<YT_F16>(queue, launch);
    } else if (type == YT_BF16) {
        launch_halves<YT_BF16>(queue, launch);
    } else {
        const int64_t blocks = yt_divide_products(launch, 16, FLOAT_COLUMNS);
        yt_launch(queue, yt_multiply_floats, dim3((unsigned)blocks), dim3(FLOAT_THREADS), (unsigned)(FLOAT_STAGES * sizeof(yt_float_stage)), launch);
    }
}
