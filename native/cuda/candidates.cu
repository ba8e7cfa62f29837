/*
 * Logits edited, and the largest of them chosen, as native/src/candidates.c does it: exact, and in the same order.
 *
 * Every logit is one integer of 64 bits, its order among floats above, its id, turned over, below: no two are the same, and the larger is chosen first. A block has 4,096 of
 * them in registers and finds the least of its `count` largest bit by bit: after each bit it is counted how many are at least that large, until it is exactly as many as
 * are wanted. What the blocks have chosen are the numbers of the next launch, until one block has all; it sorts them.
 */
#include "families.cuh"

static const int THREADS = 256, WARPS = THREADS / 32, PER_THREAD = 16, CHUNK = THREADS * PER_THREAD;

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

struct choose_parameters {
    const float *logits;    /* [n_outputs][vocab_size] */
    const uint64_t *chosen; /* [n_outputs][stride], by the launch before; NULL: the logits are chosen from */
    uint64_t *out;          /* [n_outputs][n_chunks][count], in no order; the last chunk may have fewer than count. Unused in the last launch */
    int32_t *ids;           /* [n_outputs][count] */
    float *values;          /* [n_outputs][count] */
    int64_t vocab_size;
    int64_t stride;
    int64_t n;        /* of an output, to choose from */
    int64_t n_chunks; /* 1: the last launch */
    int64_t count;
    int64_t to_sort;  /* count, rounded up to a power of two */
};

/* Shared memory: what the warps tell each other, in two places in turn, so that one barrier is enough each time; then, in the last launch, the numbers to sort. */
static const int EXCHANGE_BYTES = 2 * WARPS * 8;

/* Never 0. 0 and -0 are the same, a NaN is the largest. */
YT_DEVICE uint64_t number_of(float logit, int64_t id)
{
    const uint32_t bits = yt_float_to_bits_device(logit + 0.0f);
    const uint32_t ordered = bits & 0x80000000 ? ~bits : bits | 0x80000000;
    const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    return (uint64_t)(is_nan ? 0xFFFFFFFF : ordered) << 32 | ~(uint32_t)id;
}

/* Missing ones are 0. */
YT_DEVICE void load_chunk(const choose_parameters &p, int64_t output, int64_t first, int n, uint64_t (&numbers)[PER_THREAD])
{
    const float *const logits = p.logits + output * p.vocab_size + first;
#pragma unroll
    for (int r = 0; r < PER_THREAD; r++) {
        const int i = r * THREADS + threadIdx.x;
        numbers[r] = i >= n ? 0 : p.chosen != nullptr ? p.chosen[output * p.stride + first + i] : number_of(logits[i], first + i);
    }
}

/* Of the whole block. turn: another number than in the call before, odd after even. */
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
    int sum = 0;
    for (int warp = 0; warp < WARPS; warp++) {
        sum += sums[warp];
    }
    return sum;
}

YT_DEVICE int count_from(const uint64_t (&numbers)[PER_THREAD], uint64_t least)
{
    int n = 0;
#pragma unroll
    for (int r = 0; r < PER_THREAD; r++) {
        n += numbers[r] >= least;
    }
    return n;
}

/* A number that exactly k of the block's are not less than; k of them are not 0. */
YT_DEVICE uint64_t least_of(const uint64_t (&numbers)[PER_THREAD], int k)
{
    uint64_t least = 0;
    for (int bit = 63; bit >= 0; bit--) {
        const uint64_t larger = least | (uint64_t)1 << bit;
        const int n = sum_of_block(count_from(numbers, larger), bit);
        if (n >= k) {
            least = larger;
        }
        if (n == k) {
            break;
        }
    }
    __syncthreads(); /* the sums are read */
    return least;
}

/* Puts the numbers from `least` on beside each other. */
YT_DEVICE void gather(const uint64_t (&numbers)[PER_THREAD], uint64_t least, uint64_t *out)
{
    int *const sums = (int *)yt_shared();
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const int n = count_from(numbers, least);
    int end = n; /* of this thread's, in the warp */
    for (int distance = 1; distance < 32; distance *= 2) {
        const int before = yt_shuffle(end, lane < distance ? lane : lane - distance);
        end += lane < distance ? 0 : before;
    }
    if (lane == 31) {
        sums[warp] = end;
    }
    __syncthreads();
    int at = end - n;
    for (int w = 0; w < warp; w++) {
        at += sums[w];
    }
#pragma unroll
    for (int r = 0; r < PER_THREAD; r++) {
        if (numbers[r] >= least) {
            out[at++] = numbers[r];
        }
    }
}

/* The one largest, to the first thread. */
YT_DEVICE uint64_t largest_of(const uint64_t (&numbers)[PER_THREAD])
{
    uint64_t *const largest_of_warps = (uint64_t *)yt_shared();
    uint64_t largest = 0;
#pragma unroll
    for (int r = 0; r < PER_THREAD; r++) {
        largest = numbers[r] > largest ? numbers[r] : largest;
    }
    for (int mask = 16; mask > 0; mask /= 2) {
        const uint64_t other = yt_shuffle_xor(largest, mask);
        largest = other > largest ? other : largest;
    }
    if (threadIdx.x % 32 == 0) {
        largest_of_warps[threadIdx.x / 32] = largest;
    }
    __syncthreads();
    for (int warp = 0; warp < WARPS && threadIdx.x == 0; warp++) {
        largest = largest_of_warps[warp] > largest ? largest_of_warps[warp] : largest;
    }
    return largest;
}

static int power_of_two_from(int64_t n)
{
    int power = 1;
    while (power < n) {
        power *= 2;
    }
    return power;
}

/* Bitonic, in descending order; n is a power of two. */
YT_DEVICE void sort(uint64_t *numbers, int n)
{
    for (int size = 2; size <= n; size *= 2) {
        for (int stride = size / 2; stride > 0; stride /= 2) {
            __syncthreads();
            for (int i = threadIdx.x; i < n / 2; i += THREADS) {
                const int at = 2 * i - (i & (stride - 1));
                const uint64_t a = numbers[at];
                const uint64_t b = numbers[at + stride];
                if ((a < b) == ((at & size) == 0)) {
                    numbers[at] = b;
                    numbers[at + stride] = a;
                }
            }
        }
    }
    __syncthreads();
}

static __global__ void __launch_bounds__(THREADS) choose(YT_PARAMETER(choose_parameters, p))
{
    const int64_t output = blockIdx.x / p.n_chunks;
    const int64_t chunk = blockIdx.x % p.n_chunks;
    const bool is_last = p.n_chunks == 1;
    const int n = (int)(p.n - chunk * CHUNK < CHUNK ? p.n - chunk * CHUNK : CHUNK);
    const int k = (int)(n < p.count ? n : p.count);
    uint64_t *const to_sort = (uint64_t *)(yt_shared() + EXCHANGE_BYTES);
    uint64_t *const out = is_last ? to_sort : p.out + (output * p.n_chunks + chunk) * p.count;
    uint64_t numbers[PER_THREAD];
    load_chunk(p, output, chunk * CHUNK, n, numbers);
    if (k == 1) {
        const uint64_t largest = largest_of(numbers);
        if (threadIdx.x == 0) {
            out[0] = largest;
        }
    } else {
        gather(numbers, k == n ? 1 : least_of(numbers, k), out);
    }
    if (is_last) {
        for (int i = k + threadIdx.x; i < p.to_sort; i += THREADS) {
            to_sort[i] = 0;
        }
        sort(to_sort, (int)p.to_sort);
        for (int i = threadIdx.x; i < k; i += THREADS) {
            const uint32_t id = ~(uint32_t)to_sort[i];
            p.ids[output * p.count + i] = (int32_t)id;
            p.values[output * p.count + i] = p.logits[output * p.vocab_size + id];
        }
    }
}

static int64_t chunks_of(int64_t n)
{
    return (n + CHUNK - 1) / CHUNK;
}

int64_t yt_candidate_scratch_bytes(int64_t n_outputs, int64_t n_choices, int64_t count)
{
    /* What the first and what the second launch have chosen; the third takes the place of the first, and so on. */
    const int64_t first = chunks_of(n_choices) * count;
    const int64_t second = chunks_of(first) * count;
    return n_outputs * (first + second) * (int64_t)sizeof(uint64_t);
}

static void launch_edits(yt_queue &queue, const yt_device_candidates &candidates, int64_t n_outputs, int64_t vocab_size, float *logits)
{
    const edit_parameters p = {candidates.edits, candidates.edit_ends, logits, vocab_size};
    yt_launch(queue, edit, dim3((unsigned)n_outputs), dim3(THREADS), THREADS * sizeof(yt_edit), p);
}

void yt_launch_candidates(
    yt_queue &queue, const yt_device_candidates &candidates, int64_t n_outputs, int64_t vocab_size, float *logits, void *scratch)
{
    if (candidates.edits != nullptr) {
        launch_edits(queue, candidates, n_outputs, vocab_size, logits);
    }
    const int64_t count = candidates.count;
    uint64_t *const places[2] = {(uint64_t *)scratch, (uint64_t *)scratch + n_outputs * chunks_of(candidates.n_choices) * count};
    choose_parameters p = {};
    p.logits = logits;
    p.ids = candidates.ids;
    p.values = candidates.values;
    p.vocab_size = vocab_size;
    p.n = candidates.n_choices;
    p.count = count;
    p.to_sort = power_of_two_from(count);
    for (int turn = 0;; turn ^= 1) {
        p.n_chunks = chunks_of(p.n);
        p.out = places[turn];
        const int64_t sorted_bytes = p.n_chunks == 1 ? p.to_sort * (int64_t)sizeof(uint64_t) : 0;
        yt_launch(queue, choose, dim3((unsigned)(n_outputs * p.n_chunks)), dim3(THREADS), (unsigned)(EXCHANGE_BYTES + sorted_bytes), p);
        if (p.n_chunks == 1) {
            return;
        }
        const int64_t rest = p.n - (p.n_chunks - 1) * CHUNK;
        p.chosen = p.out;
        p.stride = p.n_chunks * count;
        p.n = (p.n_chunks - 1) * count + (rest < count ? rest : count);
    }
}
