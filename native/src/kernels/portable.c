/* The kernels in plain C: what every processor runs, and what the others are compared with. */
#include "vec16_portable.h"

#define YT_ISA "portable"
#define YT_TABLE yt_kernels_portable
#include "generic.h"
