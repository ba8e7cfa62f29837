/*
 * All kernels, written over sixteen lanes. Included once by each instruction set, after its vec16 header; YT_ISA is the name, YT_TABLE
 * the table to define. The order of operations is that of docs/kernels.md: a lane of a product is a row of the matrix, and it
 * walks its row from the first input to the last.
 */
#include "../../include/yangtuo.h"
#include "blocks.h"
#include "kernels.h"

#include <math.h>
#include <stddef.h>

/* Tiles are inlined where their sizes are constants, so that their sums stay in registers; an instruction set without such registers says otherwise. */
#ifndef YT_INLINE
#define YT_INLINE static inline __attribute__((always_inline))
#endif

static atomic_llong matmul_calls;

/* ---- sums and norms --------------------------------------------------------------------------------------------------------------- */

/* Halves onto halves: 16 lanes to 8, 4, 2, 1. */
static float fold(v16 sums)
{
    float lane[16];
    v_store(lane, sums);
    for (int half = 8; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lane[l] += lane[l + half];
        }
    }
    return lane[0];
}

/* The last n % 16 values, the lanes beyond them zero. */
static v16 load_tail(const float *p, int64_t n)
{
    float lane[16] = {0};
    for (int64_t l = 0; l < n; l++) {
        lane[l] = p[l];
    }
    return v_load(lane);
}

static void store_tail(float *p, v16 x, int64_t n)
{
    float lane[16];
    v_store(lane, x);
    for (int64_t l = 0; l < n; l++) {
        p[l] = lane[l];
    }
}

static void rms_norm(const float *x, const float *weight, int64_t dim, float eps, float *y)
{
    v16 squares = v_set1(0.0f);
    int64_t full = dim & ~(int64_t)15;
    int64_t tail = dim - full;
    for (int64_t i = 0; i < full; i += 16) {
        v16 v = v_load(x + i);
        squares = v_fma(v, v, squares);
    }
    if (tail > 0) {
        v16 v = load_tail(x + full, tail);
        squares = v_fma(v, v, squares);
    }
    v16 scale = v_set1(1.0f / sqrtf(fold(squares) / (float)dim + eps));
    for (int64_t i = 0; i < full; i += 16) {
        v_store(y + i, v_mul(v_mul(v_load(x + i), scale), v_load(weight + i)));
    }
    if (tail > 0) {
        store_tail(y + full, v_mul(v_mul(load_tail(x + full, tail), scale), load_tail(weight + full, tail)), tail);
    }
}

static void quantize(const float *x, int64_t n, int8_t *q, float *scales, int32_t *sums)
{
    for (int64_t block = 0; block < n / YT_BLOCK; block++) {
        v16 a = v_load(x + block * YT_BLOCK);
        v16 b = v_load(x + block * YT_BLOCK + 16);
        float lane[16];
        v_store(lane, v_max(v_abs(a), v_abs(b)));
        /* Zero times a value is NaN if the value is NaN or infinite. */
        v16 zero = v_set1(0.0f);
        float odd[16];
        v_store(odd, v_add(v_mul(a, zero), v_mul(b, zero)));
        float max = 0.0f;
        float damage = 0.0f;
        for (int l = 0; l < 16; l++) {
            max = max > lane[l] ? max : lane[l];
            damage += odd[l];
        }
        /* Below this, 127 / max could overflow; such a block is zero for every practical purpose. */
        int representable = max >= 1e-30f && damage == 0.0f;
        v16 inverse = v_set1(representable ? 127.0f / max : 0.0f);
        if (!representable) {
            a = zero;
            b = zero;
        }
        scales[block] = representable ? max / 127.0f : damage == 0.0f ? 0.0f : damage;
        int8_t *target = q + block * YT_BLOCK;
        sums[2 * block] = v_store_i8(target, v_mul(a, inverse));
        sums[2 * block + 1] = v_store_i8(target + 16, v_mul(b, inverse));
    }
}

/* ---- products --------------------------------------------------------------------------------------------------------------------- */

/* 32 inputs of 16 rows in the layout of Q8_0 with one column: exact integers. Two chains, since integers may be added in any order. */
YT_INLINE vi16 block_q8(const uint8_t *w, const int8_t *y, int32_t sum)
{
    vi16 even = vi_start_q8(sum);
    vi16 odd = vi_start_q8(0);
#pragma GCC unroll 4
    for (int j = 0; j < 8; j += 2) {
        even = vi_dot_q8(even, w + 64 * j, y + 4 * j);
        odd = vi_dot_q8(odd, w + 64 * j + 64, y + 4 * j + 4);
    }
    return vi_add(even, odd);
}

/* The same for 16 inputs. */
YT_INLINE vi16 half_block_q8(const uint8_t *w, const int8_t *y, int32_t sum)
{
    vi16 even = vi_start_q8(sum);
    vi16 odd = vi_start_q8(0);
#pragma GCC unroll 2
    for (int j = 0; j < 4; j += 2) {
        even = vi_dot_q8(even, w + 64 * j, y + 4 * j);
        odd = vi_dot_q8(odd, w + 64 * j + 64, y + 4 * j + 4);
    }
    return vi_add(even, odd);
}

YT_INLINE vi16 block_q4(const uint8_t *w, const int8_t *y, int32_t sum)
{
    vi16 low = vi_start_q4(sum);
    vi16 high = vi_start_q4(0);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        vi_dot_q4(&low, &high, w + 64 * j, y + 4 * j, y + 16 + 4 * j);
    }
    return vi_add(low, high);
}

/* GROUPS row groups times COLUMNS columns of a quantized matrix; both are constants where this is inlined. */
YT_INLINE void tile_quantized(const struct yt_matrix *m, int64_t group, const int groups, const yt_input *in, int64_t column, const int columns,
    const int four_bit, float *out, int64_t stride)
{
    const int64_t n_blocks = m->columns / YT_BLOCK;
    const int64_t block_bytes = four_bit ? 256 : 512;
    v16 acc[YT_MAX_GROUPS * 8];
#pragma GCC unroll 32
    for (int i = 0; i < groups * columns; i++) {
        acc[i] = v_set1(0.0f);
    }
    for (int64_t b = 0; b < n_blocks; b++) {
#pragma GCC unroll 4
        for (int g = 0; g < groups; g++) {
            const uint8_t *w = m->data + (group + g) * m->group_bytes + b * block_bytes;
            v16 dw = v_load_f16((const uint16_t *)(m->scales + (group + g) * m->scale_group_bytes) + b * YT_GROUP);
#pragma GCC unroll 8
            for (int c = 0; c < columns; c++) {
                const int8_t *y = in->q + (column + c) * in->width + b * YT_BLOCK;
                int64_t index = (column + c) * n_blocks + b;
                int32_t sum = in->sums[2 * index] + in->sums[2 * index + 1];
                vi16 n = four_bit ? block_q4(w, y, sum) : block_q8(w, y, sum);
                acc[g * columns + c] = v_fma(vi_to_float(n), v_mul(dw, v_set1(in->scales[index])), acc[g * columns + c]);
            }
        }
    }
#pragma GCC unroll 4
    for (int g = 0; g < groups; g++) {
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) {
            v_store(out + c * stride + g * YT_GROUP, acc[g * columns + c]);
        }
    }
}

YT_INLINE v16 load_weights(const uint8_t *p, const int32_t type)
{
    switch (type) {
    case YT_F16:
        return v_load_f16((const uint16_t *)p);
    case YT_BF16:
        return v_load_bf16((const uint16_t *)p);
    default:
        return v_load((const float *)p);
    }
}

/* The same for unquantized types. */
YT_INLINE void tile_float(const struct yt_matrix *m, int64_t group, const int groups, const yt_input *in, int64_t column, const int columns,
    const int32_t type, float *out, int64_t stride)
{
    const int64_t step = YT_GROUP * (type == YT_F32 ? 4 : 2);
    v16 acc[YT_MAX_GROUPS * 8];
#pragma GCC unroll 32
    for (int i = 0; i < groups * columns; i++) {
        acc[i] = v_set1(0.0f);
    }
    for (int64_t k = 0; k < m->columns; k++) {
#pragma GCC unroll 4
        for (int g = 0; g < groups; g++) {
            v16 w = load_weights(m->data + (group + g) * m->group_bytes + k * step, type);
#pragma GCC unroll 8
            for (int c = 0; c < columns; c++) {
                acc[g * columns + c] = v_fma(w, v_set1(in->x[(column + c) * in->width + k]), acc[g * columns + c]);
            }
        }
    }
#pragma GCC unroll 4
    for (int g = 0; g < groups; g++) {
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) {
            v_store(out + c * stride + g * YT_GROUP, acc[g * columns + c]);
        }
    }
}

YT_INLINE void tile(const struct yt_matrix *m, int64_t group, const int groups, const yt_input *in, int64_t column, const int columns,
    const int32_t type, float *out, int64_t stride)
{
    if (type == YT_Q8_0 || type == YT_Q4_0) {
        tile_quantized(m, group, groups, in, column, columns, type == YT_Q4_0, out, stride);
    } else {
        tile_float(m, group, groups, in, column, columns, type, out, stride);
    }
}

/*
 * All groups and columns in tiles. Few columns take four groups at once, so that enough independent chains hide the latency of fma; many
 * columns take one or two groups with eight columns.
 */
YT_INLINE void matmul_typed(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column,
    int64_t n_columns, const int32_t type, float *out, int64_t stride)
{
    int64_t c = 0;
    for (; c + 8 <= n_columns; c += 8) {
        int64_t g = 0;
        for (; g + 2 <= n_groups; g += 2) {
            tile(m, first_group + g, 2, in, first_column + c, 8, type, out + c * stride + g * YT_GROUP, stride);
        }
        for (; g < n_groups; g++) {
            tile(m, first_group + g, 1, in, first_column + c, 8, type, out + c * stride + g * YT_GROUP, stride);
        }
    }
    for (; c + 2 <= n_columns; c += 2) {
        int64_t g = 0;
        for (; g + 4 <= n_groups; g += 4) {
            tile(m, first_group + g, 4, in, first_column + c, 2, type, out + c * stride + g * YT_GROUP, stride);
        }
        for (; g < n_groups; g++) {
            tile(m, first_group + g, 1, in, first_column + c, 2, type, out + c * stride + g * YT_GROUP, stride);
        }
    }
    for (; c < n_columns; c++) {
        int64_t g = 0;
        for (; g + 4 <= n_groups; g += 4) {
            tile(m, first_group + g, 4, in, first_column + c, 1, type, out + c * stride + g * YT_GROUP, stride);
        }
        for (; g < n_groups; g++) {
            tile(m, first_group + g, 1, in, first_column + c, 1, type, out + c * stride + g * YT_GROUP, stride);
        }
    }
}

/* ---- products of rows that are unpacked first ------------------------------------------------------------------------------------- */

/* Stretches of sixteen rows, in the layout of Q8_0 (kernels.h); scales and minimums [part][16]. */
typedef struct {
    uint8_t q[YT_STRETCH * YT_GROUP];
    float scales[YT_STRETCH_PARTS * YT_GROUP];
    float minimums[YT_STRETCH_PARTS * YT_GROUP];
} panel;

static void fill_panel(const struct yt_matrix *m, int64_t group, int64_t first, int64_t n, panel *p)
{
    const yt_type_info *info = m->info;
    const int64_t row_bytes = m->group_bytes / YT_GROUP;
    const int64_t n_parts = n / info->part_elements;
    yt_stretch row;
    for (int64_t lane = 0; lane < YT_GROUP; lane++) {
        yt_unpack_stretch(info, m->data + group * m->group_bytes + lane * row_bytes, first, n, &row);
        for (int64_t i = 0; i < n / 4; i++) {
            uint32_t four;
            memcpy(&four, row.q + 4 * i, 4);
            four ^= 0x80808080u;
            memcpy(p->q + i * 64 + lane * 4, &four, 4);
        }
        for (int64_t part = 0; part < n_parts; part++) {
            p->scales[part * YT_GROUP + lane] = row.scales[part];
        }
        if (info->has_minimums) {
            for (int64_t part = 0; part < n_parts; part++) {
                p->minimums[part * YT_GROUP + lane] = row.minimums[part];
            }
        }
    }
}

/* A panel times COLUMNS columns, added to acc; columns, part and has_minimums are constants where this is inlined. */
YT_INLINE void tile_panel(const panel *p, const yt_input *in, int64_t column, const int columns, int64_t first, int64_t n, const int part,
    const int has_minimums, v16 *acc)
{
    v16 sums[4];
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) {
        sums[c] = acc[c];
    }
    for (int64_t at = 0; at < n; at += part) {
        const uint8_t *w = p->q + at * YT_GROUP;
        v16 scale = v_load(p->scales + at / part * YT_GROUP);
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++) {
            int64_t input = (column + c) * in->width + first + at;
            v16 d = v_set1(in->scales[input / YT_BLOCK]);
            int32_t sum = in->sums[input / YT_SUM] + (part == 32 ? in->sums[input / YT_SUM + 1] : 0);
            vi16 dot = part == 32 ? block_q8(w, in->q + input, sum) : half_block_q8(w, in->q + input, sum);
            sums[c] = v_fma(vi_to_float(dot), v_mul(scale, d), sums[c]);
            if (has_minimums) {
                v16 minimum = v_load(p->minimums + at / part * YT_GROUP);
                sums[c] = v_fma(v_set1((float)-sum), v_mul(minimum, d), sums[c]);
            }
        }
    }
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) {
        acc[c] = sums[c];
    }
}

YT_INLINE void multiply_panel(
    const panel *p, const yt_input *in, int64_t first_column, int64_t n_columns, int64_t first, int64_t n, const int part, const int has_minimums, v16 *acc)
{
    int64_t c = 0;
    for (; c + 4 <= n_columns; c += 4) {
        tile_panel(p, in, first_column + c, 4, first, n, part, has_minimums, acc + c);
    }
    for (; c < n_columns; c++) {
        tile_panel(p, in, first_column + c, 1, first, n, part, has_minimums, acc + c);
    }
}

/* Each stretch of sixteen rows is unpacked once for all columns. */
static void matmul_stored(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column,
    int64_t n_columns, float *out, int64_t stride)
{
    const int wide = m->info->part_elements == 32;
    panel p;
    for (int64_t g = 0; g < n_groups; g++) {
        v16 acc[YT_MAX_COLUMNS];
        for (int64_t c = 0; c < n_columns; c++) {
            acc[c] = v_set1(0.0f);
        }
        for (int64_t first = 0; first < m->columns; first += YT_STRETCH) {
            int64_t n = m->columns - first < YT_STRETCH ? m->columns - first : YT_STRETCH;
            fill_panel(m, first_group + g, first, n, &p);
            if (m->info->has_minimums) {
                if (wide) {
                    multiply_panel(&p, in, first_column, n_columns, first, n, 32, 1, acc);
                } else {
                    multiply_panel(&p, in, first_column, n_columns, first, n, 16, 1, acc);
                }
            } else if (wide) {
                multiply_panel(&p, in, first_column, n_columns, first, n, 32, 0, acc);
            } else {
                multiply_panel(&p, in, first_column, n_columns, first, n, 16, 0, acc);
            }
        }
        for (int64_t c = 0; c < n_columns; c++) {
            v_store(out + c * stride + g * YT_GROUP, acc[c]);
        }
    }
}

static void matmul(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    float *out, int64_t stride)
{
    atomic_fetch_add_explicit(&matmul_calls, 1, memory_order_relaxed);
    switch (m->info->type) {
    case YT_F32:
        matmul_typed(m, first_group, n_groups, in, first_column, n_columns, YT_F32, out, stride);
        break;
    case YT_F16:
        matmul_typed(m, first_group, n_groups, in, first_column, n_columns, YT_F16, out, stride);
        break;
    case YT_BF16:
        matmul_typed(m, first_group, n_groups, in, first_column, n_columns, YT_BF16, out, stride);
        break;
    case YT_Q8_0:
        matmul_typed(m, first_group, n_groups, in, first_column, n_columns, YT_Q8_0, out, stride);
        break;
    case YT_Q4_0:
        matmul_typed(m, first_group, n_groups, in, first_column, n_columns, YT_Q4_0, out, stride);
        break;
    default:
        matmul_stored(m, first_group, n_groups, in, first_column, n_columns, out, stride);
        break;
    }
}

/* ---- element by element ----------------------------------------------------------------------------------------------------------- */

/* RoPE, Su et al., arXiv 2104.09864. */
static void rotate(float *x, const float *rope, int64_t n)
{
    for (int64_t i = 0; i < n; i += 2) {
        float a = x[i];
        float b = x[i + 1];
        float cosine = rope[i];
        float sine = rope[i + 1];
        x[i] = fmaf(a, cosine, -(b * sine));
        x[i + 1] = fmaf(a, sine, b * cosine);
    }
}

/* e^x, the polynomial of Cephes' expf. */
static v16 v_exp(v16 x)
{
    x = v_max(v_min(x, v_set1(88.0f)), v_set1(-87.33654f));
    v16 n = v_roundeven(v_mul(x, v_set1(1.44269504088896341f)));
    v16 r = v_fma(n, v_set1(-0.693359375f), x);
    r = v_fma(n, v_set1(2.12194440e-4f), r);
    v16 p = v_set1(1.9875691500e-4f);
    p = v_fma(p, r, v_set1(1.3981999507e-3f));
    p = v_fma(p, r, v_set1(8.3334519073e-3f));
    p = v_fma(p, r, v_set1(4.1665795894e-2f));
    p = v_fma(p, r, v_set1(1.6666665459e-1f));
    p = v_fma(p, r, v_set1(5.0000001201e-1f));
    p = v_add(v_fma(p, v_mul(r, r), r), v_set1(1.0f));
    return v_scale2(p, n);
}

static void swiglu(float *gate, const float *up, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) {
        v16 g = v_load(gate + i);
        v16 silu = v_div(g, v_add(v_set1(1.0f), v_exp(v_neg(g))));
        v_store(gate + i, v_mul(silu, v_load(up + i)));
    }
}

/* ---- attention -------------------------------------------------------------------------------------------------------------------- */

YT_INLINE v16 load_kv(const uint8_t *p, int64_t element, const int32_t type)
{
    return type == YT_F16 ? v_load_f16((const uint16_t *)p + element) : v_load((const float *)p + element);
}

/* Scores of 16 positions for QUERIES heads: each key is loaded once for all of them. */
YT_INLINE void score_tile(const uint8_t *keys, const float *queries, const int64_t stride, int64_t head_dim, const int n_queries, const int32_t type,
    float *scores, int64_t scores_stride)
{
    v16 acc[8];
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
        acc[h] = v_set1(0.0f);
    }
    for (int64_t d = 0; d < head_dim; d++) {
        v16 key = load_kv(keys, d * 16, type);
#pragma GCC unroll 8
        for (int h = 0; h < n_queries; h++) {
            acc[h] = v_fma(v_set1(queries[h * stride + d]), key, acc[h]);
        }
    }
#pragma GCC unroll 8
    for (int h = 0; h < n_queries; h++) {
        v_store(scores + h * scores_stride, acc[h]);
    }
}

YT_INLINE void score_all(const yt_kv_head *kv, const float *queries, int64_t stride, int64_t n_queries, int64_t length, const int32_t type,
    float *scores, int64_t scores_stride)
{
    const int64_t bytes = type == YT_F16 ? 2 : 4;
    for (int64_t t = 0; t < length; t += 16) {
        const uint8_t *page = kv->base + kv->pages[t / kv->page_positions] * kv->page_bytes + kv->key_offset;
        const uint8_t *keys = page + t % kv->page_positions * kv->head_dim * bytes;
        int64_t h = 0;
        for (; h + 4 <= n_queries; h += 4) {
            score_tile(keys, queries + h * stride, stride, kv->head_dim, 4, type, scores + h * scores_stride + t, scores_stride);
        }
        for (; h < n_queries; h++) {
            score_tile(keys, queries + h * stride, stride, kv->head_dim, 1, type, scores + h * scores_stride + t, scores_stride);
        }
    }
}

/* Scores become probabilities that are not yet divided by their sum; what stands behind length becomes 0. Returns 1 / sum. */
static float softmax(float *scores, int64_t length)
{
    float max = -INFINITY;
    for (int64_t t = 0; t < length; t++) {
        max = max > scores[t] ? max : scores[t];
    }
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

#include "encode.h"

const yt_kernels YT_TABLE = {
    .name = YT_ISA,
    .rms_norm = rms_norm,
    .quantize = quantize,
    .matmul = matmul,
    .rotate = rotate,
    .swiglu = swiglu,
    .attend = attend,
    .encode = encode,
    .calls = &matmul_calls,
};
