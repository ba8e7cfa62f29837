#include "cpu.h"

#include "../include/yangtuo.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

/* Best last. The order and the names are those of yt_kernel_names. */
static const entry ENTRIES[] = {
    {&yt_kernels_portable, always},
#if defined(YT_HAVE_X86_KERNELS)
    {&yt_kernels_avx2, has_avx2},
    {&yt_kernels_avx512, has_avx512},
    {&yt_kernels_avx512_vnni, has_avx512_vnni},
    {&yt_kernels_avx512_bf16, has_avx512_bf16},
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
#if defined(YT_HAVE_X86_KERNELS)
    static _Thread_local char text[256];
    text[0] = '\0';
#define YT_FEATURE(name) \
    if (__builtin_cpu_supports(name)) { \
        strcat(text, text[0] == '\0' ? name : " " name); \
    }
    YT_FEATURE("avx2")
    YT_FEATURE("fma")
    YT_FEATURE("f16c")
    YT_FEATURE("avx512f")
    YT_FEATURE("avx512bw")
    YT_FEATURE("avx512vl")
    YT_FEATURE("avx512dq")
    YT_FEATURE("avx512vnni")
    YT_FEATURE("avx512bf16")
#undef YT_FEATURE
    return text;
#else
    return "";
#endif
}
