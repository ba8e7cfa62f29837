/* The kernels for NEON with the dot products of unsigned and signed bytes (FEAT_I8MM). */
#include "vec16_neon.h"

#define YT_ISA "neon-i8mm"
#define YT_TABLE yt_kernels_neon_i8mm
#include "generic.h"
