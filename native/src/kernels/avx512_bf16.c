/* The kernels for AVX-512 with VNNI and BF16. */
#include "vec16_avx512.h"

#define YT_ISA "avx512-bf16"
#define YT_TABLE yt_kernels_avx512_bf16
#include "generic.h"
