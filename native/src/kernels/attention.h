/* Attention of the query heads that share a KV head, over sixteen lanes. */
#ifndef YT_ATTENTION_H
#define YT_ATTENTION_H

#include "elements.h"

YT_INLINE v16 load_kv(const uint8_t *p, int64_t element, const int32_t type)
{
    return type == YT_F16 ? v_load_f16((const uint16_t *)p + element) : v_load((const float *)p + element);
}

/* Scores of 16 * WIDTH positions for QUERIES heads: each key is loaded once for all of them, each query once for all positions. */
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

/* Scores of 16 * WIDTH positions, which lie in one page, for all heads. */
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

YT_INLINE void score_all(const yt_kv_head *kv, const float *queries, int64_t stride, int64_t n_queries, int64_t length, const int32_t type,
    float *scores, int64_t scores_stride)
{
    const int64_t bytes = type == YT_F16 ? 2 : 4;
    for (int64_t t = 0; t < length;) {
        const uint8_t *page = kv->base + kv->pages[t / kv->page_positions] * kv->page_bytes + kv->key_offset;
        const uint8_t *keys = page + t % kv->page_positions * kv->head_dim * bytes;
        if (t + 16 < length && t % kv->page_positions + 32 <= kv->page_positions) {
            score_positions(keys, 2, queries, stride, n_queries, kv->head_dim, type, scores + t, scores_stride);
            t += 32;
        } else {
            score_positions(keys, 1, queries, stride, n_queries, kv->head_dim, type, scores + t, scores_stride);
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

/* Sums of 16 * WIDTH elements of the values, weighted, for QUERIES heads: each value is loaded once for all of them. */
YT_INLINE void value_tile(const yt_kv_head *kv, int64_t first_element, const int width, const float *weights, int64_t weights_stride,
    const int n_queries, int64_t length, const int32_t type, float *out, int64_t out_stride)
{
    const int64_t bytes = type == YT_F16 ? 2 : 4;
    v16 acc[16];
#pragma GCC unroll 16
    for (int i = 0; i < n_queries * width; i++) {
        acc[i] = v_set1(0.0f);
    }
    for (int64_t start = 0; start < length; start += kv->page_positions) {
        const uint8_t *page = kv->base + kv->pages[start / kv->page_positions] * kv->page_bytes + kv->value_offset;
        int64_t end = length - start < kv->page_positions ? length - start : kv->page_positions;
        for (int64_t t = 0; t < end; t++) {
            const uint8_t *row = page + (t * kv->value_stride + first_element) * bytes;
#pragma GCC unroll 4
            for (int j = 0; j < width; j++) {
                v16 value = load_kv(row, 16 * j, type);
#pragma GCC unroll 4
                for (int h = 0; h < n_queries; h++) {
                    acc[h * width + j] = v_fma(v_set1(weights[h * weights_stride + start + t]), value, acc[h * width + j]);
                }
            }
        }
    }
#pragma GCC unroll 4
    for (int h = 0; h < n_queries; h++) {
#pragma GCC unroll 4
        for (int j = 0; j < width; j++) {
            v_store(out + h * out_stride + first_element + 16 * j, acc[h * width + j]);
        }
    }
}

YT_INLINE void value_all(const yt_kv_head *kv, const float *weights, int64_t weights_stride, int64_t n_queries, int64_t length, const int32_t type,
    float *out, int64_t out_stride)
{
    int64_t h = 0;
    while (h < n_queries) {
        int four = h + 4 <= n_queries;
        const float *w = weights + h * weights_stride;
        float *o = out + h * out_stride;
        int64_t e = 0;
        for (; e + 64 <= kv->value_stride; e += 64) {
            if (four) {
                value_tile(kv, e, 4, w, weights_stride, 4, length, type, o, out_stride);
            } else {
                value_tile(kv, e, 4, w, weights_stride, 1, length, type, o, out_stride);
            }
        }
        for (; e < kv->value_stride; e += 16) {
            if (four) {
                value_tile(kv, e, 1, w, weights_stride, 4, length, type, o, out_stride);
            } else {
                value_tile(kv, e, 1, w, weights_stride, 1, length, type, o, out_stride);
            }
        }
        h += four ? 4 : 1;
    }
}

static void attend(const yt_kv_head *kv, const float *queries, int64_t n_queries, int64_t length, float *scratch, float *out)
{
    const int64_t scores_stride = (length + 15) & ~(int64_t)15;
    const int64_t stride = kv->value_stride;
    float *scores = scratch;
    float *scaled = scores + n_queries * scores_stride;
    float *sums = scaled + n_queries * stride;
    const float scale = 1.0f / sqrtf((float)kv->head_dim);
    for (int64_t h = 0; h < n_queries; h++) {
        for (int64_t d = 0; d < kv->head_dim; d++) {
            scaled[h * stride + d] = queries[h * kv->head_dim + d] * scale;
        }
    }
    if (kv->type == YT_F16) {
        score_all(kv, scaled, stride, n_queries, length, YT_F16, scores, scores_stride);
    } else {
        score_all(kv, scaled, stride, n_queries, length, YT_F32, scores, scores_stride);
    }
    float inverse[YT_MAX_QUERIES];
    for (int64_t h = 0; h < n_queries; h++) {
        inverse[h] = softmax(scores + h * scores_stride, length);
    }
    if (kv->type == YT_F16) {
        value_all(kv, scores, scores_stride, n_queries, length, YT_F16, sums, stride);
    } else {
        value_all(kv, scores, scores_stride, n_queries, length, YT_F32, sums, stride);
    }
    for (int64_t h = 0; h < n_queries; h++) {
        for (int64_t d = 0; d < kv->head_dim; d++) {
            out[h * kv->head_dim + d] = sums[h * stride + d] * inverse[h];
        }
    }
}

#endif
