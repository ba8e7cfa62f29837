/* The kernels for NEON with the dot products of signed bytes (FEAT_DotProd). */
#include "vec16_neon.h"

#define YT_ISA "neon"
#define YT_TABLE yt_kernels_neon
#include "generic.h"
