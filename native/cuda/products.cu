/*
 * Products with few columns, quantized weights, by dp4a; and the choice among the kernels of all products.
 *
 * A block takes sixteen rows, whose packed weights are one stream. Each of its warps takes every so many 256 inputs of them: a lane has four rows of one
 * part of 32 inputs, all of it, so that nothing is exchanged between lanes: it reads 16 bytes at a time, the same word of the four rows, 64 bytes side by
 * side for four lanes. Each line is read once; where parts share bytes, their lanes ask for them in the same instruction. Half a part is in registers or
 * on its way at any time: it is replaced as soon as it is taken apart.
 *
 * The processor's bits: sums of a part are exact integers, in whatever order; multiplied with the part's scale they go to shared memory, and there one
 * thread for each row and column adds them up in the order of the inputs (docs/kernels.md). Of one column, while the other warps are at the next stretch.
 *
 * There are kernels for 1, 4 and 8 columns; more, up to YT_DP4A_COLUMNS, are divided among blocks that follow each other, so that the weights are read
 * from the second-level cache again. The columns that a kernel has too many are the last one once more, and are not kept.
 */
#include "products.cuh"

/* Inputs that a warp takes at a time: eight parts, of which each has four lanes. */
enum { STEP_PARTS = 8, STEP_INPUTS = 32 * STEP_PARTS };

template <int COLUMNS>
struct yt_decode_shape {
    static constexpr int warps = COLUMNS == 1 ? 8 : 4;
    static constexpr int parts = warps * STEP_PARTS;
    /*
     * Stretches in shared memory: two, so that the chains of one stretch run beside the products of the next, where there is room for several blocks
     * even so.
     */
    static constexpr int buffers = COLUMNS == 1 ? 2 : 1;
};

/* What a block has of as many inputs as its warps take at a time. */
template <int TYPE, int COLUMNS>
struct alignas(16) yt_stretch {
    using S = yt_decode_shape<COLUMNS>;
    static constexpr int minimum_parts = yt_quants<TYPE>::has_minimums ? S::parts * yt_quants<TYPE>::scales : 1;

    int8_t input[S::warps][COLUMNS][STEP_INPUTS];
    float products[COLUMNS][S::parts * 16 + 16]; /* [parts][rows], times the scales of the weights; 16 more, so that columns begin in other banks */
    float input_scales[COLUMNS][S::parts];
    float minimums[minimum_parts][16];
    float input_sums[COLUMNS][minimum_parts]; /* minus the sum of the input's quants, times their scale */
};

/*
 * Blocks that fit into a multiprocessor at once: as many as their registers allow without spills, to which the compiler left alone would prefer
 * another block.
 */
template <int TYPE, int COLUMNS>
struct yt_decode_blocks {
    using Q = yt_quants<TYPE>;
    static constexpr bool is_light = !Q::is_k && Q::high_lines == 0;
    static constexpr int n = COLUMNS == 1 ? (is_light ? 3 : 2) : COLUMNS == 4 ? (Q::high_lines == 8 ? 3 : 4) : is_light ? 4 : 3;
};

/* Half a part of four rows, as it lies in memory. */
template <int TYPE>
struct yt_raw_half {
    uint4 low[4];
    uint4 high[yt_quants<TYPE>::high_lines == 8 ? 4 : 1];
};

template <int TYPE>
YT_DEVICE void yt_load_half(const uint8_t *body, int p, int half, yt_raw_half<TYPE> &raw)
{
#pragma unroll
    for (int word = 0; word < 4; word++) {
        raw.low[word] = yt_load_stream(body + yt_low_line<TYPE>(p, half, word));
        if (yt_quants<TYPE>::high_lines == 8) {
            raw.high[word] = yt_load_stream(body + yt_high_line<TYPE>(p, half, word));
        }
    }
    if (yt_quants<TYPE>::high_lines == 1) {
        raw.high[0] = yt_load_stream(body);
    }
}

/* Scale and sums of one column's part. */
struct yt_input_part {
    float scale;
    yt_two_words sums;
};

/* A lane's part of the inputs, step by step. */
template <int TYPE, int COLUMNS>
struct yt_decode_lane {
    using Q = yt_quants<TYPE>;
    using S = yt_decode_shape<COLUMNS>;
    static constexpr int lane_columns = (COLUMNS + 3) / 4; /* whose scales and sums a lane loads */

    int warp;
    int lane;
    int quad;
    int part;    /* of the eight */
    int n_parts; /* of a row */
    bool is_there; /* whether the part that loads are for exists */
    const uint8_t *body;
    yt_raw_half<TYPE> raw;
    yt_raw_scales raw_scales;
    yt_input_part inputs[lane_columns];

    YT_DEVICE int block_part() const
    {
        return Q::is_k ? part : 0;
    }

    /* Asks for the first half, the scales, and what belongs to them of the columns, of step number `step` of a group. */
    YT_DEVICE void begin(const uint8_t *group, int step)
    {
        const int first = step * STEP_PARTS + part;
        is_there = first < n_parts;
        if (is_there) {
            const yt_block_place place = yt_place_of<TYPE>(group, n_parts / Q::parts, first / Q::parts);
            body = place.body + 16 * quad;
            yt_load_scales<TYPE>(place, block_part(), quad, raw_scales);
            yt_load_half<TYPE>(body, block_part(), 0, raw);
        }
    }

    YT_DEVICE int column_of(const yt_product_launch &launch, int first_column, int c) const
    {
        const int column = first_column + c;
        return column < launch.n_columns ? column : launch.n_columns - 1;
    }

    YT_DEVICE void load_inputs(const yt_product_launch &launch, int first_column, int step)
    {
        const int at = step * STEP_PARTS + part;
        for (int i = 0; i < lane_columns; i++) {
            const int64_t block = (int64_t)column_of(launch, first_column, (quad + 4 * i) % COLUMNS) * n_parts + (at < n_parts ? at : n_parts - 1);
            inputs[i].scale = launch.input.scales[block];
            inputs[i].sums = ((const yt_two_words *)launch.input.sums)[block];
        }
    }

    /* Copies the quants of all columns. */
    YT_DEVICE void copy_input(const yt_product_launch &launch, int first_column, int step, yt_stretch<TYPE, COLUMNS> &stretch) const
    {
        const int n = (n_parts - step * STEP_PARTS) * 2; /* 16 bytes each */
        const int at = lane % (2 * STEP_PARTS);
#pragma unroll
        for (int i = 0; i < COLUMNS; i += 2) {
            const int c = i + lane / (2 * STEP_PARTS);
            if (at < n && c < COLUMNS) {
                yt_copy_async(&stretch.input[warp][c][16 * at],
                    launch.input.quants + (int64_t)column_of(launch, first_column, c) * launch.width + step * STEP_INPUTS + 16 * at);
            }
        }
        yt_copy_commit();
    }

    /* The value that the lane of this part has which loads column c. */
    YT_DEVICE int from_column(const int (&values)[lane_columns], int c) const
    {
        return COLUMNS == 1 ? values[0] : yt_shuffle(values[c / 4], lane / 4 * 4 + c % 4);
    }

    /* What the chains take of the columns; starts: minus the sums of both halves, shifted by the zero's bit. */
    YT_DEVICE void keep_inputs(yt_stretch<TYPE, COLUMNS> &stretch, int (&starts)[2][lane_columns]) const
    {
        const int at = warp * STEP_PARTS + part;
        for (int i = 0; i < lane_columns; i++) {
            const int first = -(int)inputs[i].sums.x;
            const int second = -(int)inputs[i].sums.y;
            const int c = (quad + 4 * i) % COLUMNS;
            const bool keeps = quad + 4 * i < COLUMNS;
            if (keeps) {
                stretch.input_scales[c][at] = inputs[i].scale;
            }
            if (Q::has_minimums && keeps && Q::scales == 1) {
                stretch.input_sums[c][at] = inputs[i].scale * (float)(first + second);
            } else if (Q::has_minimums && keeps) {
                stretch.input_sums[c][2 * at] = inputs[i].scale * (float)first;
                stretch.input_sums[c][2 * at + 1] = inputs[i].scale * (float)second;
            }
            starts[0][i] = (Q::scales == 1 ? first + second : first) * (1 << Q::zero_bit);
            starts[1][i] = second * (1 << Q::zero_bit);
        }
    }

    YT_DEVICE void keep_minimums(yt_stretch<TYPE, COLUMNS> &stretch, int half, const float (&minimums)[4]) const
    {
        float *target = stretch.minimums[(warp * STEP_PARTS + part) * Q::scales + half] + 4 * quad;
        for (int row = 0; row < 4; row++) {
            target[row] = minimums[row];
        }
    }

    /* Sums, times the scales of the weights; what is added to those of the first half waits for them in shared memory, as there are too few registers. */
    YT_DEVICE void keep_products(yt_stretch<TYPE, COLUMNS> &stretch, bool adds, const int (&sums)[COLUMNS][4], const float (&scales)[4]) const
    {
#pragma unroll
        for (int c = 0; c < COLUMNS; c++) {
            float *target = &stretch.products[c][(warp * STEP_PARTS + part) * 16 + 4 * quad];
            for (int row = 0; row < 4; row++) {
                const float n = (float)sums[c][row];
                target[row] = adds ? fmaf(n, scales[row], target[row]) : n * scales[row];
            }
        }
    }

    /* The products of the lane's part with all columns. next_group, next_step: what is asked for meanwhile; NULL: nothing. */
    YT_DEVICE void multiply(const yt_product_launch &launch, int first_column, const uint8_t *next_group, int next_step, yt_stretch<TYPE, COLUMNS> &stretch)
    {
        const int p = block_part();
        int starts[2][lane_columns];
        keep_inputs(stretch, starts);
        const yt_raw_scales own_scales = raw_scales;
        int sums[COLUMNS][4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            uint4 q[4];
#pragma unroll
            for (int word = 0; word < 4; word++) {
                q[word] = yt_quants_of<TYPE>(raw.low[word], raw.high[Q::high_lines == 8 ? word : 0], p, half, word);
            }
            if (half == 0 && !Q::shares_bytes && is_there) {
                yt_load_half<TYPE>(body, p, 1, raw);
            }
            if (half == 1 && next_group != nullptr) {
                begin(next_group, next_step);
                load_inputs(launch, first_column, next_step);
            }
            float scales[4];
            float minimums[4];
            if (half == 1 || Q::scales == 2) {
                yt_scales_of<TYPE>(own_scales, p, Q::scales == 2 ? half : 0, scales, minimums);
                if (Q::has_minimums) {
                    keep_minimums(stretch, Q::scales == 2 ? half : 0, minimums);
                }
            }
#pragma unroll
            for (int c = 0; c < COLUMNS; c++) {
                if (half == 0 || Q::scales == 2) {
                    const int start = Q::has_minimums ? 0 : from_column(starts[half], c);
                    for (int row = 0; row < 4; row++) {
                        sums[c][row] = start;
                    }
                }
                const uint4 x = *(const uint4 *)&stretch.input[warp][c][32 * part + 16 * half];
                const uint32_t words[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
                for (int word = 0; word < 4; word++) {
                    sums[c][0] = yt_dp4a(q[word].x, words[word], sums[c][0]);
                    sums[c][1] = yt_dp4a(q[word].y, words[word], sums[c][1]);
                    sums[c][2] = yt_dp4a(q[word].z, words[word], sums[c][2]);
                    sums[c][3] = yt_dp4a(q[word].w, words[word], sums[c][3]);
                }
            }
            if (half == 1 || Q::scales == 2) {
                keep_products(stretch, half == 1 && Q::scales == 2, sums, scales);
            }
        }
    }
};

/* The products of n parts of a row, added up in their order. */
template <int TYPE, int COLUMNS>
YT_DEVICE float yt_chain(const yt_stretch<TYPE, COLUMNS> &stretch, int n, int row, int c, float acc)
{
    using Q = yt_quants<TYPE>;
#pragma unroll 8
    for (int part = 0; part < n; part++) {
        acc = fmaf(stretch.products[c][part * 16 + row], stretch.input_scales[c][part], acc);
        for (int i = part * Q::scales; Q::has_minimums && i < (part + 1) * Q::scales; i++) {
            acc = fmaf(stretch.input_sums[c][i], stretch.minimums[i][row], acc);
        }
    }
    return acc;
}

template <int TYPE, int COLUMNS>
__global__ void __launch_bounds__(32 * yt_decode_shape<COLUMNS>::warps, yt_decode_blocks<TYPE, COLUMNS>::n)
    yt_multiply_dp4a(YT_PARAMETER(yt_product_launch, launch))
{
    using S = yt_decode_shape<COLUMNS>;
    yt_stretch<TYPE, COLUMNS> *stretches = (yt_stretch<TYPE, COLUMNS> *)yt_shared();
    const yt_product_tile tile = yt_find_tile(launch);
    const int first_column = tile.column_tile * COLUMNS;
    const int row = (int)threadIdx.x % 16;
    const int c = (int)threadIdx.x / 16;

    yt_decode_lane<TYPE, COLUMNS> lane = {};
    lane.warp = (int)threadIdx.x / 32;
    lane.lane = (int)threadIdx.x % 32;
    lane.quad = lane.lane % 4;
    lane.part = lane.lane / 4;
    lane.n_parts = launch.width / 32;

    /* With SWIGLU, the first matrix from its first input to its last, then the second. */
    const int n_stretches = (lane.n_parts + S::parts - 1) / S::parts;
    const int n = launch.epilogue == YT_EPILOGUE_SWIGLU ? 2 * n_stretches : n_stretches;
    const auto *matrix = &launch.matrices[tile.matrix];
    const uint8_t *group = matrix->data + tile.row_tile * matrix->group_bytes;
    int step = lane.warp;
    float gate = 0.0f;
    float acc = 0.0f;

    lane.begin(group, step);
    lane.load_inputs(launch, first_column, step);
    lane.copy_input(launch, first_column, step, stretches[0]);
    for (int i = 0; i < n; i++) {
        yt_stretch<TYPE, COLUMNS> &stretch = stretches[i % S::buffers];
        const int first_part = (i < n_stretches ? i : i - n_stretches) * S::parts;
        int next_step = step + S::warps;
        const uint8_t *next_group = group;
        if (i + 1 == n_stretches) {
            next_step = lane.warp;
            next_group = n > n_stretches ? launch.matrices[1].data + tile.row_tile * launch.matrices[1].group_bytes : nullptr;
        } else if (i + 1 == n) {
            next_group = nullptr;
        }
        yt_copy_wait<0>();
        yt_warp_sync();
        if (S::buffers == 2 && next_group != nullptr) {
            lane.copy_input(launch, first_column, next_step, stretches[(i + 1) % 2]);
        }
        lane.multiply(launch, first_column, next_group, next_step, stretch);
        __syncthreads();
        if (S::buffers == 1 && next_group != nullptr) {
            lane.copy_input(launch, first_column, next_step, stretch);
        }
        if (c < COLUMNS) {
            const int left = lane.n_parts - first_part;
            acc = yt_chain<TYPE, COLUMNS>(stretch, left < S::parts ? left : S::parts, row, c, acc);
        }
        if (S::buffers == 1) {
            __syncthreads();
        }
        if (i + 1 == n_stretches && n > n_stretches) {
            gate = acc;
            acc = 0.0f;
        }
        group = next_group;
        step = next_step;
    }

    const int64_t r = (int64_t)tile.row_tile * 16 + row;
    if (c < COLUMNS && n > n_stretches) {
        if (r < matrix->rows && first_column + c < launch.n_columns) {
            launch.out[(first_column + c) * launch.out_stride + r] = yt_swiglu(yt_biased(launch, 0, r, gate), yt_biased(launch, 1, r, acc));
        }
    } else if (c < COLUMNS) {
        yt_finish_product(launch, tile.matrix, r, first_column + c, acc);
    }
}

template <int TYPE, int COLUMNS>
static void launch_dp4a(yt_queue &queue, yt_product_launch &launch)
{
    using S = yt_decode_shape<COLUMNS>;
    const int64_t blocks = yt_divide_products(launch, 16, COLUMNS);
    const unsigned shared = S::buffers * sizeof(yt_stretch<TYPE, COLUMNS>);
    yt_launch(queue, yt_multiply_dp4a<TYPE, COLUMNS>, dim3((unsigned)blocks), dim3(32 * S::warps), shared, launch);
}

template <int TYPE>
static void launch_dp4a_type(yt_queue &queue, yt_product_launch &launch)
{
    if (launch.n_columns == 1) {
        launch_dp4a<TYPE, 1>(queue, launch);
    } else if (launch.n_columns <= 4) {
        launch_dp4a<TYPE, 4>(queue, launch);
    } else {
        launch_dp4a<TYPE, 8>(queue, launch);
    }
}

void yt_launch_dp4a_products(yt_queue &queue, int32_t type, yt_product_launch &launch)
{
    switch (type) {
#define TYPE_CASE(type) \
    case type: \
        launch_dp4a_type<type>(queue, launch); \
        break;
        YT_QUANTIZED_TYPES(TYPE_CASE)
#undef TYPE_CASE
    default:
        break;
    }
}

/* ---- the choice among all kernels ---------------------------------------------------------------------------------------------------- */

bool yt_has_products(int32_t type)
{
    switch (type) {
#define TYPE_CASE(type) case type:
        YT_QUANTIZED_TYPES(TYPE_CASE)
#undef TYPE_CASE
    case YT_F32:
    case YT_F16:
    case YT_BF16:
        return true;
    default:
        return false;
    }
}

int64_t yt_divide_products(yt_product_launch &launch, int64_t tile_rows, int64_t tile_columns)
{
    int64_t row_tiles = 0;
    for (int m = 0; m < launch.n_matrices; m++) {
        launch.matrices[m].n_tiles = (int32_t)((launch.matrices[m].rows + tile_rows - 1) / tile_rows);
        row_tiles += m == 0 || launch.epilogue != YT_EPILOGUE_SWIGLU ? launch.matrices[m].n_tiles : 0;
    }
    launch.n_column_tiles = (int32_t)((launch.n_columns + tile_columns - 1) / tile_columns);
    return row_tiles * launch.n_column_tiles;
}

static bool is_quantized(int32_t type)
{
    return type != YT_F32 && type != YT_F16 && type != YT_BF16;
}

/* n matrices of one type; out begins with row first_row of the first. */
static void launch_some(yt_queue &queue, const yt_products &products, int first, int n, yt_epilogue epilogue, int64_t first_row)
{
    const int32_t type = products.matrices[first].type;
    yt_product_launch launch = {};
    for (int m = 0; m < n; m++) {
        const yt_device_matrix &matrix = products.matrices[first + m];
        launch.matrices[m].data = matrix.data;
        launch.matrices[m].bias = products.biases[first + m];
        launch.matrices[m].group_bytes = matrix.group_bytes;
        launch.matrices[m].rows = matrix.rows;
        launch.matrices[m].n_groups = (int32_t)matrix.n_groups;
        launch.matrices[m].first_row = first_row;
        first_row += matrix.rows;
    }
    launch.n_matrices = n;
    launch.epilogue = epilogue;
    launch.width = (int32_t)products.input.width;
    launch.n_columns = (int32_t)products.input.n_columns;
    launch.input = products.input;
    launch.out = products.out;
    launch.out_stride = products.out_stride;
    if (!is_quantized(type)) {
        yt_launch_float_products(queue, type, launch);
    } else if (launch.n_columns <= YT_DP4A_COLUMNS) {
        yt_launch_dp4a_products(queue, type, launch);
    } else {
        yt_launch_mma_products(queue, type, launch);
    }
}

void yt_launch_products(yt_queue &queue, const yt_products &products)
{
    const bool is_one_type = products.n_matrices < 2 || products.matrices[0].type == products.matrices[1].type;
    if (products.kind == YT_PRODUCT_SWIGLU && is_one_type && is_quantized(products.matrices[0].type) && products.input.n_columns <= YT_DP4A_COLUMNS) {
        launch_some(queue, products, 0, 2, YT_EPILOGUE_SWIGLU, 0);
    } else if (products.kind == YT_PRODUCT_SWIGLU) {
        launch_some(queue, products, 0, 1, YT_EPILOGUE_STORE, 0);
        launch_some(queue, products, 1, 1, YT_EPILOGUE_GATED, 0);
    } else {
        int64_t first_row = 0;
        for (int first = 0, end; first < products.n_matrices; first = end) {
            int64_t rows = 0;
            for (end = first; end < products.n_matrices && products.matrices[end].type == products.matrices[first].type; end++) {
                rows += products.matrices[end].rows;
            }
            launch_some(queue, products, first, end - first, products.kind == YT_PRODUCT_RESIDUAL ? YT_EPILOGUE_RESIDUAL : YT_EPILOGUE_STORE, first_row);
            first_row += rows;
        }
    }
}
