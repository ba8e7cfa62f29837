/* The kernels in plain C: what every processor runs, and what the others are compared with. */
#include "vec16_portable.h"

/* The lanes are in memory whatever the size of a tile: one copy of each serves. */
#define YT_INLINE static __attribute__((noinline))
#define YT_ISA "portable"
#define YT_TABLE yt_kernels_portable
#include "generic.h"
