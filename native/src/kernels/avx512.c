/* The kernels for AVX-512 without VNNI. */
#include "vec16_avx512.h"

#define YT_ISA "avx512"
#define YT_TABLE yt_kernels_avx512
#include "generic.h"
