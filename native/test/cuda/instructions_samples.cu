/* What instructions.c has to find: kernels with all instructions that it names, and one that must spill. */
#include "../../cuda/device.cuh"

struct yt_sample {
    uint4 *words;
    uint2 *pairs;
    uint32_t *singles;
    uint16_t *halves;
    uint8_t *bytes;
    float *floats;
    int *sums;
    int n;
};

__global__ void yt_sample_widths(YT_PARAMETER(yt_sample, p))
{
    const unsigned i = threadIdx.x;
    uint4 *shared = (uint4 *)yt_shared();
    const uint4 word = yt_load_stream(p.words + i);
    const uint2 pair = p.pairs[i];
    const uint32_t single = p.singles[i];
    const uint16_t half = p.halves[i];
    const uint8_t byte = p.bytes[i];
    const int8_t signed_byte = ((const int8_t *)p.bytes)[i + 64];
    const int16_t signed_half = ((const int16_t *)p.halves)[i + 64];
    shared[i] = word;
    ((uint2 *)shared)[i + 128] = pair;
    ((uint32_t *)shared)[i + 512] = single;
    ((uint16_t *)shared)[i + 2048] = half;
    ((uint8_t *)shared)[i + 8192] = byte;
    __syncthreads();
    const unsigned j = i ^ 5;
    p.words[i + 64] = shared[j];
    p.pairs[i + 64] = ((uint2 *)shared)[j + 128];
    p.singles[i + 64] = ((uint32_t *)shared)[j + 512];
    p.halves[i + 128] = ((uint16_t *)shared)[j + 2048];
    p.bytes[i + 128] = ((uint8_t *)shared)[j + 8192];
    p.sums[i] = signed_byte + signed_half;
}

__global__ void yt_sample_dp4a(YT_PARAMETER(yt_sample, p))
{
    const uint4 a = yt_load_stream(p.words + threadIdx.x);
    p.sums[threadIdx.x] = yt_dp4a(a.x, a.y, yt_dp4a(a.z, a.w, 0));
    p.sums[threadIdx.x + 32] = __dp4a((int)a.x, (int)a.y, 0) + (int)__dp4a(a.x, a.y, 0u);
}

__global__ void yt_sample_tiles(YT_PARAMETER(yt_sample, p))
{
    uint4 *shared = (uint4 *)yt_shared();
    yt_copy_async(shared + threadIdx.x, p.words + threadIdx.x);
    yt_copy_commit();
    yt_copy_wait<0>();
    __syncthreads();
    uint32_t a[4];
    uint32_t b[4];
    yt_load_tiles(a, shared + threadIdx.x);
    yt_load_tiles_transposed(b, shared + (threadIdx.x ^ 1));
    int sums[4] = {0, 0, 0, 0};
    yt_mma_u8s8_k16(sums, a[0], a[1], b[0]);
    yt_mma_u8s8_k32(sums, a[0], a[1], a[2], a[3], b[1], b[2]);
    float floats[4] = {0, 0, 0, 0};
    yt_mma_f16_k16(floats, a[0], a[1], a[2], a[3], b[0], b[1]);
    yt_mma_bf16_k16(floats, a[0], a[1], a[2], a[3], b[2], b[3]);
    for (int i = 0; i < 4; i++) {
        p.sums[threadIdx.x * 4 + i] = sums[i];
        p.floats[threadIdx.x * 4 + i] = floats[i];
    }
}

/* 96 numbers at once do not fit 64 registers. */
__global__ void __launch_bounds__(1024) yt_sample_spill(YT_PARAMETER(yt_sample, p))
{
    float kept[96];
    for (int i = 0; i < 96; i++) {
        kept[i] = p.floats[1024 * i + threadIdx.x];
    }
    for (int k = 0; k < p.n; k++) {
        for (int i = 0; i < 96; i++) {
            kept[i] = fmaf(kept[i], kept[(i + 7) % 96], kept[3 * i % 96]);
        }
    }
    for (int i = 0; i < 96; i++) {
        p.floats[1024 * i + threadIdx.x] = kept[i];
    }
}
