/*
 * What the kernels use of the device: the one place with inline PTX and intrinsics. The tests compile the same kernels as host C++ against an emulation of what is
 * declared here and of the runtime's functions (native/test/cuda), so a kernel uses nothing else of CUDA but threadIdx, blockIdx, blockDim, gridDim, __syncthreads,
 * __global__, __device__, __launch_bounds__ and the functions below.
 *
 * Rules for kernels
 *  - A kernel takes one parameter, a trivially copyable struct of at most 4,000 bytes, so that launches can be kept, compared and made into graphs (launch.cuh).
 *  - All threads of a warp call a warp's function (shuffles, votes, mma), and all threads of a block __syncthreads(); none leaves before.
 *  - Nothing is fused that is not written as fmaf: the library is compiled with -fmad=false, and the emulation with -ffp-contract=off. Divisions and roots are IEEE's.
 *  - Shared memory is what yt_shared() gives: as many bytes as the launch asked for, aligned to 16, filled with anything. Nothing is declared __shared__, so that the
 *    tests can watch its borders.
 */
#ifndef YT_DEVICE_CUH
#define YT_DEVICE_CUH

#include <cstdint>
#include <cstring>
#include <cuda_runtime.h>

#if !defined(__CUDACC__)
#include "emulation.h" /* the same functions, for the host; in native/test/cuda */
#else

#define YT_DEVICE __device__ __forceinline__

/* The one parameter of a kernel, read where it lies. */
#define YT_PARAMETER(type, name) const __grid_constant__ type name

YT_DEVICE unsigned char *yt_shared()
{
    extern __shared__ __align__(16) unsigned char yt_dynamic_shared[];
    return yt_dynamic_shared;
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

/* 16 bytes that are read once, such as weights: not kept in the first-level cache. p is a multiple of 16. */
YT_DEVICE uint4 yt_load_stream(const void *p)
{
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p));
    return v;
}

/* 16 bytes from global to shared memory, on their way until yt_copy_wait; both are multiples of 16. Copies at once where there is no such instruction (7.5). */
YT_DEVICE void yt_copy_async(void *shared, const void *global)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(shared)), "l"(global) : "memory");
#else
    *(uint4 *)shared = *(const uint4 *)global;
#endif
}

/* Ends a group of copies. */
YT_DEVICE void yt_copy_commit()
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/* Waits until at most N groups of this thread are on their way; __syncthreads() makes the others' visible. */
template <int N>
YT_DEVICE void yt_copy_wait()
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}

/* Makes what this thread wrote, and what it has seen, visible to threads of other blocks that see what it writes next. */
YT_DEVICE void yt_fence()
{
    __threadfence();
}

/* Adds to a counter in global memory; returns what it was. */
YT_DEVICE unsigned yt_atomic_add(unsigned *counter, unsigned value)
{
    return atomicAdd(counter, value);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------------------- */

/* binary16, two of them in a word (the first in the low half), from and to float32, to nearest even. */
YT_DEVICE float yt_half_to_float_device(uint16_t h)
{
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}

YT_DEVICE uint16_t yt_float_to_half_device(float f)
{
    uint16_t h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}

YT_DEVICE float yt_bits_to_float_device(uint32_t bits)
{
    return __uint_as_float(bits);
}

YT_DEVICE uint32_t yt_float_to_bits_device(float f)
{
    return __float_as_uint(f);
}

/* To the nearest integer, of two the even one. */
YT_DEVICE int yt_round_to_int(float f)
{
    return __float2int_rn(f);
}

/* Bytes 0 to 7 of a and b, low first, chosen by the nibbles of selector, low first. */
YT_DEVICE uint32_t yt_permute(uint32_t a, uint32_t b, uint32_t selector)
{
    return __byte_perm(a, b, selector);
}

/* sum + the products of four unsigned bytes with four signed ones. */
YT_DEVICE int yt_dp4a(uint32_t unsigned_bytes, uint32_t signed_bytes, int sum)
{
    int d;
    asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(unsigned_bytes), "r"(signed_bytes), "r"(sum));
    return d;
}

/* ---- warps ------------------------------------------------------------------------------------------------------------------------ */

/* The value of lane (lane ^ mask). */
template <typename T>
YT_DEVICE T yt_shuffle_xor(T value, int mask)
{
    return __shfl_xor_sync(0xFFFFFFFFu, value, mask);
}

/* The value of a lane, the same or another for each. */
template <typename T>
YT_DEVICE T yt_shuffle(T value, int lane)
{
    return __shfl_sync(0xFFFFFFFFu, value, lane);
}

YT_DEVICE uint32_t yt_ballot(bool predicate)
{
    return __ballot_sync(0xFFFFFFFFu, predicate);
}

YT_DEVICE void yt_warp_sync()
{
    __syncwarp();
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------------------------- */
/*
 * Products of tiles by a warp, C += A B: A 16 rows, B 8 columns, C 16 x 8. With g = lane / 4 and t = lane % 4, a lane holds of C the elements (g, 2t), (g, 2t + 1),
 * (g + 8, 2t), (g + 8, 2t + 1). Where an architecture has only smaller tiles, they are put together.
 */

/*
 * 16 unsigned bytes of k by signed ones. a[0]: row g, k = 4t to 4t + 3; a[1]: row g + 8. b: column g, k = 4t to 4t + 3.
 */
YT_DEVICE void yt_mma_u8s8_k16(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t b)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a0), "r"(a1), "r"(b));
#else
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};" : "+r"(c[0]), "+r"(c[1]) : "r"(a0), "r"(b));
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};" : "+r"(c[2]), "+r"(c[3]) : "r"(a1), "r"(b));
#endif
}

/* 32 of them: a0, a1 and b0 as above; a2, a3 and b1 the same with k = 16 + 4t and on. */
YT_DEVICE void yt_mma_u8s8_k32(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#else
    yt_mma_u8s8_k16(c, a0, a1, b0);
    yt_mma_u8s8_k16(c, a2, a3, b1);
#endif
}

/* 16 binary16 of k. a0: row g, k = 2t and 2t + 1; a1: row g + 8; a2, a3: the same rows, k = 8 + 2t and 9 + 2t. b0: column g, k = 2t and 2t + 1; b1: k = 8 + 2t and 9 + 2t. */
YT_DEVICE void yt_mma_f16_k16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#else
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(b0));
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a2), "r"(a3), "r"(b1));
#endif
}

YT_DEVICE void yt_mma_bf16_by_shuffles(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1);

/* 16 bfloat16 of k, in the same places. */
YT_DEVICE void yt_mma_bf16_k16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#else
    yt_mma_bf16_by_shuffles(c, a0, a1, a2, a3, b0, b1);
#endif
}

/*
 * Four tiles of 8 x 8 elements of two bytes from shared memory: lane l gives the address, a multiple of 16, of row l % 8 of tile l / 8; word i of a lane is of tile i its
 * row g, elements 2t and 2t + 1. Transposed: column g of the tile, its rows 2t and 2t + 1.
 */
YT_DEVICE void yt_load_tiles(uint32_t (&out)[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"((unsigned)__cvta_generic_to_shared(row)));
}

YT_DEVICE void yt_load_tiles_transposed(uint32_t (&out)[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"((unsigned)__cvta_generic_to_shared(row)));
}

#endif /* __CUDACC__ */

/* yt_mma_bf16_k16 where there are no tensor cores for it, as on 7.5: the warp hands its words around. */
YT_DEVICE void yt_mma_bf16_by_shuffles(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1)
{
    const int g = threadIdx.x % 32 / 4;
    const int t = threadIdx.x % 4;
    for (int half = 0; half < 2; half++) {
        const uint32_t upper = half == 0 ? a0 : a2;
        const uint32_t lower = half == 0 ? a1 : a3;
        const uint32_t b = half == 0 ? b0 : b1;
        for (int i = 0; i < 4; i++) {
            const uint32_t rows[2] = {yt_shuffle(upper, 4 * g + i), yt_shuffle(lower, 4 * g + i)};
            const uint32_t columns[2] = {yt_shuffle(b, 8 * t + i), yt_shuffle(b, 8 * t + 4 + i)};
            for (int e = 0; e < 4; e++) {
                const uint32_t row = rows[e / 2];
                const uint32_t column = columns[e % 2];
                c[e] = fmaf(yt_bits_to_float_device(row << 16), yt_bits_to_float_device(column << 16), c[e]);
                c[e] = fmaf(yt_bits_to_float_device(row & 0xFFFF0000u), yt_bits_to_float_device(column & 0xFFFF0000u), c[e]);
            }
        }
    }
}

/* Two float32 as binary16, to nearest even: the first in the low half of a word. One instruction where there is one (8.0 and later). */
YT_DEVICE uint32_t yt_floats_to_halves(float low, float high)
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    uint32_t word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
#else
    return (uint32_t)yt_float_to_half_device(high) << 16 | yt_float_to_half_device(low);
#endif
}

/* Four signed bytes as binary16, exactly: the first two in the first word. 1024 + n has n in the last bits of its fraction. */
YT_DEVICE void yt_bytes_to_halves(uint32_t (&out)[2], uint32_t bytes)
{
#if defined(__CUDA_ARCH__)
    const uint32_t shifted = bytes ^ 0x80808080u;
    asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(out[0]) : "r"(yt_permute(shifted, 0x64646464u, 0x4140)), "r"(0x64806480u));
    asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(out[1]) : "r"(yt_permute(shifted, 0x64646464u, 0x4342)), "r"(0x64806480u));
#else
    for (int i = 0; i < 2; i++) {
        out[i] = yt_floats_to_halves((float)(int8_t)(bytes >> 16 * i), (float)(int8_t)(bytes >> (16 * i + 8)));
    }
#endif
}

/* bfloat16, to nearest even; NaN becomes a quiet one. The same bits as on the processor. */
YT_DEVICE uint16_t yt_float_to_bfloat_device(float f)
{
    const uint32_t bits = yt_float_to_bits_device(f);
    const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    return (uint16_t)(is_nan ? bits >> 16 | 0x40 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/*
 * e^x for x from -87 to 88: the same bits as on the processor. Added to 1.5 * 2^23, a number is rounded to the nearest integer, of two the even one, which then stands in the
 * last bits; conversions would take many times as long.
 */
YT_DEVICE float yt_exp_within(float x)
{
    const float shifted = x * 1.44269504088896341f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fmaf(p, r, 1.3981999507e-3f);
    p = fmaf(p, r, 8.3334519073e-3f);
    p = fmaf(p, r, 4.1665795894e-2f);
    p = fmaf(p, r, 1.6666665459e-1f);
    p = fmaf(p, r, 5.0000001201e-1f);
    p = fmaf(p, r * r, r) + 1.0f;
    return p * yt_bits_to_float_device((yt_float_to_bits_device(shifted) + 127) << 23);
}

/* e^x, docs/kernels.md ("exp"): the same bits as on the processor. */
YT_DEVICE float yt_exp(float x)
{
    x = x < 88.0f ? x : 88.0f;
    return yt_exp_within(x > -87.33654f ? x : -87.33654f);
}

#endif
