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

/* Sixteen rows of each of RUNS row groups times a tile of W columns; together no more than YT_TILE_COLUMNS sums. */
YT_INLINE void direct_groups(const uint8_t *const *groups, const int runs, int64_t n_blocks, const uint8_t *record, const int w, const int32_t type, float *const *out,
    int64_t stride)
{
    const int n_parts = (int)(quants_block(type) / 32);
    const int64_t chunk_blocks = yt_chunk_blocks(quants_block(type));
    v16 acc[YT_TILE_COLUMNS];
#pragma GCC unroll 8
    for (int i = 0; i < runs * w; i++) {
        acc[i] = v_set1(0.0f);
    }
    const int64_t share = (quants_head_bytes(type) + quants_body_bytes(type)) / n_parts;
    int64_t ahead = YT_PREFETCH / runs;
    int64_t head = 0;
    for (int64_t left = n_blocks; left > 0; left -= chunk_blocks) {
        const int64_t n = left < chunk_blocks ? left : chunk_blocks;
        int64_t body = head + yt_chunk_head_bytes(n, quants_head_bytes(type));
        for (int64_t b = 0; b < n; b++) {
            for (int p = 0; p < n_parts; p++) {
#pragma GCC unroll 2
                for (int r = 0; r < runs; r++) {
                    v_prefetch(groups[r] + ahead, (int)share);
                    direct_part(type, groups[r] + head, groups[r] + body, p, record, w, acc + r * w);
                }
                ahead += share;
                record += YT_RECORD * w;
            }
            head += quants_head_bytes(type);
            body += quants_body_bytes(type);
        }
        head = body;
    }
#pragma GCC unroll 2
    for (int r = 0; r < runs; r++) {
#pragma GCC unroll 8
        for (int c = 0; c < w; c++) {
            v_store(out[r] + c * stride, acc[r * w + c]);
        }
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

/* Where the head and the body of the block begin that begins with input `first`, a multiple of PANEL_INPUTS: it is the first of its chunk, or a whole panel. */
typedef struct {
    const uint8_t *head;
    const uint8_t *body;
} quants_place;

YT_INLINE quants_place quants_place_of(const struct yt_matrix *m, int64_t group, int64_t first, const int32_t type)
{
    const int64_t block = first / quants_block(type);
    const int64_t chunk_blocks = yt_chunk_blocks(quants_block(type));
    const int64_t in_chunk = block % chunk_blocks;
    const int64_t left = m->columns / quants_block(type) - (block - in_chunk);
    const uint8_t *start = m->data + group * m->group_bytes + (block - in_chunk) * (quants_head_bytes(type) + quants_body_bytes(type));
    return (quants_place){
        start + in_chunk * quants_head_bytes(type),
        start + yt_chunk_head_bytes(left < chunk_blocks ? left : chunk_blocks, quants_head_bytes(type)) + in_chunk * quants_body_bytes(type),
    };
}

/* The inputs from FIRST, a multiple of PANEL_INPUTS, on, in n_parts parts, of one group, as number g of the panel. */
YT_INLINE void fill_panel(const struct yt_matrix *m, int64_t group, int64_t first, int64_t n_parts, const int32_t type, panel *target, int64_t g)
{
    const quants_place place = quants_place_of(m, group, first, type);
    const uint8_t *head = place.head;
    const uint8_t *body = place.body;
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

YT_INLINE void direct_tile(const uint8_t *const *groups, const int runs, int64_t n_blocks, const uint8_t *tile, int64_t w, const int32_t type, float *const *out,
    int64_t stride)
{
    switch (w) {
    case 1:
        direct_groups(groups, runs, n_blocks, tile, 1, type, out, stride);
        break;
    case 2:
        direct_groups(groups, runs, n_blocks, tile, 2, type, out, stride);
        break;
    case 4:
        direct_groups(groups, runs, n_blocks, tile, 4, type, out, stride);
        break;
    default:
        direct_groups(groups, runs, n_blocks, tile, 8, type, out, stride);
        break;
    }
}

/* Each group, or pair of groups, with one tile after the other, the weights staying in the first-level cache. */
YT_INLINE void multiply_direct(const yt_run *runs, const int n_runs, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns, const int32_t type,
    int64_t stride)
{
    const int64_t n_blocks = runs->matrix->columns / quants_block(type);
    const int64_t column_bytes = runs->matrix->columns / 32 * YT_RECORD;
    for (int64_t g = 0; g < n_groups; g++) {
        for (int64_t c = 0; c < n_columns; c += YT_TILE_COLUMNS) {
            const uint8_t *groups[YT_MAX_RUNS];
            float *out[YT_MAX_RUNS];
            for (int r = 0; r < n_runs; r++) {
                groups[r] = runs[r].matrix->data + (runs[r].first_group + g) * runs[r].matrix->group_bytes;
                out[r] = runs[r].out + c * stride + g * YT_GROUP;
            }
            direct_tile(groups, n_runs, n_blocks, in->quants + (first_column + c) * column_bytes, yt_tile_width(n_columns, c), type, out, stride);
        }
    }
}

/* Asks for the bytes first to end - 1. */
YT_INLINE void prefetch_bytes(const uint8_t *p, int64_t first, int64_t end)
{
    for (int64_t at = first; at < end; at += 64) {
        v_prefetch(p + at, 64);
    }
}

/* Bytes of a stretch of a group, its head and its body, at most: where heads stand before several stretches, they come with the first. */
YT_CONSTANT int64_t stretch_bytes(const int32_t type)
{
    return PANEL_INPUTS / quants_block(type) * (quants_head_bytes(type) + quants_body_bytes(type)) + 64;
}

/* Asks for a share, from byte `first` to end - 1, of the stretch from input k on of some groups, if they exist. */
YT_INLINE void prefetch_stretch(const struct yt_matrix *m, int64_t group, int64_t n_groups, int64_t k, int64_t first, int64_t end, const int32_t type)
{
    const int64_t offset = k / quants_block(type) * (quants_head_bytes(type) + quants_body_bytes(type));
    for (int64_t g = group; g < group + n_groups && g < m->n_groups; g++) {
        prefetch_bytes(m->data + g * m->group_bytes + offset, first, end < stretch_bytes(type) ? end : stretch_bytes(type));
    }
}

/* Some row groups, all of a panel or one, times all columns. While one stretch is multiplied, the next is asked for. */
YT_INLINE void multiply_panels(const struct yt_matrix *m, int64_t first_group, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns,
    const int32_t type, float *out, int64_t stride)
{
    const int64_t column_bytes = m->columns / 32 * YT_RECORD;
    const int64_t n_tiles = (n_columns + YT_TILE_COLUMNS - 1) / YT_TILE_COLUMNS;
    const int64_t share = ((stretch_bytes(type) + n_tiles - 1) / n_tiles + 63) & ~(int64_t)63; /* whole cache lines */
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
            prefetch_stretch(m, last ? first_group + n_groups : first_group, n_groups, last ? 0 : first + n, t * share, (t + 1) * share, type);
            multiply(&p, n / 32, in->quants + (first_column + t * YT_TILE_COLUMNS) * column_bytes + first / 32 * YT_RECORD * w, w, quants_zero_bit(type),
                out + t * YT_TILE_COLUMNS * stride, stride);
        }
    }
}

YT_INLINE void multiply_quantized(const yt_run *runs, int32_t n_runs, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns, const int32_t type,
    int64_t stride)
{
    if (n_runs == YT_MAX_RUNS && n_columns <= YT_RUN_COLUMNS) {
        multiply_direct(runs, YT_MAX_RUNS, n_groups, in, first_column, n_columns, type, stride);
        return;
    }
    for (int32_t r = 0; r < n_runs; r++) {
        if (n_columns <= YT_DIRECT_COLUMNS) {
            multiply_direct(runs + r, 1, n_groups, in, first_column, n_columns, type, stride);
            continue;
        }
        for (int64_t g = 0; g < n_groups;) {
            int64_t n = n_groups - g >= YT_PANEL_GROUPS ? YT_PANEL_GROUPS : 1;
            multiply_panels(runs[r].matrix, runs[r].first_group + g, n, in, first_column, n_columns, type, runs[r].out + g * YT_GROUP, stride);
            g += n;
        }
    }
}

/* ---- F32, F16, BF16 ------------------------------------------------------------------------------------------------------------------ */

enum { FLOAT_GROUPS = YT_FLOAT_GROUPS > YT_MAX_RUNS ? YT_FLOAT_GROUPS : YT_MAX_RUNS };

/* Bytes of a row group that are multiplied with all columns before the next ones: those of some groups stay in the first-level cache meanwhile. */
enum { FLOAT_STRETCH = 8192 };

/* Bytes of a step: one input of a group, or a pair of them. */
YT_CONSTANT int64_t float_step(const int32_t type)
{
    return YT_GROUP * (type == YT_F16 ? 2 : 4);
}

/* The steps first to end - 1 of GROUPS row groups times COLUMNS columns from c on of a tile of w, added to out, which the first step begins. */
YT_INLINE void float_tile(const uint8_t *const *weights, const int groups, int64_t first, int64_t end, const yt_input *in, int64_t tile, const int w, const int c,
    const int columns, const int32_t type, float *const *out, int64_t stride)
{
    const int64_t step = float_step(type);
    const float *x = type == YT_BF16 ? NULL : in->floats + tile * in->width + c;
    const uint16_t *pairs = type == YT_BF16 ? in->pairs + 2 * (tile * ((in->width + 1) / 2) + c) : NULL;
    v16 acc[FLOAT_GROUPS * YT_TILE_COLUMNS];
#pragma GCC unroll 4
    for (int g = 0; g < groups; g++) {
#pragma GCC unroll 8
        for (int i = 0; i < columns; i++) {
            acc[g * columns + i] = first == 0 ? v_set1(0.0f) : v_load(out[g] + (c + i) * stride);
        }
    }
    for (int64_t k = first; k < end; k++) {
        if (type == YT_BF16) {
            vb q[FLOAT_GROUPS];
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                q[g] = vb_load(weights[g] + k * step);
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
            v16 q[FLOAT_GROUPS];
#pragma GCC unroll 4
            for (int g = 0; g < groups; g++) {
                const uint8_t *p = weights[g] + k * step;
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
            v_store(out[g] + (c + i) * stride, acc[g * columns + i]);
        }
    }
}

YT_INLINE void float_columns(const uint8_t *const *weights, const int groups, int64_t first, int64_t end, const yt_input *in, int64_t tile, int64_t w,
    const int32_t type, float *const *out, int64_t stride)
{
    switch (w) {
    case 1:
        float_tile(weights, groups, first, end, in, tile, 1, 0, 1, type, out, stride);
        break;
    case 2:
        float_tile(weights, groups, first, end, in, tile, 2, 0, 2, type, out, stride);
        break;
    case 4:
        float_tile(weights, groups, first, end, in, tile, 4, 0, 4, type, out, stride);
        break;
    default:
#pragma GCC unroll 2
        for (int c = 0; c < YT_TILE_COLUMNS; c += YT_STEP_COLUMNS) {
            float_tile(weights, groups, first, end, in, tile, YT_TILE_COLUMNS, c, YT_STEP_COLUMNS, type, out, stride);
        }
        break;
    }
}

/* GROUPS row groups, one of each run or consecutive ones of one, times all columns, one stretch after the other; out is where their first columns go. */
YT_INLINE void float_groups(const uint8_t *const *weights, const int groups, const yt_input *in, int64_t first_column, int64_t n_columns, const int32_t type,
    float *const *out, int64_t stride)
{
    const int64_t n_steps = type == YT_BF16 ? (in->width + 1) / 2 : in->width;
    const int64_t stretch = n_columns <= YT_TILE_COLUMNS ? n_steps : FLOAT_STRETCH / float_step(type);
    for (int64_t first = 0; first < n_steps; first += stretch) {
        const int64_t end = first + stretch < n_steps ? first + stretch : n_steps;
        for (int64_t c = 0; c < n_columns; c += YT_TILE_COLUMNS) {
            float *target[FLOAT_GROUPS];
            for (int g = 0; g < groups; g++) {
                target[g] = out[g] + c * stride;
            }
            float_columns(weights, groups, first, end, in, first_column + c, yt_tile_width(n_columns, c), type, target, stride);
        }
    }
}

/* Several row groups at once, so that enough independent sums hide the latency of an addition. */
YT_INLINE void multiply_floats(const yt_run *runs, int32_t n_runs, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns, const int32_t type,
    int64_t stride)
{
    const uint8_t *weights[FLOAT_GROUPS];
    float *out[FLOAT_GROUPS];
    if (n_runs == YT_MAX_RUNS && n_columns <= YT_RUN_COLUMNS) {
        for (int64_t g = 0; g < n_groups; g++) {
            for (int r = 0; r < YT_MAX_RUNS; r++) {
                weights[r] = runs[r].matrix->data + (runs[r].first_group + g) * runs[r].matrix->group_bytes;
                out[r] = runs[r].out + g * YT_GROUP;
            }
            float_groups(weights, YT_MAX_RUNS, in, first_column, n_columns, type, out, stride);
        }
        return;
    }
    for (int32_t r = 0; r < n_runs; r++) {
        const struct yt_matrix *m = runs[r].matrix;
        for (int64_t g = 0; g < n_groups;) {
            int64_t n = n_groups - g >= YT_FLOAT_GROUPS ? YT_FLOAT_GROUPS : 1;
            for (int64_t i = 0; i < n; i++) {
                weights[i] = m->data + (runs[r].first_group + g + i) * m->group_bytes;
                out[i] = runs[r].out + (g + i) * YT_GROUP;
            }
            if (n > 1) {
                float_groups(weights, YT_FLOAT_GROUPS, in, first_column, n_columns, type, out, stride);
            } else {
                float_groups(weights, 1, in, first_column, n_columns, type, out, stride);
            }
            g += n;
        }
    }
}

/* ---- by type ------------------------------------------------------------------------------------------------------------------------- */

#define YT_EVERY_QUANTIZED_TYPE(X) \
    X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(Q8_0) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_NL) X(IQ4_XS) X(MXFP4)
#define YT_EVERY_FLOAT_TYPE(X) X(F32) X(F16) X(BF16)

/* A function for each type, so that the compiler sees one at a time. */
#define YT_MULTIPLY(kind, name) \
    static void multiply_##name(const yt_run *runs, int32_t n_runs, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns, int64_t stride) \
    { \
        kind(runs, n_runs, n_groups, in, first_column, n_columns, YT_##name, stride); \
    }
#define YT_MULTIPLY_QUANTIZED(name) YT_MULTIPLY(multiply_quantized, name)
#define YT_MULTIPLY_FLOATS(name) YT_MULTIPLY(multiply_floats, name)
YT_EVERY_QUANTIZED_TYPE(YT_MULTIPLY_QUANTIZED)
YT_EVERY_FLOAT_TYPE(YT_MULTIPLY_FLOATS)

static void matmul(const yt_run *runs, int32_t n_runs, int64_t n_groups, const yt_input *in, int64_t first_column, int64_t n_columns, int64_t stride)
{
    atomic_fetch_add_explicit(&matmul_calls, 1, memory_order_relaxed);
    switch (runs->matrix->info->type) {
#define YT_CASE(name) \
    case YT_##name: \
        multiply_##name(runs, n_runs, n_groups, in, first_column, n_columns, stride); \
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
