#include "candidates.h"

#include "error.h"

#include <string.h>

/* Logits whose maximum is looked at before each of them is. */
enum { CHUNK = 64 };

/* A candidate: its logit as an integer of the same order, and its id. */
typedef struct {
    int32_t key;
    int32_t id;
} candidate;

/* Integers in the order of the floats; 0 and -0 are the same, a NaN is the largest. */
static inline int32_t key_of(float logit)
{
    float value = logit + 0.0f;
    int32_t bits;
    memcpy(&bits, &value, 4);
    int32_t key = bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
    return (bits & 0x7FFFFFFF) > 0x7F800000 ? INT32_MAX : key;
}

/* Whether a is chosen before b. */
static bool is_better(candidate a, candidate b)
{
    return a.key > b.key || (a.key == b.key && a.id < b.id);
}

/* Puts a candidate into the place of the worst, which stands at the root, and the worst of the new ones there. */
static void replace_worst(candidate *heap, int64_t n, candidate new)
{
    int64_t at = 0;
    while (true) {
        int64_t child = 2 * at + 1;
        if (child >= n) {
            break;
        }
        if (child + 1 < n && is_better(heap[child], heap[child + 1])) {
            child++;
        }
        if (!is_better(new, heap[child])) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = new;
}

void yt_choose(const float *logits, int64_t n, int64_t count, int32_t *ids, float *values)
{
    /* Worse than every logit, so that the heap is full from the beginning. */
    candidate heap[YT_MAX_CANDIDATES];
    for (int64_t i = 0; i < count; i++) {
        heap[i] = (candidate){INT32_MIN, INT32_MAX};
    }
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t end = first + CHUNK < n ? first + CHUNK : n;
        int32_t greatest = INT32_MIN;
        for (int64_t i = first; i < end; i++) {
            int32_t key = key_of(logits[i]);
            greatest = key > greatest ? key : greatest;
        }
        if (greatest <= heap[0].key) {
            continue;
        }
        for (int64_t i = first; i < end; i++) {
            int32_t key = key_of(logits[i]);
            if (key > heap[0].key) {
                replace_worst(heap, count, (candidate){key, (int32_t)i});
            }
        }
    }
    /* The worst is taken out, one after the other. */
    for (int64_t left = count; left > 0; left--) {
        ids[left - 1] = heap[0].id;
        values[left - 1] = logits[heap[0].id];
        replace_worst(heap, left - 1, heap[left - 1]);
    }
}

void yt_edit_logits(const yt_candidates *candidates, int64_t output, float *logits)
{
    if (candidates->edit_ends == NULL) {
        return;
    }
    const yt_edit *edits = (const yt_edit *)candidates->edits->data;
    for (int64_t i = output == 0 ? 0 : yt_int_at(candidates->edit_ends, output - 1); i < yt_int_at(candidates->edit_ends, output); i++) {
        float logit = logits[edits[i].id];
        logits[edits[i].id] = (logit > 0.0f ? logit / edits[i].divisor : logit * edits[i].divisor) + edits[i].addend;
    }
}

static int32_t check_edits(yt_stage stage, const yt_candidates *c, int64_t n_outputs, int64_t vocab_size)
{
    YT_TRY(yt_check_ints(stage, "edit_ends", c->edit_ends, n_outputs, 1));
    int32_t end = 0;
    for (int64_t i = 0; i < n_outputs; i++) {
        int32_t next = yt_int_at(c->edit_ends, i);
        if (next < end) {
            return yt_fail(YT_ERR_ARGUMENT, "%s: the edits of output %lld end at %d, before they begin", stage.name, (long long)i, next);
        }
        end = next;
    }
    YT_TRY(yt_check_ints(stage, "edits", c->edits, end, sizeof(yt_edit) / 4));
    const yt_edit *edits = (const yt_edit *)c->edits->data;
    for (int32_t i = 0; i < end; i++) {
        if (edits[i].id < 0 || edits[i].id >= vocab_size) {
            return yt_fail(YT_ERR_ARGUMENT, "%s: edit %d is of token %d, outside the vocabulary of %lld", stage.name, i, edits[i].id, (long long)vocab_size);
        }
    }
    return YT_OK;
}

int32_t yt_check_candidates(
    yt_stage stage, const yt_candidates *c, int64_t n_outputs, int64_t vocab_size, const yt_buffer *const *others, size_t n_others)
{
    if (c->n_choices < 1 || c->n_choices > vocab_size || c->count < 1 || c->count > YT_MAX_CANDIDATES || c->count > c->n_choices) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: %lld candidates of %lld, of a vocabulary of %lld; 1 to %d are possible", stage.name, (long long)c->count,
            (long long)c->n_choices, (long long)vocab_size, YT_MAX_CANDIDATES);
    }
    YT_TRY(yt_check_buffer(stage, "ids", c->ids, n_outputs, c->count));
    YT_TRY(yt_check_buffer(stage, "values", c->values, n_outputs, c->count));
    bool overlaps = c->ids == c->values || c->ids == c->edits || c->ids == c->edit_ends || c->values == c->edits || c->values == c->edit_ends;
    for (size_t i = 0; i < n_others; i++) {
        overlaps |= others[i] == c->ids || others[i] == c->values;
        /* Among the others are the logits, which are written before the edits are read. */
        overlaps |= c->edits != NULL && (others[i] == c->edits || others[i] == c->edit_ends);
    }
    if (overlaps) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: what is written is also read", stage.name);
    }
    if ((c->edits == NULL) != (c->edit_ends == NULL)) {
        return yt_fail(YT_ERR_ARGUMENT, "%s: edits without their ends, or ends without edits", stage.name);
    }
    return c->edits == NULL ? YT_OK : check_edits(stage, c, n_outputs, vocab_size);
}
