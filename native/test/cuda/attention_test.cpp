/*
 * Attention against the reference, within what its arithmetic (attention.cu) can differ by; and every column alone, split or not, with the same bits as in a batch. Pages
 * are filled by the processor's functions; what no column sees is NaN, and what no column needs in the page table is no page.
 */
#include "direct_queue.h"
#include "families.cuh"
#include "processor.h"

extern "C" {
#include "../reference.h"
}
#include "../random.h"

#include <cstdio>
#include <vector>

static int n_failures;
static yt_context *context;

/* The last columns of a sequence that has so many positions. */
struct stretch {
    int length;
    int n_columns;
};

struct test_case {
    int32_t type;
    int head_dim;
    int group;
    int n_kv_heads;
    int window;
    int page_positions;
    std::vector<stretch> sequences;
};

static const char *text_of(const test_case &c)
{
    static char text[400];
    int n = std::snprintf(text, sizeof text, "type %d, head size %d, %d heads for each of %d, window %d, pages of %d, (length, columns)", c.type, c.head_dim, c.group,
        c.n_kv_heads, c.window, c.page_positions);
    for (const stretch &s : c.sequences) {
        n += std::snprintf(text + n, sizeof text - n, " (%d, %d)", s.length, s.n_columns);
    }
    return text;
}

static void check(bool is_right, const test_case &c, const char *what)
{
    if (!is_right) {
        std::fprintf(stderr, "FAILED %s: %s\n", text_of(c), what);
        n_failures++;
    }
}

/* ---- keys, values and columns ----------------------------------------------------------------------------------------------------- */

enum { LAYERS = 2, LAYER = 1 };

/* A pool and what stands in it, and a batch. */
struct setting {
    const test_case *c;
    int kv_dim;
    int q_dim;
    int max_positions;
    yt_kv *pool;
    yt_device_kv kv;
    int max_pages;
    std::vector<float> keys, values, key_scales, value_scales; /* ref_kv's, of all sequences */
    std::vector<int32_t> positions, sequences, page_table;
    std::vector<float> q;
};

static ref_kv reference_of(setting &s)
{
    const bool is_quantized = s.c->type == YT_Q8_0;
    return {s.max_positions, s.kv_dim, s.c->type, s.keys.data(), s.values.data(), is_quantized ? s.key_scales.data() : nullptr,
        is_quantized ? s.value_scales.data() : nullptr};
}

static int first_seen(const test_case &c, int position)
{
    return c.window > 0 && position >= c.window ? position - c.window + 1 : 0;
}

/* Writes a key or a value into its page and for the reference. */
static void store(setting &s, int sequence, int position, bool is_value, const float *row)
{
    const test_case &c = *s.c;
    const ref_kv reference = reference_of(s);
    ref_store_kv(&reference, is_value, c.head_dim, ((int64_t)sequence * s.max_positions + position) * s.kv_dim, row);
    const int page = s.page_table[sequence * s.max_pages + position / c.page_positions];
    for (int head = 0; head < c.n_kv_heads; head++) {
        processor_write_kv(s.pool, page, LAYER, head, position % c.page_positions, is_value, row + head * c.head_dim);
    }
}

/* Some scores far below the others, and positions that are all zero. */
static void store_random(setting &s, int sequence, int position, uint64_t *random)
{
    std::vector<float> row(s.kv_dim);
    const float size = position % 37 == 5 ? 0.0f : position % 19 == 3 ? 8.0f : 1.0f;
    for (int is_value = 0; is_value < 2; is_value++) {
        for (float &x : row) {
            x = random_normal(random) * size;
        }
        store(s, sequence, position, is_value == 1, row.data());
    }
}

/* Pages that some column needs, in no order; numbers of others are none of a page. */
static void make_page_table(setting &s, uint64_t *random)
{
    const test_case &c = *s.c;
    std::vector<int32_t *> needed;
    const int n_sequences = (int)c.sequences.size();
    s.page_table.assign((size_t)n_sequences * s.max_pages, 0);
    for (int32_t &page : s.page_table) {
        page = random_below(random, 2) == 0 ? -7 : 2000000000;
    }
    for (int i = 0; i < n_sequences; i++) {
        const stretch &of = c.sequences[i];
        for (int page = first_seen(c, of.length - of.n_columns) / c.page_positions; page * c.page_positions < of.length; page++) {
            needed.push_back(&s.page_table[i * s.max_pages + page]);
        }
    }
    for (size_t i = 0; i < needed.size(); i++) {
        const size_t other = i + (size_t)random_below(random, (int64_t)(needed.size() - i));
        std::swap(needed[i], needed[other]);
        *needed[i] = (int32_t)i;
    }
    const yt_kv_shape shape = {c.type, c.page_positions, (int64_t)needed.size(), LAYERS, c.n_kv_heads, c.head_dim};
    s.pool = processor_kv(context, &shape, &s.kv);
    std::memset(s.kv.data, 0xFF, needed.size() * s.kv.page_bytes);
}

/* max_pages: 0 for as many as there are. */
static setting create(const test_case &c, uint64_t seed, int max_pages)
{
    setting s = {};
    s.c = &c;
    s.kv_dim = c.n_kv_heads * c.head_dim;
    s.q_dim = s.kv_dim * c.group;
    for (const stretch &of : c.sequences) {
        s.max_positions = of.length > s.max_positions ? of.length : s.max_positions;
    }
    s.max_pages = max_pages > 0 ? max_pages : (s.max_positions + c.page_positions - 1) / c.page_positions;
    const size_t n = c.sequences.size() * s.max_positions * s.kv_dim;
    s.keys.resize(n);
    s.values.resize(n);
    s.key_scales.resize(n);
    s.value_scales.resize(n);
    make_page_table(s, &seed);
    for (int i = 0; i < (int)c.sequences.size(); i++) {
        const stretch &of = c.sequences[i];
        for (int position = first_seen(c, of.length - of.n_columns); position < of.length; position++) {
            store_random(s, i, position, &seed);
        }
        for (int position = of.length - of.n_columns; position < of.length; position++) {
            s.positions.push_back(position);
            s.sequences.push_back(i);
        }
    }
    s.q.resize(s.positions.size() * s.q_dim);
    for (float &x : s.q) {
        x = random_normal(&seed) * 2.0f;
    }
    return s;
}

/* ---- running ---------------------------------------------------------------------------------------------------------------------- */

/* Attention of columns first to first + n - 1; n_sequences: what the batch says, at least as many as there are columns of. */
static std::vector<float> attend(const setting &s, int first, int n, int n_sequences)
{
    const test_case &c = *s.c;
    yt_device_layer layer = {};
    layer.index = LAYER;
    layer.n_heads = c.n_kv_heads * c.group;
    layer.n_kv_heads = c.n_kv_heads;
    layer.head_dim = c.head_dim;
    layer.window = c.window;
    yt_device_batch batch = {};
    batch.n_columns = n;
    batch.n_sequences = n_sequences;
    batch.max_pages = s.max_pages;
    batch.positions = s.positions.data() + first;
    batch.sequences = s.sequences.data() + first;
    batch.page_table = s.page_table.data();
    std::vector<float> out((size_t)n * s.q_dim, NAN);
    std::vector<uint64_t> scratch(yt_attention_scratch_bytes(layer, batch, s.kv) / 8 + 1);
    yt_queue queue;
    /* Twice: what counts blocks is as it was. */
    for (int i = 0; i < 2; i++) {
        yt_launch_attention(queue, layer, batch, s.q.data() + (size_t)first * s.q_dim, s.kv, scratch.data(), out.data());
    }
    return out;
}

static bool is_same(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (std::memcmp(&a[i], &b[i], 4) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) {
            return false;
        }
    }
    return true;
}

/*
 * Both sides add in float32, some hundred numbers at most before a rounded sum of sums; scores of F16 differ by some of the last bits of their size, which weights take over
 * as their relative error. Those of Q8_0 are the same. The sizes: of the largest value, and of the sum of a score's products.
 */
static double tolerance(setting &s, int column, int head)
{
    const test_case &c = *s.c;
    const int kv_head = head / c.group;
    const float *q = &s.q[(size_t)column * s.q_dim + head * c.head_dim];
    double largest_value = 0;
    double largest_score = 0;
    for (int t = first_seen(c, s.positions[column]); t <= s.positions[column]; t++) {
        const size_t at = ((size_t)s.sequences[column] * s.max_positions + t) * s.kv_dim + kv_head * c.head_dim;
        double score = 0;
        for (int d = 0; d < c.head_dim; d++) {
            const double scale = c.type == YT_Q8_0 ? s.value_scales[at + d] : 1.0;
            largest_value = fmax(largest_value, fabs(s.values[at + d] * scale));
            score += fabs((double)q[d] * s.keys[at + d]);
        }
        largest_score = fmax(largest_score, score / sqrt((double)c.head_dim));
    }
    return largest_value * (0x1p-19 + (c.type == YT_Q8_0 ? 0 : largest_score * 0x1p-21));
}

static double worst;

static void compare(setting &s, const std::vector<float> &actual, const char *what)
{
    const test_case &c = *s.c;
    const ref_kv reference = reference_of(s);
    std::vector<float> expected(c.head_dim);
    for (int column = 0; column < (int)s.positions.size(); column++) {
        for (int head = 0; head < c.group * c.n_kv_heads; head++) {
            const int64_t offset = (int64_t)s.sequences[column] * s.max_positions * s.kv_dim + head / c.group * c.head_dim;
            const size_t at = (size_t)column * s.q_dim + head * c.head_dim;
            ref_attend(&reference, offset, c.head_dim, first_seen(c, s.positions[column]), s.positions[column] + 1, &s.q[at], expected.data());
            const double allowed = tolerance(s, column, head);
            for (int d = 0; d < c.head_dim; d++) {
                const double error = fabs((double)actual[at + d] - expected[d]);
                worst = fmax(worst, error / allowed);
                if (!(error <= allowed)) {
                    std::fprintf(stderr, "column %d, head %d, element %d: expected %a, got %a; %g allowed\n", column, head, d, expected[d], actual[at + d], allowed);
                    check(false, c, what);
                    return;
                }
            }
        }
    }
}

int main()
{
    yt_context_create("portable", 1, &context);
    const test_case c = {YT_F16, 64, 4, 2, 0, 64, {{100, 1}}};
    const test_case all[] = {c, {YT_Q8_0, 64, 4, 2, 0, 64, {{100, 1}}}, {YT_F16, 64, 4, 2, 0, 64, {{100, 33}}}, {YT_Q8_0, 128, 4, 2, 0, 16, {{600, 33}}},
        {YT_Q8_0, 256, 17, 1, 0, 16, {{600, 3}}}, {YT_F16, 256, 17, 1, 0, 16, {{600, 3}}}, {YT_F16, 80, 17, 1, 100, 48, {{600, 1}, {400, 7}}}};
    for (const test_case &each : all) {
        worst = 0;
        setting s = create(each, 1, 0);
        compare(s, attend(s, 0, (int)s.positions.size(), (int)each.sequences.size()), "batch");
        std::printf("%s: %g\n", text_of(each), worst);
        yt_kv_destroy(s.pool);
    }
    yt_context_destroy(context);
    std::printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
