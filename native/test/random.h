/* A small generator of random numbers (SplitMix64), the same everywhere. */
#ifndef YT_TEST_RANDOM_H
#define YT_TEST_RANDOM_H

#include <stdint.h>

static inline uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline int64_t random_below(uint64_t *state, int64_t n)
{
    return (int64_t)(random_bits(state) % (uint64_t)n);
}

/* From -1 to 1. */
static inline float random_unit(uint64_t *state)
{
    return (float)(random_bits(state) >> 40) * 0x1p-23f - 1.0f;
}

/* About normal, with deviation 1: the sum of three values from -1 to 1. */
static inline float random_normal(uint64_t *state)
{
    float sum = random_unit(state);
    sum += random_unit(state);
    return sum + random_unit(state);
}

#endif
