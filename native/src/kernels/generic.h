/*
 * All kernels, written over sixteen lanes. Included once by each instruction set, after its vec16 header; YT_ISA is the name, YT_TABLE the table to define. The order
 * of operations is that of docs/kernels.md. A vec16 header may say
 *  YT_INLINE        how the parts of a kernel are inlined; they are where their sizes are constants, so that their sums stay in registers;
 *  YT_PANEL_GROUPS  row groups of a panel of quants that are multiplied at once, YT_FLOAT_GROUPS the same for floats,
 *  YT_STEP_COLUMNS  columns of a tile that are: their product is what the registers hold;
 *  YT_SCORE_QUERIES  queries, 2, 4 or 8, whose scores are computed at once, for 32 positions, or 16 where keys are quantized;
 *  YT_VALUE_QUERIES  queries, 2, 4 or 8, that take 32 elements of values at once;
 *  YT_DIRECT_COLUMNS  columns up to which quants are taken apart in registers instead of in panels;
 *  YT_PREFETCH      bytes of weights that are asked for before they are used, of all runs together.
 */
#ifndef YT_INLINE
#define YT_INLINE static inline __attribute__((always_inline))
#endif
#define YT_CONSTANT static inline __attribute__((always_inline, const, unused))
#ifndef YT_SCORE_QUERIES
#define YT_SCORE_QUERIES 4
#endif
#ifndef YT_DIRECT_COLUMNS
#define YT_DIRECT_COLUMNS 16
#endif
#ifndef YT_VALUE_QUERIES
#define YT_VALUE_QUERIES 4
#endif
#ifndef YT_PREFETCH
#define YT_PREFETCH 4096
#endif

#include "../../include/yangtuo.h"
#include "kernels.h"

#include "attention.h"
#include "elements.h"
#include "encode.h"
#include "matmul.h"

const yt_kernels YT_TABLE = {
    .name = YT_ISA,
    .rms_norm = rms_norm,
    .quantize = quantize,
    .matmul = matmul,
    .rotate = rotate,
    .swiglu = swiglu,
    .attend = attend,
    .merge = merge,
    .encode = encode,
    .calls = &matmul_calls,
};
