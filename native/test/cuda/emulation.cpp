#include "emulation.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "fiber.h"

YT_EMULATION_LOCAL uint3 threadIdx;
YT_EMULATION_LOCAL uint3 blockIdx;
YT_EMULATION_LOCAL dim3 blockDim(1, 1, 1);
YT_EMULATION_LOCAL dim3 gridDim(1, 1, 1);

namespace {

enum { LANES = 32, MAX_WARPS = 32 };
const uint32_t ALL_LANES = 0xFFFFFFFFu;
/* As float32, binary16 and bfloat16 a NaN, as an index out of every range. */
const int UNDEFINED = 0xFF;

/* ---- what runs -------------------------------------------------------------------------------------------------------------------- */

struct copy {
    void *target;
    const void *source;
};

struct thread {
    yt_fiber fiber;
    uint3 index;
    int warp;
    int lane;
    std::vector<copy> copies;
    std::vector<size_t> group_ends; /* of copies, oldest first */
};

/* A lane is in one of three sets, or waits at the barrier. */
struct warp {
    uint32_t ready;   /* lanes that can run */
    uint32_t arrived; /* lanes that wait for the others at an operation */
    uint32_t left;    /* lanes that have left the kernel */
    yt_emulation_operation operation;
    yt_emulation_site site;
    unsigned phase; /* lanes still read what they were given when the first arrive at the next operation */
    yt_emulation_words words[2][LANES];
};

struct kernel_entry {
    yt_emulation_trampoline *trampoline;
    size_t parameter_bytes;
    const char *signature;
};

/* A block that runs, and what is kept for the next. */
struct machine {
    const void *kernel;
    const void *parameter;
    kernel_entry entry;
    yt_emulation_order order;
    uint64_t random;
    int n_threads;
    int n_warps;
    int n_left;
    int n_at_barrier;
    yt_emulation_site barrier;
    uint32_t ready_warps;
    warp warps[MAX_WARPS];
    std::vector<thread> threads; /* as many as there ever were, in one place for good: fibers know their addresses */
    yt_fiber main;
    unsigned char *shared;
    size_t shared_bytes;
};

YT_EMULATION_LOCAL machine *running;
YT_EMULATION_LOCAL thread *self;

/* Never destroyed: at the end of a process another thread may still run kernels. */
std::mutex &lock = *new std::mutex();
std::unordered_map<const void *, kernel_entry> &kernels = *new std::unordered_map<const void *, kernel_entry>();
std::vector<machine *> &idle = *new std::vector<machine *>();
std::vector<machine *> &all_machines = *new std::vector<machine *>();
yt_emulation_order order_setting = YT_EMULATION_ASCENDING;
uint64_t seed_setting;

const bool order_from_environment = [] {
    const char *text = std::getenv("YANGTUO_EMULATED_ORDER");
    if (text != nullptr && std::strcmp(text, "descending") == 0) {
        order_setting = YT_EMULATION_DESCENDING;
    } else if (text != nullptr && std::strncmp(text, "random", 6) == 0) {
        order_setting = YT_EMULATION_RANDOM;
        seed_setting = text[6] == ':' ? std::strtoull(text + 7, nullptr, 10) : 0;
    }
    return true;
}();

/* ---- messages --------------------------------------------------------------------------------------------------------------------- */

const char *name_of(yt_emulation_operation operation)
{
    static const char *const names[] = {"a shuffle", "a ballot", "yt_warp_sync", "yt_mma_u8s8_k16", "yt_mma_u8s8_k32", "yt_mma_f16_k16", "yt_mma_bf16_k16",
        "yt_load_tiles"};
    return names[operation];
}

/* Of the signature of yt_launch: the type of the kernel's parameter. */
std::string parameter_name(const char *signature)
{
    const char *begin = std::strstr(signature, "P = ");
    return begin == nullptr ? "?" : std::string(begin + 4, std::strcspn(begin + 4, ";]"));
}

void print_place()
{
    std::fprintf(stderr, "emulation: kernel of %s, grid %u x %u x %u of %u x %u x %u threads, block (%u, %u, %u)", parameter_name(running->entry.signature).c_str(),
        gridDim.x, gridDim.y, gridDim.z, blockDim.x, blockDim.y, blockDim.z, blockIdx.x, blockIdx.y, blockIdx.z);
}

/* Where a thread of the block is. */
std::string place_of(const thread &t)
{
    const warp &w = running->warps[t.warp];
    const uint32_t bit = 1u << t.lane;
    if (w.ready & bit) {
        return "could run";
    }
    if (w.left & bit) {
        return "has left the kernel";
    }
    const yt_emulation_site site = w.arrived & bit ? w.site : running->barrier;
    return std::string("waits at ") + (w.arrived & bit ? name_of(w.operation) : "__syncthreads()") + " of " + site.file + ":" + std::to_string(site.line);
}

/* Where the threads of the block are, those beside each other at one place as one line. */
void print_threads()
{
    const size_t n = (size_t)running->n_threads;
    for (size_t begin = 0, end; begin < n; begin = end) {
        const std::string place = place_of(running->threads[begin]);
        for (end = begin + 1; end < n && place_of(running->threads[end]) == place; end++) {
        }
        std::fprintf(stderr, "  threads %zu to %zu: %s\n", begin, end - 1, place.c_str());
    }
}

/* Nobody can run and not all have left. */
[[noreturn]] void fail_stuck()
{
    print_place();
    std::fprintf(stderr, ": threads wait for others that do not come\n");
    print_threads();
    std::abort();
}

/* ---- order ------------------------------------------------------------------------------------------------------------------------ */

uint32_t next_random(machine &m)
{
    /* xorshift64*, Vigna 2016 */
    m.random ^= m.random >> 12;
    m.random ^= m.random << 25;
    m.random ^= m.random >> 27;
    return (uint32_t)(m.random * 2685821657736338717ull >> 32);
}

/* One of the bits that are set. */
int choose_bit(machine &m, uint32_t mask)
{
    switch (m.order) {
    case YT_EMULATION_ASCENDING:
        return __builtin_ctz(mask);
    case YT_EMULATION_DESCENDING:
        return 31 - __builtin_clz(mask);
    default:
        for (unsigned skip = next_random(m) % (unsigned)__builtin_popcount(mask); skip > 0; skip--) {
            mask &= mask - 1;
        }
        return __builtin_ctz(mask);
    }
}

/* The next that runs: of the same warp while there is one, or under the random order mostly. */
thread *choose(machine &m)
{
    int w = self != nullptr ? self->warp : choose_bit(m, m.ready_warps);
    if (m.warps[w].ready == 0 || (m.order == YT_EMULATION_RANDOM && next_random(m) % 8 == 0)) {
        if (m.ready_warps == 0) {
            fail_stuck();
        }
        w = choose_bit(m, m.ready_warps);
    }
    return &m.threads[(size_t)(w * LANES + choose_bit(m, m.warps[w].ready))];
}

void set_waiting(machine &m)
{
    warp &w = m.warps[self->warp];
    w.ready &= ~(1u << self->lane);
    if (w.ready == 0) {
        m.ready_warps &= ~(1u << self->warp);
    }
}

/* All that were waiting can run. */
void set_ready(machine &m, int w)
{
    m.warps[w].ready = ALL_LANES;
    m.ready_warps |= 1u << w;
}

/* Another thread runs, until this one is chosen. */
void run_next(machine &m)
{
    thread *from = self;
    thread *to = choose(m);
    if (to != from) {
        self = to;
        threadIdx = to->index;
        yt_fiber_switch(&from->fiber, &to->fiber);
    }
}

/* ---- threads ---------------------------------------------------------------------------------------------------------------------- */

/* Between two launches a fiber may come to another thread of the operating system: its loop keeps nothing of this thread's own. */
__attribute__((noipa)) void run_thread()
{
    running->entry.trampoline(running->kernel, running->parameter);
    const warp &own = running->warps[self->warp];
    if (own.arrived != 0) {
        yt_emulation_fail(own.site, "the warp diverges: a lane leaves the kernel, others wait at %s", name_of(own.operation));
    }
    if (running->n_at_barrier > 0) {
        yt_emulation_fail(running->barrier, "a thread leaves the kernel, others wait at __syncthreads()");
    }
    if (!self->copies.empty()) {
        yt_emulation_fail({__FILE__, __LINE__}, "a thread leaves while %zu copies are on their way, without yt_copy_wait", self->copies.size());
    }
}

__attribute__((noipa)) void leave()
{
    machine &m = *running;
    set_waiting(m);
    m.warps[self->warp].left |= 1u << self->lane;
    if (++m.n_left < m.n_threads) {
        run_next(m);
    } else {
        thread *from = self;
        self = nullptr;
        yt_fiber_switch(&from->fiber, &m.main);
    }
}

void thread_loop()
{
    for (;;) {
        run_thread();
        leave();
    }
}

void prepare_threads(machine &m, dim3 block)
{
    m.n_threads = (int)(block.x * block.y * block.z);
    m.n_warps = m.n_threads / LANES;
    m.threads.reserve(MAX_WARPS * LANES);
    while (m.threads.size() < (size_t)m.n_threads) {
        const int number = (int)m.threads.size();
        m.threads.emplace_back();
        m.threads.back().warp = number / LANES;
        m.threads.back().lane = number % LANES;
        yt_fiber_make(&m.threads.back().fiber, thread_loop, number);
    }
    int i = 0;
    for (unsigned z = 0; z < block.z; z++) {
        for (unsigned y = 0; y < block.y; y++) {
            for (unsigned x = 0; x < block.x; x++) {
                m.threads[(size_t)i++].index = {x, y, z};
            }
        }
    }
}

void prepare_shared(machine &m, size_t bytes)
{
    if (m.shared == nullptr || m.shared_bytes != bytes) {
        std::free(m.shared);
        /* malloc's alignment is 16 */
        m.shared = (unsigned char *)std::malloc(bytes);
        m.shared_bytes = bytes;
        if (m.shared == nullptr && bytes > 0) {
            std::abort();
        }
    }
}

void run_block(machine &m)
{
    if (m.shared_bytes > 0) {
        std::memset(m.shared, UNDEFINED, m.shared_bytes);
    }
    m.n_left = 0;
    m.n_at_barrier = 0;
    m.ready_warps = m.n_warps == MAX_WARPS ? ~0u : (1u << m.n_warps) - 1;
    for (int w = 0; w < m.n_warps; w++) {
        m.warps[w].arrived = 0;
        m.warps[w].left = 0;
        set_ready(m, w);
    }
    self = nullptr;
    thread *first = choose(m);
    self = first;
    threadIdx = first->index;
    yt_fiber_enter(&m.main, &first->fiber);
}

machine *take_machine()
{
    std::lock_guard<std::mutex> guard(lock);
    if (idle.empty()) {
        all_machines.push_back(new machine());
        return all_machines.back();
    }
    machine *m = idle.back();
    idle.pop_back();
    return m;
}

/* The numbers of the blocks in their order. */
std::vector<uint64_t> block_order(machine &m, uint64_t n)
{
    std::vector<uint64_t> numbers(n);
    for (uint64_t i = 0; i < n; i++) {
        numbers[i] = m.order == YT_EMULATION_DESCENDING ? n - 1 - i : i;
    }
    for (uint64_t i = n; m.order == YT_EMULATION_RANDOM && i > 1; i--) {
        std::swap(numbers[i - 1], numbers[next_random(m) % i]);
    }
    return numbers;
}

} // namespace

void yt_emulation_set_order(yt_emulation_order order, uint64_t seed)
{
    std::lock_guard<std::mutex> guard(lock);
    order_setting = order;
    seed_setting = seed;
}

void yt_emulation_register(const void *kernel, yt_emulation_trampoline *trampoline, size_t parameter_bytes, const char *signature)
{
    std::lock_guard<std::mutex> guard(lock);
    kernels[kernel] = {trampoline, parameter_bytes, signature};
}

size_t yt_emulation_parameter_bytes(const void *kernel)
{
    std::lock_guard<std::mutex> guard(lock);
    auto found = kernels.find(kernel);
    return found == kernels.end() ? 0 : found->second.parameter_bytes;
}

void yt_emulation_launch(const void *kernel, dim3 grid, dim3 block, size_t shared_bytes, const void *parameter)
{
    const uint64_t n_threads = (uint64_t)block.x * block.y * block.z;
    machine &m = *take_machine();
    {
        std::lock_guard<std::mutex> guard(lock);
        m.entry = kernels.at(kernel);
        m.order = order_setting;
        m.random = (seed_setting + 1) * 0x9E3779B97F4A7C15ull | 1;
    }
    m.kernel = kernel;
    m.parameter = parameter;
    running = &m;
    gridDim = grid;
    blockDim = block;
    blockIdx = {};
    if (n_threads == 0 || n_threads > MAX_WARPS * LANES || n_threads % LANES != 0) {
        print_place();
        std::fprintf(stderr, ": a multiple of 32 up to 1024 threads is expected\n");
        std::abort();
    }
    prepare_threads(m, block);
    prepare_shared(m, shared_bytes);
    for (uint64_t number : block_order(m, (uint64_t)grid.x * grid.y * grid.z)) {
        blockIdx = {(unsigned)(number % grid.x), (unsigned)(number / grid.x % grid.y), (unsigned)(number / grid.x / grid.y)};
        run_block(m);
    }
    running = nullptr;
    std::lock_guard<std::mutex> guard(lock);
    idle.push_back(&m);
}

void yt_emulation_fail(yt_emulation_site site, const char *format, ...)
{
    if (running != nullptr) {
        print_place();
        std::fprintf(stderr, ", thread (%u, %u, %u), ", threadIdx.x, threadIdx.y, threadIdx.z);
    }
    std::fprintf(stderr, "%s:%d: ", site.file, site.line);
    va_list arguments;
    va_start(arguments, format);
    std::vfprintf(stderr, format, arguments);
    va_end(arguments);
    std::fprintf(stderr, "\n");
    std::abort();
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------------------- */

void yt_emulation_barrier(yt_emulation_site site)
{
    machine &m = *running;
    if (m.n_left > 0) {
        yt_emulation_fail(site, "a thread arrives at __syncthreads(), %d have left the kernel", m.n_left);
    }
    if (m.n_at_barrier == 0) {
        m.barrier = site;
    } else if (m.barrier.line != site.line) {
        yt_emulation_fail(site, "a thread arrives at this __syncthreads(), others wait at that of %s:%d", m.barrier.file, m.barrier.line);
    }
    set_waiting(m);
    if (++m.n_at_barrier == m.n_threads) {
        m.n_at_barrier = 0;
        for (int w = 0; w < m.n_warps; w++) {
            set_ready(m, w);
        }
    }
    run_next(m);
}

const yt_emulation_words *yt_emulation_gather(yt_emulation_operation operation, const void *words, int n, yt_emulation_site site)
{
    machine &m = *running;
    warp &w = m.warps[self->warp];
    if (w.left != 0) {
        yt_emulation_fail(site, "the warp diverges: a lane arrives at %s, others have left the kernel", name_of(operation));
    }
    if (w.arrived == 0) {
        w.operation = operation;
        w.site = site;
    } else if (w.operation != operation || w.site.line != site.line) {
        yt_emulation_fail(site, "the warp diverges: a lane arrives at %s, others wait at %s of %s:%d", name_of(operation), name_of(w.operation), w.site.file,
            w.site.line);
    }
    yt_emulation_words *all = w.words[w.phase % 2];
    for (int i = 0; i < n; i++) {
        std::memcpy(&all[self->lane].word[i], (const unsigned char *)words + 4 * i, 4);
    }
    w.arrived |= 1u << self->lane;
    set_waiting(m);
    if (w.arrived == ALL_LANES) {
        w.arrived = 0;
        w.phase++;
        if (operation == YT_EMULATION_LOAD_TILES) {
            /* Instead of its address each lane's row, before any lane goes on and changes it. */
            for (int lane = 0; lane < LANES; lane++) {
                const void *row;
                std::memcpy(&row, all[lane].word, sizeof row);
                std::memcpy(all[lane].word, row, 16);
            }
        }
        set_ready(m, self->warp);
    }
    run_next(m);
    return all;
}

uint32_t yt_emulation_ballot(bool predicate, yt_emulation_site site)
{
    const uint32_t mine = predicate;
    const yt_emulation_words *all = yt_emulation_gather(YT_EMULATION_BALLOT, &mine, 1, site);
    uint32_t votes = 0;
    for (int lane = 0; lane < LANES; lane++) {
        votes |= all[lane].word[0] << lane;
    }
    return votes;
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

unsigned char *yt_shared()
{
    return running->shared;
}

static bool is_shared(const void *p)
{
    const uintptr_t begin = (uintptr_t)running->shared;
    return (uintptr_t)p >= begin && (uintptr_t)p + 16 <= begin + running->shared_bytes;
}

static void check_shared(const void *p, yt_emulation_site site)
{
    if (!is_shared(p)) {
        yt_emulation_fail(site, "16 bytes of shared memory from %td on, which has %zu", (const unsigned char *)p - running->shared, running->shared_bytes);
    }
    if ((uintptr_t)p % 16 != 0) {
        yt_emulation_fail(site, "the address %td in shared memory is no multiple of 16", (const unsigned char *)p - running->shared);
    }
}

void yt_emulation_copy(void *shared, const void *global, yt_emulation_site site)
{
    check_shared(shared, site);
    if ((uintptr_t)global % 16 != 0) {
        yt_emulation_fail(site, "16 bytes are copied from %p, which is no multiple of 16", global);
    }
    if (yt_is_poisoned(global, 16)) {
        yt_emulation_fail(site, "16 bytes are copied from %p, where nothing may be read", global);
    }
    if (is_shared(global)) {
        yt_emulation_fail(site, "the source of yt_copy_async is shared memory");
    }
    std::memset(shared, UNDEFINED, 16);
    yt_poison(shared, 16);
    self->copies.push_back({shared, global});
}

void yt_copy_commit()
{
    self->group_ends.push_back(self->copies.size());
}

void yt_emulation_copy_wait(int n)
{
    thread &t = *self;
    if (t.group_ends.size() <= (size_t)n) {
        return;
    }
    const size_t groups = t.group_ends.size() - (size_t)n;
    const size_t count = t.group_ends[groups - 1];
    for (size_t i = 0; i < count; i++) {
        yt_unpoison(t.copies[i].target, 16);
        std::memcpy(t.copies[i].target, t.copies[i].source, 16);
    }
    t.copies.erase(t.copies.begin(), t.copies.begin() + (ptrdiff_t)count);
    t.group_ends.erase(t.group_ends.begin(), t.group_ends.begin() + (ptrdiff_t)groups);
    for (size_t &end : t.group_ends) {
        end -= count;
    }
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------------------------- */

namespace {

/* Tiles of integers whose k is N times 16: word h of a lane's A is of the upper eight rows where h is even; N words of its B follow. */
template <int N>
void mma_integers(int (&c)[4], const yt_emulation_words *all)
{
    const int g = self->lane / 4;
    const int t = self->lane % 4;
    uint8_t rows[2][16 * N];
    int8_t columns[2][16 * N];
    for (int h = 0; h < N; h++) {
        for (int i = 0; i < 4; i++) {
            for (int half = 0; half < 2; half++) {
                std::memcpy(&rows[half][16 * h + 4 * i], &all[4 * g + i].word[2 * h + half], 4);
                std::memcpy(&columns[half][16 * h + 4 * i], &all[4 * (2 * t + half) + i].word[2 * N + h], 4);
            }
        }
    }
    for (int e = 0; e < 4; e++) {
        int sum = 0;
        for (int k = 0; k < 16 * N; k++) {
            sum += rows[e / 2][k] * columns[e % 2][k];
        }
        c[e] = (int)((unsigned)c[e] + (unsigned)sum);
    }
}

/* Tiles of floats, given as the lane's 8 of A (word by word, the first of a word first) and 4 of B. */
void mma_floats(float (&c)[4], yt_emulation_operation operation, const float (&mine)[12], yt_emulation_site site)
{
    const yt_emulation_words *all = yt_emulation_gather(operation, mine, 12, site);
    const int g = self->lane / 4;
    const int t = self->lane % 4;
    float rows[2][16];
    float columns[2][16];
    for (int i = 0; i < 4; i++) {
        for (int half = 0; half < 2; half++) {
            const uint32_t *a = all[4 * g + i].word;
            const uint32_t *b = all[4 * (2 * t + half) + i].word;
            std::memcpy(&rows[half][2 * i], a + 2 * half, 8);
            std::memcpy(&rows[half][8 + 2 * i], a + 4 + 2 * half, 8);
            std::memcpy(&columns[half][2 * i], b + 8, 8);
            std::memcpy(&columns[half][8 + 2 * i], b + 10, 8);
        }
    }
    for (int e = 0; e < 4; e++) {
        double sum = 0;
        for (int k = 0; k < 16; k++) {
            sum += (double)rows[e / 2][k] * columns[e % 2][k];
        }
        c[e] = (float)(sum + c[e]);
    }
}

void load_tiles(const void *row, yt_emulation_site site, const yt_emulation_words *&all)
{
    check_shared(row, site);
    if (yt_is_poisoned(row, 16)) {
        yt_emulation_fail(site, "a row of a tile has not arrived: there is no yt_copy_wait");
    }
    all = yt_emulation_gather(YT_EMULATION_LOAD_TILES, &row, sizeof row / sizeof(uint32_t), site);
}

} // namespace

void yt_mma_u8s8_k16(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t b, yt_emulation_site site)
{
    const uint32_t mine[] = {a0, a1, b};
    mma_integers<1>(c, yt_emulation_gather(YT_EMULATION_MMA_U8S8_K16, mine, 3, site));
}

void yt_mma_u8s8_k32(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1, yt_emulation_site site)
{
    const uint32_t mine[] = {a0, a1, a2, a3, b0, b1};
    mma_integers<2>(c, yt_emulation_gather(YT_EMULATION_MMA_U8S8_K32, mine, 6, site));
}

void yt_mma_f16_k16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1, yt_emulation_site site)
{
    const uint32_t words[] = {a0, a1, a2, a3, b0, b1};
    float mine[12];
    for (int i = 0; i < 12; i++) {
        mine[i] = yt_half_to_float((uint16_t)(words[i / 2] >> 16 * (i % 2)));
    }
    mma_floats(c, YT_EMULATION_MMA_F16, mine, site);
}

void yt_mma_bf16_k16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1, yt_emulation_site site)
{
    const uint32_t words[] = {a0, a1, a2, a3, b0, b1};
    float mine[12];
    for (int i = 0; i < 12; i++) {
        mine[i] = yt_bfloat_to_float((uint16_t)(words[i / 2] >> 16 * (i % 2)));
    }
    mma_floats(c, YT_EMULATION_MMA_BF16, mine, site);
}

void yt_load_tiles(uint32_t (&out)[4], const void *row, yt_emulation_site site)
{
    const yt_emulation_words *all;
    load_tiles(row, site, all);
    for (int i = 0; i < 4; i++) {
        out[i] = all[8 * i + self->lane / 4].word[self->lane % 4];
    }
}

void yt_load_tiles_transposed(uint32_t (&out)[4], const void *row, yt_emulation_site site)
{
    const yt_emulation_words *all;
    load_tiles(row, site, all);
    const int g = self->lane / 4;
    const int t = self->lane % 4;
    for (int i = 0; i < 4; i++) {
        uint16_t rows[2];
        for (int half = 0; half < 2; half++) {
            std::memcpy(&rows[half], (const unsigned char *)all[8 * i + 2 * t + half].word + 2 * g, 2);
        }
        out[i] = (uint32_t)rows[1] << 16 | rows[0];
    }
}
