/* Attention (attention.cu): scores, softmax and values of a warp's part of a tile. */
#ifndef YT_ATTENTION_TILE_CUH
#define YT_ATTENTION_TILE_CUH

#include "attention_stream.cuh"

namespace {

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

    /*
     * [2][ROWS][HEAD] binary16: the larger parts, then the smaller; a row's sixteens of bytes are exchanged, so that those of eight rows lie in different
     * banks.
     */
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
     * Which of the lane's sums of a piece take a value that is not finite, and see it, as bits: of an edge, a chunk which not all rows see. A weight of zero
     * would not keep the value from the other rows, so it is taken out of the edge afterwards.
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

    /*
     * Weights of sixteen positions times the scales of their values: words 2i and 2i + 1 of a product. A weight of zero is that of a position which is not
     * seen.
     */
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
     * Elements of a block, or of half a one where warps share rows, are dealt to the lanes in fours or twos, which are one load: element WIDTH n + j is
     * column n of product j.
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

} // namespace

#endif
