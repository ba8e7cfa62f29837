/* Attention (attention.cu): what a launch is told, which columns make a tile, and how keys and values come into shared memory. */
#ifndef YT_ATTENTION_STREAM_CUH
#define YT_ATTENTION_STREAM_CUH

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
};

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
    int unused; /* 0: no padding (launch.cuh) */
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
    /* Blocks of a multiprocessor that registers must do for; of those for Q8_0, three would spill on 12.0, whose shared memory has two. */
    static constexpr int RESIDENT = PARTS == WARPS && HEAD < 256 && !QUANTS ? 3 : 2;
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

/* Chunks that a block takes of a tile: all of a span, then, behind as many positions as other blocks take, those of another. */
YT_DEVICE int next_chunk(int position, int others)
{
    position += CHUNK;
    return position % SPAN == 0 ? position + others : position;
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

/*
 * The two rows of a tile that a lane has, g and g + 8 of the warp's sixteen: a query head of a column, which sees positions first to end - 1, none if it does
 * not exist.
 */
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
    int others;   /* positions of other blocks between two of its spans */
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

    YT_DEVICE void begin(const attention_parameters &p, const tile_columns &tile, int kv_head, int first_chunk, int skipped)
    {
        head = p.keys + kv_head * p.head_bytes;
        pages = p.page_table + (int64_t)p.sequences[tile.first] * p.max_pages;
        lo = tile.lo;
        hi = tile.hi;
        others = skipped;
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

    /*
     * F16. Keys: rows of sixteen positions for each element; the halves of four rows are exchanged in every second four. Values: rows of 64 elements for each
     * position.
     */
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
     * Q8_0: quants of four groups, then scales [4][2 blocks][16]. Keys: rows of four elements of sixteen positions, in every second two with their halves
     * exchanged. Values: rows of 64 elements, of positions 0, 2, 1, 3 and so on, in every second four with their halves exchanged.
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
                look_up(p, next_chunk(position, others));
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
                position = next_chunk(position, others);
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

} // namespace

#endif
