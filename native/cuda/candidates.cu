/*
 * Logits edited, and the largest of them chosen, as native/src/candidates.c does it: exact, and in the same order.
 *
 * Every logit is one integer of 64 bits, its order among floats above, its id, turned over, below: no two are the same, and the larger is chosen first. A block has 4,096 of
 * them in registers and finds the least of its `count` largest bit by bit: after each bit it is counted how many are at least that large, until it is exactly as many as
 * are wanted. What the blocks have chosen are the numbers of the next launch, until one block has all; it sorts them.
 */
#include "families.cuh"

enum { THREADS = 256, WARPS = THREADS / 32, PER_THREAD = 16, CHUNK = THREADS * PER_THREAD };

/* ---- edits -------------------------------------------------------------------------------------------------------------------------- */

struct edit_parameters {
    const yt_edit *edits;
    const int32_t *edit_ends;
    float *logits;
    int64_t vocab_size;
};

/*
 * A block for each output, THREADS edits at a time. Those of one id are all done by the thread of the first, so that they are done in order.
 */
static __global__ void __launch_bounds__(THREADS) edit(YT_PARAMETER(edit_parameters, p))
{
    yt_edit *const shared = (yt_edit *)yt_shared();
    float *const logits = p.logits + blockIdx.x * p.vocab_size;
    const int end = p.edit_ends[blockIdx.x];
    const int own = threadIdx.x;
    for (int first = blockIdx.x == 0 ? 0 : p.edit_ends[blockIdx.x - 1]; first < end; first += THREADS) {
        const int n = end - first < THREADS ? end - first : THREADS;
        if (own < n) {
            shared[own] = p.edits[first + own];
        }
        __syncthreads();
        bool is_first = own < n;
        for (int i = 0; i < own && is_first; i++) {
            is_first = shared[i].id != shared[own].id;
        }
        if (is_first) {
            const int32_t id = shared[own].id;
            float logit = logits[id];
            for (int i = own; i < n; i++) {
                if (shared[i].id == id) {
                    logit = (logit > 0.0f ? logit / shared[i].divisor : logit * shared[i].divisor) + shared[i].addend;
                }
            }
            logits[id] = logit;
        }
        __syncthreads();
    }
}

/* ---- choice ------------------------------------------------------------------------------------------------------------------------- */

/* Numbers that a launch chooses from: the logits, or what the launch before has chosen. */
struct choose_parameters {
    const float *logits;    /* [n_outputs][vocab_size] */
    const uint64_t *chosen; /* [n_outputs][n], of the launch before; NULL in the first */
    uint64_t *out;          /* [n_outputs][chunks][count], those of the last chunk as many as it has; unused in the last launch */
    int32_t *ids;           /* [n_outputs][count] */
    float *values;          /* the same */
    int64_t vocab_size;
    int64_t n;           /* of an output */
    int64_t chunks;      /* of an output; 1: the last launch */
    int64_t out_per_output;
    int64_t count;
};

/* Never 0. 0 and -0 are the same, a NaN is the largest. */
YT_DEVICE uint64_t number_of(float logit, uint32_t id)
{
    const uint32_t bits = yt_float_to_bits_device(logit + 0.0f);
    const uint32_t ordered = bits & 0x80000000 ? ~bits : bits | 0x80000000;
    const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    return (uint64_t)(is_nan ? 0xFFFFFFFF : ordered) << 32 | (uint32_t)~id;
}

/* Shared memory: what the warps tell each other, twice, so that one barrier for each exchange is enough; then the numbers to sort. */
enum { EXCHANGE_BYTES = 2 * WARPS * 8 };

/* The sum over the block, and over the threads before this one. turn: alternates from call to call. */
struct block_sum {
    int all;
    int before;
};

YT_DEVICE int sum_of_block(int value, int turn)
{
    int *const sums = (int *)yt_shared() + turn % 2 * WARPS;
    for (int mask = 16; mask > 0; mask /= 2) {
        value += yt_shuffle_xor(value, mask);
    }
    if (threadIdx.x % 32 == 0) {
        sums[threadIdx.x / 32] = value;
    }
    __syncthreads();
    int all = 0;
    for (int warp = 0; warp < WARPS; warp++) {
        all += sums[warp];
    }
    return all;
}
