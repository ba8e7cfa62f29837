/*
 * Attention over pages of F16 or Q8_0 by tensor cores, for any number of columns: one definition, so that a column's result has the same bits alone, in a batch, and
 * however its positions are divided among blocks.
 *
 * The order of operations. A tile is 16 rows or more: query heads that share a KV head, of neighbouring columns of one sequence. Rows of a product never influence each
 * other. Positions are taken in chunks of 64 and spans of 256, both counted from position 0 of the sequence, and elements of a head in pieces of 64.
 *  Scores, F16: the scaled query times a power of two that puts its largest element into [2^14, 2^15) is the sum of two binary16; for each sixteen elements in order the
 *    product of the larger parts, then that of the smaller, are added to the score, which is then divided by the power.
 *  Scores, Q8_0: as docs/kernels.md has them, to the last bit.
 *  Softmax of a chunk, with m the largest score of the span until now: p = w(score - m), w as in docs/kernels.md, but NaN stays NaN; l = fma(l, a, sum of p) with
 *    a = w(the m before - m), or 1 if m is as before. The sum: a lane adds its sixteen of a row, which are columns 2t and 2t + 1 of each eight, in order; then lanes t ^ 1 and
 *    t ^ 2.
 *  Values, F16: 2^14 p is the sum of two binary16, and the chunk's products are added as scores are; o = fma(o, a, products); at the end of a span o is divided by 2^14.
 *  Values, Q8_0: p * value_scale of each chunk, row and block of 32 elements times a power of two as queries are; o = fma(o, a, products / the power).
 *  Spans are put together in order, by the formulas of docs/kernels.md.
 *
 * Sixteen rows are shared by four warps, which have a part of the positions of a chunk for the scores and then a part of the elements for the values; of more rows each
 * warp has sixteen of its own, or two have. A chunk's keys, then its values, come piece by piece through a ring of stages in shared memory.
 */
#include "families.cuh"

#include <cmath>

namespace {

enum {
    SPAN = 256,           /* small enough for a context of some hundred positions to keep several blocks busy; a power of two */
    CHUNK = 64,
    PIECE = 64,           /* elements that a stage has of a chunk's keys or values */
    THREADS = 128,
    WARPS = THREADS / 32,
    SCORE_PITCH = 72,     /* floats of a row of scores that warps exchange: eight rows lie in different banks */
    COUNTERS = 1024,      /* of tiles whose spans are divided */
    ENOUGH_BLOCKS = 1024, /* more would not make it faster */
};

const int64_t MOST_PARTIALS = (int64_t)64 << 20; /* bytes */

struct attention_parameters {
    const float *q;
    float *out;
    float *partials;    /* of a slot: [slot_rows] of head_dim sums of values, the largest score, the sum of weights */
    unsigned *finished; /* [grid.x][grid.y]: blocks of a tile that are done */
    const int32_t *positions;
    const int32_t *sequences;
    const int32_t *page_table;
    const uint8_t *keys; /* of the layer's first KV head in page 0 */
    int64_t page_bytes;
    int64_t head_bytes;
    int64_t key_bytes;
    int key_group_bytes;
    int value_group_bytes;
    int value_stride;
    int head_dim;
    int group;
    int n_heads;
    int n_columns;
    int max_pages;
    int page_groups; /* of sixteen positions */
    int window;
    int range_columns; /* a tile is a part of such a range of columns */
    int n_ranges;
    int n_ranks;       /* tiles of a range that have blocks of their own; the first block takes those that are left */
    int head_tiles;    /* tiles of a column's heads */
    int n_slots;       /* spans of a tile */
    int slot_rows;
    float scale;
};

/* Neighbouring columns of one sequence, whose positions follow each other, so that every position from lo to hi - 1 is seen by one of them. */
struct tile_columns {
    int first;
    int count;
    int lo;
    int hi;
    int all_lo; /* positions all_lo to all_hi - 1, if there are any, are seen by all */
    int all_hi;
};

/* What is constant in a kernel. Smaller heads than HEAD have fewer pieces, and cost no more time than a kernel of their own would. */
template <int HEAD, bool QUANTS, int ROW_WARPS>
struct tile_shape {
    static constexpr int ROWS = 16 * ROW_WARPS;
    static constexpr int PARTS = WARPS / ROW_WARPS; /* warps that share sixteen rows */
    static constexpr int PIECES = HEAD / PIECE;
    static constexpr int TILES = 8 / PARTS;         /* of eight positions, or elements, that a warp has of a piece */
    static constexpr int QUERY_PITCH = QUANTS ? HEAD + 16 : 2 * HEAD;
    static constexpr int QUERY_BYTES = QUANTS ? ROWS * (QUERY_PITCH + HEAD / 32 * 4) : 2 * ROWS * QUERY_PITCH;
    static constexpr int SCORE_BYTES = PARTS == 1 ? 0 : ROWS * SCORE_PITCH * 4;
    static constexpr int STAGE_BYTES = QUANTS ? CHUNK * PIECE + 256 : CHUNK * PIECE * 2;
    static constexpr int FITTING = (48 * 1024 - QUERY_BYTES - SCORE_BYTES) / STAGE_BYTES;
    static constexpr int MOST = PARTS == WARPS ? 32 * 1024 / STAGE_BYTES : 3;
    static constexpr int STAGES = FITTING > MOST ? MOST : FITTING > 2 ? FITTING : 2;
    static constexpr int RESIDENT = PARTS == WARPS && HEAD < 256 ? 3 : 2; /* blocks of a multiprocessor that registers must do for */
    static constexpr int BYTES = STAGES * STAGE_BYTES + QUERY_BYTES + SCORE_BYTES;
    static_assert(BYTES <= (HEAD == 128 ? 48 : 64) * 1024, "shared memory that 7.5 has, and for heads of 128 what is had without asking");
};

YT_DEVICE int lane_id()
{
    return (int)(threadIdx.x % 32);
}

/* e^x of 0 or less, as weights have it: not below e^-64, and NaN remains. */
YT_DEVICE float weigh(float x)
{
    const float w = yt_exp_within(x > -64.0f ? x : -64.0f);
    return x == x ? w : x;
}

struct power_of_two {
    float up;
    float down; /* 1 / up */
};

/* Puts what has these bits as its largest magnitude into [2^14, 2^15); what is very small does not get so far. */
YT_DEVICE power_of_two power_for(uint32_t bits)
{
    int exponent = (int)(bits >> 23);
    exponent = exponent < 15 ? 15 : exponent;
    return {yt_bits_to_float_device((uint32_t)(268 - exponent) << 23), yt_bits_to_float_device((uint32_t)(exponent - 14) << 23)};
}

YT_DEVICE uint32_t magnitude(float x)
{
    return yt_float_to_bits_device(x) & 0x7FFFFFFFu;
}

YT_DEVICE uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The largest of the four lanes that share a row. */
YT_DEVICE uint32_t largest_of_row(uint32_t x)
{
    x = larger(x, yt_shuffle_xor(x, 1));
    return larger(x, yt_shuffle_xor(x, 2));
}

YT_DEVICE float low_half(uint32_t word)
{
    return yt_half_to_float_device((uint16_t)word);
}

YT_DEVICE float high_half(uint32_t word)
{
    return yt_half_to_float_device((uint16_t)(word >> 16));
}

/* Two numbers as sums of two binary16 each. */
YT_DEVICE void split(float x, float y, uint32_t &large, uint32_t &small)
{
    large = yt_floats_to_halves(x, y);
    small = yt_floats_to_halves(x - low_half(large), y - high_half(large));
}

/* ---- tiles ------------------------------------------------------------------------------------------------------------------------ */

YT_DEVICE int first_seen(const attention_parameters &p, int position)
{
    return p.window > 0 && position >= p.window ? position - p.window + 1 : 0;
}

YT_DEVICE int lowest_bit(uint64_t bits)
{
    int i = 0;
    while ((bits >> i & 1) == 0) {
        i++;
    }
    return i;
}

/* The tile of a range that has this rank: it begins where the sequence is another or a position does not follow the one before. */
YT_DEVICE bool find_tile(const attention_parameters &p, int range, int rank, tile_columns &tile)
{
    const int first = range * p.range_columns;
    const int n = p.range_columns < p.n_columns - first ? p.range_columns : p.n_columns - first;
    uint64_t begins = 0;
#pragma unroll 1
    for (int half = 0; half < 2; half++) {
        const int i = 32 * half + lane_id();
        const int c = first + i;
        bool is_begin = i < n;
        if (is_begin && i > 0) {
            is_begin = p.sequences[c] != p.sequences[c - 1] || p.positions[c] != p.positions[c - 1] + 1;
        }
        begins |= (uint64_t)yt_ballot(is_begin) << 32 * half;
    }
    for (; rank > 0 && begins != 0; rank--) {
        begins &= begins - 1;
    }
    if (begins == 0) {
        return false;
    }
    const int begin = lowest_bit(begins);
    begins &= begins - 1;
    tile.first = first + begin;
    tile.count = (begins == 0 ? n : lowest_bit(begins)) - begin;
    const int position = p.positions[tile.first];
    tile.lo = first_seen(p, position);
    tile.hi = position + tile.count;
    tile.all_lo = first_seen(p, tile.hi - 1);
    tile.all_hi = position + 1;
    return true;
}

/* Chunks that a block takes of a tile: all of a span, then those of the span so many further. */
YT_DEVICE int next_chunk(int position, int span_step)
{
    position += CHUNK;
    return position % SPAN == 0 ? position + (span_step - 1) * SPAN : position;
}

/* Rows are the query heads of a KV head of a tile's first column, then of the next. */
YT_DEVICE int column_of(const attention_parameters &p, int row)
{
    return (int)((unsigned)row / (unsigned)p.group);
}

/* Where a row's head begins in q and out. */
YT_DEVICE int64_t offset_of(const attention_parameters &p, const tile_columns &tile, int row, int kv_head)
{
    const int column = column_of(p, row);
    return ((int64_t)(tile.first + column) * p.n_heads + kv_head * p.group + row - column * p.group) * p.head_dim;
}

/* The two rows of a tile that a lane has, g and g + 8 of the warp's sixteen: a query head of a column, which sees positions first to end - 1, none if it does not exist. */
struct lane_rows {
    int first[2];
    int end[2];
    bool has_upper;    /* some lane's second row exists */
    bool has_any;
};

YT_DEVICE lane_rows rows_of(const attention_parameters &p, const tile_columns &tile, int first_row, int base_row)
{
    lane_rows rows;
    const int n = tile.count * p.group - base_row; /* of the tile */
    for (int r = 0; r < 2; r++) {
        const int row = first_row + lane_id() / 4 + 8 * r;
        const bool exists = row < n;
        const int position = tile.all_hi - 1 + column_of(p, base_row + row);
        rows.first[r] = exists ? first_seen(p, position) : 0;
        rows.end[r] = exists ? position + 1 : 0;
    }
    rows.has_any = first_row < n;
    rows.has_upper = first_row + 8 < n;
    return rows;
}

/* ---- keys and values on their way ------------------------------------------------------------------------------------------------- */

/* Keys and values of a chunk, piece by piece, into the stages one after the other. What does not exist becomes zero. */
template <int HEAD, bool QUANTS, int ROW_WARPS>
struct kv_stream {
    typedef tile_shape<HEAD, QUANTS, ROW_WARPS> shape;

    const uint8_t *head;  /* keys of the KV head in page 0 */
    const int32_t *pages; /* of the sequence */
    int lo;
    int hi;
    int span_step;
    int n_pieces;
    int position; /* of the chunk that comes next */
    int piece;    /* of it: keys, then values */
    int fill;     /* the stage that is filled next, and the one that is read next */
    int read;
    int first_group; /* of it in its page */
    int page[4];     /* of its groups of sixteen positions; -1: none of them is seen */
    int next_first_group;
    int next_page[4];

    /* Asks for the pages of a chunk. */
    YT_DEVICE void look_up(const attention_parameters &p, int start)
    {
        unsigned index = (unsigned)start / 16 / (unsigned)p.page_groups;
        int group = start / 16 - (int)index * p.page_groups;
        next_first_group = group;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            next_page[i] = start + 16 * i < hi && start + 16 * i + 16 > lo ? pages[index] : -1;
            step(p, group, index);
        }
    }

    /* To the next group of sixteen positions. */
    static YT_DEVICE void step(const attention_parameters &p, int &group, unsigned &index)
    {
        const bool is_last = group + 1 == p.page_groups;
        group = is_last ? 0 : group + 1;
        index += is_last ? 1 : 0;
    }

    YT_DEVICE void begin(const attention_parameters &p, const tile_columns &tile, int kv_head, int first_chunk, int step)
    {
        head = p.keys + kv_head * p.head_bytes;
        pages = p.page_table + (int64_t)p.sequences[tile.first] * p.max_pages;
        lo = tile.lo;
        hi = tile.hi;
        span_step = step;
        n_pieces = (p.head_dim + PIECE - 1) / PIECE;
        position = first_chunk;
        piece = 0;
        fill = 0;
        read = 0;
        look_up(p, position);
#pragma unroll 1
        for (int i = 0; i < shape::STAGES - 1; i++) {
            load(p);
        }
    }

    YT_DEVICE void copy(uint8_t *target, const uint8_t *source, bool exists)
    {
        if (exists) {
            yt_copy_async(target, source);
        } else {
            *(uint4 *)target = make_uint4(0, 0, 0, 0);
        }
    }

    /* Where the keys or values of a group of a page begin. */
    YT_DEVICE const uint8_t *group_at(const attention_parameters &p, int of_page, int group, bool is_value)
    {
        const uint8_t *base = head + of_page * p.page_bytes;
        return is_value ? base + p.key_bytes + (int64_t)group * p.value_group_bytes : base + (int64_t)group * p.key_group_bytes;
    }

    /* F16. Keys: rows of sixteen positions for each element; the halves of four rows are exchanged in every second four. Values: rows of 64 elements for each position. */
    YT_DEVICE void load_halves(const attention_parameters &p, uint8_t *stage, bool is_value, int part)
    {
        const int thread = (int)threadIdx.x;
        const int row = is_value ? thread / 8 : thread / 2;
        const int unit = is_value ? thread % 8 : thread % 2;
        const int target = is_value ? row * 128 + (unit ^ (row & 7)) * 16 : row * 32 + (unit ^ (row >> 2 & 1)) * 16;
        const int64_t source = is_value ? (int64_t)row * p.value_stride * 2 + part * 128 + unit * 16 : part * 2048 + thread * 16;
        const bool exists = is_value ? part * PIECE + unit * 8 < p.value_stride : part * PIECE + row < p.head_dim;
        int group = first_group;
        unsigned index = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            copy(stage + i * 2048 + target, group_at(p, page[i], group, is_value) + source, exists && page[i] >= 0);
            step(p, group, index);
        }
    }

    /*
     * Q8_0: quants of four groups, then scales [4][2 blocks][16]. Keys: rows of four elements of sixteen positions, in every second two with their halves exchanged. Values:
     * rows of 64 elements, of positions 0, 2, 1, 3 and so on, in every second four with their halves exchanged.
     */
    YT_DEVICE void load_quants(const attention_parameters &p, uint8_t *stage, bool is_value, int part)
    {
        const int thread = (int)threadIdx.x;
        const int n_blocks = (p.head_dim + 31) / 32;
        const int scale_bytes = (n_blocks * 32 + 63) & ~63;
        const int row = thread % 64 / 4;
        const int unit = thread % 4;
        const int target = is_value ? ((row & ~3) | (row & 1) << 1 | (row >> 1 & 1)) * 64 + (unit ^ (row >> 2 & 1) << 1) * 16
                                    : row * 64 + (unit ^ (row >> 1 & 1) << 1) * 16;
        const int64_t source = scale_bytes + (is_value ? (int64_t)row * p.value_stride + part * PIECE + unit * 16 : part * 1024 + row * 64 + unit * 16);
        const bool exists = is_value ? part * PIECE + unit * 16 < p.value_stride : part * 16 + row < (p.head_dim + 3) / 4;
        const int block = 2 * part + thread % 4 / 2;
        const uint8_t *from[4];
        int group = first_group;
        unsigned index = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            from[i] = group_at(p, page[i], group, is_value);
            step(p, group, index);
        }
        const bool is_upper = thread >= 64;
        copy(stage + thread / 64 * 1024 + target, (is_upper ? from[1] : from[0]) + source, exists && (is_upper ? page[1] : page[0]) >= 0);
        copy(stage + (2 + thread / 64) * 1024 + target, (is_upper ? from[3] : from[2]) + source, exists && (is_upper ? page[3] : page[2]) >= 0);
        if (thread < 16) {
            const uint8_t *own = thread < 8 ? thread < 4 ? from[0] : from[1] : thread < 12 ? from[2] : from[3];
            const int own_page = thread < 8 ? thread < 4 ? page[0] : page[1] : thread < 12 ? page[2] : page[3];
            copy(stage + CHUNK * PIECE + thread * 16, own + block * 32 + thread % 2 * 16, block < n_blocks && own_page >= 0);
        }
    }

    /* Sets the next piece on its way. */
    YT_DEVICE void load(const attention_parameters &p)
    {
        if (position < hi) {
            if (piece == 0) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    page[i] = next_page[i];
                }
                first_group = next_first_group;
                look_up(p, next_chunk(position, span_step));
            }
            const bool is_value = piece >= n_pieces;
            uint8_t *stage = yt_shared() + fill * shape::STAGE_BYTES;
            if (QUANTS) {
                load_quants(p, stage, is_value, is_value ? piece - n_pieces : piece);
            } else {
                load_halves(p, stage, is_value, is_value ? piece - n_pieces : piece);
            }
            fill = fill + 1 == shape::STAGES ? 0 : fill + 1;
            if (++piece == 2 * n_pieces) {
                piece = 0;
                position = next_chunk(position, span_step);
            }
        }
        yt_copy_commit();
    }

    /* Waits for the next piece, and lets another begin, in the place of the one before. */
    YT_DEVICE uint8_t *next(const attention_parameters &p)
    {
        yt_copy_wait<shape::STAGES - 2>();
        __syncthreads();
        load(p);
        uint8_t *stage = yt_shared() + read * shape::STAGE_BYTES;
        read = read + 1 == shape::STAGES ? 0 : read + 1;
        return stage;
    }
};

/* ---- a warp's part of a tile ------------------------------------------------------------------------------------------------------ */

template <int HEAD, bool QUANTS, int ROW_WARPS>
struct tile_warp {
    typedef tile_shape<HEAD, QUANTS, ROW_WARPS> shape;

    int first_row; /* of the tile's, sixteen */
    int part;      /* of the positions, or elements */
    int g, t;      /* the lane's rows are g and g + 8, its columns of eight 2t and 2t + 1 */
    uint8_t *query;
    lane_rows rows;
    float down[2];       /* what scores are multiplied with */
    float s[8][4];       /* scores of the chunk, then weights */
    float m[2], l[2], a[2];
    uint32_t large[4][4]; /* of the weights of F16 values: words as the product takes them */
    uint32_t small[4][4];
    float o[shape::PIECES][shape::TILES][4];

    YT_DEVICE void begin(const attention_parameters &p, const tile_columns &tile, int base_row, int kv_head, int n_pieces)
    {
        const int warp = (int)(threadIdx.x / 32);
        first_row = warp / shape::PARTS * 16;
        part = warp % shape::PARTS;
        g = lane_id() / 4;
        t = lane_id() % 4;
        query = yt_shared() + shape::STAGES * shape::STAGE_BYTES;
        rows = rows_of(p, tile, first_row, base_row);
#pragma unroll
        for (int r = 0; r < 2; r++) {
            const float *q = p.q + offset_of(p, tile, base_row + first_row + g + 8 * r, kv_head);
            if (QUANTS) {
                quantize_query(p, q, n_pieces, r);
            } else {
                split_query(p, q, n_pieces, r);
            }
        }
    }

    /* Elements 8i + 2t and the next of a lane's row, scaled. */
    YT_DEVICE float2 query_pair(const attention_parameters &p, const float *q, const int r, int i)
    {
        float2 x = make_float2(0.0f, 0.0f);
        if (rows.end[r] > 0 && 8 * i + 2 * t < p.head_dim) {
            x = *(const float2 *)(q + 8 * i + 2 * t);
        }
        return make_float2(x.x * p.scale, x.y * p.scale);
    }

    /* [2][ROWS][HEAD] binary16: the larger parts, then the smaller; a row's sixteens of bytes are exchanged, so that those of eight rows lie in different banks. */
    YT_DEVICE void split_query(const attention_parameters &p, const float *q, int n_pieces, const int r)
    {
        uint32_t largest = 0;
#pragma unroll 4
        for (int i = 0; i < n_pieces * (PIECE / 8); i++) {
            const float2 x = query_pair(p, q, r, i);
            largest = larger(largest, larger(magnitude(x.x), magnitude(x.y)));
        }
        const power_of_two power = power_for(largest_of_row(largest));
        down[r] = power.down;
        const int row = first_row + g + 8 * r;
#pragma unroll 2
        for (int i = part; i < n_pieces * (PIECE / 8); i += shape::PARTS) {
            const float2 x = query_pair(p, q, r, i);
            uint32_t *target = (uint32_t *)(query + row * shape::QUERY_PITCH + (i ^ (row & 7)) * 16 + t * 4);
            split(x.x * power.up, x.y * power.up, target[0], target[shape::ROWS * shape::QUERY_PITCH / 4]);
        }
    }

    /* [ROWS][QUERY_PITCH] bytes, 128 more than the quants, then float32 [ROWS][HEAD / 32]: as activations are quantized. */
    YT_DEVICE void quantize_query(const attention_parameters &p, const float *q, int n_pieces, const int r)
    {
        const int row = first_row + g + 8 * r;
        float *scales = (float *)(query + shape::ROWS * shape::QUERY_PITCH) + row * (HEAD / 32);
        down[r] = 1.0f;
#pragma unroll 1
        for (int b = 0; b < n_pieces * (PIECE / 32); b++) {
            float2 x[4];
            uint32_t largest = 0;
            for (int i = 0; i < 4; i++) {
                x[i] = query_pair(p, q, r, 4 * b + i);
                largest = larger(largest, larger(magnitude(x[i].x), magnitude(x[i].y)));
            }
            const float amax = yt_bits_to_float_device(largest_of_row(largest));
            const bool is_finite = amax < INFINITY;
            const float inverse = is_finite && amax >= 1e-30f ? 127.0f / amax : 0.0f;
            if (b % shape::PARTS != part) {
                continue;
            }
            for (int i = 0; i < 4; i++) {
                const int low = is_finite ? yt_round_to_int(x[i].x * inverse) : 0;
                const int high = is_finite ? yt_round_to_int(x[i].y * inverse) : 0;
                *(uint16_t *)(query + row * shape::QUERY_PITCH + 32 * b + 8 * i + 2 * t) = (uint16_t)((low + 128) | (high + 128) << 8);
            }
            if (t == 0) {
                scales[b] = !is_finite ? amax - amax : amax >= 1e-30f ? amax / 127.0f : 0.0f;
            }
        }
    }

    /* Sixteen bytes of a row of the query for yt_load_tiles: lanes 8 to 15 and 24 to 31 have the lower rows, the last sixteen the bytes behind. */
    YT_DEVICE int query_row() const
    {
        return first_row + (lane_id() & 15);
    }

    /* ---- scores ---- */

    YT_DEVICE void score(const uint8_t *stage, int piece)
    {
        if (!rows.has_any) {
            return;
        }
        if (QUANTS) {
            score_quants(stage, piece);
        } else {
            score_halves(stage, piece);
        }
    }

    YT_DEVICE void score_halves(const uint8_t *stage, int piece)
    {
        const int row = query_row();
        const int lane = lane_id();
#pragma unroll 1
        for (int k = 0; k < 4; k++) {
            const uint8_t *q = query + row * shape::QUERY_PITCH + ((8 * piece + 2 * k + lane / 16) ^ (row & 7)) * 16;
            uint32_t hi[4];
            uint32_t lo[4];
            yt_load_tiles(hi, q);
            yt_load_tiles(lo, q + shape::ROWS * shape::QUERY_PITCH);
            const int element = 16 * k + (lane & 15);
            const uint8_t *keys = stage + element * 32 + (lane / 16 ^ (element >> 2 & 1)) * 16;
#pragma unroll
            for (int j = 0; j < shape::TILES; j += 2) {
                uint32_t b[4];
                yt_load_tiles_transposed(b, keys + (part * shape::TILES + j) / 2 * 2048);
                yt_mma_f16_k16(s[j], hi[0], hi[1], hi[2], hi[3], b[0], b[1]);
                yt_mma_f16_k16(s[j + 1], hi[0], hi[1], hi[2], hi[3], b[2], b[3]);
                yt_mma_f16_k16(s[j], lo[0], lo[1], lo[2], lo[3], b[0], b[1]);
                yt_mma_f16_k16(s[j + 1], lo[0], lo[1], lo[2], lo[3], b[2], b[3]);
            }
        }
    }

    /* The product is of unsigned with signed bytes: 128 times the sum of a key's quants is taken off first. */
    YT_DEVICE void score_quants(const uint8_t *stage, int piece)
    {
        const float *scales = (const float *)(query + shape::ROWS * shape::QUERY_PITCH) + (first_row + g) * (HEAD / 32) + 2 * piece;
#pragma unroll 1
        for (int b = 0; b < 2; b++) {
            uint32_t q[4];
            yt_load_tiles(q, query + query_row() * shape::QUERY_PITCH + PIECE * piece + 32 * b + lane_id() / 16 * 16);
            const float upper = scales[b];
            const float lower = scales[8 * (HEAD / 32) + b];
            const int word = 8 * b + t;
            const uint8_t *keys = stage + word * 64 + g % 4 * 4;
#pragma unroll
            for (int j = 0; j < shape::TILES; j++) {
                const int group = (part * shape::TILES + j) / 2;
                const int unit = j % 2 * 2 + g / 4;
                const uint8_t *key = keys + group * 1024 + (unit ^ (word >> 1 & 1) << 1) * 16;
                const uint32_t k0 = *(const uint32_t *)key ^ 0x80808080u;
                const uint32_t k1 = *(const uint32_t *)(key + 256) ^ 0x80808080u;
                int sums[4] = {0, 0, 0, 0};
                yt_mma_u8s8_k32(sums, 0x80808080u, 0x80808080u, 0x80808080u, 0x80808080u, k0, k1);
                for (int e = 0; e < 4; e++) {
                    sums[e] = -sums[e];
                }
                yt_mma_u8s8_k32(sums, q[0], q[1], q[2], q[3], k0, k1);
                const uint32_t key_scales = *(const uint32_t *)(stage + CHUNK * PIECE + group * 64 + b * 32 + j % 2 * 16 + 4 * t);
                s[j][0] = fmaf((float)sums[0] * low_half(key_scales), upper, s[j][0]);
                s[j][1] = fmaf((float)sums[1] * high_half(key_scales), upper, s[j][1]);
                s[j][2] = fmaf((float)sums[2] * low_half(key_scales), lower, s[j][2]);
                s[j][3] = fmaf((float)sums[3] * high_half(key_scales), lower, s[j][3]);
            }
        }
    }

    /* Every warp of the rows gets all scores of the chunk. They are taken before the next piece, so that the memory is free for the next chunk. */
    YT_DEVICE void exchange_scores()
    {
        float *scores = (float *)(query + shape::QUERY_BYTES) + (first_row + g) * SCORE_PITCH + 2 * t;
#pragma unroll
        for (int j = 0; j < shape::TILES; j++) {
            float *own = scores + (part * shape::TILES + j) * 8;
            *(float2 *)own = make_float2(s[j][0], s[j][1]);
            *(float2 *)(own + 8 * SCORE_PITCH) = make_float2(s[j][2], s[j][3]);
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const float2 upper = *(const float2 *)(scores + j * 8);
            const float2 lower = *(const float2 *)(scores + j * 8 + 8 * SCORE_PITCH);
            s[j][0] = upper.x;
            s[j][1] = upper.y;
            s[j][2] = lower.x;
            s[j][3] = lower.y;
        }
    }

    /* ---- softmax ---- */

    YT_DEVICE void softmax_row(const int r, int position)
    {
        const int behind = position + 2 * t - rows.first[r];
        const unsigned n = (unsigned)(rows.end[r] - rows.first[r]);
        float most = m[r];
#pragma unroll
        for (int i = 0; i < 16; i++) {
            float &score = s[i / 2][2 * r + i % 2];
            score = score * down[r];
            if ((unsigned)(behind + i / 2 * 8 + i % 2) < n && score > most) {
                most = score;
            }
        }
        for (int mask = 1; mask <= 2; mask *= 2) {
            const float other = yt_shuffle_xor(most, mask);
            most = other > most ? other : most;
        }
        float sum = 0.0f;
#pragma unroll
        for (int i = 0; i < 16; i++) {
            float &score = s[i / 2][2 * r + i % 2];
            const float weight = weigh(score - most);
            score = (unsigned)(behind + i / 2 * 8 + i % 2) < n ? weight : 0.0f;
            sum = sum + score;
        }
        sum = sum + yt_shuffle_xor(sum, 1);
        sum = sum + yt_shuffle_xor(sum, 2);
        a[r] = m[r] == most ? 1.0f : weigh(m[r] - most);
        l[r] = fmaf(l[r], a[r], sum);
        m[r] = most;
    }

    YT_DEVICE void softmax(int position)
    {
        if (shape::PARTS > 1) {
            exchange_scores();
        }
        if (!rows.has_any) {
            return;
        }
        softmax_row(0, position);
        if (rows.has_upper) {
            softmax_row(1, position);
        } else {
            a[1] = 1.0f;
#pragma unroll
            for (int j = 0; j < 8; j++) {
                s[j][2] = s[j][3] = 0.0f;
            }
        }
        if (!QUANTS) {
#pragma unroll
            for (int i = 0; i < 16; i++) {
                const float *p = s[i / 4 * 2 + i % 4 / 2] + i % 2 * 2;
                split(p[0] * 16384.0f, p[1] * 16384.0f, large[i / 4][i % 4], small[i / 4][i % 4]);
            }
        }
    }

    /* ---- values ---- */

    /* Adds the values of a piece. What is done for each is written once; only the sums must be known by name, so that they stay in registers. */
    YT_DEVICE void value(const uint8_t *stage, int piece, uint32_t damage)
    {
        if (!rows.has_any) {
            return;
        }
        float c[shape::TILES][4];
        if (QUANTS) {
            value_quants(stage, c);
        } else {
            value_halves(stage, c);
        }
        if (damage != 0) {
#pragma unroll
            for (int i = 0; i < 4 * shape::TILES; i++) {
                c[i / 4][i % 4] = (damage >> i & 1) != 0 ? NAN : c[i / 4][i % 4];
            }
        }
#pragma unroll
        for (int of = 0; of < shape::PIECES; of++) {
            if (of == piece) {
#pragma unroll
                for (int i = 0; i < 4 * shape::TILES; i++) {
                    o[of][i / 4][i % 4] = fmaf(o[of][i / 4][i % 4], a[i % 4 / 2], c[i / 4][i % 4]);
                }
            }
        }
    }

    /* Where two elements of a position, the first of them even, stand in a stage. */
    static YT_DEVICE int value_at(int position, int element)
    {
        return position * 128 + (element / 8 ^ (position & 7)) * 16 + element % 8 * 2;
    }

    /*
     * Which of the lane's sums of a piece take a value that is not finite, and see it, as bits: of an edge, a chunk which not all rows see. A weight of zero would not keep the
     * value from the other rows, so it is taken out of the edge afterwards.
     */
    YT_DEVICE uint32_t find_damage(const uint8_t *stage, int position) const
    {
        bool is_damaged = false;
#pragma unroll 4
        for (int i = lane_id(); i < CHUNK * 8 * shape::TILES / 2; i += 32) {
            const int row = i / (4 * shape::TILES);
            const int element = part * shape::TILES * 8 + i % (4 * shape::TILES) * 2;
            is_damaged = is_damaged || not_finite(*(const uint32_t *)(stage + value_at(row, element))) != 0;
        }
        uint32_t damage = 0;
        if (yt_ballot(is_damaged) == 0) {
            return damage;
        }
#pragma unroll 1
        for (int i = 0; i < 4 * shape::TILES; i++) {
            const int r = i % 4 / 2;
            const int element = element_of(0, i / 4, i % 4);
            const int first = (r == 0 ? rows.first[0] : rows.first[1]) - position;
            const int end = (r == 0 ? rows.end[0] : rows.end[1]) - position;
            for (int row = first > 0 ? first : 0; row < end && row < CHUNK; row++) {
                const uint32_t half = *(const uint16_t *)(stage + value_at(row, element));
                damage |= (half & 0x7C00u) == 0x7C00u ? 1u << i : 0u;
            }
        }
        return damage;
    }

    /* What is not finite becomes zero; all threads of a block. */
    static YT_DEVICE void repair(uint8_t *stage)
    {
#pragma unroll 4
        for (int i = (int)threadIdx.x; i < CHUNK * PIECE / 2; i += THREADS) {
            uint32_t *word = (uint32_t *)stage + i;
            *word &= ~not_finite(*word);
        }
    }

    /* All bits of the halves of a word that are not finite. */
    static YT_DEVICE uint32_t not_finite(uint32_t word)
    {
        return ((word & 0x7C00u) == 0x7C00u ? 0xFFFFu : 0u) | ((word & 0x7C000000u) == 0x7C000000u ? 0xFFFF0000u : 0u);
    }

    YT_DEVICE void value_halves(const uint8_t *stage, float (&c)[shape::TILES][4])
    {
        const int lane = lane_id();
#pragma unroll
        for (int j = 0; j < shape::TILES; j += 2) {
            const int unit = part * shape::TILES + j + lane / 16;
            c[j][0] = c[j][1] = c[j][2] = c[j][3] = 0.0f;
            c[j + 1][0] = c[j + 1][1] = c[j + 1][2] = c[j + 1][3] = 0.0f;
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const int row = 16 * k + (lane & 15);
                uint32_t b[4];
                yt_load_tiles_transposed(b, stage + row * 128 + (unit ^ (row & 7)) * 16);
                yt_mma_f16_k16(c[j], large[k][0], large[k][1], large[k][2], large[k][3], b[0], b[1]);
                yt_mma_f16_k16(c[j + 1], large[k][0], large[k][1], large[k][2], large[k][3], b[2], b[3]);
                yt_mma_f16_k16(c[j], small[k][0], small[k][1], small[k][2], small[k][3], b[0], b[1]);
                yt_mma_f16_k16(c[j + 1], small[k][0], small[k][1], small[k][2], small[k][3], b[2], b[3]);
            }
        }
    }

    /* Weights of sixteen positions times the scales of their values: words 2i and 2i + 1 of a product. A weight of zero is that of a position which is not seen. */
    YT_DEVICE void scaled_weights(const uint8_t *scales, int k, int r, float (&out)[4])
    {
        const uint8_t *own = scales + 64 * k + 4 * t;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const uint32_t pair = *(const uint32_t *)(own + 16 * i);
            const float *p = s[2 * k + i] + 2 * r;
            out[2 * i] = p[0] == 0.0f ? 0.0f : p[0] * low_half(pair);
            out[2 * i + 1] = p[1] == 0.0f ? 0.0f : p[1] * high_half(pair);
        }
    }

    /* Splits the weights of a block; returns what its products are multiplied with. */
    YT_DEVICE float split_scaled(const uint8_t *scales, const int r)
    {
        uint32_t largest = 0;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            float p[4];
            scaled_weights(scales, k, r, p);
            largest = larger(largest, larger(larger(magnitude(p[0]), magnitude(p[1])), larger(magnitude(p[2]), magnitude(p[3]))));
        }
        const power_of_two power = power_for(largest_of_row(largest));
#pragma unroll
        for (int k = 0; k < 4; k++) {
            float p[4];
            scaled_weights(scales, k, r, p);
            split(p[0] * power.up, p[1] * power.up, large[k][r], small[k][r]);
            split(p[2] * power.up, p[3] * power.up, large[k][r + 2], small[k][r + 2]);
        }
        return power.down;
    }

    /*
     * Elements of a block, or of half a one where warps share rows, are dealt to the lanes in fours or twos, which are one load: element WIDTH n + j is column n of product j.
     */
    YT_DEVICE void value_quants(const uint8_t *stage, float (&c)[shape::TILES][4])
    {
        constexpr int WIDTH = shape::TILES < 4 ? shape::TILES : 4;
#pragma unroll
        for (int first = 0; first < shape::TILES; first += WIDTH) {
            const int element = (part * shape::TILES + first) * 8;
            const uint8_t *scales = stage + CHUNK * PIECE + element / 32 * 32;
            float back[2];
            back[0] = split_scaled(scales, 0);
            back[1] = split_scaled(scales, 1);
#pragma unroll
            for (int j = first; j < first + WIDTH; j++) {
                c[j][0] = c[j][1] = c[j][2] = c[j][3] = 0.0f;
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
                uint32_t b[2][4]; /* positions 2t and 2t + 1, then 2t + 8 and 2t + 9, of each element */
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    value_words<WIDTH>(stage + k * 1024, element + WIDTH * g, 2 * t + 8 * i, b[i]);
                }
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    yt_mma_f16_k16(c[first + j], large[k][0], large[k][1], large[k][2], large[k][3], b[0][j], b[1][j]);
                }
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    yt_mma_f16_k16(c[first + j], small[k][0], small[k][1], small[k][2], small[k][3], b[0][j], b[1][j]);
                }
            }
#pragma unroll
            for (int i = 0; i < 4 * WIDTH; i++) {
                c[first + i / 4][i % 4] = c[first + i / 4][i % 4] * back[i % 4 / 2];
            }
        }
    }

    /* WIDTH elements of a position, which is even, and of the next, as pairs of binary16. */
    template <int WIDTH>
    static YT_DEVICE void value_words(const uint8_t *group, int element, int position, uint32_t (&out)[4])
    {
        const int row = (position & ~3) | (position >> 1 & 1);
        const uint8_t *at = group + row * 64 + (element / 16 ^ (position >> 2 & 1) << 1) * 16 + element % 16;
        uint32_t pair[2];
        if (WIDTH == 4) {
            const uint32_t first = *(const uint32_t *)at;
            const uint32_t second = *(const uint32_t *)(at + 128);
            yt_bytes_to_halves(pair, yt_permute(first, second, 0x7362));
            out[2] = pair[0];
            out[3] = pair[1];
            yt_bytes_to_halves(pair, yt_permute(first, second, 0x5140));
        } else {
            yt_bytes_to_halves(pair, yt_permute(*(const uint16_t *)at, *(const uint16_t *)(at + 128), 0x5140));
        }
        out[0] = pair[0];
        out[1] = pair[1];
    }

    /* ---- spans ---- */

    YT_DEVICE void begin_span()
    {
        for (int r = 0; r < 2; r++) {
            m[r] = -INFINITY;
            l[r] = 0.0f;
        }
#pragma unroll
        for (int i = 0; i < shape::PIECES * shape::TILES * 4; i++) {
            o[i / (shape::TILES * 4)][i / 4 % shape::TILES][i % 4] = 0.0f;
        }
    }

    /* The element of a head that is value e of tile j of a piece. */
    YT_DEVICE int element_of(int piece, int j, int e) const
    {
        const int column = 2 * t + e % 2;
        constexpr int WIDTH = !QUANTS ? 1 : shape::TILES < 4 ? shape::TILES : 4;
        return PIECE * piece + (part * shape::TILES + j / WIDTH * WIDTH) * 8 + column * WIDTH + j % WIDTH;
    }
};

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
 * What the lane has of a span is kept, in a slot, for the block that will be the last; or, without one, is put together with the spans before, which stand in out, where
 * each lane finds its own again.
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
    yt_fence();
    __syncthreads();
    if (threadIdx.x == 0) {
        unsigned *counter = p.finished + blockIdx.x * gridDim.y + blockIdx.y;
        *flag = yt_atomic_add(counter, 1) + 1 == (unsigned)n;
        if (*flag) {
            *counter = 0;
        }
    }
    __syncthreads();
    yt_fence();
    return *flag != 0;
}

/* One warp for each row. */
template <int HEAD>
YT_DEVICE void merge_partials(const attention_parameters &p, const tile_columns &tile, int n_rows, int base_row, int kv_head)
{
    const int first_span = tile.lo / SPAN;
    for (int row = (int)(threadIdx.x / 32); row < n_rows; row += WARPS) {
        const int position = tile.all_hi - 1 + column_of(p, base_row + row);
        const int first = first_seen(p, position) / SPAN;
        merged state = {};
        float sums[HEAD / 32];
        for (int span = first; span <= position / SPAN; span++) {
            const float *partial = partial_at(p, span - first_span, row);
            merge_factors factors = {0.0f, 1.0f};
            if (span == first) {
                state = {partial[p.head_dim], partial[p.head_dim + 1]};
            } else {
                factors = add_span(state, partial[p.head_dim], partial[p.head_dim + 1]);
            }
#pragma unroll
            for (int i = 0; i < HEAD / 32; i++) {
                const float sum = 32 * i + lane_id() < p.head_dim ? partial[32 * i + lane_id()] : 0.0f;
                sums[i] = span == first ? sum : factors.take(sums[i], sum);
            }
        }
        const float inverse = 1.0f / state.l;
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

/* A tile, or those of its spans that are this block's. */
template <int HEAD, bool QUANTS, int ROW_WARPS>
YT_DEVICE void attend_tile(const attention_parameters &p, const tile_columns &tile, int base_row, int kv_head, int n_blocks)
{
    typedef tile_shape<HEAD, QUANTS, ROW_WARPS> shape;
    const int first_span = tile.lo / SPAN;
    const int n_spans = (tile.hi - 1) / SPAN + 1 - first_span;
    const int own = n_blocks > 1 ? (int)blockIdx.z : 0;
    if (own >= n_spans) {
        return;
    }
    int position = own == 0 ? tile.lo / CHUNK * CHUNK : (first_span + own) * SPAN;
    kv_stream<HEAD, QUANTS, ROW_WARPS> stream;
    tile_warp<HEAD, QUANTS, ROW_WARPS> warp;
    merged state[2] = {};
    stream.begin(p, tile, kv_head, position, n_blocks);
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
        position = next_chunk(position, n_blocks);
        if (position / SPAN != span || position >= tile.hi) {
            end_span(p, tile, base_row, kv_head, warp, state, span, n_blocks > 1 ? span - first_span : -1);
            warp.begin_span();
        }
    }
    if (n_blocks > 1 && is_last_block(p, n_spans < n_blocks ? n_spans : n_blocks)) {
        const int n_rows = tile.count * p.group - base_row;
        merge_partials<HEAD>(p, tile, n_rows < shape::ROWS ? n_rows : shape::ROWS, base_row, kv_head);
    }
}

/*
 * grid: (ranges of columns x ranks x tiles of a column's heads, KV heads, blocks that share the spans of a tile). The last columns, which see most, come first. Tiles of a range beyond the ranks, which there are where a
 * sequence's positions do not follow each other, are taken by the first block alone.
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
            attend_tile<HEAD, QUANTS, ROW_WARPS>(p, tile, base_row, (int)blockIdx.y, i == rank ? (int)gridDim.z : 1);
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

void yt_launch_attention(yt_queue &queue, const yt_device_layer &layer, const yt_device_batch &batch, const float *q, const yt_device_kv &kv, void *scratch, float *out)
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
    };
    const dim3 grid((unsigned)(d.n_ranges * d.n_ranks * d.head_tiles), (unsigned)layer.n_kv_heads, (unsigned)d.n_blocks);
    if (kv.type == YT_Q8_0) {
        launch_type<true>(queue, d, grid, parameters);
    } else {
        launch_type<false>(queue, d, grid, parameters);
    }
}
