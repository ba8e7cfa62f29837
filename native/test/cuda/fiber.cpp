#include "fiber.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#if defined(YT_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace {

/* Instrumented frames are several times as large. */
#if defined(YT_ADDRESS_SANITIZER)
const size_t STACK_BYTES = 512 << 10;
#else
const size_t STACK_BYTES = 128 << 10;
#endif

/* The stack from which the running fiber's switch came, if the switch was yt_fiber_enter's. */
__thread yt_fiber *entered_from;

void announce(yt_fiber *from, yt_fiber *to)
{
#if defined(YT_ADDRESS_SANITIZER)
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_bytes);
#else
    (void)from;
    (void)to;
#endif
}

void announce_arrival(void *fake_stack)
{
#if defined(YT_ADDRESS_SANITIZER)
    const void *stack;
    size_t bytes;
    __sanitizer_finish_switch_fiber(fake_stack, &stack, &bytes);
    if (entered_from != nullptr) {
        entered_from->stack = (void *)stack;
        entered_from->stack_bytes = bytes;
    }
#else
    (void)fake_stack;
#endif
    entered_from = nullptr;
}

#if defined(YT_FIBER_INSTRUCTIONS)

/* Saves what a called function must keep, and takes the other's. */
__attribute__((naked, noinline)) void switch_stacks(void **, void *)
{
    asm volatile("pushq %rbp\n\t"
                 "pushq %rbx\n\t"
                 "pushq %r12\n\t"
                 "pushq %r13\n\t"
                 "pushq %r14\n\t"
                 "pushq %r15\n\t"
                 "movq %rsp, (%rdi)\n\t"
                 "movq %rsi, %rsp\n\t"
                 "popq %r15\n\t"
                 "popq %r14\n\t"
                 "popq %r13\n\t"
                 "popq %r12\n\t"
                 "popq %rbx\n\t"
                 "popq %rbp\n\t"
                 "ret");
}

/* Where a new fiber begins: first_arrival, which is in r12, of its loop. */
__attribute__((naked)) void begin()
{
    asm volatile("movq %rbx, %rdi\n\t"
                 "jmp *%r12");
}

#endif

/* Before its loop a fiber tells AddressSanitizer that it has arrived. */
void first_arrival(void (*loop)())
{
    announce_arrival(nullptr);
    loop();
    std::abort();
}

#if !defined(YT_FIBER_INSTRUCTIONS)
void first_arrival_of_halves(unsigned low, unsigned high)
{
    first_arrival((void (*)())((uintptr_t)high << 32 | low));
}
#endif

/* A stack with a page below it that nobody can touch. */
char *new_stack()
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *stack = (char *)mmap(nullptr, page + STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, page, PROT_NONE) != 0) {
        std::perror("emulation: no memory for a stack");
        std::abort();
    }
    return stack + page;
}

} // namespace

void yt_fiber_make(yt_fiber *fiber, void (*loop)(), int number)
{
    fiber->fake_stack = nullptr;
    fiber->stack = new_stack();
    /* Not all stacks begin at the same place of a page: their upper ends would all want the same few lines of the cache. */
    fiber->stack_bytes = STACK_BYTES - (size_t)number * 832 % 16384 / 16 * 16;
#if defined(YT_FIBER_INSTRUCTIONS)
    void **top = (void **)((char *)fiber->stack + fiber->stack_bytes);
    *--top = nullptr; /* begin's return address: the end for debuggers */
    *--top = (void *)begin;
    *--top = nullptr;             /* rbp */
    *--top = (void *)loop;        /* rbx */
    *--top = (void *)first_arrival; /* r12 */
    top -= 3;
    fiber->stack_pointer = top;
#else
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = fiber->stack_bytes;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, (void (*)())first_arrival_of_halves, 2, (unsigned)(uintptr_t)loop, (unsigned)((uintptr_t)loop >> 32));
#endif
}

void yt_fiber_switch(yt_fiber *from, yt_fiber *to)
{
    announce(from, to);
#if defined(YT_FIBER_INSTRUCTIONS)
    switch_stacks(&from->stack_pointer, to->stack_pointer);
#else
    swapcontext(&from->context, &to->context);
#endif
    announce_arrival(from->fake_stack);
}

void yt_fiber_enter(yt_fiber *from, yt_fiber *to)
{
    entered_from = from;
    yt_fiber_switch(from, to);
}
