#include "cpu.h"

#include "../include/yangtuo.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#if defined(YT_HAVE_NEON_KERNELS)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

typedef struct {
    const yt_kernels *kernels;
    bool (*supported)(void);
} entry;

static bool always(void)
{
    return true;
}

#if defined(YT_HAVE_X86_KERNELS)
/* The compiler's runtime also asks the operating system (XGETBV) whether it saves the wide registers. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq");
}

static bool has_avx512_vnni(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

static bool has_avx512_bf16(void)
{
    return has_avx512_vnni() && __builtin_cpu_supports("avx512bf16");
}
#endif

#if defined(YT_HAVE_NEON_KERNELS)
static bool has_neon(void)
{
    /* All that the compiler may use for ARMv8.2 with dot products. */
    const unsigned long needed = HWCAP_ASIMD | HWCAP_ATOMICS | HWCAP_CRC32 | HWCAP_ASIMDRDM | HWCAP_ASIMDDP;
    return (getauxval(AT_HWCAP) & needed) == needed;
}

static bool has_neon_i8mm(void)
{
    return has_neon() && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
}
#endif

/* Best last. The order and the names are those of yt_kernel_names. */
static const entry ENTRIES[] = {
    {&yt_kernels_portable, always},
#if defined(YT_HAVE_X86_KERNELS)
    {&yt_kernels_avx2, has_avx2},
    {&yt_kernels_avx512, has_avx512},
    {&yt_kernels_avx512_vnni, has_avx512_vnni},
    {&yt_kernels_avx512_bf16, has_avx512_bf16},
#endif
#if defined(YT_HAVE_NEON_KERNELS)
    {&yt_kernels_neon, has_neon},
    {&yt_kernels_neon_i8mm, has_neon_i8mm},
#endif
};

enum { N_ENTRIES = sizeof ENTRIES / sizeof ENTRIES[0] };

static const entry *find(const char *name)
{
    for (size_t i = 0; name != NULL && i < N_ENTRIES; i++) {
        if (strcmp(ENTRIES[i].kernels->name, name) == 0) {
            return &ENTRIES[i];
        }
    }
    return NULL;
}

const yt_kernels *yt_find_kernels(const char *name)
{
    const entry *found = find(name);
    return found == NULL ? NULL : found->kernels;
}

const yt_kernels *yt_best_kernels(void)
{
    size_t i = N_ENTRIES - 1;
    while (!ENTRIES[i].supported()) {
        i--;
    }
    return ENTRIES[i].kernels;
}

const char *yt_kernel_names(void)
{
#if defined(YT_HAVE_X86_KERNELS)
    return "portable avx2 avx512 avx512-vnni avx512-bf16";
#elif defined(YT_HAVE_NEON_KERNELS)
    return "portable neon neon-i8mm";
#else
    return "portable";
#endif
}

int32_t yt_kernel_supported(const char *name)
{
    const entry *found = find(name);
    return found != NULL && found->supported();
}

int64_t yt_kernel_calls(const char *name)
{
    const entry *found = find(name);
    return found == NULL ? 0 : (int64_t)atomic_load_explicit(found->kernels->calls, memory_order_relaxed);
}

const char *yt_cpu_features(void)
{
    static _Thread_local char text[256];
    text[0] = '\0';
#define YT_FEATURE(condition, name) \
    if (condition) { \
        strcat(text, text[0] == '\0' ? name : " " name); \
    }
#if defined(YT_HAVE_X86_KERNELS)
#define YT_X86_FEATURE(name) YT_FEATURE(__builtin_cpu_supports(name), name)
    YT_X86_FEATURE("avx2")
    YT_X86_FEATURE("fma")
    YT_X86_FEATURE("f16c")
    YT_X86_FEATURE("avx512f")
    YT_X86_FEATURE("avx512bw")
    YT_X86_FEATURE("avx512vl")
    YT_X86_FEATURE("avx512dq")
    YT_X86_FEATURE("avx512vnni")
    YT_X86_FEATURE("avx512bf16")
#undef YT_X86_FEATURE
#elif defined(YT_HAVE_NEON_KERNELS)
    /* The names of /proc/cpuinfo, but for asimd. */
    YT_FEATURE(getauxval(AT_HWCAP) & HWCAP_ASIMD, "neon")
    YT_FEATURE(getauxval(AT_HWCAP) & HWCAP_FPHP, "fphp")
    YT_FEATURE(getauxval(AT_HWCAP) & HWCAP_ASIMDDP, "asimddp")
    YT_FEATURE(getauxval(AT_HWCAP2) & HWCAP2_I8MM, "i8mm")
    YT_FEATURE(getauxval(AT_HWCAP2) & HWCAP2_BF16, "bf16")
#endif
#undef YT_FEATURE
    return text;
}
