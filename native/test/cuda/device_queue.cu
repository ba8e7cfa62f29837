/*
 * direct_queue.h for a GPU: the tests of kernels, compiled by nvcc, launch them on device 0, one after the other, on the memory that they have from the C++ library. A device
 * that cannot read it, or none, ends the program before main with SKIPPED and a reason.
 */
#include "direct_queue.h"

#include <cstdio>
#include <cstdlib>

/* What ctest takes for skipped. */
enum { SKIPPED = 77 };

static void must(cudaError_t status, const char *what)
{
    if (status != cudaSuccess) {
        std::fprintf(stderr, "FAILED %s: %s\n", what, cudaGetErrorString(status));
        std::_Exit(1); /* the device takes nothing more after an error in a kernel */
    }
}

/* Looked at before main, once. */
static const struct device_check {
    device_check();
} checked;

device_check::device_check()
{
    int n_devices = 0;
    const cudaError_t status = cudaGetDeviceCount(&n_devices);
    if (status != cudaSuccess || n_devices == 0) {
        int driver = 0;
        cudaDriverGetVersion(&driver);
        std::printf("SKIPPED: no GPU: %s\n", driver == 0 ? "there is no NVIDIA driver" : status != cudaSuccess ? cudaGetErrorString(status) : "the driver finds none");
        std::fflush(stdout);
        std::_Exit(SKIPPED);
    }
    int reads_pageable = 0;
    must(cudaDeviceGetAttribute(&reads_pageable, cudaDevAttrPageableMemoryAccess, 0), "cudaDeviceGetAttribute");
    if (!reads_pageable) {
        std::printf("SKIPPED: the device does not read the program's own memory; that takes Linux 6.1.24 or newer and NVIDIA's open kernel modules\n");
        std::fflush(stdout);
        std::_Exit(SKIPPED);
    }
}

void yt_queue_add(yt_queue &queue, const void *kernel, dim3 grid, dim3 block, unsigned shared_bytes, const void *parameters, unsigned)
{
    queue.n_launches++;
    must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared_bytes), "cudaFuncSetAttribute");
    void *arguments[1] = {const_cast<void *>(parameters)};
    must(cudaLaunchKernel(kernel, grid, block, arguments, shared_bytes, nullptr), "cudaLaunchKernel");
    must(cudaDeviceSynchronize(), "the kernel");
}
