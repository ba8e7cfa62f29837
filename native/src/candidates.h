/* The best of an output's logits. */
#ifndef YT_CANDIDATES_H
#define YT_CANDIDATES_H

#include "checks.h"

#include <stddef.h>

/* Sizes, numbers and aliases; others: what else the stage reads and writes. */
int32_t yt_check_candidates(
    yt_stage stage, const yt_candidates *candidates, int64_t n_outputs, int64_t vocab_size, const yt_buffer *const *others, size_t n_others);

/* Changes the logits of one output. */
void yt_edit_logits(const yt_candidates *candidates, int64_t output, float *logits);

/* The `count` largest of n logits, in the order that yt_candidates defines. */
void yt_choose(const float *logits, int64_t n, int64_t count, int32_t *ids, float *values);

#endif
