/* Which kernels there are, and which of them this machine can run. */
#ifndef YT_CPU_H
#define YT_CPU_H

#include "kernels/kernels.h"

/* The kernels of this name; NULL if there are none. */
const yt_kernels *yt_find_kernels(const char *name);

/* The best kernels that the machine can run. */
const yt_kernels *yt_best_kernels(void);

#endif
