/* Stored rows: encoding them (what is checked; the work is the kernels'), and finding damage. */
#include "context.h"
#include "error.h"
#include "memory.h"

#include <stddef.h>
#include <string.h>

int32_t yt_encode_rows(
    const yt_context *context, int32_t type, const float *values, int64_t rows, int64_t columns, void *out, int64_t out_bytes)
{
    if (context == NULL || values == NULL || out == NULL || rows < 0 || columns < 1) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_encode_rows: NULL argument, or %lld rows of %lld columns", (long long)rows, (long long)columns);
    }
    const yt_type_info *info = yt_find_type(type);
    if (info == NULL) {
        return yt_fail(YT_ERR_UNSUPPORTED, "yt_encode_rows: there is no type %d", type);
    }
    if (columns % info->block_elements != 0) {
        return yt_fail(YT_ERR_SHAPE, "yt_encode_rows: %lld columns are not whole blocks of %d", (long long)columns, info->block_elements);
    }
    int64_t bytes = yt_product(rows, columns / info->block_elements, info->block_bytes);
    if (bytes != out_bytes || yt_product(rows, columns, sizeof(float)) < 0) {
        return yt_fail(YT_ERR_SHAPE, "yt_encode_rows: %lld rows of %lld columns of type %d do not take %lld bytes", (long long)rows,
            (long long)columns, type, (long long)out_bytes);
    }
    /* A row is whole blocks, so that all rows are one sequence of them. */
    if (!context->kernels->encode(type, values, rows * columns, out)) {
        return yt_fail(YT_ERR_UNSUPPORTED, "yt_encode_rows: type %d can be read, but not written", type);
    }
    return YT_OK;
}

/* Blocks that are looked at before it is asked whether one of them was damaged: so the loops need no jumps. */
enum { STRIDE = 512 };

/* Whether a 16-bit number at `offset` of some blocks has all bits of an exponent set. */
static bool any_half(const uint8_t *blocks, int64_t n, int64_t block_bytes, int64_t offset, uint32_t exponent)
{
    uint32_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, blocks + i * block_bytes + offset, 2);
        found |= (half & exponent) == exponent;
    }
    return found != 0;
}

static bool any_not_finite(const yt_type_info *info, const uint8_t *blocks, int64_t n)
{
    const uint32_t half_exponent = 0x7C00;
    switch (info->type) {
    case YT_F16:
        return any_half(blocks, n, 2, 0, half_exponent);
    case YT_BF16:
        return any_half(blocks, n, 2, 0, 0x7F80);
    case YT_F32:
        return any_half(blocks, n, 4, 2, 0x7F80);
    case YT_MXFP4: {
        /* 2 to the power of e - 128, times at most 12: it overflows with the largest exponents. */
        const uint8_t largest = 252;
        uint32_t found = 0;
        for (int64_t i = 0; i < n; i++) {
            found |= blocks[i * info->block_bytes] > largest;
        }
        return found != 0;
    }
    default:
        /* Scales, and those of the minimums; IQ4_XS has other bits in its second pair of bytes. */
        return any_half(blocks, n, info->block_bytes, info->halves[0], half_exponent)
            || (info->has_minimums && any_half(blocks, n, info->block_bytes, info->halves[1], half_exponent));
    }
}

int32_t yt_first_not_finite(int32_t type, const void *source, int64_t byte_size, int64_t *block)
{
    if (source == NULL || block == NULL || byte_size < 0) {
        return yt_fail(YT_ERR_ARGUMENT, "yt_first_not_finite: NULL argument, or %lld bytes", (long long)byte_size);
    }
    const yt_type_info *info = yt_find_type(type);
    if (info == NULL) {
        return yt_fail(YT_ERR_UNSUPPORTED, "yt_first_not_finite: there is no type %d", type);
    }
    if (byte_size % info->block_bytes != 0) {
        return yt_fail(YT_ERR_SHAPE, "yt_first_not_finite: %lld bytes are not whole blocks of %d", (long long)byte_size, info->block_bytes);
    }
    const uint8_t *blocks = source;
    const int64_t n = byte_size / info->block_bytes;
    for (int64_t first = 0; first < n; first += STRIDE) {
        const int64_t count = n - first < STRIDE ? n - first : STRIDE;
        if (any_not_finite(info, blocks + first * info->block_bytes, count)) {
            int64_t at = first;
            while (!any_not_finite(info, blocks + at * info->block_bytes, 1)) {
                at++;
            }
            *block = at;
            return YT_OK;
        }
    }
    *block = -1;
    return YT_OK;
}
