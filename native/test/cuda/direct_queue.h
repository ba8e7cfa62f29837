/* A queue for tests of a family of kernels: every launch is run at once. */
#ifndef YT_DIRECT_QUEUE_H
#define YT_DIRECT_QUEUE_H

#include "launch.cuh"

class yt_queue {
public:
    int n_launches = 0;
};

#ifdef __CUDACC__
/* A GPU has one order, its own (device_queue.cu). */
template <typename F>
void yt_emulation_each_order(F run)
{
    run();
}
#endif

#endif
