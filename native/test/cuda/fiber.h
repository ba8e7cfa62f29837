/*
 * Stacks that take turns on one thread of the operating system. On x86-64 a switch is a few instructions; elsewhere it is ucontext's, which asks the system. Under
 * AddressSanitizer every switch is announced to it.
 */
#ifndef YT_FIBER_H
#define YT_FIBER_H

#include <cstddef>

/* The emulation itself is not instrumented, but told that the rest is: its build defines YT_ADDRESS_SANITIZER. */
#if defined(YT_ADDRESS_SANITIZER)
#elif defined(__SANITIZE_ADDRESS__)
#define YT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define YT_ADDRESS_SANITIZER 1
#endif
#endif

/* YT_FIBER_UCONTEXT: as elsewhere, to try that out. */
#if defined(__x86_64__) && !defined(YT_FIBER_UCONTEXT)
#define YT_FIBER_INSTRUCTIONS 1
#else
#include <ucontext.h>
#endif
#if defined(YT_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

struct yt_fiber {
#if defined(YT_FIBER_INSTRUCTIONS)
    void *stack_pointer;
#else
    ucontext_t context;
#endif
    void *stack;
    size_t stack_bytes;
    void *fake_stack; /* AddressSanitizer's */
};

/* A fiber that will run loop, which does not return. number: any, different ones for fibers that run by turns. Its stack is kept until the process ends. */
void yt_fiber_make(yt_fiber *fiber, void (*loop)(), int number);

/* From the one that runs to another; returns when somebody switches back. */
void yt_fiber_switch(yt_fiber *from, yt_fiber *to);

/* The same from a thread's own stack, which becomes `from`. */
void yt_fiber_enter(yt_fiber *from, yt_fiber *to);

/* Whether AddressSanitizer would let nobody touch some of these bytes. */
static inline bool yt_is_poisoned(const void *p, size_t bytes)
{
#if defined(YT_ADDRESS_SANITIZER)
    return __asan_region_is_poisoned((void *)p, bytes) != nullptr;
#else
    (void)p;
    (void)bytes;
    return false;
#endif
}

/* Memory that must not be touched, and may be again; for AddressSanitizer. */
static inline void yt_poison(void *p, size_t bytes)
{
#if defined(YT_ADDRESS_SANITIZER)
    __asan_poison_memory_region(p, bytes);
#else
    (void)p;
    (void)bytes;
#endif
}

static inline void yt_unpoison(void *p, size_t bytes)
{
#if defined(YT_ADDRESS_SANITIZER)
    __asan_unpoison_memory_region(p, bytes);
#else
    (void)p;
    (void)bytes;
#endif
}

#endif
