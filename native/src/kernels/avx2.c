/* The kernels for AVX2, FMA and F16C. */
#include "vec16_avx2.h"

#define YT_ISA "avx2"
#define YT_TABLE yt_kernels_avx2
#include "generic.h"
