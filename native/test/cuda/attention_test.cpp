/*
 * Attention against the reference, within what its arithmetic (attention.cu) can differ by; and every column alone, split or not, with the same bits as in a
 * batch. Pages are filled by the processor's functions; what no column sees is NaN, and what no column needs in the page table is no page.
 */
#include "direct_queue.h"
#include "families.cuh"
#include "processor.h"

extern "C" {
#include "../reference.h"
}
#include "../random.h"

#include <algorithm>
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
    int n = std::snprintf(text, sizeof text, "type %d, head size %d, %d heads for each of %d, window %d, pages of %d, (length, columns)", c.type,
        c.head_dim, c.group, c.n_kv_heads, c.window, c.page_positions);
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

static setting create(const test_case &c, uint64_t seed)
{
    setting s = {};
    s.c = &c;
    s.kv_dim = c.n_kv_heads * c.head_dim;
    s.q_dim = s.kv_dim * c.group;
    for (const stretch &of : c.sequences) {
        s.max_positions = of.length > s.max_positions ? of.length : s.max_positions;
    }
    s.max_pages = (s.max_positions + c.page_positions - 1) / c.page_positions + 1;
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

/* What a launch with n columns from first on is called with; n_sequences: what the batch says. */
struct launch_arguments {
    yt_device_layer layer;
    yt_device_batch batch;
};

static launch_arguments arguments_of(const setting &s, int first, int n, int n_sequences)
{
    launch_arguments a = {};
    a.layer.index = LAYER;
    a.layer.n_heads = s.c->n_kv_heads * s.c->group;
    a.layer.n_kv_heads = s.c->n_kv_heads;
    a.layer.head_dim = s.c->head_dim;
    a.layer.window = s.c->window;
    a.batch.n_columns = n;
    a.batch.n_sequences = n_sequences;
    a.batch.max_pages = s.max_pages;
    a.batch.positions = s.positions.data() + first;
    a.batch.sequences = s.sequences.data() + first;
    a.batch.page_table = s.page_table.data();
    return a;
}

static int64_t scratch_bytes(const setting &s, int n, int n_sequences)
{
    const launch_arguments a = arguments_of(s, 0, n, n_sequences);
    return yt_attention_scratch_bytes(a.layer, a.batch, s.kv);
}

static std::vector<float> attend(const setting &s, int first, int n, int n_sequences, int times = 1)
{
    const launch_arguments a = arguments_of(s, first, n, n_sequences);
    std::vector<float> out((size_t)n * s.q_dim, NAN);
    std::vector<uint64_t> scratch(scratch_bytes(s, n, n_sequences) / 8 + 1);
    yt_queue queue;
    for (int i = 0; i < times; i++) {
        yt_launch_attention(queue, a.layer, a.batch, s.q.data() + (size_t)first * s.q_dim, s.kv, scratch.data(), out.data());
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
 * Both sides add in float32, some hundred numbers at most before a rounded sum of sums; scores of F16 differ by some of the last bits of their size, which
 * weights take over as their relative error. Those of Q8_0 are the same. The sizes: of the largest value, and of the sum of a score's products.
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

static void compare(setting &s, const std::vector<float> &actual)
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
                if (!(fabs((double)actual[at + d] - expected[d]) <= allowed)) {
                    std::fprintf(stderr, "column %d, head %d, element %d: expected %a, got %a; %g allowed\n", column, head, d, expected[d],
                        actual[at + d], allowed);
                    check(false, c, "differs from the reference");
                    return;
                }
            }
        }
    }
}

/* ---- the same bits, however columns and positions are divided ---------------------------------------------------------------------- */

/* The same setting with rows of the page table that are so long. */
static setting with_pages(const setting &s, int max_pages)
{
    setting wider = s;
    wider.max_pages = max_pages;
    wider.page_table.assign(s.c->sequences.size() * (size_t)max_pages, -7);
    for (size_t i = 0; i < s.c->sequences.size(); i++) {
        std::copy_n(&s.page_table[i * s.max_pages], s.max_pages, &wider.page_table[i * (size_t)max_pages]);
    }
    return wider;
}

/* The columns of a setting in another order. */
static setting reordered(const setting &s, const std::vector<int> &order)
{
    setting other = s;
    other.positions.clear();
    other.sequences.clear();
    other.q.clear();
    for (int column : order) {
        other.positions.push_back(s.positions[column]);
        other.sequences.push_back(s.sequences[column]);
        other.q.insert(other.q.end(), &s.q[(size_t)column * s.q_dim], &s.q[(size_t)column * s.q_dim] + s.q_dim);
    }
    return other;
}

static void check_alone(const setting &s, const std::vector<float> &batch)
{
    const int n = (int)s.positions.size();
    for (int column = 0; column < n; column += n > 2 ? n - 1 : 1) {
        const std::vector<float> alone = attend(s, column, 1, (int)s.c->sequences.size());
        check(is_same(alone.data(), &batch[(size_t)column * s.q_dim], s.q_dim), *s.c, "a column alone has other bits");
    }
}

static void check_order(const setting &s, const std::vector<float> &batch, const std::vector<int> &order, int n_sequences, const char *what)
{
    const std::vector<float> out = attend(reordered(s, order), 0, (int)order.size(), n_sequences);
    for (size_t i = 0; i < order.size(); i++) {
        check(is_same(&out[i * s.q_dim], &batch[(size_t)order[i] * s.q_dim], s.q_dim), *s.c, what);
    }
}

/* Tiles of one column each; columns in another order; spans that are divided, or not, which the size of the scratch memory tells. */
static void check_divisions(const setting &s, const std::vector<float> &batch)
{
    const test_case &c = *s.c;
    const int n = (int)s.positions.size();
    const int n_sequences = (int)c.sequences.size();
    check(is_same(attend(s, 0, n, n).data(), batch.data(), batch.size()), c, "tiles of one column give other bits");
    std::vector<int> order;
    for (int i = 0; i < n; i++) {
        order.push_back(i % 2 == 0 ? n - 1 - i / 2 : i / 2);
    }
    check_order(s, batch, order, n_sequences, "columns in another order have other bits");
    const setting few = with_pages(s, 300000);
    check((scratch_bytes(few, n, n_sequences) < 8192 || c.window > 0) && scratch_bytes(s, n, n_sequences) > 8192, c, "spans are not divided as expected");
    check(is_same(attend(few, 0, n, n_sequences).data(), batch.data(), batch.size()), c, "undivided spans give other bits");
}

static void check_case(const test_case &c, uint64_t seed)
{
    setting s = create(c, seed);
    /* Twice: what counts blocks is as it was. */
    const std::vector<float> batch = attend(s, 0, (int)s.positions.size(), (int)c.sequences.size(), s.positions.size() < 4 ? 2 : 1);
    compare(s, batch);
    check_alone(s, batch);
    yt_kv_destroy(s.pool);
}

static void check_shapes()
{
    static const int HEAD_DIMS[] = {2, 6, 32, 48, 64, 80, 96, 128, 256};
    static const int GROUPS[] = {1, 3, 4, 8, 17};
    static const int WINDOWS[] = {0, 1, 0, 7, 64, 0, 600};
    static const int PAGES[] = {64, 16, 48};
    static const int LENGTHS[] = {1, 16, 17, 64, 65, 512, 513, 514, 1101};
    static const int COLUMNS[] = {1, 5, 33, 70};
    uint64_t seed = 0;
    for (int32_t type : {YT_F16, YT_Q8_0}) {
        for (int head_dim : HEAD_DIMS) {
            for (int i = 0; i < 3; i++) {
                seed++;
                test_case c = {type, head_dim, GROUPS[seed % 5], seed % 4 == 0 ? 2 : 1, WINDOWS[seed % 7], PAGES[seed % 3], {}};
                const int n_sequences = i == 2 ? 3 : 1;
                for (int of = 0; of < n_sequences; of++) {
                    const int length = LENGTHS[(seed * 2 + of * 5) % 9];
                    int columns = COLUMNS[(seed + of) % 4];
                    while (columns > 1 && (columns > length || (length > 65 && columns * c.group * c.n_kv_heads * head_dim > 2500))) {
                        columns /= 2;
                    }
                    c.sequences.push_back({length, columns});
                }
                check_case(c, seed);
            }
        }
    }
}

static void check_all_divisions()
{
    const test_case cases[] = {{YT_F16, 64, 4, 2, 0, 64, {{280, 12}, {257, 1}}}, {YT_Q8_0, 80, 3, 1, 300, 16, {{600, 3}, {70, 20}}},
        {YT_F16, 6, 17, 1, 0, 48, {{600, 4}}}, {YT_F16, 256, 3, 1, 0, 64, {{270, 7}}}, {YT_Q8_0, 256, 3, 1, 0, 64, {{270, 7}}}};
    uint64_t seed = 100;
    for (const test_case &c : cases) {
        setting s = create(c, seed++);
        const std::vector<float> batch = attend(s, 0, (int)s.positions.size(), (int)c.sequences.size());
        compare(s, batch);
        check_alone(s, batch);
        check_divisions(s, batch);
        yt_kv_destroy(s.pool);
    }
}

/* More spans than blocks that share them. */
static void check_shared_spans()
{
    const test_case c = {YT_Q8_0, 2, 1, 38, 300, 16, {{541, 9}}};
    setting s = create(c, 5);
    compare(s, attend(s, 0, 9, 9));
    yt_kv_destroy(s.pool);
}

/* More spans than the lanes of a warp, which puts them together; the first of those behind these lanes has the largest score. */
static void check_many_spans()
{
    const test_case c = {YT_F16, 6, 2, 1, 0, 64, {{9300, 1}}};
    setting s = create(c, 23);
    std::vector<float> row(s.kv_dim);
    for (int d = 0; d < s.kv_dim; d++) {
        row[d] = 8.0f * (s.q[d] + s.q[s.kv_dim + d]);
    }
    store(s, 0, 8200, false, row.data());
    const setting few = with_pages(s, 4500000);
    const std::vector<float> divided = attend(s, 0, 1, 1);
    compare(s, divided);
    check(scratch_bytes(few, 1, 1) < scratch_bytes(s, 1, 1), c, "spans are not divided as expected");
    check(is_same(attend(few, 0, 1, 1).data(), divided.data(), divided.size()), c, "undivided spans give other bits");
    yt_kv_destroy(s.pool);
}

/* Columns far from each other: what lies between them need not exist. */
static void check_gap()
{
    const test_case c = {YT_F16, 32, 2, 1, 7, 16, {{600, 400}}};
    setting s = create(c, 7);
    const std::vector<float> first = attend(s, 0, 1, 1);
    const std::vector<float> last = attend(s, 399, 1, 1);
    for (int page = s.positions[0] / c.page_positions + 1; page < first_seen(c, 599) / c.page_positions; page++) {
        s.page_table[page] = -7;
    }
    const std::vector<float> both = attend(reordered(s, {0, 399}), 0, 2, 1);
    check(is_same(both.data(), first.data(), s.q_dim) && is_same(&both[s.q_dim], last.data(), s.q_dim), c, "columns far from each other have other bits");
    yt_kv_destroy(s.pool);
}

/* ---- damage ------------------------------------------------------------------------------------------------------------------------ */

/* The elements of a head that a damaged element of a value reaches. */
static bool is_reached(const test_case &c, bool is_value, int damaged, int element)
{
    return !is_value || (c.type == YT_Q8_0 ? element / 32 == damaged / 32 : element == damaged);
}

/* One element of a position is not finite: results of the columns that see it are not either, and the others keep their bits. */
static void check_damage(const test_case &c, bool is_value, float damage, int position)
{
    enum { ELEMENT = 37, HEAD = 1 };
    setting s = create(c, 11);
    const int n = (int)s.positions.size();
    const std::vector<float> before = attend(s, 0, n, 1);
    std::vector<float> row(s.kv_dim, 0.5f);
    store(s, 0, position, is_value, row.data());
    const std::vector<float> sound = attend(s, 0, n, 1);
    row[HEAD * c.head_dim + ELEMENT] = damage;
    store(s, 0, position, is_value, row.data());
    const std::vector<float> damaged = attend(s, 0, n, 1);
    for (int column = 0; column < n; column++) {
        const bool sees = position <= s.positions[column] && position >= first_seen(c, s.positions[column]);
        for (int i = 0; i < s.q_dim; i++) {
            const size_t at = (size_t)column * s.q_dim + i;
            const bool is_hit = sees && i / c.head_dim / c.group == HEAD && is_reached(c, is_value, ELEMENT, i % c.head_dim);
            if (is_hit ? std::isfinite(damaged[at]) : !is_same(&damaged[at], sees ? &sound[at] : &before[at], 1)) {
                std::fprintf(stderr, "position %d is %f; column %d, element %d: %f, before %f\n", position, damage, column, i, damaged[at], sound[at]);
                check(false, c, "damage goes where it should not, or not where it should");
                column = n;
                break;
            }
        }
    }
    check_alone(s, damaged);
    yt_kv_destroy(s.pool);
}

static void check_damages()
{
    for (int32_t type : {YT_F16, YT_Q8_0}) {
        const test_case wide = {type, 80, 4, 2, 0, 16, {{140, 17}}};
        const test_case narrow = {type, 64, 3, 2, 20, 64, {{70, 5}}};
        for (int is_value = 0; is_value < 2; is_value++) {
            check_damage(wide, is_value == 1, NAN, 10);
            check_damage(wide, is_value == 1, is_value == 1 ? INFINITY : NAN, 130);
            check_damage(narrow, is_value == 1, NAN, 67);
            check_damage(narrow, is_value == 1, is_value == 1 ? -INFINITY : NAN, 48);
        }
    }
}

/* A query that is not finite spoils its own results alone. */
static void check_damaged_query()
{
    for (int32_t type : {YT_F16, YT_Q8_0}) {
        const test_case c = {type, 48, 4, 2, 0, 64, {{40, 6}}};
        setting s = create(c, 13);
        const std::vector<float> before = attend(s, 0, 6, 1);
        s.q[2 * s.q_dim + 5 * c.head_dim + 3] = NAN;
        const std::vector<float> after = attend(s, 0, 6, 1);
        for (size_t i = 0; i < after.size(); i++) {
            const bool is_hit = i / c.head_dim == (size_t)(2 * s.q_dim / c.head_dim + 5);
            check(is_hit ? std::isnan(after[i]) : is_same(&after[i], &before[i], 1), c, "a damaged query");
        }
        yt_kv_destroy(s.pool);
    }
}

/* ---- sizes of numbers, orders of threads, what is refused --------------------------------------------------------------------------- */

/* Queries, keys and values that binary16 or products of them could not hold without care. */
static void check_magnitudes()
{
    for (int32_t type : {YT_F16, YT_Q8_0}) {
        const test_case c = {type, 64, 4, 1, 0, 64, {{80, 3}}};
        for (const float size : {1e-20f, 1e-6f, 1e4f}) {
            setting s = create(c, 17);
            std::vector<float> row(s.kv_dim);
            uint64_t random = 18;
            for (int t = 0; t < 80; t++) {
                for (float &x : row) {
                    x = random_normal(&random) * size;
                }
                store(s, 0, t, true, row.data());
                for (float &x : row) {
                    x = random_normal(&random) * fminf(1.0f / size, 1e4f);
                }
                store(s, 0, t, false, row.data());
            }
            for (float &x : s.q) {
                x *= fmaxf(size, 1e-10f);
            }
            compare(s, attend(s, 0, 3, 1));
            yt_kv_destroy(s.pool);
        }
    }
}

static void check_orders()
{
    const test_case cases[] = {{YT_F16, 80, 4, 1, 0, 16, {{300, 10}}}, {YT_Q8_0, 64, 4, 1, 0, 64, {{600, 1}}}, {YT_F16, 32, 4, 1, 0, 64, {{600, 1}}}};
    for (const test_case &c : cases) {
        setting s = create(c, 19);
        const std::vector<float> first = attend(s, 0, (int)s.positions.size(), 1);
        yt_emulation_each_order([&] {
            check(is_same(attend(s, 0, (int)s.positions.size(), 1).data(), first.data(), first.size()), c, "another order of threads gives other bits");
        });
        yt_kv_destroy(s.pool);
    }
}

static void check_refusals()
{
    const char *problem = nullptr;
    const test_case none = {};
    for (int64_t head_dim = 2; head_dim <= 256; head_dim += 2) {
        check(yt_has_attention(YT_F16, head_dim, &problem) && yt_has_attention(YT_Q8_0, head_dim, &problem), none, "a head size is refused");
    }
    for (int32_t type : {YT_F32, YT_BF16, YT_Q4_0}) {
        problem = nullptr;
        check(!yt_has_attention(type, 64, &problem) && std::strstr(problem, "F16 or Q8_0") != nullptr, none, "a type is not refused");
    }
    for (int64_t head_dim : {-2, 0, 7, 258, 1024}) {
        problem = nullptr;
        check(!yt_has_attention(YT_F16, head_dim, &problem) && std::strstr(problem, "2 to 256") != nullptr, none, "a head size is not refused");
    }
}

int main()
{
    if (yt_context_create("portable", 1, &context) != YT_OK) {
        std::fprintf(stderr, "%s\n", yt_last_error());
        return 1;
    }
    check_shapes();
    check_all_divisions();
    check_shared_spans();
    check_many_spans();
    check_gap();
    check_damages();
    check_damaged_query();
    check_magnitudes();
    check_orders();
    check_refusals();
    yt_context_destroy(context);
    std::printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
