/*
 * Attention over pages of F16 or Q8_0 by tensor cores, for any number of columns: one definition, so that a column's result has the same bits alone, in a
 * batch, and however its positions are divided among blocks.
 *
 * The order of operations. A tile is 16 rows or more: query heads that share a KV head, of neighbouring columns of one sequence. Rows of a product never
 * influence each other. Positions are taken in chunks of 64 and spans of 256, both counted from position 0 of the sequence, and elements of a head in pieces
 * of 64.
 *  Scores, F16: the scaled query times a power of two that puts its largest element into [2^14, 2^15) is the sum of two binary16; for each sixteen elements
 *   in order the product of the larger parts, then that of the smaller, are added to the score, which is then divided by the power.
 *  Scores, Q8_0: as docs/kernels.md has them, to the last bit.
 *  Softmax of a chunk, with m the largest score of the span until now: p = w(score - m), w as in docs/kernels.md, but NaN stays NaN; l = fma(l, a, sum of p)
 *   with a = w(the m before - m), or 1 if m is as before. The sum: a lane adds its sixteen of a row, which are columns 2t and 2t + 1 of each eight, in order;
 *   then lanes t ^ 1 and t ^ 2.
 *  Values, F16: 2^14 p is the sum of two binary16, and the chunk's products are added as scores are; o = fma(o, a, products); at the end of a span o is
 *   divided by 2^14.
 *  Values, Q8_0: p * value_scale of each chunk, row and block of 32 elements times a power of two as queries are; o = fma(o, a, products / the power).
 *  Spans are put together in order, by the formulas of docs/kernels.md.
 *
 * Sixteen rows are shared by four warps, which have a part of the positions of a chunk for the scores and then a part of the elements for the values; of more
 * rows each warp has sixteen of its own, or two have. A chunk's keys, then its values, come piece by piece through a ring of stages in shared memory.
 */
#include "attention_tile.cuh"

#include <cmath>

namespace {

enum {
    COUNTERS = 1024,      /* of tiles whose spans are divided */
    ENOUGH_BLOCKS = 1024, /* more would not make it faster */
};

const int64_t MOST_PARTIALS = (int64_t)64 << 20; /* bytes */

/* ---- putting spans together ------------------------------------------------------------------------------------------------------- */

/* The largest score and the sum of weights of all spans until now. */
struct merged {
    float m, l;
};

/* What sums of values until now, and those of a span, are multiplied with. */
struct merge_factors {
    float before, added;

    YT_DEVICE float take(float sum, float span_sum) const
    {
        return fmaf(span_sum, added, sum * before);
    }
};

YT_DEVICE merge_factors add_span(merged &state, float m, float l)
{
    const float most = state.m > m ? state.m : m;
    const merge_factors factors = {weigh(state.m - most), weigh(m - most)};
    state.l = fmaf(l, factors.added, state.l * factors.before);
    state.m = most;
    return factors;
}

/* A result, without the sign of a zero: that depends on how often zero was added. */
YT_DEVICE float result_of(float sum, float inverse)
{
    return sum * inverse + 0.0f;
}

/* Where a row's part of a span is kept. */
YT_DEVICE float *partial_at(const attention_parameters &p, int slot, int row)
{
    const int64_t tile = (int64_t)blockIdx.x * gridDim.y + blockIdx.y;
    return p.partials + ((tile * p.n_slots + slot) * p.slot_rows + row) * (p.head_dim + 2);
}

/*
 * What the lane has of a span is kept, in a slot, for the block that will be the last; or, without one, is put together with the spans before, which stand in
 * out, where each lane finds its own again.
 */
template <int HEAD, bool QUANTS, int ROW_WARPS>
YT_DEVICE void end_span(const attention_parameters &p, const tile_columns &tile, int base_row, int kv_head, const tile_warp<HEAD, QUANTS, ROW_WARPS> &warp,
    merged (&state)[2], int span, int slot)
{
    typedef tile_shape<HEAD, QUANTS, ROW_WARPS> shape;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        if (warp.rows.end[r] <= span * SPAN || warp.rows.first[r] >= (span + 1) * SPAN) {
            continue;
        }
        const bool is_first = slot >= 0 || span == 0 || warp.rows.first[r] >= span * SPAN;
        const bool is_last = slot < 0 && warp.rows.end[r] <= (span + 1) * SPAN;
        const int row = warp.first_row + warp.g + 8 * r;
        float *target = p.out + offset_of(p, tile, base_row + row, kv_head);
        merge_factors factors = {0.0f, 1.0f};
        if (is_first) {
            state[r] = {warp.m[r], warp.l[r]};
        } else {
            factors = add_span(state[r], warp.m[r], warp.l[r]);
        }
        if (slot >= 0) {
            target = partial_at(p, slot, row);
            if (warp.t == 0 && warp.part == 0) {
                target[p.head_dim] = warp.m[r];
                target[p.head_dim + 1] = warp.l[r];
            }
        }
        const float inverse = 1.0f / state[r].l;
#pragma unroll
        for (int i = 0; i < shape::PIECES * shape::TILES * 2; i++) {
            const int piece = i / (shape::TILES * 2);
            const int j = i / 2 % shape::TILES;
            const int element = warp.element_of(piece, j, i % 2);
            if (element < p.head_dim) {
                const float sum = warp.o[piece][j][2 * r + i % 2] * (QUANTS ? 1.0f : 1.0f / 16384.0f);
                const float value = is_first ? sum : factors.take(target[element], sum);
                target[element] = is_last ? result_of(value, inverse) : value;
            }
        }
    }
}

/* Whether this block is the last of n that come here with a tile. */
YT_DEVICE bool is_last_block(const attention_parameters &p, int n)
{
    unsigned *flag = (unsigned *)yt_shared();
    __syncthreads();
    if (threadIdx.x == 0) {
        /* Between the barriers, so that it is what all threads wrote that others see, and what others wrote that all threads see. */
        unsigned *counter = p.finished + blockIdx.x * gridDim.y + blockIdx.y;
        yt_fence();
        *flag = yt_atomic_add(counter, 1) + 1 == (unsigned)n;
        yt_fence();
        if (*flag) {
            *counter = 0;
        }
    }
    __syncthreads();
    return *flag != 0;
}

/* Spans from number `first` on of a row, a lane of the warp for each: what the sums until then, and those of the span, are multiplied with. */
struct span_factors {
    float l;
    float before, added;
};

/* most: the largest score before, then with these. Largest scores are no NaN, so that it does not matter in which order they are compared. */
YT_DEVICE span_factors factors_of(const attention_parameters &p, int slot, int n, int row, float &most)
{
    float m = -INFINITY;
    span_factors own = {};
    if (lane_id() < n) {
        const float *partial = partial_at(p, slot + lane_id(), row);
        m = partial[p.head_dim];
        own.l = partial[p.head_dim + 1];
    }
    float until = m > most ? m : most;
    for (int distance = 1; distance < 32; distance *= 2) {
        const float other = yt_shuffle(until, lane_id() < distance ? lane_id() : lane_id() - distance);
        until = other > until ? other : until;
    }
    const float previous = yt_shuffle(until, lane_id() == 0 ? 0 : lane_id() - 1);
    own.before = weigh((lane_id() == 0 ? most : previous) - until);
    own.added = weigh(m - until);
    most = yt_shuffle(until, 31);
    return own;
}

/*
 * One warp for each row. The spans are added up in order, as add_span does it; but nothing is waited for one span after the other: factors are computed for 32 at once,
 * and sums of several spans are on their way together.
 */
template <int HEAD>
YT_DEVICE void merge_partials(const attention_parameters &p, const tile_columns &tile, int n_rows, int base_row, int kv_head)
{
    constexpr int TOGETHER = 1024 / HEAD;
    const int first_span = tile.lo / SPAN;
    for (int row = (int)(threadIdx.x / 32); row < n_rows; row += WARPS) {
        const int position = tile.all_hi - 1 + column_of(p, base_row + row);
        const int first = first_seen(p, position) / SPAN;
        const int n_spans = position / SPAN - first + 1;
        const int first_slot = first - first_span;
        float most = -INFINITY;
        float l = 0.0f;
        float sums[HEAD / 32];
        span_factors factors = {};
#pragma unroll 1
        for (int done = 0; done < n_spans; done += TOGETHER) {
            float added[TOGETHER][HEAD / 32];
#pragma unroll
            for (int j = 0; j < TOGETHER; j++) {
                const float *partial = partial_at(p, first_slot + done + j, row);
#pragma unroll
                for (int i = 0; i < HEAD / 32; i++) {
                    added[j][i] = done + j < n_spans && 32 * i + lane_id() < p.head_dim ? partial[32 * i + lane_id()] : 0.0f;
                }
            }
            if (done % 32 == 0) {
                factors = factors_of(p, first_slot + done, n_spans - done, row, most);
            }
#pragma unroll
            for (int j = 0; j < TOGETHER; j++) {
                const int lane = (done + j) % 32;
                const merge_factors own = {yt_shuffle(factors.before, lane), yt_shuffle(factors.added, lane)};
                const float span_l = yt_shuffle(factors.l, lane);
                const bool is_first = done + j == 0;
                if (done + j < n_spans) {
                    l = is_first ? span_l : own.take(l, span_l);
#pragma unroll
                    for (int i = 0; i < HEAD / 32; i++) {
                        sums[i] = is_first ? added[j][i] : own.take(sums[i], added[j][i]);
                    }
                }
            }
        }
        const float inverse = 1.0f / l;
        float *out = p.out + offset_of(p, tile, base_row + row, kv_head);
#pragma unroll
        for (int i = 0; i < HEAD / 32; i++) {
            if (32 * i + lane_id() < p.head_dim) {
                out[32 * i + lane_id()] = result_of(sums[i], inverse);
            }
        }
    }
}

/* ---- the kernel ------------------------------------------------------------------------------------------------------------------- */

/* A tile, or those of its spans that are this block's. others: positions of other blocks between two of these; 0: all are this block's. */
template <int HEAD, bool QUANTS, int ROW_WARPS>
YT_DEVICE void attend_tile(const attention_parameters &p, const tile_columns &tile, int base_row, int kv_head, int others)
{
    typedef tile_shape<HEAD, QUANTS, ROW_WARPS> shape;
    const int first_span = tile.lo / SPAN;
    const int own = others > 0 ? (int)blockIdx.z : 0;
    if (first_span + own > (tile.hi - 1) / SPAN) {
        return;
    }
    int position = own == 0 ? tile.lo / CHUNK * CHUNK : (first_span + own) * SPAN;
    kv_stream<HEAD, QUANTS, ROW_WARPS> stream;
    tile_warp<HEAD, QUANTS, ROW_WARPS> warp;
    merged state[2] = {};
    stream.begin(p, tile, kv_head, position, others);
    warp.begin(p, tile, base_row, kv_head, stream.n_pieces);
    warp.begin_span();
    while (position < tile.hi) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
            warp.s[j][0] = warp.s[j][1] = warp.s[j][2] = warp.s[j][3] = 0.0f;
        }
        const bool has_edge = !QUANTS && (position < tile.all_lo || position + CHUNK > tile.all_hi);
#pragma unroll 1
        for (int i = 0; i < 2 * stream.n_pieces; i++) {
            uint8_t *stage = stream.next(p);
            if (i < stream.n_pieces) {
                warp.score(stage, i);
                if (i == stream.n_pieces - 1) {
                    warp.softmax(position);
                }
            } else {
                uint32_t damage = 0;
                if (has_edge) {
                    damage = warp.find_damage(stage, position);
                    __syncthreads();
                    warp.repair(stage);
                    __syncthreads();
                }
                warp.value(stage, i - stream.n_pieces, damage);
            }
        }
        const int span = position / SPAN;
        position = next_chunk(position, others);
        if (position / SPAN != span || position >= tile.hi) {
            end_span(p, tile, base_row, kv_head, warp, state, span, others > 0 ? span - first_span : -1);
            warp.begin_span();
        }
    }
    const int n_spans = (tile.hi - 1) / SPAN + 1 - first_span;
    if (others > 0 && is_last_block(p, n_spans < (int)gridDim.z ? n_spans : (int)gridDim.z)) {
        const int n_rows = tile.count * p.group - base_row;
        merge_partials<HEAD>(p, tile, n_rows < shape::ROWS ? n_rows : shape::ROWS, base_row, kv_head);
    }
}

/*
 * grid: (ranges of columns x ranks x tiles of a column's heads, KV heads, blocks that share the spans of a tile). The last columns, which see most, come
 * first. Tiles of a range beyond the ranks, which there are where a sequence's positions do not follow each other, are taken by the first block alone.
 */
template <int HEAD, bool QUANTS, int ROW_WARPS>
__global__ void __launch_bounds__(THREADS, tile_shape<HEAD, QUANTS, ROW_WARPS>::RESIDENT) attention(YT_PARAMETER(attention_parameters, p))
{
    const unsigned ranges = blockIdx.x / (unsigned)p.head_tiles;
    const int range = p.n_ranges - 1 - (int)(ranges / (unsigned)p.n_ranks);
    const int rank = (int)(ranges % (unsigned)p.n_ranks);
    const int base_row = (int)(blockIdx.x % (unsigned)p.head_tiles) * tile_shape<HEAD, QUANTS, ROW_WARPS>::ROWS;
    tile_columns tile;
    for (int i = rank; find_tile(p, range, i, tile); i += p.n_ranks) {
        if (i == rank || blockIdx.z == 0) {
            attend_tile<HEAD, QUANTS, ROW_WARPS>(p, tile, base_row, (int)blockIdx.y, i == rank ? ((int)gridDim.z - 1) * SPAN : 0);
        }
        __syncthreads();
    }
}

/* ---- launches --------------------------------------------------------------------------------------------------------------------- */

/* How columns are divided into tiles and tiles among blocks: by sizes alone that stay the same from one token to the next. */
struct division {
    int padded_head;
    int row_warps;
    int range_columns;
    int n_ranges;
    int n_ranks;
    int head_tiles;
    int slot_rows;
    int n_slots;
    int n_blocks; /* that share the spans of a tile */
    int64_t partial_bytes;
};

int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

division divide(const yt_device_layer &layer, const yt_device_batch &batch, const yt_device_kv &kv)
{
    division d;
    const int64_t group = layer.n_heads / layer.n_kv_heads;
    const int64_t columns = divide_up(batch.n_columns, at_most(batch.n_sequences, batch.n_columns)); /* of a sequence, on average */
    const bool is_wide = columns * group > 16;
    d.padded_head = layer.head_dim <= 128 ? 128 : 256;
    d.row_warps = !is_wide ? 1 : d.padded_head == 256 ? 2 : WARPS;
    const int64_t rows = 16 * d.row_warps;
    d.range_columns = (int)(rows < group ? 1 : at_most(rows / group, columns));
    d.n_ranges = (int)divide_up(batch.n_columns, d.range_columns);
    d.n_ranks = (int)at_most(d.range_columns, batch.n_sequences);
    d.head_tiles = (int)(rows < group ? divide_up(group, rows) : 1);
    d.slot_rows = (int)at_most(rows, d.range_columns * group);
    int64_t spans = divide_up(batch.max_pages * kv.page_positions, SPAN);
    if (layer.window > 0) {
        spans = at_most(spans, (layer.window + d.range_columns - 2 + SPAN - 1) / SPAN + 1);
    }
    const int64_t tiles = (int64_t)d.n_ranges * d.n_ranks * d.head_tiles * layer.n_kv_heads;
    d.n_slots = (int)spans;
    d.n_blocks = (int)at_most(spans, ENOUGH_BLOCKS / tiles);
    d.partial_bytes = tiles * spans * d.slot_rows * (layer.head_dim + 2) * 4;
    if (d.n_blocks < 2 || tiles > COUNTERS || d.partial_bytes > MOST_PARTIALS) {
        d.n_blocks = 1;
        d.partial_bytes = 0;
    }
    return d;
}

template <int HEAD, bool QUANTS, int ROW_WARPS>
void launch(yt_queue &queue, dim3 grid, const attention_parameters &parameters)
{
    yt_launch(queue, attention<HEAD, QUANTS, ROW_WARPS>, grid, dim3(THREADS), tile_shape<HEAD, QUANTS, ROW_WARPS>::BYTES, parameters);
}

template <bool QUANTS>
void launch_type(yt_queue &queue, const division &d, dim3 grid, const attention_parameters &parameters)
{
    if (d.padded_head == 128) {
        (d.row_warps == 1 ? launch<128, QUANTS, 1> : launch<128, QUANTS, WARPS>)(queue, grid, parameters);
    } else {
        (d.row_warps == 1 ? launch<256, QUANTS, 1> : launch<256, QUANTS, 2>)(queue, grid, parameters);
    }
}

} // namespace

bool yt_has_attention(int32_t type, int64_t head_dim, const char **problem)
{
    if (type != YT_F16 && type != YT_Q8_0) {
        *problem = "the device keeps keys and values as F16 or Q8_0; choose one of these, or the processor";
        return false;
    }
    if (head_dim < 2 || head_dim > 256 || head_dim % 2 != 0) {
        *problem = "the device computes attention with heads of 2 to 256 elements, an even number; choose the processor";
        return false;
    }
    return true;
}

int64_t yt_attention_scratch_bytes(const yt_device_layer &layer, const yt_device_batch &batch, const yt_device_kv &kv)
{
    return COUNTERS * (int64_t)sizeof(unsigned) + divide(layer, batch, kv).partial_bytes;
}

void yt_launch_attention(
    yt_queue &queue, const yt_device_layer &layer, const yt_device_batch &batch, const float *q, const yt_device_kv &kv, void *scratch, float *out)
{
    const division d = divide(layer, batch, kv);
    const attention_parameters parameters = {
        q,
        out,
        (float *)((unsigned *)scratch + COUNTERS),
        (unsigned *)scratch,
        batch.positions,
        batch.sequences,
        batch.page_table,
        kv.data + layer.index * layer.n_kv_heads * kv.head_bytes,
        kv.page_bytes,
        kv.head_bytes,
        kv.key_bytes,
        (int)kv.key_group_bytes,
        (int)kv.value_group_bytes,
        (int)kv.value_stride,
        (int)layer.head_dim,
        (int)(layer.n_heads / layer.n_kv_heads),
        (int)layer.n_heads,
        (int)batch.n_columns,
        (int)batch.max_pages,
        kv.page_positions / 16,
        (int)at_most(layer.window, INT32_MAX),
        d.range_columns,
        d.n_ranges,
        d.n_ranks,
        d.head_tiles,
        d.n_slots,
        d.slot_rows,
        1.0f / std::sqrt((float)layer.head_dim),
        0,
    };
    const dim3 grid((unsigned)(d.n_ranges * d.n_ranks * d.head_tiles), (unsigned)layer.n_kv_heads, (unsigned)d.n_blocks);
    if (kv.type == YT_Q8_0) {
        launch_type<true>(queue, d, grid, parameters);
    } else {
        launch_type<false>(queue, d, grid, parameters);
    }
}
