/*
 * The devices of the emulated CUDA runtime, as tests set them. The functions are exported by the emulated library, so that a test can look them up where it opens the
 * library. Settings are the process's; they change while nothing runs.
 *
 * At the start of the process the environment gives them: YANGTUO_EMULATED_DEVICES (a number; 1), YANGTUO_EMULATED_MEMORY (bytes of each; 8 GB),
 * YANGTUO_EMULATED_CAPABILITY (MAJOR.MINOR; 8.0), YANGTUO_EMULATED_DRIVER (1000 * major + 10 * minor, 0: there is none; 13000), YANGTUO_EMULATED_DEFERRED (0 or 1; 1),
 * YANGTUO_EMULATED_FAILURE (CALL:ERROR or CALL:ERROR:sticky; none).
 */
#ifndef YT_EMULATED_RUNTIME_H
#define YT_EMULATED_RUNTIME_H

#include <stdint.h>

#define YT_EMULATED_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

YT_EMULATED_EXPORT void yt_emulated_set_devices(int32_t count);
YT_EMULATED_EXPORT void yt_emulated_set_memory(int64_t bytes);
YT_EMULATED_EXPORT void yt_emulated_set_capability(int32_t major, int32_t minor);
YT_EMULATED_EXPORT void yt_emulated_set_driver(int32_t version);

/* 1: what is put into a stream is done when somebody waits for it, as late as CUDA allows; 0: at once. */
YT_EMULATED_EXPORT void yt_emulated_set_deferred(int32_t deferred);

/*
 * The call-th call of the runtime from now on (1: the next) fails with a number of CUDA's and does nothing, but what releases something releases it. sticky: so does every
 * later one, as if the device were gone, and what is still in streams is not done. 0: none will fail, and the device is there again.
 */
YT_EMULATED_EXPORT void yt_emulated_fail(int64_t call, int32_t error, int32_t sticky);

/* Calls of the runtime so far, but those for names of errors. */
YT_EMULATED_EXPORT int64_t yt_emulated_calls(void);

/* What is alive: allocations of device memory, of pinned memory, streams, events, graphs, executable graphs. names: NULL, or where to put a text of up to 256 bytes. */
YT_EMULATED_EXPORT int64_t yt_emulated_alive(char *names);

/* Bytes of device memory in use on all devices. */
YT_EMULATED_EXPORT int64_t yt_emulated_used(void);

/* Kernels and graphs launched so far. */
YT_EMULATED_EXPORT int64_t yt_emulated_kernel_launches(void);
YT_EMULATED_EXPORT int64_t yt_emulated_graph_launches(void);

/* yt_emulation_set_order, for who opens the library: 0 ascending, 1 descending, 2 random. */
YT_EMULATED_EXPORT void yt_emulated_set_order(int32_t order, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
