/*
 * Attention of the query heads, of one column or several, that share a KV head, over sixteen lanes: span by span of positions, each with a maximum and a sum of its own,
 * so that scores stay in the caches and spans can be divided among threads. How keys and values lie in a page is said in memory.h.
 */
#ifndef YT_ATTENTION_H
#define YT_ATTENTION_H

#include "elements.h"

/* Positions that are taken together: their keys, or values, are few enough for the first-level cache. */
#define ATTENTION_CHUNK 64
/* Of a row of scores, a little more than a span: rows that are a power of two apart would share the lines of the cache. */
#define ATTENTION_SCORES (YT_SPAN + 16)
/* Queries that take values, or quantized keys, at once at most. */
#define ATTENTION_TILE 8

YT_CONSTANT int kv_is_quantized(const int32_t type)
{
    return type == YT_Q8_0 || type == YT_Q4_0;
}

/* ---- scores ----------------------------------------------------------------------------------------------------------------------- */

/* Sixteen elements of an unquantized type. */
YT_INLINE v16 load_kv(const uint8_t *p, int64_t element, const int32_t type)
{
    switch (type) {
    case YT_F32:
        return v_load((const float *)p + element);
    case YT_F16:
        return v_load_f16((const uint16_t *)p + element);
    default:
        return v_bits(vi_shl(vi_load_u16((const uint16_t *)p + element), 16));
    }
}

/* What the scores of a chunk of positions are computed from. */
typedef struct {
    const uint8_t *keys;    /* of the first group of sixteen positions */
    int64_t group_bytes;
    int64_t ahead;          /* from keys to those that will be read next */
    int64_t head_dim;
    const float *queries;   /* [head_dim][YT_MAX_QUERIES], scaled: what one instruction after the other takes stands at constant distances */
    const uint8_t *records; /* of the quantized queries, in tiles of ATTENTION_TILE (yt_input) */
} score_chunk;

/* Bytes of a tile of quantized queries. */
static inline int64_t query_tile_bytes(int64_t head_dim)
{
    return (head_dim + 31) / 32 * YT_RECORD * ATTENTION_TILE;
}

/* Scores of 16 * WIDTH positions for QUERIES queries: each key is loaded once for all of them, each query once for all positions. */
YT_INLINE void score_floats(const score_chunk *c, const uint8_t *keys, const int width, int64_t first, const int n_queries, const int32_t type, float *scores)
{
    const int step = width * 16 * (type == YT_F32 ? 4 : 2);
    const float *queries = c->queries + first;
    v16 acc[2 * ATTENTION_TILE];
#pragma GCC unroll 16
    for (int i = 0; i < n_queries * width; i++) {
        acc[i] = v_set1(0.0f);
    }
    for (int64_t d = 0; d < c->head_dim; d++) {
        v16 key[2];
        v_prefetch(keys + c->ahead + d * step, step);
#pragma GCC unroll 2
        for (int j = 0; j < width; j++) {
            key[j] = load_kv(keys + j * c->group_bytes, d * 16, type);
        }
#pragma GCC unroll 8
        for (int h = 0; h < n_queries; h++) {
            v16 query = v_set1(queries[d * YT_MAX_QUERIES + h]);
#pragma GCC unroll 2
            for (int j = 0; j < width; j++) {
                acc[h * width + j] = v_fma(query, key[j], acc[h * width + j]);
            }
        }
    }
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
#pragma GCC unroll 2
        for (int j = 0; j < width; j++) {
            v_store(scores + (first + h) * ATTENTION_SCORES + 16 * j, acc[h * width + j]);
        }
    }
}

/* Four elements of sixteen keys, unsigned; WORD counts them from the block's first on. */
YT_INLINE vb load_key_word(const uint8_t *block, int word, const int32_t type)
{
    if (type == YT_Q8_0) {
        return vb_load(block + 64 * word);
    }
    vb pair = vb_load(block + 64 * (word / 2));
    return vb_and(word % 2 == 0 ? pair : vb_shr(pair, 4), 15);
}

/* Scores of 16 positions for QUERIES queries of one tile: products of quantized rows, as matmul.h has them. */
YT_INLINE void score_quants(const score_chunk *c, const uint8_t *keys, int64_t first, const int n_queries, const int32_t type, float *scores)
{
    const int wide = type == YT_Q8_0;
    const int64_t block_bytes = type == YT_Q8_0 ? 512 : 256;
    const uint8_t *block = keys + yt_kv_scale_bytes(c->head_dim);
    const uint8_t *record = c->records + first / ATTENTION_TILE * query_tile_bytes(c->head_dim);
    const int64_t column = first % ATTENTION_TILE;
    v16 acc[ATTENTION_TILE];
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
        acc[h] = v_set1(0.0f);
    }
    for (int64_t b = 0; b < (c->head_dim + 31) / 32; b++, block += block_bytes, record += YT_RECORD * ATTENTION_TILE) {
        const int8_t *quants = (const int8_t *)record + 32 * column;
        const float *scales = (const float *)(record + 32 * ATTENTION_TILE) + column;
        const int32_t *minus_sums = (const int32_t *)(record + 36 * ATTENTION_TILE) + column;
        const int64_t left = c->head_dim - 32 * b;
        vi16 sums[ATTENTION_TILE];
        v_prefetch(block + c->ahead, (int)block_bytes);
#pragma GCC unroll 8
        for (int h = 0; h < n_queries; h++) {
            sums[h] = vi_start(minus_sums[h], wide ? 7 : 3, wide);
        }
        if (left >= 32) {
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++) {
                vb word = load_key_word(block, j, type);
#pragma GCC unroll 8
                for (int h = 0; h < n_queries; h++) {
                    sums[h] = vi_dot(sums[h], word, vi_broadcast4(quants + 32 * h + 4 * j), wide);
                }
            }
        } else {
            for (int j = 0; 4 * j < left; j++) {
                vb word = load_key_word(block, j, type);
#pragma GCC unroll 8
                for (int h = 0; h < n_queries; h++) {
                    sums[h] = vi_dot(sums[h], word, vi_broadcast4(quants + 32 * h + 4 * j), wide);
                }
            }
        }
        const v16 scale = v_load_f16((const uint16_t *)keys + 16 * b);
#pragma GCC unroll 8
        for (int h = 0; h < n_queries; h++) {
            acc[h] = v_fma(v_mul(vi_to_float(sums[h]), scale), v_set1(scales[h]), acc[h]);
        }
    }
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
        v_store(scores + (first + h) * ATTENTION_SCORES, acc[h]);
    }
}

/* Scores of 16 * WIDTH positions for QUERIES queries from the first on. */
YT_INLINE void score_tile(const score_chunk *c, const uint8_t *keys, const int width, int64_t first, const int n_queries, const int32_t type, float *scores)
{
    if (kv_is_quantized(type)) {
        score_quants(c, keys, first, n_queries, type, scores);
    } else {
        score_floats(c, keys, width, first, n_queries, type, scores);
    }
}

/* Scores of 16 * WIDTH positions for queries first to end - 1, and for those before them in the tile. */
YT_INLINE void score_positions(const score_chunk *c, const uint8_t *keys, const int width, int64_t first, int64_t end, const int32_t type, float *scores)
{
    int64_t h = first / ATTENTION_TILE * ATTENTION_TILE;
#if YT_SCORE_QUERIES >= 8
    for (; h + 8 <= end; h += 8) {
        score_tile(c, keys, width, h, 8, type, scores);
    }
#endif
#if YT_SCORE_QUERIES >= 4
    for (; h + 4 <= end; h += 4) {
        score_tile(c, keys, width, h, 4, type, scores);
    }
#endif
    for (; h + 2 <= end; h += 2) {
        score_tile(c, keys, width, h, 2, type, scores);
    }
    if (h < end) {
        score_tile(c, keys, width, h, 1, type, scores);
    }
}

/* ---- softmax ---------------------------------------------------------------------------------------------------------------------- */

/*
 * The weight of a score that is so far, 0 or less, from the largest. Below e^-64 nothing that counts is left, and products with scales would be subnormal, which takes
 * processors a hundred times as long.
 */
YT_INLINE v16 weigh(v16 distance)
{
    return v_exp_within(v_max(distance, v_set1(-64.0f)));
}

/* What stands beside scores first to end - 1 in their vectors. */
static void fill_edges(float *scores, int64_t first, int64_t end, float value)
{
    for (int64_t t = first & ~(int64_t)15; t < first; t++) {
        scores[t] = value;
    }
    for (int64_t t = end; t % 16 != 0; t++) {
        scores[t] = value;
    }
}

/* Scores first to end - 1 become exp(score - their maximum); what else stands in their vectors becomes 0. */
static void softmax(float *scores, int64_t first, int64_t end, float *max, float *sum)
{
    const int64_t start = first & ~(int64_t)15;
    fill_edges(scores, first, end, -INFINITY);
    v16 most = v_load(scores + start);
    for (int64_t t = start + 16; t < end; t += 16) {
        most = v_max(most, v_load(scores + t));
    }
    *max = v_largest(most);
    const v16 minus_max = v_set1(-*max);
    for (int64_t t = start; t < end; t += 16) {
        v_store(scores + t, weigh(v_add(v_load(scores + t), minus_max)));
    }
    fill_edges(scores, first, end, 0.0f);
    v16 sums = v_set1(0.0f);
    for (int64_t t = start; t < end; t += 16) {
        sums = v_add(sums, v_load(scores + t));
    }
    *sum = fold(sums);
}

/* ---- values ----------------------------------------------------------------------------------------------------------------------- */

/* Positions first to end - 1 that a query sees, counted from the span's, or the chunk's, first. */
typedef struct {
    int64_t first, end;
} seen;

/* What the values of a chunk of positions are summed from, and where. */
typedef struct {
    const uint8_t *values; /* of the first group of sixteen positions */
    int64_t group_bytes;
    int64_t scale_bytes;   /* at the head of a group */
    int64_t row_bytes;
    int64_t ahead;         /* from values to those that will be read next */
    int64_t n_elements;    /* of a row: value_stride */
    const float *weights;  /* [n_queries][ATTENTION_SCORES] */
    float *sums;           /* [n_queries][sums_stride] */
    int64_t sums_stride;
} value_chunk;

/* Sixteen elements, the J-th of a row's part that begins with a block. */
YT_INLINE v16 load_value(const uint8_t *part, const int j, const int32_t type)
{
    switch (type) {
    case YT_Q8_0:
        return vi_to_float(vi_load_s8((const int8_t *)part + 16 * j));
    case YT_Q4_0: {
        vi16 pairs = vi_load_u8(part);
        return vi_to_float(vi_sub(j == 0 ? vi_and(pairs, 15) : vi_shr(pairs, 4), vi_set1(8)));
    }
    default:
        return load_kv(part, 16 * j, type);
    }
}

/* Bytes of sixteen elements of a row. */
YT_CONSTANT int64_t value_bytes(const int32_t type)
{
    return type == YT_F32 ? 64 : type == YT_Q8_0 ? 16 : type == YT_Q4_0 ? 8 : 32;
}

/* Adds to the sums of QUERIES queries 16 * WIDTH elements, which have one scale, of some positions: each value is loaded once for all of them. */
YT_INLINE void value_tile(const value_chunk *c, seen positions, int64_t element, const int width, int64_t query, const int n_queries, const int32_t type)
{
    const float *weights = c->weights + query * ATTENTION_SCORES;
    int64_t weights_stride = ATTENTION_SCORES;
    float scaled[ATTENTION_TILE * ATTENTION_CHUNK];
    if (kv_is_quantized(type)) {
        for (int64_t t = positions.first & ~(int64_t)15; t < positions.end; t += 16) {
            const v16 scale = v_load_f16((const uint16_t *)(c->values + t / 16 * c->group_bytes) + element / 32 * 16);
#pragma GCC unroll 8
            for (int h = 0; h < n_queries; h++) {
                v_store(scaled + h * ATTENTION_CHUNK + t, v_mul(v_load(weights + h * ATTENTION_SCORES + t), scale));
            }
        }
        weights = scaled;
        weights_stride = ATTENTION_CHUNK;
    }
    float *sums = c->sums + query * c->sums_stride + element;
    v16 acc[2 * ATTENTION_TILE];
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
#pragma GCC unroll 2
        for (int j = 0; j < width; j++) {
            acc[h * width + j] = v_load(sums + h * c->sums_stride + 16 * j);
        }
    }
    for (int64_t t = positions.first; t < positions.end;) {
        const uint8_t *part = c->values + t / 16 * c->group_bytes + c->scale_bytes + t % 16 * c->row_bytes + element / 16 * value_bytes(type);
        const int64_t rounded = (t | 15) + 1;
        const int64_t end = rounded < positions.end ? rounded : positions.end;
        for (; t < end; t++, part += c->row_bytes) {
            v_prefetch(part + c->ahead, width * (int)value_bytes(type));
#pragma GCC unroll 2
            for (int j = 0; j < width; j++) {
                v16 value = load_value(part, j, type);
#pragma GCC unroll 8
                for (int h = 0; h < n_queries; h++) {
                    acc[h * width + j] = v_fma(v_set1(weights[h * weights_stride + t]), value, acc[h * width + j]);
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
#pragma GCC unroll 2
        for (int j = 0; j < width; j++) {
            v_store(sums + h * c->sums_stride + 16 * j, acc[h * width + j]);
        }
    }
}

/* All elements of some positions. */
YT_INLINE void value_row(const value_chunk *c, seen positions, int64_t query, const int n_queries, const int32_t type)
{
    if (positions.first >= positions.end) {
        return;
    }
    int64_t e = 0;
    for (; e + 32 <= c->n_elements; e += 32) {
        value_tile(c, positions, e, 2, query, n_queries, type);
    }
    if (e < c->n_elements) {
        value_tile(c, positions, e, 1, query, n_queries, type);
    }
}

/* Queries take together what all of them see, and what only some see before and behind that alone. */
YT_INLINE void value_queries(const value_chunk *c, const seen *each, int64_t query, const int n_queries, const int32_t type)
{
    seen all = {each[query + n_queries - 1].first, each[query].end};
    if (all.first >= all.end) {
        all.first = all.end = ATTENTION_CHUNK;
    }
    for (int side = 0; side < 2; side++) {
        for (int64_t h = query; n_queries > 1 && h < query + n_queries; h++) {
            seen own = each[h];
            if (side == 0) {
                own.end = own.end < all.first ? own.end : all.first;
            } else {
                own.first = own.first > all.end ? own.first : all.end;
            }
            value_row(c, own, h, 1, type);
        }
        if (side == 0) {
            value_row(c, all, query, n_queries, type);
        }
    }
}

/* The values of a chunk, for queries first to end - 1; each: what they see of it. */
YT_INLINE void value_positions(const value_chunk *c, const seen *each, int64_t first, int64_t end, const int32_t type)
{
    int64_t h = first;
#if YT_VALUE_QUERIES >= 8
    for (; h + 8 <= end; h += 8) {
        value_queries(c, each, h, 8, type);
    }
#endif
#if YT_VALUE_QUERIES >= 4
    for (; h + 4 <= end; h += 4) {
        value_queries(c, each, h, 4, type);
    }
#endif
    for (; h + 2 <= end; h += 2) {
        value_queries(c, each, h, 2, type);
    }
    if (h < end) {
        value_row(c, each[h], h, 1, type);
    }
}

/* ---- a span ----------------------------------------------------------------------------------------------------------------------- */

/* Where the keys, or values, of a position's group are. */
static inline const uint8_t *kv_group(const yt_kv_head *kv, int64_t offset, int64_t group_bytes, int64_t position)
{
    return kv->base + kv->pages[position / kv->page_positions] * kv->page_bytes + offset + position % kv->page_positions / 16 * group_bytes;
}

/* The end of the chunk that begins with a position: at the end of its page, or before. */
static inline int64_t chunk_end(const yt_kv_head *kv, int64_t position, int64_t end)
{
    int64_t chunk = position + ATTENTION_CHUNK;
    int64_t page = (position / kv->page_positions + 1) * kv->page_positions;
    chunk = chunk < page ? chunk : page;
    return chunk < end ? chunk : end;
}

/* What is known of a span: its first position, which queries see something of it, and which positions they do. */
typedef struct {
    int64_t start;
    int64_t first_query, end_query;
    int64_t first, end;
    int64_t next; /* a position that will be read after the span, or first */
} span_view;

YT_INLINE void score_span(const yt_kv_head *kv, const span_view *s, score_chunk *c, const int32_t type, float *scores)
{
    for (int64_t t = s->first; t < s->end;) {
        const int64_t end = chunk_end(kv, t, s->end);
        c->keys = kv_group(kv, kv->key_offset, kv->key_group_bytes, t);
        c->ahead = (end < s->end ? kv_group(kv, kv->key_offset, kv->key_group_bytes, end) : kv_group(kv, kv->value_offset, kv->value_group_bytes, s->first)) - c->keys;
        for (const uint8_t *keys = c->keys; t < end;) {
            if (!kv_is_quantized(type) && t + 16 < end) {
                score_positions(c, keys, 2, s->first_query, s->end_query, type, scores + t - s->start);
                t += 32;
                keys += 2 * c->group_bytes;
            } else {
                score_positions(c, keys, 1, s->first_query, s->end_query, type, scores + t - s->start);
                t += 16;
                keys += c->group_bytes;
            }
        }
        t = end;
    }
}

YT_INLINE void value_span(const yt_kv_head *kv, const span_view *s, value_chunk *c, const seen *each, const float *weights, const int32_t type)
{
    for (int64_t t = s->first; t < s->end;) {
        const int64_t end = chunk_end(kv, t, s->end);
        c->values = kv_group(kv, kv->value_offset, kv->value_group_bytes, t);
        c->ahead = (end < s->end ? kv_group(kv, kv->value_offset, kv->value_group_bytes, end) : kv_group(kv, kv->key_offset, kv->key_group_bytes, s->next)) - c->values;
        c->weights = weights + t - s->start;
        seen of_chunk[YT_MAX_QUERIES];
        for (int64_t h = s->first_query; h < s->end_query; h++) {
            const int64_t first = each[h].first - (t - s->start);
            const int64_t last = each[h].end - (t - s->start);
            of_chunk[h].first = first > 0 ? first : 0;
            of_chunk[h].end = last < end - t ? last : end - t;
        }
        value_positions(c, of_chunk, s->first_query, s->end_query, type);
        t = end;
    }
}

/* The prepared queries, and the memory that spans are computed in. */
typedef struct {
    const yt_kv_head *kv;
    const yt_query *queries;
    int64_t n_queries;
    float *scores;
    float *scaled;    /* as in score_chunk */
    uint8_t *records;
} attention_view;

/* Whether a query sees something of a span. */
static inline int sees_span(const yt_query *query, int64_t span)
{
    return query->length > span * YT_SPAN && query->first < (span + 1) * YT_SPAN;
}

YT_INLINE void attend_span_of(const attention_view *v, const span_view *s, const seen *each, const int32_t type, float *partials)
{
    const yt_kv_head *kv = v->kv;
    const int64_t floats = yt_partial_floats(kv->value_stride);
    score_chunk keys = {.group_bytes = kv->key_group_bytes, .head_dim = kv->head_dim, .queries = v->scaled, .records = v->records};
    value_chunk values = {.group_bytes = kv->value_group_bytes, .scale_bytes = kv_is_quantized(type) ? yt_kv_scale_bytes(kv->head_dim) : 0,
        .row_bytes = kv->value_stride / 16 * value_bytes(type), .n_elements = kv->value_stride, .sums = partials, .sums_stride = floats};
    score_span(kv, s, &keys, type, v->scores);
    for (int64_t h = s->first_query; h < s->end_query; h++) {
        float *partial = partials + h * floats;
        softmax(v->scores + h * ATTENTION_SCORES, each[h].first, each[h].end, &partial[kv->value_stride], &partial[kv->value_stride + 1]);
        for (int64_t i = 0; i < kv->value_stride; i += 16) {
            v_store(partial + i, v_set1(0.0f));
        }
    }
    value_span(kv, s, &values, each, v->scores, type);
}

/* Fills the partials of the queries that see something of a span; last: the last position that will be read. */
static void attend_span(const attention_view *v, int64_t span, int64_t last, float *partials)
{
    const int64_t start = span * YT_SPAN;
    seen each[YT_MAX_QUERIES];
    int64_t first_query = 0;
    int64_t end_query = v->n_queries;
    while (first_query < end_query && v->queries[first_query].length <= start) {
        first_query++;
    }
    while (end_query > first_query && v->queries[end_query - 1].first >= start + YT_SPAN) {
        end_query--;
    }
    if (first_query == end_query) {
        return;
    }
    for (int64_t h = first_query; h < end_query; h++) {
        const int64_t first = v->queries[h].first - start;
        const int64_t end = v->queries[h].length - start;
        each[h].first = first > 0 ? first : 0;
        each[h].end = end < YT_SPAN ? end : YT_SPAN;
    }
    const int64_t first = start + (each[first_query].first & ~(int64_t)15);
    const span_view s = {.start = start, .first_query = first_query, .end_query = end_query, .first = first, .end = start + each[end_query - 1].end,
        .next = start + YT_SPAN <= last ? start + YT_SPAN : first};
    switch (v->kv->type) {
    case YT_F32:
        attend_span_of(v, &s, each, YT_F32, partials);
        break;
    case YT_F16:
        attend_span_of(v, &s, each, YT_F16, partials);
        break;
    case YT_BF16:
        attend_span_of(v, &s, each, YT_BF16, partials);
        break;
    case YT_Q8_0:
        attend_span_of(v, &s, each, YT_Q8_0, partials);
        break;
    default:
        attend_span_of(v, &s, each, YT_Q4_0, partials);
        break;
    }
}

/* ---- several spans ---------------------------------------------------------------------------------------------------------------- */

/* Adds the partial of a span to that of all before it. */
static void merge_partial(float *state, const float *partial, int64_t stride)
{
    const float max = state[stride] > partial[stride] ? state[stride] : partial[stride];
    const v16 before = weigh(v_set1(state[stride] - max));
    const v16 added = weigh(v_set1(partial[stride] - max));
    for (int64_t i = 0; i < stride; i += 16) {
        v_store(state + i, v_fma(v_load(partial + i), added, v_mul(v_load(state + i), before)));
    }
    float sum[16];
    v_store(sum, v_fma(v_set1(partial[stride + 1]), added, v_mul(v_set1(state[stride + 1]), before)));
    state[stride] = max;
    state[stride + 1] = sum[0];
}

static void write_result(const yt_query *query, const float *state, int64_t head_dim, int64_t stride)
{
    const float inverse = 1.0f / state[stride + 1];
    for (int64_t d = 0; d < head_dim; d++) {
        query->out[d] = state[d] * inverse;
    }
}

static void merge(const yt_kv_head *kv, const yt_query *queries, int64_t n_queries, int64_t first_span, int64_t end_span, float *partials)
{
    const int64_t floats = yt_partial_floats(kv->value_stride);
    for (int64_t h = 0; h < n_queries; h++) {
        float *state = NULL;
        for (int64_t span = first_span; span < end_span; span++) {
            float *partial = partials + ((span - first_span) * n_queries + h) * floats;
            if (!sees_span(&queries[h], span)) {
                continue;
            }
            if (state == NULL) {
                state = partial;
            } else {
                merge_partial(state, partial, kv->value_stride);
            }
        }
        write_result(&queries[h], state, kv->head_dim, kv->value_stride);
    }
}

/* Scales the queries, and quantizes them where the keys are. */
static attention_view prepare_queries(const yt_kv_head *kv, const yt_query *queries, int64_t n_queries, float *scratch)
{
    const int64_t blocks = (kv->head_dim + YT_BLOCK - 1) / YT_BLOCK;
    attention_view v = {.kv = kv, .queries = queries, .n_queries = n_queries, .scores = scratch, .scaled = scratch + YT_MAX_QUERIES * ATTENTION_SCORES};
    v.records = (uint8_t *)(v.scaled + YT_MAX_QUERIES * blocks * YT_BLOCK);
    const float scale = 1.0f / sqrtf((float)kv->head_dim);
    for (int64_t h = 0; h < n_queries; h++) {
        float scaled[YT_MAX_HEAD] = {0};
        for (int64_t d = 0; d < kv->head_dim; d++) {
            scaled[d] = queries[h].q[d] * scale;
        }
        if (kv_is_quantized(kv->type)) {
            quantize(scaled, 0, blocks * YT_BLOCK, v.records + h / ATTENTION_TILE * query_tile_bytes(kv->head_dim), ATTENTION_TILE, h % ATTENTION_TILE);
            continue;
        }
        for (int64_t d = 0; d < kv->head_dim; d++) {
            v.scaled[d * YT_MAX_QUERIES + h] = scaled[d];
        }
    }
    return v;
}

static void attend(const yt_kv_head *kv, const yt_query *queries, int64_t n_queries, int64_t first_span, int64_t end_span, float *scratch, float *partials)
{
    const int64_t floats = yt_partial_floats(kv->value_stride);
    const attention_view v = prepare_queries(kv, queries, n_queries, scratch);
    const int64_t last = (end_span * YT_SPAN < queries[n_queries - 1].length ? end_span * YT_SPAN : queries[n_queries - 1].length) - 1;
    if (partials != NULL) {
        for (int64_t span = first_span; span < end_span; span++) {
            attend_span(&v, span, last, partials + (span - first_span) * n_queries * floats);
        }
        return;
    }
    float *states = (float *)(v.records + YT_MAX_QUERIES / ATTENTION_TILE * query_tile_bytes(kv->head_dim));
    float *current = states + n_queries * floats;
    for (int64_t span = first_span; span < end_span; span++) {
        attend_span(&v, span, last, current);
        for (int64_t h = 0; h < n_queries; h++) {
            if (sees_span(&queries[h], span)) {
                if (queries[h].first >= span * YT_SPAN) {
                    memcpy(states + h * floats, current + h * floats, (size_t)floats * sizeof *states);
                } else {
                    merge_partial(states + h * floats, current + h * floats, kv->value_stride);
                }
            }
        }
    }
    for (int64_t h = 0; h < n_queries; h++) {
        write_result(&queries[h], states + h * floats, kv->head_dim, kv->value_stride);
    }
}

#endif
