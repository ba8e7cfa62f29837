/* Edits of logits and choice of candidates against the processor's (native/src/candidates.c). */
#include "direct_queue.h"
#include "families.cuh"
#include "processor.h"

#include "../random.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

static int n_failures;

/* One call: some outputs' logits before the edits, and what is wanted of them. */
struct choice_case {
    const char *name;
    int64_t n_outputs;
    int64_t vocab_size; /* of which the last may be no choices */
    int64_t n_choices;
    int64_t count;
    std::vector<float> logits;
    std::vector<yt_edit> edits;
    std::vector<int32_t> edit_ends;
};

/* The same bits, or both NaN: which one an operation gives is the device's affair. */
static bool is_same(const std::vector<float> &a, const std::vector<float> &b)
{
    for (size_t i = 0; i < a.size(); i++) {
        if (std::memcmp(&a[i], &b[i], 4) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) {
            return false;
        }
    }
    return true;
}

static void check(const choice_case &c, int most_launches)
{
    std::vector<float> expected_logits = c.logits;
    std::vector<int32_t> expected_ids(c.n_outputs * c.count);
    std::vector<float> expected_values(c.n_outputs * c.count);
    for (int64_t o = 0; o < c.n_outputs; o++) {
        float *logits = &expected_logits[o * c.vocab_size];
        if (!c.edit_ends.empty()) {
            processor_edit(c.edits.data(), c.edit_ends.data(), o, logits);
        }
        processor_choose(logits, c.n_choices, c.count, &expected_ids[o * c.count], &expected_values[o * c.count]);
    }
    std::vector<float> logits = c.logits;
    std::vector<int32_t> ids(c.n_outputs * c.count, -1);
    std::vector<float> values(c.n_outputs * c.count);
    const int64_t scratch_bytes = yt_candidate_scratch_bytes(c.n_outputs, c.n_choices, c.count);
    std::vector<uint64_t> scratch(scratch_bytes / 8, 0xFFFFFFFFFFFFFFFFu);
    const yt_device_candidates candidates = {c.count, c.n_choices, (int64_t)c.edits.size(), ids.data(), values.data(),
        c.edit_ends.empty() ? nullptr : c.edits.data(), c.edit_ends.empty() ? nullptr : c.edit_ends.data()};
    yt_queue queue;
    yt_launch_candidates(queue, candidates, c.n_outputs, c.vocab_size, logits.data(), scratch.data());
    const bool is_right = ids == expected_ids && is_same(values, expected_values) && is_same(logits, expected_logits);
    if (!is_right || queue.n_launches > most_launches) {
        std::fprintf(stderr, "FAILED %s: %lld of %lld, %lld outputs, %d launches%s\n", c.name, (long long)c.count, (long long)c.n_choices, (long long)c.n_outputs,
            queue.n_launches, is_right ? "" : ", wrong");
        n_failures++;
    }
}

/* What logits look like. */
enum pattern { NORMAL, FEW_VALUES, ALL_EQUAL, ZEROS_OF_BOTH_SIGNS, ASCENDING, DAMAGED, MINUS_INFINITIES, N_PATTERNS };
static const char *const PATTERNS[] = {"normal", "few values", "all equal", "zeros of both signs", "ascending", "damaged", "minus infinities"};

static float value_of(pattern p, int64_t i, uint64_t *state)
{
    static const float few[] = {1.0f, 0.0f, -0.0f, -INFINITY, -1.0f, 1e-45f, -1e-45f};
    static const float damage[] = {INFINITY, -INFINITY, NAN, -NAN, 3.4e38f, -3.4e38f, 1e-40f};
    switch (p) {
    case FEW_VALUES:
        return few[random_below(state, 7)];
    case ALL_EQUAL:
        return -2.5f;
    case ZEROS_OF_BOTH_SIGNS:
        return random_below(state, 2) == 0 ? 0.0f : -0.0f;
    case ASCENDING:
        return (float)i;
    case DAMAGED:
        return random_below(state, 20) == 0 ? damage[random_below(state, 7)] : random_normal(state);
    case MINUS_INFINITIES:
        return -INFINITY;
    default:
        return random_normal(state) * 5.0f;
    }
}

/* Padding, which must not be chosen, is larger than everything. */
static choice_case case_of(pattern p, int64_t n_outputs, int64_t n_choices, int64_t padding, int64_t count, uint64_t *state)
{
    choice_case c = {PATTERNS[p], n_outputs, n_choices + padding, n_choices, count, {}, {}, {}};
    for (int64_t i = 0; i < n_outputs * c.vocab_size; i++) {
        c.logits.push_back(i % c.vocab_size < n_choices ? value_of(p, i, state) : NAN);
    }
    return c;
}

/* n edits for each output but every third, which has none; of so few ids that many have several. */
static void add_edits(choice_case *c, int64_t n, int64_t n_ids, uint64_t *state)
{
    for (int64_t o = 0; o < c->n_outputs; o++) {
        for (int64_t i = 0; i < n && o % 3 != 2; i++) {
            const int32_t id = (int32_t)(random_below(state, n_ids) * 37 % c->vocab_size);
            c->edits.push_back({id, 1.0f + 0.3f * random_unit(state), random_below(state, 40) == 0 ? -INFINITY : random_normal(state)});
        }
        c->edit_ends.push_back((int32_t)c->edits.size());
    }
    c->edits.push_back({0, 1.0f, 0.0f}); /* so that there is a pointer if all have none */
}

static void check_patterns()
{
    uint64_t state = 1;
    for (int p = 0; p < N_PATTERNS; p++) {
        const struct {
            int64_t n_outputs, n, padding, count;
        } shapes[] = {{3, 1, 1, 1}, {2, 2, 0, 2}, {2, 65, 3, 1}, {2, 100, 0, 40}, {1, 1024, 1, 1024}, {2, 4096, 0, 3}, {1, 4097, 7, 5}, {1, 9000, 0, 64}};
        for (const auto &s : shapes) {
            check(case_of((pattern)p, s.n_outputs, s.n, s.padding, s.count, &state), 2);
        }
    }
}

/* Whole vocabularies: two launches as a rule, more where many are wanted. */
static void check_large()
{
    uint64_t state = 2;
    check(case_of(NORMAL, 1, 200000, 0, 1, &state), 2);
    check(case_of(DAMAGED, 2, 32000, 0, 40, &state), 2);
    check(case_of(FEW_VALUES, 1, 49953, 47, 1024, &state), 4);
    check(case_of(NORMAL, 300, 33, 0, 4, &state), 1);
}

static void check_edits()
{
    uint64_t state = 3;
    for (int64_t n : {0, 1, 7, 255, 256, 257, 1000}) {
        choice_case c = case_of(NORMAL, 4, 5000, 3, 10, &state);
        add_edits(&c, n, n / 3 + 1, &state);
        check(c, 3);
    }
    choice_case damaged = case_of(DAMAGED, 2, 300, 0, 300, &state);
    add_edits(&damaged, 300, 300, &state);
    damaged.edits[0].divisor = 0.0f;
    check(damaged, 2);
}

int main()
{
    yt_emulation_each_order(check_edits);
    yt_emulation_each_order(check_patterns);
    check_large();
    std::printf("%d failures\n", n_failures);
    return n_failures != 0;
}
