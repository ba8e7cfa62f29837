/*
 * CUDA's execution model on the host: what native/cuda/device.cuh gives kernels, the same functions as its half for nvcc. The threads of a block are fibers of one thread
 * of the operating system, which change places only inside these functions and at __syncthreads(); in which order is a setting, so that a missing synchronization shows.
 * A kernel that breaks a rule of device.cuh ends the program with a message that names the kernel, the block and the thread. README.md has the whole list.
 *
 * Launches of different threads of the operating system run at the same time; settings are the process's.
 */
#ifndef YT_EMULATION_H
#define YT_EMULATION_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <cuda_runtime.h>
#include <type_traits>

#include "../../src/half.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

#define YT_DEVICE __forceinline__
#define YT_PARAMETER(type, name) const type name

/* Of the thread that runs. In the program's own storage, since the emulation is part of each library that has kernels. */
#define YT_EMULATION_LOCAL __thread __attribute__((tls_model("initial-exec")))
extern YT_EMULATION_LOCAL uint3 threadIdx;
extern YT_EMULATION_LOCAL uint3 blockIdx;
extern YT_EMULATION_LOCAL dim3 blockDim;
extern YT_EMULATION_LOCAL dim3 gridDim;

/* ---- launches --------------------------------------------------------------------------------------------------------------------- */

/* Calls a kernel, which has one parameter of a type that only the trampoline knows. */
typedef void yt_emulation_trampoline(const void *kernel, const void *parameter);

/* Makes a kernel known to the runtime; any number of times. signature: of the function that calls this, for messages. */
void yt_emulation_register(const void *kernel, yt_emulation_trampoline *trampoline, size_t parameter_bytes, const char *signature);

/* Bytes of a registered kernel's parameter; 0: it is not registered. */
size_t yt_emulation_parameter_bytes(const void *kernel);

/* Runs a registered kernel to its end. The caller has checked the sizes. */
void yt_emulation_launch(const void *kernel, dim3 grid, dim3 block, size_t shared_bytes, const void *parameter);

/* The same for a test that needs no runtime. */
template <typename P>
void yt_emulation_run(void (*kernel)(P), dim3 grid, dim3 block, size_t shared_bytes, const P &parameter)
{
    yt_emulation_register((const void *)kernel, [](const void *k, const void *p) { ((void (*)(P))k)(*(const P *)p); }, sizeof(P), __PRETTY_FUNCTION__);
    yt_emulation_launch((const void *)kernel, grid, block, shared_bytes, &parameter);
}

/*
 * In which order blocks, warps and lanes run of which several could. The first is the order at the start of the process, unless the environment variable
 * YANGTUO_EMULATED_ORDER says descending, or random:SEED.
 */
enum yt_emulation_order { YT_EMULATION_ASCENDING, YT_EMULATION_DESCENDING, YT_EMULATION_RANDOM };
void yt_emulation_set_order(yt_emulation_order order, uint64_t seed);

/* Calls run() under each order, and under two random ones. */
template <typename F>
void yt_emulation_each_order(F run)
{
    const struct {
        yt_emulation_order order;
        uint64_t seed;
    } orders[] = {{YT_EMULATION_DESCENDING, 0}, {YT_EMULATION_RANDOM, 1}, {YT_EMULATION_RANDOM, 2}, {YT_EMULATION_ASCENDING, 0}};
    for (const auto &each : orders) {
        yt_emulation_set_order(each.order, each.seed);
        run();
    }
}

/* ---- where threads wait for each other -------------------------------------------------------------------------------------------- */

/* A place in the source. */
struct yt_emulation_site {
    const char *file;
    int line;

    /* As a default argument: where the function is called. */
    static constexpr yt_emulation_site here(const char *file = __builtin_FILE(), int line = __builtin_LINE())
    {
        return {file, line};
    }
};

void yt_emulation_barrier(yt_emulation_site site);
#define __syncthreads() yt_emulation_barrier(yt_emulation_site::here())

/* What a warp does together. */
enum yt_emulation_operation {
    YT_EMULATION_SHUFFLE,
    YT_EMULATION_BALLOT,
    YT_EMULATION_WARP_SYNC,
    YT_EMULATION_MMA_U8S8_K16,
    YT_EMULATION_MMA_U8S8_K32,
    YT_EMULATION_MMA_F16,
    YT_EMULATION_MMA_BF16,
    YT_EMULATION_LOAD_TILES
};

/* What a lane brings to an operation. */
enum { YT_EMULATION_WORDS = 12 };
struct yt_emulation_words {
    uint32_t word[YT_EMULATION_WORDS];
};

/*
 * Waits until all lanes of the warp have arrived at the same operation in the same line, each with n words; returns those of lanes 0 to 31, which stay until this lane
 * arrives at the next but one.
 */
const yt_emulation_words *yt_emulation_gather(yt_emulation_operation operation, const void *words, int n, yt_emulation_site site);

/* Ends the program: the kernel that runs has broken a rule. */
[[noreturn]] void yt_emulation_fail(yt_emulation_site site, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The number of this thread in its warp. */
YT_DEVICE int yt_emulation_lane()
{
    return (int)((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

unsigned char *yt_shared();

YT_DEVICE uint4 yt_load_stream(const void *p, yt_emulation_site site = yt_emulation_site::here())
{
    if ((uintptr_t)p % 16 != 0) {
        yt_emulation_fail(site, "16 bytes are loaded from %p, which is no multiple of 16", p);
    }
    uint4 v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

void yt_emulation_copy(void *shared, const void *global, yt_emulation_site site);
void yt_emulation_copy_wait(int n);

/* Until the bytes arrive there are others. */
YT_DEVICE void yt_copy_async(void *shared, const void *global, yt_emulation_site site = yt_emulation_site::here())
{
    yt_emulation_copy(shared, global, site);
}

void yt_copy_commit();

template <int N>
YT_DEVICE void yt_copy_wait()
{
    static_assert(N >= 0, "a number of groups");
    yt_emulation_copy_wait(N);
}

YT_DEVICE void yt_fence()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

YT_DEVICE unsigned yt_atomic_add(unsigned *counter, unsigned value)
{
    return __atomic_fetch_add(counter, value, __ATOMIC_SEQ_CST);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------------------- */

YT_DEVICE float yt_half_to_float_device(uint16_t h)
{
    return yt_half_to_float(h);
}

YT_DEVICE uint16_t yt_float_to_half_device(float f)
{
    return yt_float_to_half(f);
}

YT_DEVICE float yt_bits_to_float_device(uint32_t bits)
{
    return yt_bits_to_float(bits);
}

YT_DEVICE uint32_t yt_float_to_bits_device(float f)
{
    return yt_float_to_bits(f);
}

/* As the instruction does: NaN becomes 0, what is beyond the range the end of it. */
YT_DEVICE int yt_round_to_int(float f)
{
    if (f >= 0x1p31f) {
        return INT32_MAX;
    }
    return f >= -0x1p31f ? (int)__builtin_lrintf(f) : f < 0 ? INT32_MIN : 0;
}

/* Of each nibble the upper bit would ask for the sign of the byte; no kernel does. */
YT_DEVICE uint32_t yt_permute(uint32_t a, uint32_t b, uint32_t selector)
{
    const uint64_t bytes = (uint64_t)b << 32 | a;
    uint32_t chosen = 0;
    for (int i = 0; i < 4; i++) {
        chosen |= (uint32_t)(bytes >> 8 * (selector >> 4 * i & 7) & 0xFF) << 8 * i;
    }
    return chosen;
}

YT_DEVICE int yt_dp4a(uint32_t unsigned_bytes, uint32_t signed_bytes, int sum)
{
    for (int i = 0; i < 4; i++) {
        sum = (int)((unsigned)sum + (unsigned)((int)(unsigned_bytes >> 8 * i & 0xFF) * (int8_t)(signed_bytes >> 8 * i & 0xFF)));
    }
    return sum;
}

/* ---- warps ------------------------------------------------------------------------------------------------------------------------ */

template <typename T>
YT_DEVICE T yt_shuffle(T value, int lane, yt_emulation_site site = yt_emulation_site::here())
{
    static_assert(std::is_arithmetic<T>::value && (sizeof(T) == 4 || sizeof(T) == 8), "a shuffle's type is a number of 4 or 8 bytes");
    uint32_t words[sizeof(T) / 4];
    std::memcpy(words, &value, sizeof value);
    std::memcpy(&value, &yt_emulation_gather(YT_EMULATION_SHUFFLE, words, sizeof(T) / 4, site)[lane & 31], sizeof value);
    return value;
}

template <typename T>
YT_DEVICE T yt_shuffle_xor(T value, int mask, yt_emulation_site site = yt_emulation_site::here())
{
    if (mask < 0 || mask > 31) {
        yt_emulation_fail(site, "the mask of a shuffle is %d", mask);
    }
    return yt_shuffle(value, yt_emulation_lane() ^ mask, site);
}

uint32_t yt_emulation_ballot(bool predicate, yt_emulation_site site);

YT_DEVICE uint32_t yt_ballot(bool predicate, yt_emulation_site site = yt_emulation_site::here())
{
    return yt_emulation_ballot(predicate, site);
}

YT_DEVICE void yt_warp_sync(yt_emulation_site site = yt_emulation_site::here())
{
    yt_emulation_gather(YT_EMULATION_WARP_SYNC, nullptr, 0, site);
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------------------------- */
/* Integers exactly. Of float tiles all products are summed in double, exactly but for bfloat16's widest, and the sum is rounded once with c added. */

void yt_mma_u8s8_k16(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t b, yt_emulation_site site = yt_emulation_site::here());
void yt_mma_u8s8_k32(
    int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1, yt_emulation_site site = yt_emulation_site::here());
void yt_mma_f16_k16(
    float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1, yt_emulation_site site = yt_emulation_site::here());
void yt_mma_bf16_k16(
    float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1, yt_emulation_site site = yt_emulation_site::here());

void yt_load_tiles(uint32_t (&out)[4], const void *row, yt_emulation_site site = yt_emulation_site::here());
void yt_load_tiles_transposed(uint32_t (&out)[4], const void *row, yt_emulation_site site = yt_emulation_site::here());

#endif
