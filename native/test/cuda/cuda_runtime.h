/*
 * The part of CUDA's runtime that native/cuda uses, for the host: the emulated library and the tests find this file instead of CUDA's own. The devices are made up
 * (runtime.h), their memory is the host's, their kernels run in emulation.h. Names and numbers are CUDA's.
 */
#ifndef YT_EMULATED_CUDA_RUNTIME_H
#define YT_EMULATED_CUDA_RUNTIME_H

#include <cstddef>
#include <cstdint>

/* ---- vectors ---------------------------------------------------------------------------------------------------------------------- */

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

#define YT_EMULATED_VECTORS(type, name) \
    struct alignas(2 * sizeof(type)) name##2 { type x, y; }; \
    struct name##3 { type x, y, z; }; \
    struct alignas(4 * sizeof(type)) name##4 { type x, y, z, w; }; \
    static inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
    static inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
    static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

YT_EMULATED_VECTORS(signed char, char)
YT_EMULATED_VECTORS(unsigned char, uchar)
YT_EMULATED_VECTORS(short, short)
YT_EMULATED_VECTORS(unsigned short, ushort)
YT_EMULATED_VECTORS(int, int)
YT_EMULATED_VECTORS(float, float)

struct alignas(8) uint2 {
    unsigned x, y;
};

struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

static inline uint2 make_uint2(unsigned x, unsigned y)
{
    return {x, y};
}

static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)
{
    return {x, y, z, w};
}

#endif
