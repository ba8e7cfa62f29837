/* What is done element by element: norms and quantization of activations, RoPE and what is written into pages, embedding. The bits are the processor's. */
#include "families.cuh"
#include "quants.cuh"

#include <cmath>

/* Threads of a block, and elements that they take at a time, four each. */
static const int THREADS = 256, SPAN = 4 * THREADS;

/* The same where a row is prepared: so many that few steps follow the sum, which all wait for. */
static const int PREPARE_THREADS = 512, PREPARE_SPAN = 4 * PREPARE_THREADS;

/* Inputs that share a scale in quantized activations, keys and values. */
static const int BLOCK = 32;

static int64_t round_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* ---- where activations lie --------------------------------------------------------------------------------------------------------- */

/* Gives out memory piece by piece, or only counts it where there is none. */
struct pieces {
    uint8_t *memory;
    int64_t used;
};

template <typename T>
static T *take(pieces &from, int64_t elements)
{
    const int64_t offset = from.used;
    from.used += round_up(elements * (int64_t)sizeof(T), 256);
    return from.memory == nullptr ? nullptr : (T *)(from.memory + offset);
}

static yt_activations lay_out(int32_t type, int64_t n_columns, int64_t width, pieces &memory)
{
    yt_activations a = {};
    a.n_columns = n_columns;
    a.width = width;
    switch (type) {
    case YT_F32:
        a.floats = take<float>(memory, n_columns * width);
        break;
    case YT_F16:
        a.halves = take<uint16_t>(memory, n_columns * 2 * width);
        a.exponents = take<int32_t>(memory, n_columns);
        break;
    case YT_BF16:
        a.halves = take<uint16_t>(memory, n_columns * round_up(width, 2));
        break;
    default:
        a.quants = take<int8_t>(memory, n_columns * width);
        a.scales = take<float>(memory, n_columns * (width / BLOCK));
        a.sums = take<int32_t>(memory, n_columns * (width / 16));
        break;
    }
    return a;
}

int64_t yt_activation_bytes(int32_t type, int64_t n_columns, int64_t width)
{
    pieces counted = {};
    lay_out(type, n_columns, width, counted);
    return counted.used;
}

yt_activations yt_activations_at(int32_t type, int64_t n_columns, int64_t width, void *memory)
{
    pieces from = {(uint8_t *)memory, 0};
    return lay_out(type, n_columns, width, from);
}

/* ---- norms and quantization of activations ------------------------------------------------------------------------------------------ */

struct prepare_parameters {
    const float *x;
    const int32_t *columns; /* NULL: all, in order */
    const float *norm;      /* NULL: none */
    int64_t width;
    int32_t block_width;        /* inputs of a block, a multiple of 32 but for the last's */
    uint32_t blocks_per_column; /* 1 if something is to be known of the whole column */
    int32_t stretch;            /* inputs that shared memory holds at once, a multiple of STEP */
    int32_t keeps_weights;      /* whether it holds the weights of the norm, too */
    int32_t type;
    float eps;
    yt_activations out;
};

/* Shared memory: what a reduction needs, then a stretch of the row, then the weights. */
static const int REDUCTION_FLOATS = 32, SHARED_FLOATS = 48 * 1024 / 4;

/* Inputs of sixteen lanes, sixteen of each, that are on their way from shared memory while as many are summed. */
static const int STEP = 256;

/* The inputs of a product: x, or (x * scale) * norm where norm is not NULL. */
struct input_row {
    const float *x;
    const float *norm;
    float scale;
};

YT_DEVICE float input_at(const input_row &row, int64_t i)
{
    return row.norm == nullptr ? row.x[i] : (row.x[i] * row.scale) * row.norm[i];
}

/* Copies n floats and adds zeros up to `end`, by the threads first, first + 1 and so on, n_threads of them. Eight of a thread are on their way at once. */
YT_DEVICE void copy_floats(float *to, const float *from, int n, int end, int first, int n_threads)
{
    for (int start = first; start < end; start += 8 * n_threads) {
        float values[8];
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const int i = start + j * n_threads;
            values[j] = i < n ? from[i] : 0.0f;
        }
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const int i = start + j * n_threads;
            if (i < end) {
                to[i] = values[j];
            }
        }
    }
}

/* sum + the squares of a lane's elements: lane, lane + 16 and so on, in this order; end is a multiple of STEP, and more than 0. */
YT_DEVICE float add_squares(float sum, const float *row, int end, int lane)
{
    float now[16];
    float next[16] = {};
#pragma unroll
    for (int j = 0; j < 16; j++) {
        now[j] = row[16 * j + lane];
    }
    for (int first = STEP; first <= end; first += STEP) {
        if (first < end) {
#pragma unroll
            for (int j = 0; j < 16; j++) {
                next[j] = row[first + 16 * j + lane];
            }
        }
#pragma unroll
        for (int j = 0; j < 16; j++) {
            sum = fmaf(now[j], now[j], sum);
            now[j] = next[j];
        }
    }
    return sum;
}

/*
 * The row, normed. The order of the sum is defined (sum16 in docs/kernels.md): sixteen lanes of the first warp walk the row, which all threads have put into shared memory,
 * while the others fetch the weights. So the time is bounded by width / 16 dependent fma of 4 cycles, 0.6 us for 4,096 inputs at 1.8 GHz; before them the row comes from
 * memory, after them the results are computed and go there.
 */
YT_DEVICE input_row norm_row(const prepare_parameters &p, const float *x)
{
    float *const shared = (float *)yt_shared();
    float *const row = shared + REDUCTION_FLOATS;
    float *const weights = row + p.stretch;
    const int thread = threadIdx.x;
    float sum = 0.0f;
    for (int64_t first = 0; first < p.width; first += p.stretch) {
        const int n = (int)(p.width - first < p.stretch ? p.width - first : p.stretch);
        const int end = (n + STEP - 1) / STEP * STEP; /* zeros change no sum */
        if (first > 0) {
            __syncthreads(); /* the stretch before is summed */
        }
        copy_floats(row, x + first, n, end, thread, PREPARE_THREADS);
        __syncthreads();
        if (thread < 16) {
            sum = add_squares(sum, row, end, thread);
        } else if (thread >= 32 && p.keeps_weights) {
            copy_floats(weights, p.norm, n, n, thread - 32, PREPARE_THREADS - 32);
        }
    }
    if (thread < 32) {
        for (int half = 8; half > 0; half /= 2) {
            sum = sum + yt_shuffle_xor(sum, half);
        }
        if (thread == 0) {
            shared[0] = 1.0f / sqrtf(sum / (float)p.width + p.eps);
        }
    }
    __syncthreads();
    return {p.stretch >= p.width ? row : x, p.keeps_weights ? weights : p.norm, shared[0]};
}

/* The larger of a largest magnitude so far and that of x; infinity for what is not finite, so that it is not lost. */
YT_DEVICE float larger_magnitude(float largest, float x)
{
    const float magnitude = fabsf(x);
    return magnitude <= largest ? largest : magnitude < INFINITY ? magnitude : INFINITY;
}

/* Four inputs for each thread, so that eight lanes have a block and four a sum. Below 1e-30, 127 / largest could overflow. */
YT_DEVICE void quantize(const input_row &row, int64_t first, int64_t end, int64_t column, const yt_activations &out)
{
    for (int64_t start = first; start < end; start += PREPARE_SPAN) {
        const int64_t i = start + 4 * threadIdx.x;
        float v[4] = {};
        if (i < end) { /* all of a block or nothing */
            const float4 x = *(const float4 *)(row.x + i);
            v[0] = x.x, v[1] = x.y, v[2] = x.z, v[3] = x.w;
            if (row.norm != nullptr) {
                const float4 w = *(const float4 *)(row.norm + i);
                v[0] = (v[0] * row.scale) * w.x, v[1] = (v[1] * row.scale) * w.y;
                v[2] = (v[2] * row.scale) * w.z, v[3] = (v[3] * row.scale) * w.w;
            }
        }
        float largest = 0.0f;
        for (int e = 0; e < 4; e++) {
            largest = larger_magnitude(largest, v[e]);
        }
        for (int mask = 1; mask < 8; mask *= 2) {
            largest = larger_magnitude(largest, yt_shuffle_xor(largest, mask));
        }
        const bool is_damaged = !(largest < INFINITY);
        const bool is_representable = !is_damaged && largest >= 1e-30f;
        const float inverse = is_representable ? 127.0f / largest : 0.0f;
        uint32_t quants = 0;
        int sum = 0;
        for (int e = 0; e < 4; e++) {
            const int q = is_representable ? yt_round_to_int(v[e] * inverse) : 0;
            quants |= (uint32_t)(uint8_t)q << 8 * e;
            sum += q;
        }
        sum += yt_shuffle_xor(sum, 1);
        sum += yt_shuffle_xor(sum, 2);
        if (i < end) {
            *(uint32_t *)(out.quants + column * out.width + i) = quants;
            if (i % 16 == 0) {
                out.sums[(column * out.width + i) / 16] = sum;
            }
            if (i % BLOCK == 0) {
                const float nan = yt_bits_to_float_device(0x7FC00000);
                out.scales[(column * out.width + i) / BLOCK] = is_damaged ? nan : is_representable ? largest / 127.0f : 0.0f;
            }
        }
    }
}

/* The largest finite magnitude of a row, the same for all threads of the block. */
YT_DEVICE float largest_finite(const input_row &row, int64_t width)
{
    float *const shared = (float *)yt_shared();
    float largest = 0.0f;
    for (int64_t i = threadIdx.x; i < width; i += PREPARE_THREADS) {
        const float magnitude = fabsf(input_at(row, i));
        largest = magnitude > largest && magnitude < INFINITY ? magnitude : largest;
    }
    for (int mask = 1; mask < 32; mask *= 2) {
        largest = larger_magnitude(largest, yt_shuffle_xor(largest, mask));
    }
    __syncthreads(); /* the scale of the norm, which lies there, is read */
    if (threadIdx.x % 32 == 0) {
        shared[threadIdx.x / 32] = largest;
    }
    __syncthreads();
    for (int warp = 0; warp < PREPARE_THREADS / 32; warp++) {
        largest = larger_magnitude(largest, shared[warp]);
    }
    return largest;
}

/*
 * The power of two that the inputs are divided by: the largest then lies from 2^14 to 2^15, so that it is a binary16 after rounding, too, and as much as possible of the
 * smallest is above 2^-24, a binary16's last bit. At least -126, so that it and its inverse are normal numbers; what is smaller needs no more: 2^-149 becomes 2^-23.
 */
YT_DEVICE int exponent_of(float largest)
{
    const int exponent = (int)(yt_float_to_bits_device(largest) >> 23) - 127 - 14;
    return largest == 0.0f ? 0 : exponent > -126 ? exponent : -126;
}

/* As sums of two binary16. What is not finite is so in the first, and the second is zero, so that products get it as it is. */
YT_DEVICE void split_into_halves(const input_row &row, int64_t column, const yt_activations &out)
{
    const int exponent = exponent_of(largest_finite(row, out.width));
    const float factor = yt_bits_to_float_device((uint32_t)(127 - exponent) << 23);
    uint16_t *const halves = out.halves + column * 2 * out.width;
    for (int64_t i = threadIdx.x; i < out.width; i += PREPARE_THREADS) {
        const float value = input_at(row, i) * factor;
        const uint16_t large = yt_float_to_half_device(value);
        const bool is_finite = fabsf(value) < INFINITY;
        halves[i] = large;
        halves[out.width + i] = yt_float_to_half_device(is_finite ? value - yt_half_to_float_device(large) : 0.0f);
    }
    if (threadIdx.x == 0) {
        out.exponents[column] = exponent;
    }
}

YT_DEVICE void round_to_bfloat(const input_row &row, int64_t first, int64_t end, int64_t column, const yt_activations &out)
{
    const int64_t stride = (out.width + 1) / 2 * 2;
    for (int64_t i = first + threadIdx.x; i < end; i += PREPARE_THREADS) {
        out.halves[column * stride + i] = yt_float_to_bfloat_device(input_at(row, i));
    }
    if (end == out.width && end < stride && threadIdx.x == 0) {
        out.halves[column * stride + end] = 0;
    }
}

static __global__ void __launch_bounds__(PREPARE_THREADS) prepare(YT_PARAMETER(prepare_parameters, p))
{
    const int64_t column = blockIdx.x / p.blocks_per_column;
    const int64_t first = (int64_t)(blockIdx.x % p.blocks_per_column) * p.block_width;
    const int64_t end = first + p.block_width < p.width ? first + p.block_width : p.width;
    const float *x = p.x + (p.columns == nullptr ? column : p.columns[column]) * p.width;
    const input_row row = p.norm == nullptr ? input_row{x, nullptr, 1.0f} : norm_row(p, x);
    switch (p.type) {
    case YT_F32:
        for (int64_t i = first + threadIdx.x; i < end; i += PREPARE_THREADS) {
            p.out.floats[column * p.width + i] = input_at(row, i);
        }
        break;
    case YT_F16:
        split_into_halves(row, column, p.out);
        break;
    case YT_BF16:
        round_to_bfloat(row, first, end, column, p.out);
        break;
    default:
        quantize(row, first, end, column, p.out);
        break;
    }
}

void yt_launch_prepare(yt_queue &queue, int32_t type, const float *x, int64_t n_columns, int64_t width, const int32_t *columns, const float *norm, float eps,
    const yt_activations &out)
{
    const int64_t padded = round_up(width, STEP);
    const int64_t room = (SHARED_FLOATS - REDUCTION_FLOATS) / STEP * STEP;
    const bool is_whole = norm != nullptr || type == YT_F16;
    const bool keeps_weights = norm != nullptr && 2 * padded <= room;
    const int64_t stretch = norm == nullptr ? 0 : padded <= room ? padded : room;
    const prepare_parameters p = {
        .x = x,
        .columns = columns,
        .norm = norm,
        .width = width,
        .block_width = is_whole ? (int32_t)width : PREPARE_SPAN,
        .blocks_per_column = is_whole ? 1 : (uint32_t)((width + PREPARE_SPAN - 1) / PREPARE_SPAN),
        .stretch = (int32_t)stretch,
        .keeps_weights = keeps_weights,
        .type = type,
        .eps = eps,
        .out = out,
    };
    const int64_t shared_floats = REDUCTION_FLOATS + (keeps_weights ? 2 : 1) * stretch;
    yt_launch(queue, prepare, dim3((unsigned)(n_columns * p.blocks_per_column)), dim3(PREPARE_THREADS), (unsigned)(shared_floats * 4), p);
}

/* ---- RoPE, keys and values ---------------------------------------------------------------------------------------------------------- */

struct append_parameters {
    const float *rows; /* [n_columns][n_heads + 2 n_kv_heads][head_dim] */
    float *q;
    const int32_t *positions;
    const int32_t *sequences;
    const int32_t *page_table;
    const float *rope;
    int64_t max_pages;
    int64_t layer;
    int64_t n_heads;
    int64_t n_kv_heads;
    int32_t head_dim;
    uint32_t blocks_per_column;
    yt_device_kv kv;
};

/* Four elements of a head; a thread has them, eight lanes have a block of 32. Those beyond head_dim are zero. */
struct quad {
    float v[4];
    int element; /* of the head */
    int n;       /* that exist */
};

/* A quad of a block of Q8_0 or Q4_0: four quants, unsigned and of four bits in Q4_0. */
struct quantized_quad {
    uint32_t quants;
    uint16_t scale;
};

YT_DEVICE quad turn(quad x, const float *rope)
{
#pragma unroll
    for (int e = 0; e < 4; e += 2) {
        if (e >= x.n) {
            break;
        }
        const float cosine = rope[x.element + e];
        const float sine = rope[x.element + e + 1];
        const float a = x.v[e];
        const float b = x.v[e + 1];
        x.v[e] = fmaf(a, cosine, -(b * sine));
        x.v[e + 1] = fmaf(a, sine, b * cosine);
    }
    return x;
}

/* Of x and a later y that of the larger magnitude, the first of equal ones. */
YT_DEVICE float more_extreme(float x, float y)
{
    return fabsf(y) > fabsf(x) ? y : x;
}

/* As encode_q8_0 and encode_q4_0 do it; all lanes of a warp call it. A block that holds NaN or an infinity has NaN for its scale, and quants of zero bits. */
YT_DEVICE quantized_quad quantize_quad(int32_t type, const quad &x)
{
    float extreme = 0.0f; /* and not -0, if all are zeros */
    for (int e = 0; e < 4; e++) {
        extreme = more_extreme(extreme, fabsf(x.v[e]) < INFINITY ? x.v[e] : INFINITY);
    }
    for (int mask = 1; mask < 8; mask *= 2) {
        const float other = yt_shuffle_xor(extreme, mask);
        extreme = (threadIdx.x & mask) == 0 ? more_extreme(extreme, other) : more_extreme(other, extreme);
    }
    if (!(fabsf(extreme) < INFINITY)) {
        return {0, 0x7E00};
    }
    const float scale = type == YT_Q8_0 ? fabsf(extreme) / 127.0f : extreme / -8.0f;
    const float inverse = fabsf(1.0f / scale) < INFINITY ? 1.0f / scale : 0.0f;
    quantized_quad out = {0, yt_float_to_half_device(scale)};
    for (int e = 0; e < 4; e++) {
        int q;
        if (type == YT_Q8_0) {
            /* To the nearest, halves away from zero: with the float below one half, the float below a half stays below. */
            const float half = 0x1.fffffep-2f;
            const float scaled = fmaxf(fminf(x.v[e] * inverse, 127.0f), -127.0f);
            q = (int)(scaled + (scaled < 0.0f ? -half : half));
        } else {
            q = (int)fminf(fmaxf(x.v[e] * inverse + 8.5f, 0.0f), 15.0f);
        }
        out.quants |= (uint32_t)(uint8_t)q << 8 * e;
    }
    return out;
}

/* Writes a quad of a quantized block as yt_kv_write_quantized does; all lanes of a warp call it. group, the sixteen positions that lane is one of: NULL for a query. */
YT_DEVICE void write_quantized(const append_parameters &p, const quad &x, uint8_t *group, int lane, bool is_value)
{
    const quantized_quad own = quantize_quad(p.kv.type, x);
    const uint32_t neighbour = yt_shuffle_xor(own.quants, 1);
    const uint32_t opposite = yt_shuffle_xor(own.quants, 4);
    if (group == nullptr) {
        return;
    }
    /* yt_kv_scale_bytes */
    uint8_t *const quants = group + ((p.head_dim + BLOCK - 1) / BLOCK * BLOCK + 63) / 64 * 64;
    const int block = x.element / BLOCK;
    if (x.element % BLOCK == 0) {
        ((uint16_t *)group)[block * 16 + lane] = own.scale;
    }
    const int stride = (int)p.kv.value_stride;
    if (p.kv.type == YT_Q8_0) {
        if (is_value && x.element < stride) {
            *(uint32_t *)(quants + lane * stride + x.element) = own.quants;
        } else if (!is_value && x.n > 0) {
            *(uint32_t *)(quants + x.element * 16 + lane * 4) = own.quants ^ 0x80808080u;
        }
    } else {
        if (is_value && x.element % BLOCK < 16) {
            *(uint32_t *)(quants + (lane * stride + block * BLOCK) / 2 + x.element % BLOCK) = own.quants | opposite << 4;
        } else if (!is_value && x.element % 8 == 0 && x.n > 0) {
            *(uint32_t *)(quants + x.element * 8 + lane * 4) = own.quants | neighbour << 4;
        }
    }
}

/* binary16 as the processor stores it, whose conversion keeps what it can of a NaN. */
YT_DEVICE uint16_t stored_half(float x)
{
    const uint32_t bits = yt_float_to_bits_device(x);
    const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    return is_nan ? (uint16_t)((bits >> 16 & 0x8000) | 0x7E00 | (bits >> 13 & 0x1FF)) : yt_float_to_half_device(x);
}

YT_DEVICE void write_plain(const append_parameters &p, const quad &x, uint8_t *group, int lane, bool is_value)
{
#pragma unroll
    for (int e = 0; e < 4; e++) {
        if (e >= x.n) {
            break;
        }
        const int at = is_value ? lane * (int)p.kv.value_stride + x.element + e : (x.element + e) * 16 + lane;
        switch (p.kv.type) {
        case YT_F16:
            ((uint16_t *)group)[at] = stored_half(x.v[e]);
            break;
        case YT_BF16:
            ((uint16_t *)group)[at] = yt_float_to_bfloat_device(x.v[e]);
            break;
        default:
            ((float *)group)[at] = x.v[e];
            break;
        }
    }
}

/* The sixteen positions of a KV head that a position is one of. */
YT_DEVICE uint8_t *group_of(const append_parameters &p, int64_t column, int64_t position, int64_t kv_head, bool is_value)
{
    const int32_t page = p.page_table[p.sequences[column] * p.max_pages + position / p.kv.page_positions];
    const int64_t group = position % p.kv.page_positions / 16;
    uint8_t *const base = p.kv.data + page * p.kv.page_bytes + (p.layer * p.kv.n_kv_heads + kv_head) * p.kv.head_bytes;
    return is_value ? base + p.kv.key_bytes + group * p.kv.value_group_bytes : base + group * p.kv.key_group_bytes;
}

static __global__ void __launch_bounds__(THREADS) append(YT_PARAMETER(append_parameters, p))
{
    const int64_t column = blockIdx.x / p.blocks_per_column;
    const int index = (int)(blockIdx.x % p.blocks_per_column) * THREADS + threadIdx.x;
    const int head_dim = p.head_dim;
    const int quads = (head_dim + BLOCK - 1) / BLOCK * (BLOCK / 4); /* of a head */
    const int head = index / quads;
    const int n_heads = (int)p.n_heads;
    const int first_value = n_heads + (int)p.n_kv_heads;
    const int end = first_value + (int)p.n_kv_heads;
    quad x = {{}, index % quads * 4, 0};
    if (head < end) {
        x.n = head_dim - x.element < 0 ? 0 : head_dim - x.element < 4 ? head_dim - x.element : 4;
        const float *row = p.rows + (column * end + head) * head_dim + x.element;
#pragma unroll
        for (int e = 0; e < 4; e++) {
            x.v[e] = e < x.n ? row[e] : 0.0f;
        }
    }
    if (head < first_value) {
        x = turn(x, p.rope + column * head_dim);
    }
    const bool is_value = head >= first_value;
    uint8_t *group = nullptr;
    int lane = 0;
    if (head < n_heads) {
        float *const q = p.q + (column * n_heads + head) * head_dim + x.element;
#pragma unroll
        for (int e = 0; e < 4; e++) {
            if (e < x.n) {
                q[e] = x.v[e];
            }
        }
    } else if (head < end) {
        const int32_t position = p.positions[column];
        lane = position % 16;
        group = group_of(p, column, position, is_value ? head - first_value : head - n_heads, is_value);
    }
    if (p.kv.type == YT_Q8_0 || p.kv.type == YT_Q4_0) {
        write_quantized(p, x, group, lane, is_value);
    } else if (group != nullptr) {
        write_plain(p, x, group, lane, is_value);
    }
}

void yt_launch_rope_append(
    yt_queue &queue, const yt_device_layer &layer, const yt_device_batch &batch, const float *rows, const yt_device_kv &kv, float *q)
{
    const int64_t quads = (layer.n_heads + 2 * layer.n_kv_heads) * (round_up(layer.head_dim, BLOCK) / 4);
    const append_parameters p = {
        .rows = rows,
        .q = q,
        .positions = batch.positions,
        .sequences = batch.sequences,
        .page_table = batch.page_table,
        .rope = batch.rope,
        .max_pages = batch.max_pages,
        .layer = layer.index,
        .n_heads = layer.n_heads,
        .n_kv_heads = layer.n_kv_heads,
        .head_dim = (int32_t)layer.head_dim,
        .blocks_per_column = (uint32_t)((quads + THREADS - 1) / THREADS),
        .kv = kv,
    };
    yt_launch(queue, append, dim3((unsigned)(batch.n_columns * p.blocks_per_column)), dim3(THREADS), 0, p);
}

/* ---- embedding ---------------------------------------------------------------------------------------------------------------------- */

struct embed_parameters {
    const uint8_t *table; /* packed, kernels.h */
    const int32_t *tokens;
    float *x;
    int64_t group_bytes;
    int64_t width;
    int32_t type;
    uint32_t blocks_per_column;
};

/* Four inputs of a row of a quantized matrix, from the first on; group is that of the row's sixteen, lane its place there. */
template <int TYPE>
YT_DEVICE float4 decode_word(const uint8_t *group, int lane, int width, int first)
{
    using Q = yt_quants<TYPE>;
    const int inputs = BLOCK * Q::parts; /* of a block */
    const int p = first / BLOCK % Q::parts;
    const int half = first % BLOCK / 16;
    const int word = first % 16 / 4;
    const yt_block_place place = yt_place_of<TYPE>(group, width / inputs, first / inputs);
    const uint8_t *const body = place.body + 4 * lane;
    const uint32_t low = *(const uint32_t *)(body + yt_low_line<TYPE>(p, half, word));
    const uint32_t high = Q::high_lines == 0 ? 0 : *(const uint32_t *)(body + yt_high_line<TYPE>(p, half, word));
    const uint32_t quants = yt_quants_of<TYPE>(low, high, p, half, word);
    yt_raw_scales raw = {};
    float scales[4];
    float minimums[4] = {};
    yt_load_scales<TYPE>(place, p, lane / 4, raw);
    if (Q::scales == 1 || half == 0) {
        yt_scales_of<TYPE>(raw, p, 0, scales, minimums);
    } else {
        yt_scales_of<TYPE>(raw, p, 1, scales, minimums);
    }
    float scale = 0.0f;
    float minimum = 0.0f;
#pragma unroll
    for (int row = 0; row < 4; row++) {
        scale = row == lane % 4 ? scales[row] : scale;
        minimum = row == lane % 4 ? minimums[row] : minimum;
    }
    float values[4];
#pragma unroll
    for (int e = 0; e < 4; e++) {
        values[e] = scale * (float)((int)(quants >> 8 * e & 255) - (Q::has_minimums ? 0 : 1 << Q::zero_bit));
        values[e] = Q::has_minimums ? values[e] - minimum : values[e];
    }
    return {values[0], values[1], values[2], values[3]};
}

YT_DEVICE float4 decode_word(int32_t type, const uint8_t *group, int lane, int width, int first)
{
    switch (type) {
    case YT_Q4_0:
        return decode_word<YT_Q4_0>(group, lane, width, first);
    case YT_Q4_1:
        return decode_word<YT_Q4_1>(group, lane, width, first);
    case YT_Q5_0:
        return decode_word<YT_Q5_0>(group, lane, width, first);
    case YT_Q5_1:
        return decode_word<YT_Q5_1>(group, lane, width, first);
    case YT_Q8_0:
        return decode_word<YT_Q8_0>(group, lane, width, first);
    case YT_Q2_K:
        return decode_word<YT_Q2_K>(group, lane, width, first);
    case YT_Q3_K:
        return decode_word<YT_Q3_K>(group, lane, width, first);
    case YT_Q4_K:
        return decode_word<YT_Q4_K>(group, lane, width, first);
    case YT_Q5_K:
        return decode_word<YT_Q5_K>(group, lane, width, first);
    case YT_Q6_K:
        return decode_word<YT_Q6_K>(group, lane, width, first);
    case YT_IQ4_NL:
        return decode_word<YT_IQ4_NL>(group, lane, width, first);
    case YT_IQ4_XS:
        return decode_word<YT_IQ4_XS>(group, lane, width, first);
    default:
        return decode_word<YT_MXFP4>(group, lane, width, first);
    }
}

/* One input of a row of F32, F16 or BF16. */
YT_DEVICE float plain_input(int32_t type, const uint8_t *group, int lane, int64_t k)
{
    switch (type) {
    case YT_F32:
        return ((const float *)group)[k * 16 + lane];
    case YT_F16:
        return yt_half_to_float_device(((const uint16_t *)group)[k * 16 + lane]);
    default:
        return yt_bits_to_float_device((uint32_t)((const uint16_t *)group)[(k / 2 * 16 + lane) * 2 + k % 2] << 16);
    }
}

static __global__ void __launch_bounds__(THREADS) embed(YT_PARAMETER(embed_parameters, p))
{
    const int64_t column = blockIdx.x / p.blocks_per_column;
    const int first = (int)(blockIdx.x % p.blocks_per_column) * SPAN + 4 * threadIdx.x;
    const int width = (int)p.width;
    const int32_t token = p.tokens[column];
    const uint8_t *const group = p.table + token / 16 * p.group_bytes;
    float *const x = p.x + column * p.width;
    if (p.type == YT_F32 || p.type == YT_F16 || p.type == YT_BF16) {
        for (int k = first; k < first + 4 && k < width; k++) {
            x[k] = plain_input(p.type, group, token % 16, k);
        }
    } else if (first < width) {
        *(float4 *)(x + first) = decode_word(p.type, group, token % 16, width, first);
    }
}

void yt_launch_embed(yt_queue &queue, const yt_device_matrix &table, const int32_t *tokens, int64_t n_columns, float *x)
{
    const embed_parameters p = {table.data, tokens, x, table.group_bytes, table.columns, table.type, (uint32_t)((table.columns + SPAN - 1) / SPAN)};
    yt_launch(queue, embed, dim3((unsigned)(n_columns * p.blocks_per_column)), dim3(THREADS), 0, p);
}
