#include "types.h"

#include <stddef.h>

static const yt_type_info TYPES[] = {
    {YT_F32, YT_LAYOUT_PLAIN, 1, 4, 0, false},
    {YT_F16, YT_LAYOUT_PLAIN, 1, 2, 0, false},
    {YT_BF16, YT_LAYOUT_PLAIN, 1, 2, 0, false},
    {YT_Q4_0, YT_LAYOUT_PACKED, 32, 18, 32, false},
    {YT_Q8_0, YT_LAYOUT_PACKED, 32, 34, 32, false},
    {YT_Q4_1, YT_LAYOUT_STORED, 32, 20, 32, true},
    {YT_Q5_0, YT_LAYOUT_STORED, 32, 22, 32, false},
    {YT_Q5_1, YT_LAYOUT_STORED, 32, 24, 32, true},
    {YT_Q2_K, YT_LAYOUT_STORED, 256, 84, 16, true},
    {YT_Q3_K, YT_LAYOUT_STORED, 256, 110, 16, false},
    {YT_Q4_K, YT_LAYOUT_STORED, 256, 144, 32, true},
    {YT_Q5_K, YT_LAYOUT_STORED, 256, 176, 32, true},
    {YT_Q6_K, YT_LAYOUT_STORED, 256, 210, 16, false},
    {YT_IQ4_NL, YT_LAYOUT_STORED, 32, 18, 32, false},
    {YT_IQ4_XS, YT_LAYOUT_STORED, 256, 136, 32, false},
    {YT_MXFP4, YT_LAYOUT_STORED, 32, 17, 32, false},
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
