/* Attention of the query heads, of one column or several, that share a KV head, over sixteen lanes. */
#ifndef YT_ATTENTION_H
#define YT_ATTENTION_H

#include "elements.h"

YT_INLINE v16 load_kv(const uint8_t *p, int64_t element, const int32_t type)
{
    return type == YT_F16 ? v_load_f16((const uint16_t *)p + element) : v_load((const float *)p + element);
}

/* Scores of 16 * WIDTH positions for QUERIES queries: each key is loaded once for all of them, each query once for all positions. */
YT_INLINE void score_tile(const uint8_t *keys, const int width, const float *queries, const int64_t stride, int64_t head_dim, const int n_queries,
    const int32_t type, float *scores, int64_t scores_stride)
{
    v16 acc[16];
#pragma GCC unroll 16
    for (int i = 0; i < n_queries * width; i++) {
        acc[i] = v_set1(0.0f);
    }
    for (int64_t d = 0; d < head_dim; d++) {
        v16 key[2];
#pragma GCC unroll 2
        for (int j = 0; j < width; j++) {
            key[j] = load_kv(keys, (j * head_dim + d) * 16, type);
        }
#pragma GCC unroll 8
        for (int h = 0; h < n_queries; h++) {
            v16 query = v_set1(queries[h * stride + d]);
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
            v_store(scores + h * scores_stride + 16 * j, acc[h * width + j]);
        }
    }
}

/* Scores of 16 * WIDTH positions, which lie in one page, for all queries. */
YT_INLINE void score_positions(const uint8_t *keys, const int width, const float *queries, int64_t stride, int64_t n_queries, int64_t head_dim,
    const int32_t type, float *scores, int64_t scores_stride)
{
    int64_t h = 0;
    for (; h + YT_SCORE_QUERIES <= n_queries; h += YT_SCORE_QUERIES) {
        score_tile(keys, width, queries + h * stride, stride, head_dim, YT_SCORE_QUERIES, type, scores + h * scores_stride, scores_stride);
    }
    for (; h < n_queries; h++) {
        score_tile(keys, width, queries + h * stride, stride, head_dim, 1, type, scores + h * scores_stride, scores_stride);
    }
}

/* Scores of all positions that a query sees, and of some that it does not: those of the block's other queries, and what fills up the last vector. */
YT_INLINE void score_all(const yt_kv_head *kv, const yt_query *queries, const float *scaled, int64_t stride, int64_t n_queries, const int32_t type,
    float *scores, int64_t scores_stride)
{
    const int64_t bytes = type == YT_F16 ? 2 : 4;
    const int64_t longest = queries[n_queries - 1].length;
    int64_t first = 0; /* the first query that sees position t */
    for (int64_t t = 0; t < longest;) {
        const uint8_t *page = kv->base + kv->pages[t / kv->page_positions] * kv->page_bytes + kv->key_offset;
        const uint8_t *keys = page + t % kv->page_positions * kv->head_dim * bytes;
        while (queries[first].length <= t) {
            first++;
        }
        const float *q = scaled + first * stride;
        float *target = scores + first * scores_stride + t;
        if (t + 16 < longest && t % kv->page_positions + 32 <= kv->page_positions) {
            score_positions(keys, 2, q, stride, n_queries - first, kv->head_dim, type, target, scores_stride);
            t += 32;
        } else {
            score_positions(keys, 1, q, stride, n_queries - first, kv->head_dim, type, target, scores_stride);
            t += 16;
        }
    }
}

/* Scores become probabilities that are not yet divided by their sum; what stands behind length becomes 0. Returns 1 / sum. */
static float softmax(float *scores, int64_t length)
{
    for (int64_t beyond = length; beyond % 16 != 0; beyond++) {
        scores[beyond] = -INFINITY;
    }
    v16 most = v_load(scores);
    for (int64_t t = 16; t < length; t += 16) {
        most = v_max(most, v_load(scores + t));
    }
    const float max = v_largest(most);
    v16 sum = v_set1(0.0f);
    v16 minus_max = v_set1(-max);
    for (int64_t t = 0; t < length; t += 16) {
        v16 p = v_exp(v_add(v_load(scores + t), minus_max));
        v_store(scores + t, p);
        for (int64_t beyond = length; beyond < t + 16; beyond++) {
            scores[beyond] = 0.0f;
        }
        sum = v_add(sum, v_load(scores + t));
    }
    return 1.0f / fold(sum);
}

/* Adds to sums, [query][element], 16 * WIDTH elements of n values, weighted, for QUERIES queries: each value is loaded once for all of them. */
YT_INLINE void value_tile(const uint8_t *values, int64_t row_bytes, int64_t n, const int width, const float *weights, int64_t weights_stride, const int n_queries,
    const int32_t type, float *sums, int64_t sums_stride)
{
    v16 acc[16];
#pragma GCC unroll 4
    for (int h = 0; h < n_queries; h++) {
#pragma GCC unroll 4
        for (int j = 0; j < width; j++) {
            acc[h * width + j] = v_load(sums + h * sums_stride + 16 * j);
        }
    }
    for (int64_t t = 0; t < n; t++, values += row_bytes) {
#pragma GCC unroll 4
        for (int j = 0; j < width; j++) {
            v16 value = load_kv(values, 16 * j, type);
#pragma GCC unroll 4
            for (int h = 0; h < n_queries; h++) {
                acc[h * width + j] = v_fma(v_set1(weights[h * weights_stride + t]), value, acc[h * width + j]);
            }
        }
    }
#pragma GCC unroll 4
    for (int h = 0; h < n_queries; h++) {
#pragma GCC unroll 4
        for (int j = 0; j < width; j++) {
            v_store(sums + h * sums_stride + 16 * j, acc[h * width + j]);
        }
    }
}

/* All elements of n values, which lie in one page. */
YT_INLINE void value_positions(const yt_kv_head *kv, const uint8_t *values, int64_t n, const float *weights, int64_t weights_stride, const int n_queries,
    const int32_t type, float *sums)
{
    const int64_t bytes = type == YT_F16 ? 2 : 4;
    const int64_t stride = kv->value_stride;
    int64_t e = 0;
    for (; e + 16 * YT_VALUE_WIDTH <= stride; e += 16 * YT_VALUE_WIDTH) {
        value_tile(values + e * bytes, stride * bytes, n, YT_VALUE_WIDTH, weights, weights_stride, n_queries, type, sums + e, stride);
    }
    for (; e < stride; e += 16) {
        value_tile(values + e * bytes, stride * bytes, n, 1, weights, weights_stride, n_queries, type, sums + e, stride);
    }
}

/*
 * Sums of the values that each query sees, page by page, in order of position. Some queries take a page together as far as all of them see it, and what the later
 * ones see beyond that alone.
 */
YT_INLINE void value_all(const yt_kv_head *kv, const yt_query *queries, const float *weights, int64_t weights_stride, int64_t n_queries, const int32_t type, float *sums)
{
    const int64_t row_bytes = kv->value_stride * (type == YT_F16 ? 2 : 4);
    for (int64_t i = 0; i < n_queries * kv->value_stride; i += 16) {
        v_store(sums + i, v_set1(0.0f));
    }
    for (int64_t start = 0; start < queries[n_queries - 1].length; start += kv->page_positions) {
        const uint8_t *page = kv->base + kv->pages[start / kv->page_positions] * kv->page_bytes + kv->value_offset;
        for (int64_t h = 0; h < n_queries;) {
            const int64_t together = h + YT_VALUE_QUERIES <= n_queries ? YT_VALUE_QUERIES : 1;
            const float *w = weights + h * weights_stride + start;
            int64_t seen = queries[h].length - start;
            seen = seen < 0 ? 0 : seen < kv->page_positions ? seen : kv->page_positions;
            if (together > 1) {
                if (seen > 0) {
                    value_positions(kv, page, seen, w, weights_stride, YT_VALUE_QUERIES, type, sums + h * kv->value_stride);
                }
            } else {
                seen = 0;
            }
            for (int64_t i = h; i < h + together; i++) {
                int64_t own = queries[i].length - start;
                own = own < kv->page_positions ? own : kv->page_positions;
                if (own > seen) {
                    value_positions(kv, page + seen * row_bytes, own - seen, weights + i * weights_stride + start + seen, weights_stride, 1, type,
                        sums + i * kv->value_stride);
                }
            }
            h += together;
        }
    }
}

static void attend(const yt_kv_head *kv, const yt_query *queries, int64_t n_queries, float *scratch)
{
    const int64_t scores_stride = (queries[n_queries - 1].length + 15) & ~(int64_t)15;
    const int64_t stride = kv->value_stride;
    float *scores = scratch;
    float *scaled = scores + n_queries * scores_stride;
    float *sums = scaled + n_queries * stride;
    const float scale = 1.0f / sqrtf((float)kv->head_dim);
    for (int64_t h = 0; h < n_queries; h++) {
        for (int64_t d = 0; d < kv->head_dim; d++) {
            scaled[h * stride + d] = queries[h].q[d] * scale;
        }
    }
    if (kv->type == YT_F16) {
        score_all(kv, queries, scaled, stride, n_queries, YT_F16, scores, scores_stride);
    } else {
        score_all(kv, queries, scaled, stride, n_queries, YT_F32, scores, scores_stride);
    }
    float inverse[YT_MAX_QUERIES];
    for (int64_t h = 0; h < n_queries; h++) {
        inverse[h] = softmax(scores + h * scores_stride, queries[h].length);
    }
    if (kv->type == YT_F16) {
        value_all(kv, queries, scores, scores_stride, n_queries, YT_F16, sums);
    } else {
        value_all(kv, queries, scores, scores_stride, n_queries, YT_F32, sums);
    }
    for (int64_t h = 0; h < n_queries; h++) {
        for (int64_t d = 0; d < kv->head_dim; d++) {
            queries[h].out[d] = sums[h * stride + d] * inverse[h];
        }
    }
}

#endif
