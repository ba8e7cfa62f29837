/* The kernels for AVX-512 with VNNI. */
#include "vec16_avx512.h"

#define YT_ISA "avx512-vnni"
#define YT_TABLE yt_kernels_avx512_vnni
#include "generic.h"
