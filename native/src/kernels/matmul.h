/*
 * Products of packed matrices. A lane is a row of the matrix, and walks it from the first input to the last (docs/kernels.md). For few columns, the quants of
 * sixteen rows are taken apart in registers and multiplied with every column at once. More columns share panels: a stretch of some row groups is taken apart into
 * memory that the first-level cache holds, and multiplied with one tile of columns after the other.
 */
#ifndef YT_MATMUL_H
#define YT_MATMUL_H

#include "quants.h"

static atomic_llong matmul_calls;

/* The fields of a record (YT_RECORD) of w columns. */
YT_INLINE const float *record_scales(const uint8_t *record, const int64_t w)
{
    return (const float *)(record + 32 * w);
}

YT_INLINE const int32_t *record_sums(const uint8_t *record, const int64_t w)
{
    return (const int32_t *)(record + 36 * w);
}

YT_INLINE const float *record_scaled_sums(const uint8_t *record, const int64_t w)
{
    return (const float *)(record + 40 * w);
}

YT_INLINE const int32_t *record_half_sums(const uint8_t *record, const int64_t w)
{
    return (const int32_t *)(record + 44 * w);
}

/* ---- few columns: quants taken apart in registers --------------------------------------------------------------------------------- */

/* COUNT vectors of weights times one column. Two chains, since integers may be added in any order. */
YT_INLINE vi16 dot(const int32_t type, const vb *w, const int count, const int8_t *y, int32_t minus_sum)
{
    const int wide = quants_are_wide(type);
    vi16 even = quants_zero_bit(type) < 0 ? vi_set1(0) : vi_start(minus_sum, quants_zero_bit(type), wide);
    vi16 odd = vi_set1(0);
#pragma GCC unroll 4
    for (int j = 0; j < count; j += 2) {
        even = vi_dot(even, w[j], vi_broadcast4(y + 4 * j), wide);
        odd = vi_dot(odd, w[j + 1], vi_broadcast4(y + 4 * j + 4), wide);
    }
    return vi_add(even, odd);
}

/* 32 inputs of sixteen rows times W columns, added to acc. */
YT_INLINE void direct_part(const int32_t type, const uint8_t *head, const uint8_t *body, const int p, const uint8_t *record, const int w, v16 *acc)
{
    v16 scales[2];
    v16 minimums[2];
    vb q[8];
    quants_load(type, body, p, q);
    quants_scales(type, head, body, p, scales, minimums);
#pragma GCC unroll 8
    for (int c = 0; c < w; c++) {
        const int8_t *y = (const int8_t *)record + 32 * c;
        const float d = record_scales(record, w)[c];
        if (quants_part(type) == 32) {
            v16 t = v_mul(vi_to_float(dot(type, q, 8, y, record_sums(record, w)[c])), scales[0]);
            acc[c] = v_fma(t, v_set1(d), acc[c]);
            if (quants_have_minimums(type)) {
                acc[c] = v_fma(v_set1(record_scaled_sums(record, w)[c]), minimums[0], acc[c]);
            }
        } else {
            const int32_t *sums = record_half_sums(record, w);
            v16 t = v_mul(vi_to_float(dot(type, q, 4, y, sums[c])), scales[0]);
            t = v_fma(vi_to_float(dot(type, q + 4, 4, y + 16, sums[w + c])), scales[1], t);
            acc[c] = v_fma(t, v_set1(d), acc[c]);
            if (quants_have_minimums(type)) {
                acc[c] = v_fma(v_set1(d * (float)sums[c]), minimums[0], acc[c]);
                acc[c] = v_fma(v_set1(d * (float)sums[w + c]), minimums[1], acc[c]);
            }
        }
    }
}

/* Sixteen rows times a tile of W columns. */
YT_INLINE void direct_group(const struct yt_matrix *m, int64_t group, const uint8_t *record, const int w, const int32_t type, float *out, int64_t stride)
{
    const uint8_t *head = m->data + group * m->group_bytes;
    const uint8_t *body = head + m->head_bytes;
    const int n_parts = (int)(quants_block(type) / 32);
    v16 acc[YT_TILE_COLUMNS];
#pragma GCC unroll 8
    for (int c = 0; c < w; c++) {
        acc[c] = v_set1(0.0f);
    }
    for (int64_t b = 0; b < m->columns / quants_block(type); b++) {
        for (int p = 0; p < n_parts; p++) {
            v_prefetch(body + YT_PREFETCH + p * (quants_body_bytes(type) / n_parts), (int)(quants_body_bytes(type) / n_parts));
            direct_part(type, head, body, p, record, w, acc);
            record += YT_RECORD * w;
        }
        head += quants_head_bytes(type);
        body += quants_body_bytes(type);
    }
#pragma GCC unroll 8
    for (int c = 0; c < w; c++) {
        v_store(out + c * stride, acc[c]);
    }
}

/* ---- many columns: panels ---------------------------------------------------------------------------------------------------------- */

enum { PANEL_INPUTS = 256, PANEL_PARTS = PANEL_INPUTS / 32 };

/* Up to 256 inputs of some row groups, taken apart; scales and minimums: the second of a part where 16 inputs share one. */
typedef struct {
    uint8_t q[YT_PANEL_GROUPS][PANEL_PARTS][8][64];
    float scales[YT_PANEL_GROUPS][PANEL_PARTS][2][16];
    float minimums[YT_PANEL_GROUPS][PANEL_PARTS][2][16];
} __attribute__((aligned(64))) panel;

/* The inputs from FIRST, a multiple of PANEL_INPUTS, on, in n_parts parts, of one group, as number g of the panel. */
YT_INLINE void fill_panel(const struct yt_matrix *m, int64_t group, int64_t first, int64_t n_parts, const int32_t type, panel *target, int64_t g)
{
    const uint8_t *head = m->data + group * m->group_bytes;
    const uint8_t *body = head + m->head_bytes;
    head += first / quants_block(type) * quants_head_bytes(type);
    body += first / quants_block(type) * quants_body_bytes(type);
    for (int64_t p = 0; p < n_parts; p++) {
        vb q[8];
        v16 scales[2];
        v16 minimums[2];
        const int part = quants_block(type) == 256 ? (int)p : 0;
        quants_load(type, body, part, q);
        quants_scales(type, head, body, part, scales, minimums);
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) {
            vb_store(target->q[g][p][j], q[j]);
        }
#pragma GCC unroll 2
        for (int i = 0; i < 2; i++) {
            if (i == 0 || quants_part(type) == 16) {
                v_store(target->scales[g][p][i], scales[i]);
                if (quants_have_minimums(type)) {
                    v_store(target->minimums[g][p][i], minimums[i]);
                }
            }
        }
        if (quants_block(type) == 32) {
            head += quants_head_bytes(type);
            body += quants_body_bytes(type);
        }
    }
}

/* Integer products of COUNT vectors from FIRST on of part p: GROUPS row groups times COLUMNS columns from c on of a tile of W. */
YT_INLINE void panel_dots(const panel *p, const int64_t part, const int groups, const int first, const int count, const uint8_t *record, const int w, const int c,
    const int columns, const int wide, const int has_zero, int zero_bit, vi16 *n)
{
    const int32_t *sums = count == 8 ? record_sums(record, w) : record_half_sums(record, w) + first / 4 * w;
#pragma GCC unroll 8
    for (int i = 0; i < columns; i++) {
        vi16 start = has_zero ? vi_start(sums[c + i], zero_bit, wide) : vi_set1(0);
#pragma GCC unroll 4
        for (int g = 0; g < groups; g++) {
            n[g * columns + i] = start;
        }
    }
#pragma GCC unroll 8
    for (int j = first; j < first + count; j++) {
        vb q[YT_PANEL_GROUPS];
#pragma GCC unroll 4
        for (int g = 0; g < groups; g++) {
            q[g] = vb_load(p->q[g][part][j]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < columns; i++) {
            vb y = vi_broadcast4((const int8_t *)record + 32 * (c + i) + 4 * j);
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                n[g * columns + i] = vi_dot(n[g * columns + i], q[g], y, wide);
            }
        }
    }
}

/* A panel times COLUMNS columns of a tile of W, added to out: [column][16 g + lane]. */
YT_INLINE void panel_tile(const panel *p, int64_t n_parts, const int groups, const uint8_t *record, const int w, const int c, const int columns,
    const int part_elements, const int wide, const int has_minimums, int zero_bit, float *out, int64_t stride)
{
    for (int64_t part = 0; part < n_parts; part++, record += YT_RECORD * w) {
        vi16 n[YT_PANEL_GROUPS * YT_TILE_COLUMNS];
        const float *d = record_scales(record, w) + c;
        if (part_elements == 32) {
            panel_dots(p, part, groups, 0, 8, record, w, c, columns, wide, !has_minimums, zero_bit, n);
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                v16 scale = v_load(p->scales[g][part][0]);
#pragma GCC unroll 8
                for (int i = 0; i < columns; i++) {
                    float *target = out + (c + i) * stride + g * YT_GROUP;
                    v16 acc = v_fma(v_mul(vi_to_float(n[g * columns + i]), scale), v_set1(d[i]), v_load(target));
                    if (has_minimums) {
                        acc = v_fma(v_set1(record_scaled_sums(record, w)[c + i]), v_load(p->minimums[g][part][0]), acc);
                    }
                    v_store(target, acc);
                }
            }
        } else {
            vi16 n2[YT_PANEL_GROUPS * YT_TILE_COLUMNS];
            const int32_t *sums = record_half_sums(record, w) + c;
            panel_dots(p, part, groups, 0, 4, record, w, c, columns, wide, !has_minimums, zero_bit, n);
            panel_dots(p, part, groups, 4, 4, record, w, c, columns, wide, !has_minimums, zero_bit, n2);
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                v16 scale = v_load(p->scales[g][part][0]);
                v16 scale2 = v_load(p->scales[g][part][1]);
#pragma GCC unroll 8
                for (int i = 0; i < columns; i++) {
                    float *target = out + (c + i) * stride + g * YT_GROUP;
                    v16 t = v_fma(vi_to_float(n2[g * columns + i]), scale2, v_mul(vi_to_float(n[g * columns + i]), scale));
                    v16 acc = v_fma(t, v_set1(d[i]), v_load(target));
                    if (has_minimums) {
                        acc = v_fma(v_set1(d[i] * (float)sums[i]), v_load(p->minimums[g][part][0]), acc);
                        acc = v_fma(v_set1(d[i] * (float)sums[w + i]), v_load(p->minimums[g][part][1]), acc);
                    }
                    v_store(target, acc);
                }
            }
        }
    }
}

/* A panel of all or of one row group times a tile: 8 columns in steps of as many as the registers hold, or the 1, 2 or 4 left over. */
YT_INLINE void panel_columns(const panel *p, int64_t n_parts, const int groups, const uint8_t *record, int64_t w, const int part, const int wide,
    const int has_minimums, int zero_bit, float *out, int64_t stride)
{
    switch (w) {
    case 1:
        panel_tile(p, n_parts, groups, record, 1, 0, 1, part, wide, has_minimums, zero_bit, out, stride);
        break;
    case 2:
        panel_tile(p, n_parts, groups, record, 2, 0, 2, part, wide, has_minimums, zero_bit, out, stride);
        break;
    case 4:
        panel_tile(p, n_parts, groups, record, 4, 0, 4, part, wide, has_minimums, zero_bit, out, stride);
        break;
    default:
#pragma GCC unroll 2
        for (int c = 0; c < YT_TILE_COLUMNS; c += YT_STEP_COLUMNS) {
            panel_tile(p, n_parts, groups, record, YT_TILE_COLUMNS, c, YT_STEP_COLUMNS, part, wide, has_minimums, zero_bit, out, stride);
        }
        break;
    }
}

typedef void (*panel_function)(const panel *p, int64_t n_parts, const uint8_t *record, int64_t w, int zero_bit, float *out, int64_t stride);

/* What products need to know of a type once its quants have been taken apart: five kinds, each for all the groups of a panel and for one. */
#define PANEL_KIND(name, part, wide, has_minimums) \
    static void name##_all(const panel *p, int64_t n_parts, const uint8_t *record, int64_t w, int zero_bit, float *out, int64_t stride) \
    { \
        panel_columns(p, n_parts, YT_PANEL_GROUPS, record, w, part, wide, has_minimums, zero_bit, out, stride); \
    } \
    static void name##_one(const panel *p, int64_t n_parts, const uint8_t *record, int64_t w, int zero_bit, float *out, int64_t stride) \
    { \
        panel_columns(p, n_parts, 1, record, w, part, wide, has_minimums, zero_bit, out, stride); \
    }

PANEL_KIND(panel_of_32, 32, 0, 0)
PANEL_KIND(panel_of_32_wide, 32, 1, 0)
PANEL_KIND(panel_of_32_with_minimums, 32, 0, 1)
PANEL_KIND(panel_of_16, 16, 0, 0)
PANEL_KIND(panel_of_16_with_minimums, 16, 0, 1)

#define PANEL_CHOICE(name) (all ? name##_all : name##_one)

YT_INLINE panel_function choose_panel(const int32_t type, int all)
{
    if (quants_part(type) == 16) {
        return quants_have_minimums(type) ? PANEL_CHOICE(panel_of_16_with_minimums) : PANEL_CHOICE(panel_of_16);
    }
    if (quants_have_minimums(type)) {
        return PANEL_CHOICE(panel_of_32_with_minimums);
    }
    return quants_are_wide(type) ? PANEL_CHOICE(panel_of_32_wide) : PANEL_CHOICE(panel_of_32);
}

#undef PANEL_KIND
#undef PANEL_CHOICE

/* ---- quantized types --------------------------------------------------------------------------------------------------------------- */

YT_INLINE void direct_tile(const struct yt_matrix *m, int64_t group, const uint8_t *tile, int64_t w, const int32_t type, float *out, int64_t stride)
{
    switch (w) {
    case 1:
        direct_group(m, group, tile, 1, type, out, stride);
        break;
    case 2:
        direct_group(m, group, tile, 2, type, out, stride);
        break;
    case 4:
        direct_group(m, group, tile, 4, type, out, stride);
        break;
    default:
        direct_group(m, group, tile, 8, type, out, stride);
        break;
    }
}

/* Each group with one tile after the other, the group's weights staying in the first-level cache. */
YT_INLINE void multiply_direct(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    const int32_t type, float *out, int64_t stride)
{
    const int64_t column_bytes = m->columns / 32 * YT_RECORD;
    for (int64_t g = 0; g < n_groups; g++) {
        for (int64_t c = 0; c < n_columns; c += YT_TILE_COLUMNS) {
            direct_tile(m, first_group + g, in->quants + (first_column + c) * column_bytes, yt_tile_width(n_columns, c), type, out + c * stride + g * YT_GROUP, stride);
        }
    }
}

/* Asks for bytes, the SHARE-th of so many shares of them. */
YT_INLINE void prefetch_share(const uint8_t *p, int64_t bytes, int64_t share, int64_t n_shares)
{
    for (int64_t at = bytes * share / n_shares & ~(int64_t)63; at < bytes * (share + 1) / n_shares; at += 64) {
        v_prefetch(p + at, 64);
    }
}

/* Asks for a share of the inputs first to first + PANEL_INPUTS - 1 of some groups, if they exist. */
YT_INLINE void prefetch_stretch(const struct yt_matrix *m, int64_t group, int64_t n_groups, int64_t first, int64_t share, int64_t n_shares, const int32_t type)
{
    const int64_t block = first / quants_block(type);
    const int64_t n_blocks = PANEL_INPUTS / quants_block(type);
    for (int64_t g = group; g < group + n_groups && g < m->n_groups; g++) {
        const uint8_t *head = m->data + g * m->group_bytes;
        prefetch_share(head + block * quants_head_bytes(type), n_blocks * quants_head_bytes(type), share, n_shares);
        prefetch_share(head + m->head_bytes + block * quants_body_bytes(type), n_blocks * quants_body_bytes(type), share, n_shares);
    }
}

/* Some row groups, all of a panel or one, times all columns. While one stretch is multiplied, the next is asked for. */
YT_INLINE void multiply_panels(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    const int32_t type, float *out, int64_t stride)
{
    const int64_t column_bytes = m->columns / 32 * YT_RECORD;
    const int64_t n_tiles = (n_columns + YT_TILE_COLUMNS - 1) / YT_TILE_COLUMNS;
    const panel_function multiply = choose_panel(type, n_groups > 1);
    panel p;
    for (int64_t c = 0; c < yt_padded_columns(n_columns); c++) {
        for (int64_t g = 0; g < n_groups; g++) {
            v_store(out + c * stride + g * YT_GROUP, v_set1(0.0f));
        }
    }
    for (int64_t first = 0; first < m->columns; first += PANEL_INPUTS) {
        int64_t n = m->columns - first < PANEL_INPUTS ? m->columns - first : PANEL_INPUTS;
        int last = first + n == m->columns;
        for (int64_t g = 0; g < n_groups; g++) {
            fill_panel(m, first_group + g, first, n / 32, type, &p, g);
        }
        for (int64_t t = 0; t < n_tiles; t++) {
            int64_t w = yt_tile_width(n_columns, t * YT_TILE_COLUMNS);
            prefetch_stretch(m, last ? first_group + n_groups : first_group, n_groups, last ? 0 : first + n, t, n_tiles, type);
            multiply(&p, n / 32, in->quants + (first_column + t * YT_TILE_COLUMNS) * column_bytes + first / 32 * YT_RECORD * w, w, quants_zero_bit(type),
                out + t * YT_TILE_COLUMNS * stride, stride);
        }
    }
}

YT_INLINE void multiply_quantized(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    const int32_t type, float *out, int64_t stride)
{
    if (n_columns <= YT_DIRECT_COLUMNS) {
        multiply_direct(m, first_group, n_groups, in, first_column, n_columns, type, out, stride);
        return;
    }
    for (int64_t g = 0; g < n_groups;) {
        int64_t n = n_groups - g >= YT_PANEL_GROUPS ? YT_PANEL_GROUPS : 1;
        multiply_panels(m, first_group + g, n, in, first_column, n_columns, type, out + g * YT_GROUP, stride);
        g += n;
    }
}

/* ---- F32, F16, BF16 ------------------------------------------------------------------------------------------------------------------ */

/* GROUPS row groups times COLUMNS columns from c on of a tile of w. */
YT_INLINE void float_tile(const struct yt_matrix *m, int64_t group, const int groups, const yt_input *in, int64_t tile, const int w, const int c, const int columns,
    const int32_t type, float *out, int64_t stride)
{
    const int64_t step = YT_GROUP * (type == YT_F16 ? 2 : 4);
    const int64_t n_steps = type == YT_BF16 ? (m->columns + 1) / 2 : m->columns;
    const uint8_t *weights = m->data + group * m->group_bytes;
    const float *x = type == YT_BF16 ? NULL : in->floats + tile * in->width + c;
    const uint16_t *pairs = type == YT_BF16 ? in->pairs + 2 * (tile * ((in->width + 1) / 2) + c) : NULL;
    v16 acc[YT_FLOAT_GROUPS * YT_TILE_COLUMNS];
#pragma GCC unroll 32
    for (int i = 0; i < groups * columns; i++) {
        acc[i] = v_set1(0.0f);
    }
    for (int64_t k = 0; k < n_steps; k++) {
        if (type == YT_BF16) {
            vb q[YT_FLOAT_GROUPS];
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                q[g] = vb_load(weights + g * m->group_bytes + k * step);
            }
#pragma GCC unroll 8
            for (int i = 0; i < columns; i++) {
                vb y = vi_broadcast4((const int8_t *)(pairs + 2 * (k * w + i)));
#pragma GCC unroll 4
                for (int g = 0; g < groups; g++) {
                    acc[g * columns + i] = v_dot_bf16(acc[g * columns + i], q[g], y);
                }
            }
        } else {
            v16 q[YT_FLOAT_GROUPS];
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                const uint8_t *p = weights + g * m->group_bytes + k * step;
                q[g] = type == YT_F16 ? v_load_f16((const uint16_t *)p) : v_load((const float *)p);
            }
#pragma GCC unroll 8
            for (int i = 0; i < columns; i++) {
                v16 y = v_set1(x[k * w + i]);
#pragma GCC unroll 4
                for (int g = 0; g < groups; g++) {
                    acc[g * columns + i] = v_fma(q[g], y, acc[g * columns + i]);
                }
            }
        }
    }
#pragma GCC unroll 4
    for (int g = 0; g < groups; g++) {
#pragma GCC unroll 8
        for (int i = 0; i < columns; i++) {
            v_store(out + (c + i) * stride + g * YT_GROUP, acc[g * columns + i]);
        }
    }
}

YT_INLINE void float_columns(const struct yt_matrix *m, int64_t group, const int groups, const yt_input *in, int64_t tile, int64_t w, const int32_t type, float *out,
    int64_t stride)
{
    switch (w) {
    case 1:
        float_tile(m, group, groups, in, tile, 1, 0, 1, type, out, stride);
        break;
    case 2:
        float_tile(m, group, groups, in, tile, 2, 0, 2, type, out, stride);
        break;
    case 4:
        float_tile(m, group, groups, in, tile, 4, 0, 4, type, out, stride);
        break;
    default:
#pragma GCC unroll 2
        for (int c = 0; c < YT_TILE_COLUMNS; c += YT_STEP_COLUMNS) {
            float_tile(m, group, groups, in, tile, YT_TILE_COLUMNS, c, YT_STEP_COLUMNS, type, out, stride);
        }
        break;
    }
}

/* Several row groups at once, so that enough independent sums hide the latency of an addition. */
YT_INLINE void multiply_floats(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    const int32_t type, float *out, int64_t stride)
{
    for (int64_t g = 0; g < n_groups;) {
        int64_t n = n_groups - g >= YT_FLOAT_GROUPS ? YT_FLOAT_GROUPS : 1;
        for (int64_t c = 0; c < n_columns; c += YT_TILE_COLUMNS) {
            float *target = out + c * stride + g * YT_GROUP;
            int64_t w = yt_tile_width(n_columns, c);
            if (n > 1) {
                float_columns(m, first_group + g, YT_FLOAT_GROUPS, in, first_column + c, w, type, target, stride);
            } else {
                float_columns(m, first_group + g, 1, in, first_column + c, w, type, target, stride);
            }
        }
        g += n;
    }
}

/* ---- by type ------------------------------------------------------------------------------------------------------------------------- */

#define YT_EVERY_QUANTIZED_TYPE(X) \
    X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(Q8_0) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_NL) X(IQ4_XS) X(MXFP4)
#define YT_EVERY_FLOAT_TYPE(X) X(F32) X(F16) X(BF16)

/* A function for each type, so that the compiler sees one at a time. */
#define YT_MULTIPLY(kind, name) \
    static void multiply_##name(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns, \
        float *out, int64_t stride) \
    { \
        kind(m, first_group, n_groups, in, first_column, n_columns, YT_##name, out, stride); \
    }
#define YT_MULTIPLY_QUANTIZED(name) YT_MULTIPLY(multiply_quantized, name)
#define YT_MULTIPLY_FLOATS(name) YT_MULTIPLY(multiply_floats, name)
YT_EVERY_QUANTIZED_TYPE(YT_MULTIPLY_QUANTIZED)
YT_EVERY_FLOAT_TYPE(YT_MULTIPLY_FLOATS)

static void matmul(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    float *out, int64_t stride)
{
    atomic_fetch_add_explicit(&matmul_calls, 1, memory_order_relaxed);
    switch (m->info->type) {
#define YT_CASE(name) \
    case YT_##name: \
        multiply_##name(m, first_group, n_groups, in, first_column, n_columns, out, stride); \
        break;
        YT_EVERY_QUANTIZED_TYPE(YT_CASE)
        YT_EVERY_FLOAT_TYPE(YT_CASE)
#undef YT_CASE
    }
}

#undef YT_EVERY_QUANTIZED_TYPE
#undef YT_EVERY_FLOAT_TYPE
#undef YT_MULTIPLY
#undef YT_MULTIPLY_QUANTIZED
#undef YT_MULTIPLY_FLOATS

#endif
