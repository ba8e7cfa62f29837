/* The emulation itself against plain loops, and that it notices what breaks the rules of device.cuh. */
#include <atomic>
#include <thread>
#include <vector>

#include "../random.h"
#include "checks.h"
#include "device.cuh"
#include "fiber.h"

static uint64_t random_state = 20;

static uint32_t random_word()
{
    return (uint32_t)random_bits(&random_state);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------------------- */

static void test_numbers()
{
    for (int i = 0; i < 1000; i++) {
        const uint32_t a = random_word();
        const uint32_t b = random_word();
        uint32_t bytes[8];
        int sum = (int)(random_word() >> 8);
        int expected = sum;
        for (int k = 0; k < 4; k++) {
            bytes[k] = a >> 8 * k & 0xFF;
            bytes[4 + k] = b >> 8 * k & 0xFF;
            expected += (int)bytes[k] * (bytes[4 + k] < 128 ? (int)bytes[4 + k] : (int)bytes[4 + k] - 256);
        }
        CHECK(yt_dp4a(a, b, sum) == expected);
        const uint32_t selector = random_word() & 0x7777;
        const uint32_t chosen = yt_permute(a, b, selector);
        for (int k = 0; k < 4; k++) {
            CHECK((chosen >> 8 * k & 0xFF) == bytes[selector >> 4 * k & 7]);
        }
    }
    CHECK(yt_round_to_int(2.5f) == 2 && yt_round_to_int(3.5f) == 4 && yt_round_to_int(-2.5f) == -2 && yt_round_to_int(-0.51f) == -1);
    CHECK(yt_round_to_int(3e9f) == INT32_MAX && yt_round_to_int(-3e9f) == INT32_MIN && yt_round_to_int(std::nanf("")) == 0);
    CHECK(yt_half_to_float_device(0x3C01) == 1.0009765625f && yt_float_to_half_device(65519.0f) == 0x7BFF && yt_float_to_half_device(65520.0f) == 0x7C00);
    CHECK(yt_float_to_bits_device(1.0f) == 0x3F800000 && yt_bits_to_float_device(0x3F800000) == 1.0f);
}

/* ---- threads and blocks ----------------------------------------------------------------------------------------------------------- */

struct indices_parameters {
    unsigned *counts; /* of each thread of the grid */
};

__global__ void indices(YT_PARAMETER(indices_parameters, p))
{
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    __syncthreads();
    yt_atomic_add(&p.counts[block * (blockDim.x * blockDim.y * blockDim.z) + thread], 1);
}

static void test_indices()
{
    std::vector<unsigned> counts(3 * 2 * 2 * 8 * 4 * 2);
    yt_emulation_run(indices, dim3(3, 2, 2), dim3(8, 4, 2), 0, {counts.data()});
    for (unsigned count : counts) {
        CHECK(count == 1);
    }
}

/* Sums of 1,024 values by shuffles, shared memory and a barrier. */
struct sums_parameters {
    const int *values;
    int *sums;
};

__global__ void __launch_bounds__(1024) sums(YT_PARAMETER(sums_parameters, p))
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
    if (threadIdx.x < 32) {
        value = shared[threadIdx.x];
        for (int mask = 16; mask > 0; mask /= 2) {
            value += yt_shuffle_xor(value, mask);
        }
        p.sums[blockIdx.x] = value;
    }
}

static bool are_sums_right(unsigned n_blocks)
{
    std::vector<int> values(n_blocks * 1024);
    std::vector<int> expected(n_blocks);
    std::vector<int> actual(n_blocks);
    for (unsigned i = 0; i < n_blocks * 1024; i++) {
        values[i] = (int)(i * 7919 % 1009);
        expected[i / 1024] += values[i];
    }
    yt_emulation_run(sums, dim3(n_blocks), dim3(1024), 32 * sizeof(int), {values.data(), actual.data()});
    return actual == expected;
}

static void test_sums()
{
    CHECK(are_sums_right(5));
}

/* Launches of several threads of the operating system do not meet, and fibers may come to another of them. */
static void test_at_the_same_time()
{
    std::atomic<int> right{0};
    for (int round = 0; round < 3; round++) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; i++) {
            threads.emplace_back([&] { right += are_sums_right(4); });
        }
        for (std::thread &each : threads) {
            each.join();
        }
    }
    CHECK(right == 9);
}

/* ---- warps ------------------------------------------------------------------------------------------------------------------------ */

struct warp_parameters {
    uint32_t *ballots;  /* [64] */
    float *shuffled;    /* [64] */
    long long *turned;  /* [64] */
    double *partner;    /* [64] */
    int *through_memory; /* [64] */
};

__global__ void warp_functions(YT_PARAMETER(warp_parameters, p))
{
    const int i = (int)threadIdx.x;
    const int lane = i % 32;
    int *shared = (int *)yt_shared();
    p.ballots[i] = yt_ballot(i % 3 == 0);
    p.shuffled[i] = yt_shuffle((float)i, 5);
    p.turned[i] = yt_shuffle((long long)i << 40, lane + 1);
    p.partner[i] = yt_shuffle_xor(i + 0.5, 7);
    shared[i] = i * i;
    yt_warp_sync();
    p.through_memory[i] = shared[i ^ 31];
}

static void test_warp_functions()
{
    uint32_t ballots[64];
    float shuffled[64];
    long long turned[64];
    double partner[64];
    int through_memory[64];
    yt_emulation_run(warp_functions, dim3(1), dim3(64), 64 * sizeof(int), {ballots, shuffled, turned, partner, through_memory});
    for (int i = 0; i < 64; i++) {
        const int first = i / 32 * 32;
        uint32_t votes = 0;
        for (int lane = 0; lane < 32; lane++) {
            votes |= (uint32_t)((first + lane) % 3 == 0) << lane;
        }
        CHECK(ballots[i] == votes);
        CHECK(shuffled[i] == (float)(first + 5));
        CHECK(turned[i] == (long long)(first + (i + 1) % 32) << 40);
        CHECK(partner[i] == (i ^ 7) + 0.5);
        CHECK(through_memory[i] == (i ^ 31) * (i ^ 31));
    }
}

/* ---- copies ----------------------------------------------------------------------------------------------------------------------- */

/* Rows of 32 x 16 bytes, three on their way at a time. */
struct copies_parameters {
    const uint4 *rows;
    uint4 *out;
    int n;
};

__global__ void copies(YT_PARAMETER(copies_parameters, p))
{
    enum { STAGES = 3 };
    uint4 *shared = (uint4 *)yt_shared();
    const int i = (int)threadIdx.x;
    for (int row = 0; row < STAGES - 1; row++) {
        yt_copy_async(&shared[row * 32 + i], &p.rows[row * 32 + i]);
        yt_copy_commit();
    }
    for (int row = 0; row < p.n; row++) {
        if (row + STAGES - 1 < p.n) {
            yt_copy_async(&shared[(row + STAGES - 1) % STAGES * 32 + i], &p.rows[(row + STAGES - 1) * 32 + i]);
        }
        yt_copy_commit();
        yt_copy_wait<STAGES - 1>();
        __syncthreads();
        p.out[row * 32 + i] = shared[row % STAGES * 32 + 31 - i];
        __syncthreads();
    }
    yt_copy_wait<0>();
}

static void test_copies()
{
    enum { ROWS = 9 };
    std::vector<uint4> rows(ROWS * 32);
    std::vector<uint4> out(ROWS * 32);
    for (uint4 &each : rows) {
        each = make_uint4(random_word(), random_word(), random_word(), random_word());
    }
    yt_emulation_run(copies, dim3(1), dim3(32), 3 * 32 * sizeof(uint4), {rows.data(), out.data(), ROWS});
    for (int i = 0; i < ROWS * 32; i++) {
        CHECK(std::memcmp(&out[(size_t)i], &rows[(size_t)(i / 32 * 32 + 31 - i % 32)], sizeof(uint4)) == 0);
    }
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------------------------- */

/* The registers of a warp: words of A and B, four elements of C. */
struct fragments {
    uint32_t a[32][4];
    uint32_t b[32][2];
    int integers[32][4];
    float floats[32][4];
    float by_shuffles[32][4];
};

enum tile_kind { U8S8_K16, U8S8_K32, F16, BF16 };

struct mma_parameters {
    fragments *warp;
    tile_kind kind;
};

__global__ void mma(YT_PARAMETER(mma_parameters, p))
{
    const int lane = (int)threadIdx.x;
    const uint32_t(&a)[4] = p.warp->a[lane];
    const uint32_t(&b)[2] = p.warp->b[lane];
    switch (p.kind) {
    case U8S8_K16:
        yt_mma_u8s8_k16(p.warp->integers[lane], a[0], a[1], b[0]);
        break;
    case U8S8_K32:
        yt_mma_u8s8_k32(p.warp->integers[lane], a[0], a[1], a[2], a[3], b[0], b[1]);
        break;
    case F16:
        yt_mma_f16_k16(p.warp->floats[lane], a[0], a[1], a[2], a[3], b[0], b[1]);
        break;
    case BF16:
        yt_mma_bf16_k16(p.warp->floats[lane], a[0], a[1], a[2], a[3], b[0], b[1]);
        yt_mma_bf16_by_shuffles(p.warp->by_shuffles[lane], a[0], a[1], a[2], a[3], b[0], b[1]);
        break;
    }
}

/* Where a lane has element e of C: PTX ISA, "Matrix Fragments for mma.m16n8k16", and of the other shapes. */
static int c_row(int lane, int e)
{
    return lane / 4 + (e < 2 ? 0 : 8);
}

static int c_column(int lane, int e)
{
    return lane % 4 * 2 + e % 2;
}

/* Of shapes of two-byte elements, i from 0 to 7 of a lane's A and 0 to 3 of its B. */
static int half_a_row(int lane, int i)
{
    return lane / 4 + (i / 2 % 2 == 0 ? 0 : 8);
}

static int half_k(int lane, int i)
{
    return lane % 4 * 2 + i % 2;
}

static uint32_t byte_of(uint32_t word, int i)
{
    return word >> 8 * i & 0xFF;
}

/* mma.m8n8k16 of unsigned by signed bytes, which 7.5 has: A 8 x 16 and B 16 x 8, a word of four neighbours in each lane; C 8 x 8, two in each lane. */
static void small_u8s8(const uint32_t *a, const uint32_t *b, int (*c)[2])
{
    int rows[8][16];
    int columns[8][16];
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            rows[lane / 4][lane % 4 * 4 + i] = (int)byte_of(a[lane], i);
            columns[lane / 4][lane % 4 * 4 + i] = (int8_t)byte_of(b[lane], i);
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        for (int e = 0; e < 2; e++) {
            for (int k = 0; k < 16; k++) {
                c[lane][e] += rows[lane / 4][k] * columns[lane % 4 * 2 + e][k];
            }
        }
    }
}

/* mma.m16n8k8 of binary16, which 7.5 has: A in two words of each lane, B in one. */
static void small_f16(const uint32_t (*a)[2], const uint32_t *b, float (*c)[4])
{
    float rows[16][8];
    float columns[8][8];
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            rows[half_a_row(lane, i)][half_k(lane, i)] = yt_half_to_float((uint16_t)(a[lane][i / 2] >> 16 * (i % 2)));
        }
        for (int i = 0; i < 2; i++) {
            columns[lane / 4][half_k(lane, i)] = yt_half_to_float((uint16_t)(b[lane] >> 16 * i));
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        for (int e = 0; e < 4; e++) {
            double sum = c[lane][e];
            for (int k = 0; k < 8; k++) {
                sum += (double)rows[c_row(lane, e)][k] * columns[c_column(lane, e)][k];
            }
            c[lane][e] = (float)sum;
        }
    }
}

/* As device.cuh puts tiles of 16 rows together on 7.5. */
static void u8s8_from_small(const fragments &f, int half, int (*c)[4])
{
    uint32_t a[2][32];
    uint32_t b[32];
    int parts[2][32][2];
    for (int lane = 0; lane < 32; lane++) {
        for (int part = 0; part < 2; part++) {
            a[part][lane] = f.a[lane][2 * half + part];
            std::memcpy(parts[part][lane], &c[lane][2 * part], sizeof parts[part][lane]);
        }
        b[lane] = f.b[lane][half];
    }
    for (int part = 0; part < 2; part++) {
        small_u8s8(a[part], b, parts[part]);
        for (int lane = 0; lane < 32; lane++) {
            std::memcpy(&c[lane][2 * part], parts[part][lane], sizeof parts[part][lane]);
        }
    }
}

static void f16_from_small(const fragments &f, float (*c)[4])
{
    for (int half = 0; half < 2; half++) {
        uint32_t a[32][2];
        uint32_t b[32];
        for (int lane = 0; lane < 32; lane++) {
            a[lane][0] = f.a[lane][2 * half];
            a[lane][1] = f.a[lane][2 * half + 1];
            b[lane] = f.b[lane][half];
        }
        small_f16(a, b, c);
    }
}

static fragments random_fragments(tile_kind kind)
{
    fragments f;
    auto word = [&] {
        const float low = random_normal(&random_state);
        const float high = random_normal(&random_state);
        switch (kind) {
        case F16:
            return (uint32_t)yt_float_to_half(high) << 16 | yt_float_to_half(low);
        case BF16:
            return (uint32_t)yt_float_to_bfloat(high) << 16 | yt_float_to_bfloat(low);
        default:
            return random_word();
        }
    };
    for (int lane = 0; lane < 32; lane++) {
        for (uint32_t &each : f.a[lane]) {
            each = word();
        }
        for (uint32_t &each : f.b[lane]) {
            each = word();
        }
        for (int e = 0; e < 4; e++) {
            f.integers[lane][e] = (int)random_word() >> 4;
            f.floats[lane][e] = f.by_shuffles[lane][e] = random_normal(&random_state);
        }
    }
    return f;
}

static void test_integer_tiles()
{
    for (tile_kind kind : {U8S8_K16, U8S8_K32}) {
        const int halves = kind == U8S8_K16 ? 1 : 2;
        const fragments before = random_fragments(kind);
        fragments f = before;
        yt_emulation_run(mma, dim3(1), dim3(32), 0, {&f, kind});

        int rows[16][32];
        int columns[8][32];
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 16; i++) {
                /* i: element of a lane's A; PTX ISA, "Matrix Fragments for mma.m16n8k32" */
                rows[lane / 4 + (i / 4 % 2 == 0 ? 0 : 8)][lane % 4 * 4 + i % 4 + (i < 8 ? 0 : 16)] = (int)byte_of(f.a[lane][i / 4], i % 4);
            }
            for (int i = 0; i < 8; i++) {
                columns[lane / 4][lane % 4 * 4 + i % 4 + (i < 4 ? 0 : 16)] = (int8_t)byte_of(f.b[lane][i / 4], i % 4);
            }
        }
        int small[32][4];
        std::memcpy(small, before.integers, sizeof small);
        for (int half = 0; half < halves; half++) {
            u8s8_from_small(before, half, small);
        }
        for (int lane = 0; lane < 32; lane++) {
            for (int e = 0; e < 4; e++) {
                int sum = before.integers[lane][e];
                for (int k = 0; k < 16 * halves; k++) {
                    sum += rows[c_row(lane, e)][k] * columns[c_column(lane, e)][k];
                }
                CHECK(f.integers[lane][e] == sum);
                CHECK(small[lane][e] == sum);
            }
        }
    }
}

static void test_float_tiles()
{
    /* 16 products of about 1, and roundings to float32 in between in those that are put together. */
    const double tolerance = 32 * 4 * 0x1p-24;
    for (tile_kind kind : {F16, BF16}) {
        const fragments before = random_fragments(kind);
        fragments f = before;
        yt_emulation_run(mma, dim3(1), dim3(32), 0, {&f, kind});

        float rows[16][16];
        float columns[8][16];
        auto value = [&](uint32_t word, int i) {
            const uint16_t bits = (uint16_t)(word >> 16 * i);
            return kind == F16 ? yt_half_to_float(bits) : yt_bfloat_to_float(bits);
        };
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 8; i++) {
                rows[half_a_row(lane, i)][half_k(lane, i) + (i < 4 ? 0 : 8)] = value(f.a[lane][i / 2], i % 2);
            }
            for (int i = 0; i < 4; i++) {
                columns[lane / 4][half_k(lane, i) + (i < 2 ? 0 : 8)] = value(f.b[lane][i / 2], i % 2);
            }
        }
        float small[32][4];
        std::memcpy(small, before.floats, sizeof small);
        if (kind == F16) {
            f16_from_small(before, small);
        } else {
            std::memcpy(small, f.by_shuffles, sizeof small);
        }
        for (int lane = 0; lane < 32; lane++) {
            for (int e = 0; e < 4; e++) {
                double sum = before.floats[lane][e];
                for (int k = 0; k < 16; k++) {
                    sum += (double)rows[c_row(lane, e)][k] * columns[c_column(lane, e)][k];
                }
                CHECK(std::fabs(f.floats[lane][e] - sum) <= tolerance);
                CHECK(std::fabs(small[lane][e] - sum) <= tolerance);
            }
        }
    }
}

/* Four tiles whose rows lie apart, and each lane then changes its own row at once. */
struct tiles_parameters {
    const uint16_t *elements; /* [32][8] */
    uint32_t (*out)[4];       /* [32] */
    uint32_t (*transposed)[4];
};

__global__ void tiles(YT_PARAMETER(tiles_parameters, p))
{
    enum { STRIDE = 24 };
    const int lane = (int)threadIdx.x;
    uint16_t *row = (uint16_t *)yt_shared() + lane * STRIDE;
    std::memcpy(row, p.elements + 8 * lane, 16);
    yt_warp_sync();
    yt_load_tiles_transposed(p.transposed[lane], row);
    yt_load_tiles(p.out[lane], row);
    std::memset(row, 0, 16);
}

static void test_tiles()
{
    uint16_t elements[32 * 8];
    for (uint16_t &each : elements) {
        each = (uint16_t)random_word();
    }
    uint32_t out[32][4];
    uint32_t transposed[32][4];
    yt_emulation_run(tiles, dim3(1), dim3(32), 32 * 48, {elements, out, transposed});
    for (int lane = 0; lane < 32; lane++) {
        const int g = lane / 4;
        const int t = lane % 4;
        for (int i = 0; i < 4; i++) {
            const uint16_t *tile = elements + 64 * i;
            CHECK(out[lane][i] == ((uint32_t)tile[8 * g + 2 * t + 1] << 16 | tile[8 * g + 2 * t]));
            CHECK(transposed[lane][i] == ((uint32_t)tile[8 * (2 * t + 1) + g] << 16 | tile[8 * (2 * t) + g]));
        }
    }
}

/* ---- what is noticed -------------------------------------------------------------------------------------------------------------- */

enum rule {
    NOTHING,
    NO_BARRIER,
    NO_WARP_SYNC,
    NO_WAIT,
    NO_COMMIT,
    NO_WAIT_FOR_TILES,
    COPY_FROM_NOWHERE,
    COPY_AT_THE_END,
    COPY_OUTSIDE,
    COPY_MISALIGNED,
    LOAD_MISALIGNED,
    TILES_MISALIGNED,
    LANE_LEAVES,
    WARP_DIVERGES,
    THREAD_LEAVES,
    TWO_BARRIERS,
    BARRIER_AND_SHUFFLE,
    WRONG_MASK,
    SHARED_OVERRUN
};

struct rule_parameters {
    const uint4 *values; /* [64] */
    uint4 *out;          /* [64] */
    rule broken;
};

/* Whose copy thread i takes: one of another warp, or of its own. */
YT_DEVICE int source_of(int i, rule broken)
{
    return broken == NO_WARP_SYNC ? i ^ 1 : (i + 33) % 64;
}

/* Takes `values`, copied by another thread, if no rule is broken. */
__global__ void breaks(YT_PARAMETER(rule_parameters, p))
{
    uint4 *shared = (uint4 *)yt_shared();
    const int i = (int)threadIdx.x;
    const int lane = i % 32;
    uint32_t tiles_of[4];
    switch (p.broken) {
    case COPY_OUTSIDE:
        yt_copy_async(&shared[64 + i], &p.values[i]);
        break;
    case COPY_FROM_NOWHERE:
        yt_copy_async(&shared[i], &p.values[64]);
        break;
    case NO_WAIT_FOR_TILES:
        yt_copy_async(&shared[i], &p.values[i]);
        yt_load_tiles(tiles_of, &shared[i]);
        break;
    case COPY_MISALIGNED:
        yt_copy_async((unsigned char *)shared + 8, &p.values[i]);
        break;
    case LOAD_MISALIGNED:
        p.out[i] = yt_load_stream((const unsigned char *)p.values + 4);
        break;
    case TILES_MISALIGNED:
        yt_load_tiles(tiles_of, (const unsigned char *)shared + 2);
        break;
    case LANE_LEAVES:
        if (lane == 7) {
            return;
        }
        yt_warp_sync();
        break;
    case WARP_DIVERGES:
        if (lane < 16) {
            yt_ballot(true);
        } else {
            yt_ballot(false);
        }
        break;
    case THREAD_LEAVES:
        if (i >= 32) {
            return;
        }
        break;
    case TWO_BARRIERS:
        if (i < 32) {
            __syncthreads();
        }
        break;
    case BARRIER_AND_SHUFFLE:
        if (lane == 3) {
            __syncthreads();
        } else {
            yt_shuffle(i, 0);
        }
        break;
    case WRONG_MASK:
        yt_shuffle_xor(i, 32);
        break;
    case SHARED_OVERRUN:
        ((volatile unsigned char *)shared)[64 * 16] = 1;
        break;
    default:
        break;
    }
    yt_copy_async(&shared[i], &p.values[i]);
    if (p.broken != NO_COMMIT) {
        yt_copy_commit();
    }
    if (p.broken != NO_WAIT) {
        yt_copy_wait<0>();
    }
    if (p.broken != NO_BARRIER && p.broken != NO_WARP_SYNC) {
        __syncthreads();
    }
    p.out[i] = shared[source_of(i, p.broken)];
    if (p.broken == COPY_AT_THE_END) {
        yt_copy_async(&shared[i], &p.values[i]);
        yt_copy_commit();
    }
    if (p.broken == NO_WAIT || p.broken == NO_COMMIT) {
        yt_copy_commit();
        yt_copy_wait<0>();
    }
}

/* Whether each order gives the right result. */
static bool is_right(rule broken)
{
    std::vector<uint4> values(64);
    for (unsigned i = 0; i < 64; i++) {
        values[i] = make_uint4(i, i, i, i);
    }
    bool right = true;
    yt_emulation_each_order([&] {
        std::vector<uint4> out(64);
        yt_emulation_run(breaks, dim3(1), dim3(64), 64 * sizeof(uint4), {values.data(), out.data(), broken});
        for (int i = 0; i < 64; i++) {
            right = right && out[(size_t)i].x == (unsigned)source_of(i, broken);
        }
    });
    return right;
}

static void run_broken(rule broken)
{
    if (!is_right(broken)) {
        std::fprintf(stderr, "wrong result\n");
        _exit(1);
    }
}

#define CHECK_NOTICED(broken, text) CHECK_ENDS(text, [] { run_broken(broken); })

static void test_rules()
{
    CHECK(is_right(NOTHING));
    CHECK_NOTICED(COPY_AT_THE_END, "a thread leaves while 1 copies are on their way");
    CHECK_NOTICED(COPY_OUTSIDE, "16 bytes of shared memory from 2032 on, which has 1024");
    CHECK_NOTICED(COPY_MISALIGNED, "the address 8 in shared memory is no multiple of 16");
    CHECK_NOTICED(LOAD_MISALIGNED, "which is no multiple of 16");
    CHECK_NOTICED(LOAD_MISALIGNED, "emulation_test.cpp:"); /* where the kernel calls it */
    CHECK_NOTICED(TILES_MISALIGNED, "the address 2 in shared memory is no multiple of 16");
    CHECK_NOTICED(LANE_LEAVES, "the warp diverges: a lane leaves the kernel");
    CHECK_NOTICED(WARP_DIVERGES, "the warp diverges: a lane arrives at a ballot, others wait at a ballot of ");
    CHECK_NOTICED(THREAD_LEAVES, "a thread arrives at __syncthreads(), 32 have left the kernel");
    CHECK_NOTICED(TWO_BARRIERS, "a thread arrives at this __syncthreads(), others wait at that of ");
    CHECK_NOTICED(BARRIER_AND_SHUFFLE, "threads wait for others that do not come");
    CHECK_NOTICED(WRONG_MASK, "the mask of a shuffle is 32");
    CHECK_ENDS("kernel of sums_parameters, grid 1 x 1 x 1 of 48 x 1 x 1 threads", [] { yt_emulation_run(sums, dim3(1), dim3(48), 0, {}); });
    CHECK_ENDS("block (0, 0, 0), thread (63, 0, 0)", [] {
        yt_emulation_set_order(YT_EMULATION_DESCENDING, 0);
        run_broken(LOAD_MISALIGNED);
    });
#if defined(YT_ADDRESS_SANITIZER)
    CHECK_NOTICED(SHARED_OVERRUN, "heap-buffer-overflow");
    CHECK_NOTICED(NO_WAIT, "use-after-poison");
    CHECK_NOTICED(NO_WAIT_FOR_TILES, "a row of a tile has not arrived");
    CHECK_NOTICED(COPY_FROM_NOWHERE, "where nothing may be read");
    CHECK_NOTICED(NO_COMMIT, "use-after-poison");
#else
    CHECK_NOTICED(NO_WAIT, "wrong result");
    CHECK_NOTICED(NO_COMMIT, "wrong result");
#endif
    CHECK_NOTICED(NO_BARRIER, "wrong result");
    CHECK_NOTICED(NO_WARP_SYNC, "wrong result");
}

int main()
{
    test_numbers();
    yt_emulation_each_order(test_indices);
    yt_emulation_each_order(test_sums);
    yt_emulation_each_order(test_warp_functions);
    yt_emulation_each_order(test_copies);
    yt_emulation_each_order(test_tiles);
    test_integer_tiles();
    test_float_tiles();
    test_at_the_same_time();
    test_rules();
    std::printf("%d failures\n", failures);
    return failures != 0;
}
