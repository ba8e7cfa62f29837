/* The emulation itself against plain loops, and that it notices what breaks a rule. */
#include <cstdio>

#include "device.cuh"

static int failures;

static void check(bool good, const char *what)
{
    if (!good) {
        std::printf("FAILED %s\n", what);
        failures++;
    }
}

struct sums_parameters {
    const int *values;
    int *sums;
};

__global__ void __launch_bounds__(128) sums(YT_PARAMETER(sums_parameters, p))
{
    int *shared = (int *)yt_shared();
    int value = p.values[blockIdx.x * blockDim.x + threadIdx.x];
    for (int mask = 16; mask > 0; mask /= 2) {
        value += yt_shuffle_xor(value, mask);
    }
    if (threadIdx.x % 32 == 0) {
        shared[threadIdx.x / 32] = value;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        p.sums[blockIdx.x] = shared[0] + shared[1] + shared[2] + shared[3];
    }
}

static void test_sums()
{
    int values[1000 * 128];
    int sums_of[1000];
    for (int i = 0; i < 1000 * 128; i++) {
        values[i] = i % 977;
    }
    yt_emulation_run(sums, dim3(1000), dim3(128), 16, {values, sums_of});
    for (int b = 0; b < 1000; b++) {
        int sum = 0;
        for (int i = 0; i < 128; i++) {
            sum += values[128 * b + i];
        }
        check(sum == sums_of[b], "sums");
    }
}

int main()
{
    yt_emulation_each_order(test_sums);
    std::printf("%d failures\n", failures);
    return failures != 0;
}
