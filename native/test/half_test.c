/* half.h against a conversion through double that shares nothing with it, and against the compiler's own where it has one. */
#include "../src/half.h"

#include "random.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>

static int n_failures;

static void fail(const char *what, uint32_t input, uint32_t expected, uint32_t actual)
{
    if (n_failures++ < 20) {
        fprintf(stderr, "FAILED %s of 0x%08x: expected 0x%08x, got 0x%08x\n", what, input, expected, actual);
    }
}

static void check_widening(void)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        uint32_t actual = yt_float_to_bits(yt_half_to_float((uint16_t)h));
        if ((h & 0x7FFF) > 0x7C00) {
            /* NaN: sign and payload stay, and it becomes quiet, as the processor's conversion does. */
            uint32_t expected = (h & 0x8000) << 16 | 0x7FC00000 | (h & 0x3FF) << 13;
            if (actual != expected) {
                fail("widening", h, expected, actual);
            }
            continue;
        }
        uint32_t expected = yt_float_to_bits((float)ref_half_value((uint16_t)h));
        if (actual != expected) {
            fail("widening", h, expected, actual);
        }
        uint16_t back = yt_float_to_half(yt_bits_to_float(actual));
        if (back != h) {
            fail("round trip", h, h, back);
        }
        if (yt_float_to_bits(yt_bfloat_to_float((uint16_t)h)) != h << 16) {
            fail("widening of bfloat16", h, h << 16, yt_float_to_bits(yt_bfloat_to_float((uint16_t)h)));
        }
    }
}

static void check_narrowing(float value)
{
    for (int negative = 0; negative < 2; negative++) {
        float signed_value = negative ? -value : value;
        uint16_t actual = yt_float_to_half(signed_value);
        uint16_t expected = ref_half_bits(signed_value);
        if (actual != expected) {
            fail("narrowing", yt_float_to_bits(signed_value), expected, actual);
        }
#if defined(__FLT16_MAX__)
        _Float16 half = (_Float16)signed_value;
        uint16_t compiler;
        memcpy(&compiler, &half, 2);
        if (actual != compiler) {
            fail("narrowing (compiler)", yt_float_to_bits(signed_value), compiler, actual);
        }
#endif
    }
}

/* Every half, every middle between two halves, and the floats next to them. */
static void check_midpoints(void)
{
    for (uint32_t h = 0; h < 0x7C00; h++) {
        double low = ref_half_value((uint16_t)h);
        double high = h == 0x7BFF ? 65536.0 : ref_half_value((uint16_t)(h + 1));
        const float points[] = {(float)low, (float)((low + high) / 2)};
        for (int i = 0; i < 2; i++) {
            check_narrowing(points[i]);
            check_narrowing(nextafterf(points[i], INFINITY));
            check_narrowing(nextafterf(points[i], 0.0f));
        }
    }
}

static void check_known(void)
{
    static const struct {
        float value;
        uint16_t half;
    } known[] = {
        {0.0f, 0}, {-0.0f, 0x8000}, {1.0f, 0x3C00}, {-2.0f, 0xC000}, {65504.0f, 0x7BFF}, {65519.0f, 0x7BFF}, {65519.996f, 0x7BFF},
        {65520.0f, 0x7C00}, {1e9f, 0x7C00}, {INFINITY, 0x7C00}, {-INFINITY, 0xFC00}, {0x1p-14f, 0x0400}, {0x1p-24f, 1}, {0x1p-25f, 0},
        {0x1.000002p-25f, 1}, {0x1.8p-24f, 2}, {0x1p-149f, 0}, {2049.0f, 0x6800}, {2051.0f, 0x6802},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint16_t actual = yt_float_to_half(known[i].value);
        if (actual != known[i].half) {
            fail("narrowing", yt_float_to_bits(known[i].value), known[i].half, actual);
        }
    }
    static const uint32_t nans[] = {0x7FC00000, 0xFFC00000, 0x7F800001, 0xFF800001, 0x7FFFFFFF};
    for (size_t i = 0; i < sizeof nans / sizeof nans[0]; i++) {
        uint16_t h = yt_float_to_half(yt_bits_to_float(nans[i]));
        if ((h & 0x7E00) != 0x7E00 || h >> 15 != nans[i] >> 31) {
            fail("narrowing of NaN", nans[i], nans[i] >> 31 << 15 | 0x7E00, h);
        }
    }
}

int main(void)
{
    check_widening();
    check_midpoints();
    check_known();
    uint64_t random = 1;
    for (int i = 0; i < 200000; i++) {
        float value = yt_bits_to_float((uint32_t)random_bits(&random));
        if (!isnan(value)) {
            check_narrowing(value);
        }
    }
    printf("%d failures\n", n_failures);
    return n_failures == 0 ? 0 : 1;
}
