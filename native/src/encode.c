/* yt_encode_rows: what is checked; the work is the kernels'. */
#include "context.h"
#include "error.h"
#include "memory.h"

#include <stddef.h>

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
