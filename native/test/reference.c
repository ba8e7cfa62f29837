#include "reference.h"

#include "yangtuo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double ref_half_value(uint16_t bits)
{
    double sign = bits & 0x8000 ? -1.0 : 1.0;
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    if (exponent == 31) {
        return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    }
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25));
}

uint16_t ref_half_bits(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value)) {
        return 0x7E00;
    }
    /* The distance of neighbours where the value lies: 2^-24 among subnormals, 2^(e - 10) above. */
    int exponent = size < 0x1p-14 ? -14 : isinf(size) ? 16 : ilogb(size);
    double steps = isinf(size) ? 2048 : rint(ldexp(size, 10 - exponent));
    if (steps == 2048) { /* rounded up to the next power of two */
        steps = 1024;
        exponent++;
    }
    if (exponent > 15) {
        return sign | 0x7C00;
    }
    return steps < 1024 ? (uint16_t)(sign | (int)steps) : (uint16_t)(sign | (exponent + 15) << 10 | ((int)steps - 1024));
}

void ref_read_elements(ref_matrix *m)
{
    const ref_type *t = ref_find_type(m->type);
    m->elements = malloc((size_t)(m->rows * m->columns) * sizeof *m->elements);
    for (int64_t i = 0; i < m->rows * m->columns; i++) {
        m->elements[i] = ref_block_element(m->type, m->bytes + i / t->block_elements * t->block_bytes, (int)(i % t->block_elements));
    }
}

void ref_row(const ref_matrix *m, int64_t row, float *out)
{
    const uint8_t *p = m->bytes + row * m->row_bytes;
    for (int64_t k = 0; k < m->columns; k++) {
        if (m->type == YT_F32) {
            memcpy(&out[k], p + 4 * k, 4);
        } else if (m->type == YT_F16) {
            out[k] = (float)ref_half_value(ref_read16(p + 2 * k));
        } else if (m->type == YT_BF16) {
            uint32_t bits = (uint32_t)ref_read16(p + 2 * k) << 16;
            memcpy(&out[k], &bits, 4);
        } else {
            ref_element e = m->elements[row * m->columns + k];
            float value = e.scale * (float)e.q;
            out[k] = ref_find_type(m->type)->has_minimums ? value - e.minimum : value;
        }
    }
}

static float sum16(const float *lanes)
{
    float a[16];
    memcpy(a, lanes, sizeof a);
    for (int l = 0; l < 8; l++) {
        a[l] = a[l] + a[l + 8];
    }
    for (int l = 0; l < 4; l++) {
        a[l] = a[l] + a[l + 4];
    }
    for (int l = 0; l < 2; l++) {
        a[l] = a[l] + a[l + 2];
    }
    return a[0] + a[1];
}

void ref_rms_norm(const float *x, const float *weight, int64_t dim, float eps, float *y)
{
    float lanes[16] = {0};
    for (int64_t i = 0; i < dim; i++) {
        lanes[i % 16] = fmaf(x[i], x[i], lanes[i % 16]);
    }
    float s = 1.0f / sqrtf(sum16(lanes) / (float)dim + eps);
    for (int64_t i = 0; i < dim; i++) {
        y[i] = (x[i] * s) * weight[i];
    }
}

float ref_exp(float x)
{
    static const float c[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    x = x < 88.0f ? x : 88.0f;
    x = x > -87.33654f ? x : -87.33654f;
    float n = nearbyintf(x * 1.44269504088896341f);
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    for (int i = 0; i < 5; i++) {
        p = fmaf(p, r, c[i]);
    }
    p = fmaf(p, r * r, r) + 1.0f;
    return p * ldexpf(1.0f, (int)n);
}

/* The nearest value of eight significant bits, ties to even. */
static float bfloat_value(float x)
{
    int exponent;
    float fraction = frexpf(x, &exponent);
    return x == 0.0f ? x : ldexpf(nearbyintf(ldexpf(fraction, 8)), exponent - 8);
}

static void float_product(const ref_matrix *m, const float *x, float *y)
{
    float *w = malloc((size_t)m->columns * sizeof *w);
    for (int64_t row = 0; row < m->rows; row++) {
        ref_row(m, row, w);
        float acc = 0.0f;
        for (int64_t k = 0; k < m->columns && m->type != YT_BF16; k++) {
            acc = fmaf(w[k], x[k], acc);
        }
        /* Pairs, the second first. */
        for (int64_t k = 0; k < m->columns && m->type == YT_BF16; k += 2) {
            if (k + 1 < m->columns) {
                acc = fmaf(w[k + 1], bfloat_value(x[k + 1]), acc);
            }
            acc = fmaf(w[k], bfloat_value(x[k]), acc);
        }
        y[row] = acc;
    }
    free(w);
}

static void quantized_product(const ref_matrix *m, const float *x, float *y)
{
    int64_t n_blocks = m->columns / 32;
    float *d = malloc((size_t)n_blocks * sizeof *d);
    int *q = malloc((size_t)m->columns * sizeof *q);
    for (int64_t b = 0; b < n_blocks; b++) {
        float amax = 0.0f;
        for (int i = 0; i < 32; i++) {
            amax = fmaxf(amax, fabsf(x[32 * b + i]));
        }
        d[b] = amax >= 1e-30f ? amax / 127.0f : 0.0f;
        for (int i = 0; i < 32; i++) {
            q[32 * b + i] = amax >= 1e-30f ? (int)nearbyintf(x[32 * b + i] * (127.0f / amax)) : 0;
        }
    }
    const ref_type *t = ref_find_type(m->type);
    for (int64_t row = 0; row < m->rows; row++) {
        float acc = 0.0f;
        for (int64_t b = 0; b < n_blocks; b++) {
            float sum = 0.0f;
            float below[2] = {0.0f, 0.0f};
            float below_sums[2] = {0.0f, 0.0f};
            int n_parts = 32 / t->part_elements;
            for (int part = 0; part < n_parts; part++) {
                int n = 0;
                int q_sum = 0;
                ref_element e = {0, 0.0f, 0.0f};
                for (int64_t k = 32 * b + part * t->part_elements; k < 32 * b + (part + 1) * t->part_elements; k++) {
                    e = m->elements[row * m->columns + k];
                    n += e.q * q[k];
                    q_sum += q[k];
                }
                sum = part == 0 ? (float)n * e.scale : fmaf((float)n, e.scale, sum);
                below[part] = e.minimum;
                below_sums[part] = d[b] * (float)-q_sum;
            }
            acc = fmaf(sum, d[b], acc);
            for (int part = 0; t->has_minimums && part < n_parts; part++) {
                acc = fmaf(below_sums[part], below[part], acc);
            }
        }
        y[row] = acc;
    }
    free(q);
    free(d);
}

void ref_product(const ref_matrix *m, const float *x, float *y)
{
    if (ref_find_type(m->type)->part_elements > 0) {
        quantized_product(m, x, y);
    } else {
        float_product(m, x, y);
    }
    for (int64_t i = 0; m->bias != NULL && i < m->rows; i++) {
        y[i] = y[i] + m->bias[i];
    }
}

void ref_embed(const ref_matrix *table, const int32_t *tokens, int64_t n_columns, float *x)
{
    for (int64_t c = 0; c < n_columns; c++) {
        ref_row(table, tokens[c], x + c * table->columns);
    }
}

static void rope_row(float *x, const float *rope, int64_t rows, int64_t head_dim)
{
    for (int64_t i = 0; i < rows; i += 2) {
        float a = x[i];
        float b = x[i + 1];
        float c = rope[i % head_dim];
        float s = rope[i % head_dim + 1];
        x[i] = fmaf(a, c, -(b * s));
        x[i + 1] = fmaf(a, s, b * c);
    }
}

/* The largest magnitude of n values. */
static float largest_of(const float *x, int64_t n)
{
    float largest = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(x[i]));
    }
    return largest;
}

/* A block of Q8_0 or Q4_0, n <= 32 elements of it, as GGML quantizes it; NaN for the scale of what is not finite. */
static void quantize_kv(int32_t type, const float *x, int64_t n, float *q, float *scales)
{
    float largest = largest_of(x, n);
    bool finite = true;
    float extreme = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        finite = finite && isfinite(x[i]);
        extreme = fabsf(extreme) < largest && fabsf(x[i]) == largest ? x[i] : extreme;
    }
    float d = type == YT_Q8_0 ? largest / 127.0f : extreme / -8.0f;
    float inverse = isfinite(1.0f / d) ? 1.0f / d : 0.0f;
    for (int64_t i = 0; i < n; i++) {
        if (!finite) {
            q[i] = type == YT_Q8_0 ? 0.0f : -8.0f;
        } else if (type == YT_Q8_0) {
            q[i] = fminf(fmaxf(roundf(x[i] * inverse), -127.0f), 127.0f);
        } else {
            q[i] = truncf(fminf(fmaxf(x[i] * inverse + 8.5f, 0.0f), 15.0f)) - 8.0f;
        }
        scales[i] = finite ? (float)ref_half_value(ref_half_bits(d)) : NAN;
    }
}

static float stored(int32_t type, float x)
{
    switch (type) {
    case YT_F16:
        return (float)ref_half_value(ref_half_bits(x));
    case YT_BF16:
        return bfloat_value(x);
    default:
        return x;
    }
}

void ref_store_kv(const ref_kv *kv, bool is_value, int64_t head_dim, int64_t at, const float *source)
{
    float *row = (is_value ? kv->values : kv->keys) + at;
    float *scales = is_value ? kv->value_scales : kv->key_scales;
    for (int64_t head = 0; head < kv->kv_dim && scales != NULL; head += head_dim) {
        for (int64_t i = 0; i < head_dim; i += 32) {
            int64_t n = head_dim - i < 32 ? head_dim - i : 32;
            quantize_kv(kv->type, source + head + i, n, row + head + i, scales + at + head + i);
        }
    }
    for (int64_t i = 0; i < kv->kv_dim && scales == NULL; i++) {
        row[i] = stored(kv->type, source[i]);
    }
}

void ref_qkv(const ref_matrix *wq, const ref_matrix *wk, const ref_matrix *wv, const float *norm, float eps, const ref_heads *heads,
    const ref_batch *batch, const float *x, ref_kv *kv, float *q)
{
    int64_t dim = wq->columns;
    float *normed = malloc((size_t)dim * sizeof *normed);
    float *part = malloc((size_t)kv->kv_dim * sizeof *part);
    for (int64_t c = 0; c < batch->n_columns; c++) {
        const float *rope = batch->rope + c * heads->head_dim;
        int64_t at = (batch->sequences[c] * kv->max_positions + batch->positions[c]) * kv->kv_dim;
        ref_rms_norm(x + c * dim, norm, dim, eps, normed);
        ref_product(wq, normed, q + c * wq->rows);
        rope_row(q + c * wq->rows, rope, wq->rows, heads->head_dim);
        ref_product(wk, normed, part);
        rope_row(part, rope, wk->rows, heads->head_dim);
        ref_store_kv(kv, false, heads->head_dim, at, part);
        ref_product(wv, normed, part);
        ref_store_kv(kv, true, heads->head_dim, at, part);
    }
    free(part);
    free(normed);
}

static float weight_of(float distance)
{
    return ref_exp(distance > -64.0f ? distance : -64.0f);
}

/* A query, scaled, and for quantized keys quantized like activations, blocks of 32. */
typedef struct {
    float x[1024];
    int q[1024];
    float d[32];
} prepared_query;

static void prepare_query(const float *q, int64_t head_dim, prepared_query *out)
{
    float scale = 1.0f / sqrtf((float)head_dim);
    for (int64_t i = 0; i < head_dim; i++) {
        out->x[i] = q[i] * scale;
    }
    for (int64_t b = 0; 32 * b < head_dim; b++) {
        int64_t n = head_dim - 32 * b < 32 ? head_dim - 32 * b : 32;
        float largest = largest_of(out->x + 32 * b, n);
        out->d[b] = largest >= 1e-30f ? largest / 127.0f : 0.0f;
        for (int64_t i = 32 * b; i < 32 * b + n; i++) {
            out->q[i] = largest >= 1e-30f ? (int)nearbyintf(out->x[i] * (127.0f / largest)) : 0;
        }
    }
}

static float score_of(const prepared_query *query, const float *key, const float *scales, int64_t head_dim)
{
    float acc = 0.0f;
    if (scales == NULL) {
        for (int64_t d = 0; d < head_dim; d++) {
            acc = fmaf(query->x[d], key[d], acc);
        }
        return acc;
    }
    for (int64_t b = 0; 32 * b < head_dim; b++) {
        int n = 0;
        for (int64_t d = 32 * b; d < head_dim && d < 32 * b + 32; d++) {
            n += query->q[d] * (int)key[d];
        }
        acc = fmaf((float)n * scales[32 * b], query->d[b], acc);
    }
    return acc;
}

enum { SPAN = 512 };

/* The positions of one span that are seen: their largest score, the sum of the weights, and the weighted values. */
static void attend_span(const ref_kv *kv, int64_t offset, int64_t head_dim, int64_t first, int64_t end, const prepared_query *query, float *max, float *sum, float *out)
{
    float p[SPAN];
    float lanes[16] = {0};
    *max = -INFINITY;
    for (int64_t t = first; t < end; t++) {
        int64_t at = t * kv->kv_dim + offset;
        p[t % SPAN] = score_of(query, kv->keys + at, kv->key_scales == NULL ? NULL : kv->key_scales + at, head_dim);
        *max = fmaxf(*max, p[t % SPAN]);
    }
    memset(out, 0, (size_t)head_dim * sizeof *out);
    for (int64_t t = first; t < end; t++) {
        int64_t at = t * kv->kv_dim + offset;
        float w = weight_of(p[t % SPAN] - *max);
        lanes[t % 16] += w;
        for (int64_t d = 0; d < head_dim; d++) {
            out[d] = fmaf(kv->value_scales == NULL ? w : w * kv->value_scales[at + d], kv->values[at + d], out[d]);
        }
    }
    *sum = sum16(lanes);
}

void ref_attend(const ref_kv *kv, int64_t offset, int64_t head_dim, int64_t first, int64_t end, const float *q, float *out)
{
    prepared_query query;
    prepare_query(q, head_dim, &query);
    float of_span[1024];
    float max = 0.0f;
    float sum = 0.0f;
    for (int64_t start = first; start < end; start = (start / SPAN + 1) * SPAN) {
        int64_t stop = (start / SPAN + 1) * SPAN < end ? (start / SPAN + 1) * SPAN : end;
        float span_max;
        float span_sum;
        attend_span(kv, offset, head_dim, start, stop, &query, &span_max, &span_sum, of_span);
        if (start == first) {
            max = span_max;
            sum = span_sum;
            memcpy(out, of_span, (size_t)head_dim * sizeof *out);
            continue;
        }
        float larger = max > span_max ? max : span_max;
        float before = weight_of(max - larger);
        float added = weight_of(span_max - larger);
        for (int64_t d = 0; d < head_dim; d++) {
            out[d] = fmaf(of_span[d], added, out[d] * before);
        }
        sum = fmaf(span_sum, added, sum * before);
        max = larger;
    }
    float inverse = 1.0f / sum;
    for (int64_t d = 0; d < head_dim; d++) {
        out[d] = out[d] * inverse;
    }
}

void ref_attention(const ref_heads *heads, const ref_batch *batch, const float *q, const ref_kv *kv, float *out)
{
    int64_t group = heads->n_heads / heads->n_kv_heads;
    for (int64_t c = 0; c < batch->n_columns; c++) {
        int64_t end = batch->positions[c] + (int64_t)1;
        int64_t first = heads->window > 0 && end > heads->window ? end - heads->window : 0;
        for (int64_t h = 0; h < heads->n_heads; h++) {
            int64_t query = (c * heads->n_heads + h) * heads->head_dim;
            int64_t base = batch->sequences[c] * kv->max_positions * kv->kv_dim + h / group * heads->head_dim;
            ref_attend(kv, base, heads->head_dim, first, end, q + query, out + query);
        }
    }
}

void ref_add_product(const ref_matrix *m, int64_t n_columns, const float *input, float *x)
{
    float *y = malloc((size_t)m->rows * sizeof *y);
    for (int64_t c = 0; c < n_columns; c++) {
        ref_product(m, input + c * m->columns, y);
        for (int64_t i = 0; i < m->rows; i++) {
            x[c * m->rows + i] = x[c * m->rows + i] + y[i];
        }
    }
    free(y);
}

void ref_gate_up(const ref_matrix *gate, const ref_matrix *up, const float *norm, float eps, int64_t n_columns, const float *x, float *hidden)
{
    float *normed = malloc((size_t)gate->columns * sizeof *normed);
    float *u = malloc((size_t)gate->rows * sizeof *u);
    for (int64_t c = 0; c < n_columns; c++) {
        float *g = hidden + c * gate->rows;
        ref_rms_norm(x + c * gate->columns, norm, gate->columns, eps, normed);
        ref_product(gate, normed, g);
        ref_product(up, normed, u);
        for (int64_t i = 0; i < gate->rows; i++) {
            g[i] = (g[i] / (1.0f + ref_exp(-g[i]))) * u[i];
        }
    }
    free(u);
    free(normed);
}

void ref_logits(const ref_matrix *m, const float *norm, float eps, const int32_t *columns, int64_t n_outputs, const float *x, float *logits)
{
    float *normed = malloc((size_t)m->columns * sizeof *normed);
    for (int64_t i = 0; i < n_outputs; i++) {
        ref_rms_norm(x + columns[i] * m->columns, norm, m->columns, eps, normed);
        ref_product(m, normed, logits + i * m->rows);
    }
    free(normed);
}
