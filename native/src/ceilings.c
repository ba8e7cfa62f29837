/*
 * What the machine can do at most, measured with the threads of a context: bytes read from memory, and products in registers by the widest instructions
 * that this library's kernels could use. Loops are assembly, so that no compiler decides what is measured; they touch registers alone.
 */
#include "checks.h"
#include "devices.h"
#include "error.h"
#include "memory.h"

#include <time.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* Bytes that a thread reads between two looks at its part's end: a large page. */
#define CHUNK ((int64_t)2 << 20)
/* Runs of a peak, of which the fastest counts. */
enum { PEAK_RUNS = 8 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    uint8_t *data;
    int64_t bytes;       /* of each thread, a multiple of CHUNK */
    int writes;          /* fills instead of reading */
    atomic_llong result; /* what was read, added up, so that reading cannot be left out */
} read_job;

typedef uint64_t vec __attribute__((vector_size(64), aligned(64)));

/* Two streams, one in each half of a chunk: prefetchers follow several, and stop at the borders of pages. */
static uint64_t sum_chunk(const uint8_t *data)
{
    const vec *first = (const vec *)data;
    const vec *second = (const vec *)(data + CHUNK / 2);
    vec a = {0};
    vec b = {0};
    for (int64_t i = 0; i < CHUNK / 2 / 64; i++) {
        a += first[i];
        b += second[i];
    }
    a += b;
    return a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
}

static void read_part(void *argument, int32_t worker)
{
    read_job *job = argument;
    uint8_t *data = job->data + worker * job->bytes;
    if (job->writes) {
        /* What was never written would be read from one page of zeros. By the thread that reads it: it lands in that processor's memory. */
        for (int64_t i = 0; i < job->bytes / 8; i++) {
            ((uint64_t *)data)[i] = (uint64_t)i;
        }
        return;
    }
    uint64_t sum = 0;
    for (int64_t at = 0; at < job->bytes; at += CHUNK) {
        sum += sum_chunk(data + at);
    }
    atomic_fetch_add(&job->result, (long long)(sum & 0xFFFF));
}

int32_t yt_measure_read(yt_context *context, int64_t byte_size, int32_t passes, double *gigabytes_per_second)
{
    int32_t status = yt_enter(context, gigabytes_per_second != NULL, "yt_measure_read");
    if (status != YT_OK) {
        return status;
    }
    if (yt_is_on_device(context)) {
        return yt_leave(context, yt_fail(YT_ERR_UNSUPPORTED, "yt_measure_read: what a device reads is not measured"));
    }
    int64_t part = byte_size / context->n_threads / CHUNK * CHUNK;
    if (part < CHUNK || passes < 1) {
        return yt_leave(context, yt_fail(YT_ERR_ARGUMENT, "yt_measure_read: %d passes over %lld bytes are not possible; at least %lld for each thread are needed",
            passes, (long long)byte_size, (long long)CHUNK));
    }
    /* Mapped memory begins at a page, a thread's part at a large page of it if the system aligned it so. */
    int64_t bytes = part * context->n_threads;
    read_job job = {.data = yt_allocate(bytes), .bytes = part, .writes = 1};
    if (job.data == NULL) {
        return yt_leave(context, yt_fail(YT_ERR_MEMORY, "out of memory: %lld bytes to read could not be had", (long long)bytes));
    }
    yt_threads_run(context->threads, read_part, &job);
    job.writes = 0;
    double best = 0;
    for (int32_t pass = 0; pass < passes; pass++) {
        double start = now();
        yt_threads_run(context->threads, read_part, &job);
        double rate = 1e-9 * (double)bytes / (now() - start);
        best = rate > best ? rate : best;
    }
    yt_free(job.data, bytes);
    *gigabytes_per_second = best;
    return yt_leave(context, YT_OK);
}

/* ---- products in registers -------------------------------------------------------------------------------------------------------- */

/*
 * One way to multiply and add. run executes rounds times `instructions` independent ones; each is `operations` multiplications and additions together.
 * All registers are zero: no product is slowed down by its values.
 */
typedef struct {
    const char *name;
    int (*supported)(void);
    void (*run)(int64_t rounds);
    int32_t instructions;
    int32_t operations;
} peak;

#if defined(__x86_64__)

/* Twelve accumulators: two instructions a cycle with a latency of four or five. */
#define ONE(instruction, r, n) instruction " %%" r "0, %%" r "1, %%" r n "\n\t"
#define TWELVE(instruction, r) \
    ONE(instruction, r, "2") ONE(instruction, r, "3") ONE(instruction, r, "4") ONE(instruction, r, "5") ONE(instruction, r, "6") \
    ONE(instruction, r, "7") ONE(instruction, r, "8") ONE(instruction, r, "9") ONE(instruction, r, "10") ONE(instruction, r, "11") \
    ONE(instruction, r, "12") ONE(instruction, r, "13")

/* The low part of each register stands for all of it among the clobbered: the compiler need not know the wider ones. */
#define CLOBBERED \
    "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

#define LOOP(function, body) \
    static void function(int64_t rounds) \
    { \
        __asm__ volatile("vzeroall\n\t.p2align 5\n1:\n\t" body "dec %0\n\tjnz 1b\n\tvzeroupper" : "+r"(rounds) : : CLOBBERED); \
    }

LOOP(fma_zmm, TWELVE("vfmadd231ps", "zmm"))
LOOP(fma_ymm, TWELVE("vfmadd231ps", "ymm"))
LOOP(dpbusd_zmm, TWELVE("vpdpbusd", "zmm"))
/* With VEX encoding, which processors without AVX-512 have. */
LOOP(dpbusd_ymm, TWELVE("%{vex%} vpdpbusd", "ymm"))

/* 8 bit to 16, 16 to 32, and the sum: three instructions in the place of one. */
#define MADD(r, n) \
    "vpmaddubsw %%" r "1, %%" r "0, %%" r "14\n\tvpmaddwd %%" r "14, %%" r "1, %%" r "14\n\tvpaddd %%" r "14, %%" r n ", %%" r n "\n\t"
#define TWELVE_MADD(r) \
    MADD(r, "2") MADD(r, "3") MADD(r, "4") MADD(r, "5") MADD(r, "6") MADD(r, "7") MADD(r, "8") MADD(r, "9") MADD(r, "10") MADD(r, "11") \
    MADD(r, "12") MADD(r, "13")
LOOP(maddubs_zmm, TWELVE_MADD("zmm"))
LOOP(maddubs_ymm, TWELVE_MADD("ymm"))

static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

static int has_avx512_bw(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static int has_avx512_vnni(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
}

/* Not every compiler's __builtin_cpu_supports knows it: leaf 7, subleaf 1, EAX bit 4. */
static int has_avx_vnni(void)
{
    uint32_t a = 0;
    uint32_t b;
    uint32_t c = 0;
    uint32_t d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (a < 7 || !__builtin_cpu_supports("avx2")) {
        return 0;
    }
    a = 7;
    c = 1;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (int)(a >> 4 & 1);
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

static int has_fma(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* Best first; the first that the processor has counts. */
static const peak INT8_PEAKS[] = {
    {"vpdpbusd zmm", has_avx512_vnni, dpbusd_zmm, 12, 128},
    {"vpdpbusd ymm", has_avx_vnni, dpbusd_ymm, 12, 64},
    {"vpmaddubsw zmm", has_avx512_bw, maddubs_zmm, 12, 128},
    {"vpmaddubsw ymm", has_avx2, maddubs_ymm, 12, 64},
};
static const peak FMA_PEAKS[] = {
    {"vfmadd231ps zmm", has_avx512, fma_zmm, 12, 32},
    {"vfmadd231ps ymm", has_fma, fma_ymm, 12, 16},
};

#elif defined(__aarch64__)

/* Twenty accumulators: up to four instructions a cycle with a latency of four or five. */
#define ONE(instruction, n, t, from) instruction " v" n "." t ", v0." from ", v1." from "\n\t"
#define TWENTY(instruction, t, from) \
    ONE(instruction, "2", t, from) ONE(instruction, "3", t, from) ONE(instruction, "4", t, from) ONE(instruction, "5", t, from) \
    ONE(instruction, "6", t, from) ONE(instruction, "7", t, from) ONE(instruction, "16", t, from) ONE(instruction, "17", t, from) \
    ONE(instruction, "18", t, from) ONE(instruction, "19", t, from) ONE(instruction, "20", t, from) ONE(instruction, "21", t, from) \
    ONE(instruction, "22", t, from) ONE(instruction, "23", t, from) ONE(instruction, "24", t, from) ONE(instruction, "25", t, from) \
    ONE(instruction, "26", t, from) ONE(instruction, "27", t, from) ONE(instruction, "28", t, from) ONE(instruction, "29", t, from)

#define ZERO(n) "movi v" n ".4s, #0\n\t"
#define LOOP(function, extension, body) \
    static void function(int64_t rounds) \
    { \
        __asm__ volatile(extension ZERO("0") ZERO("1") ZERO("2") ZERO("3") ZERO("4") ZERO("5") ZERO("6") ZERO("7") ZERO("16") ZERO("17") ZERO("18") \
            ZERO("19") ZERO("20") ZERO("21") ZERO("22") ZERO("23") ZERO("24") ZERO("25") ZERO("26") ZERO("27") ZERO("28") ZERO("29") \
            "1:\n\t" body "subs %0, %0, #1\n\tb.ne 1b" \
            : "+r"(rounds) : : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", \
            "v26", "v27", "v28", "v29"); \
    }

LOOP(fmla_4s, "", TWENTY("fmla", "4s", "4s"))
/* An extension alone is not enough: assemblers know these from ARMv8.2 on. The compiler's own code in this file stays what it is. */
LOOP(sdot_4s, ".arch armv8.2-a+dotprod\n\t", TWENTY("sdot", "4s", "16b"))
LOOP(smmla_4s, ".arch armv8.2-a+dotprod+i8mm\n\t", TWENTY("smmla", "4s", "16b"))

static int always(void)
{
    return 1;
}

static int has_dotprod(void)
{
#if defined(__linux__)
    return (int)(getauxval(AT_HWCAP) >> 20 & 1); /* HWCAP_ASIMDDP */
#else
    return 1; /* every processor of Apple's computers */
#endif
}

static int has_i8mm(void)
{
#if defined(__linux__)
    return (int)(getauxval(AT_HWCAP2) >> 13 & 1); /* HWCAP2_I8MM */
#else
    return 0;
#endif
}

static const peak INT8_PEAKS[] = {
    {"smmla", has_i8mm, smmla_4s, 20, 64},
    {"sdot", has_dotprod, sdot_4s, 20, 32},
};
static const peak FMA_PEAKS[] = {
    {"fmla", always, fmla_4s, 20, 8},
};

#else

static int never(void)
{
    return 0;
}

static const peak INT8_PEAKS[] = {{"", never, NULL, 0, 0}};
static const peak FMA_PEAKS[] = {{"", never, NULL, 0, 0}};

#endif

typedef struct {
    const peak *peak;
    int64_t rounds;
} peak_job;

static void run_peak(void *argument, int32_t worker)
{
    (void)worker;
    const peak_job *job = argument;
    job->peak->run(job->rounds);
}

/* 10^12 operations a second, the best of PEAK_RUNS, which take `seconds` together. */
static double measure_peak(yt_context *context, const peak *best_peak, double seconds)
{
    peak_job job = {best_peak, 1 << 12};
    double elapsed = 0;
    /* The first run wakes the threads and lets the clock rise; then as long as one run may take. */
    while (elapsed < seconds / PEAK_RUNS && job.rounds < (int64_t)1 << 50) {
        job.rounds *= 2;
        double start = now();
        yt_threads_run(context->threads, run_peak, &job);
        elapsed = now() - start;
    }
    double best = 0;
    for (int i = 0; i < PEAK_RUNS; i++) {
        double start = now();
        yt_threads_run(context->threads, run_peak, &job);
        double operations = (double)job.rounds * best_peak->instructions * best_peak->operations * context->n_threads;
        double rate = 1e-12 * operations / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

int32_t yt_measure_peak(yt_context *context, int32_t kind, double seconds, double *tera_per_second, const char **instruction)
{
    int32_t status = yt_enter(context, tera_per_second != NULL && instruction != NULL, "yt_measure_peak");
    if (status != YT_OK) {
        return status;
    }
    if ((kind != YT_PEAK_INT8 && kind != YT_PEAK_FMA) || !(seconds > 0 && seconds <= 60)) {
        return yt_leave(context, yt_fail(YT_ERR_ARGUMENT, "yt_measure_peak: kind %d for %g seconds is not possible", kind, seconds));
    }
    if (yt_is_on_device(context)) {
        return yt_leave(context, yt_fail(YT_ERR_UNSUPPORTED, "yt_measure_peak: what a device computes is not measured"));
    }
    const peak *peaks = kind == YT_PEAK_INT8 ? INT8_PEAKS : FMA_PEAKS;
    size_t count = kind == YT_PEAK_INT8 ? sizeof INT8_PEAKS / sizeof *INT8_PEAKS : sizeof FMA_PEAKS / sizeof *FMA_PEAKS;
    for (size_t i = 0; i < count; i++) {
        if (peaks[i].supported()) {
            *tera_per_second = measure_peak(context, &peaks[i], seconds);
            *instruction = peaks[i].name;
            return yt_leave(context, YT_OK);
        }
    }
    return yt_leave(context, yt_fail(YT_ERR_UNSUPPORTED, "yt_measure_peak: this processor has no instruction that is measured"));
}
