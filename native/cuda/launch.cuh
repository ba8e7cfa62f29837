/* The queue of launches of a context: what stages put into it is compared with what was computed before, and becomes a graph when it comes again (queue.cu). */
#ifndef YT_LAUNCH_CUH
#define YT_LAUNCH_CUH

#include "device.cuh"

#include <type_traits>

/* A queue of launches; made and flushed by the context. */
class yt_queue;

/*
 * One launch more. Never fails: what goes wrong is reported when the queue is computed. parameters: a copy is taken. They are compared byte by byte with those of the pass
 * before, so that a struct of them has no padding (some compilers cannot clear it, and no graph would be found), and holds nothing that changes with every pass without need.
 */
void yt_queue_add(yt_queue &queue, const void *kernel, dim3 grid, dim3 block, unsigned shared_bytes, const void *parameters, unsigned parameter_bytes);

template <typename P>
void yt_launch(yt_queue &queue, void (*kernel)(P), dim3 grid, dim3 block, unsigned shared_bytes, const P &parameters)
{
    static_assert(std::is_trivially_copyable<P>::value && sizeof(P) <= 4000, "the parameter of a kernel is a plain struct");
#if !defined(__CUDACC__)
    yt_emulation_register((const void *)kernel, [](const void *k, const void *p) { ((void (*)(P))k)(*(const P *)p); }, sizeof(P),
        __PRETTY_FUNCTION__);
#endif
    P plain = parameters;
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
    __builtin_clear_padding(&plain);
#endif
#endif
    yt_queue_add(queue, (const void *)kernel, grid, block, shared_bytes, &plain, sizeof plain);
}

#endif
