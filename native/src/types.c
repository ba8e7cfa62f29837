#include "types.h"

#include <stddef.h>

#define NONE {0, 0}

static const yt_type_info TYPES[] = {
    /*          block      part  minimums  halves    exponents bytes    words */
    {YT_F32, 1, 4, 0, false, {-1, -1}, NONE, NONE, {NONE}},
    {YT_F16, 1, 2, 0, false, {-1, -1}, NONE, NONE, {NONE}},
    {YT_BF16, 1, 2, 0, false, {-1, -1}, NONE, NONE, {NONE}},
    {YT_Q4_0, 32, 18, 32, false, {0, -1}, NONE, NONE, {{2, 16}}},
    {YT_Q4_1, 32, 20, 32, true, {0, 2}, NONE, NONE, {{4, 16}}},
    {YT_Q5_0, 32, 22, 32, false, {0, -1}, NONE, NONE, {{2, 4}, {6, 16}}},
    {YT_Q5_1, 32, 24, 32, true, {0, 2}, NONE, NONE, {{4, 4}, {8, 16}}},
    {YT_Q8_0, 32, 34, 32, false, {0, -1}, NONE, NONE, {{2, 32}}},
    {YT_Q2_K, 256, 84, 16, true, {80, 82}, NONE, {0, 16}, {{16, 64}}},
    {YT_Q3_K, 256, 110, 16, false, {108, -1}, NONE, {96, 12}, {{0, 32}, {32, 64}}},
    {YT_Q4_K, 256, 144, 32, true, {0, 2}, NONE, {4, 12}, {{16, 128}}},
    {YT_Q5_K, 256, 176, 32, true, {0, 2}, NONE, {4, 12}, {{16, 32}, {48, 128}}},
    {YT_Q6_K, 256, 210, 16, false, {208, -1}, NONE, {192, 16}, {{0, 128}, {128, 64}}},
    {YT_IQ4_NL, 32, 18, 32, false, {0, -1}, NONE, NONE, {{2, 16}}},
    {YT_IQ4_XS, 256, 136, 32, false, {0, 2}, NONE, {4, 4}, {{8, 128}}},
    {YT_MXFP4, 32, 17, 32, false, {-1, -1}, {0, 1}, NONE, {{1, 16}}},
};

const yt_type_info *yt_find_type(int32_t type)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (TYPES[i].type == type) {
            return &TYPES[i];
        }
    }
    return NULL;
}
