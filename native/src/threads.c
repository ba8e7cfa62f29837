#include "threads.h"

#include "old_glibc.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * About 50 microseconds: longer than the pauses between the stages of a forward pass, short enough to cost nothing when idle. With more threads than
 * processors nobody spins: whoever is waited for needs the processor.
 */
enum { SPINS = 4096 };

typedef struct {
    yt_threads *owner;
    pthread_t thread;
    int32_t worker;
} helper;

struct yt_threads {
    int32_t n_threads;
    int32_t n_started;
    int spins;
    helper *helpers;

    /* Counts the jobs; a helper that sees a new number runs the job. The fields of a job are written before. */
    atomic_uint job;
    yt_work work;
    void *argument;
    bool stop;
    atomic_int running;

    atomic_int arrived;
    atomic_uint barrier_round;

    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_int sleepers;
};

static void pause_spin(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits until the job number differs from seen; returns the new one. */
static unsigned await_job(yt_threads *t, unsigned seen)
{
    for (int i = 0; i < t->spins; i++) {
        unsigned now = atomic_load_explicit(&t->job, memory_order_acquire);
        if (now != seen) {
            return now;
        }
        pause_spin();
    }
    pthread_mutex_lock(&t->mutex);
    atomic_fetch_add(&t->sleepers, 1);
    while (atomic_load(&t->job) == seen) {
        pthread_cond_wait(&t->wake, &t->mutex);
    }
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->mutex);
    return atomic_load(&t->job);
}

static void *helper_main(void *argument)
{
    helper *self = argument;
    yt_threads *t = self->owner;
    unsigned seen = 0;
    while (true) {
        seen = await_job(t, seen);
        if (t->stop) {
            return NULL;
        }
        t->work(t->argument, self->worker);
        atomic_fetch_sub_explicit(&t->running, 1, memory_order_release);
    }
}

static void start_job(yt_threads *t)
{
    atomic_fetch_add(&t->job, 1);
    /* A helper that goes to sleep counts itself before it looks at the job number again, so one of us sees the other. */
    if (atomic_load(&t->sleepers) > 0) {
        pthread_mutex_lock(&t->mutex);
        pthread_cond_broadcast(&t->wake);
        pthread_mutex_unlock(&t->mutex);
    }
}

yt_threads *yt_threads_create(int32_t n_threads)
{
    yt_threads *t = calloc(1, sizeof *t);
    helper *helpers = calloc((size_t)n_threads, sizeof *helpers);
    if (t == NULL || helpers == NULL) {
        free(t);
        free(helpers);
        return NULL;
    }
    t->n_threads = n_threads;
    t->spins = n_threads <= sysconf(_SC_NPROCESSORS_ONLN) ? SPINS : 0;
    t->helpers = helpers;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->wake, NULL);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int32_t i = 1; i < n_threads; i++) {
        helpers[i].owner = t;
        helpers[i].worker = i;
        if (pthread_create(&helpers[i].thread, NULL, helper_main, &helpers[i]) != 0) {
            break;
        }
        t->n_started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (t->n_started != n_threads - 1) {
        yt_threads_destroy(t);
        return NULL;
    }
    return t;
}

void yt_threads_destroy(yt_threads *t)
{
    if (t == NULL) {
        return;
    }
    t->stop = true;
    start_job(t);
    for (int32_t i = 1; i <= t->n_started; i++) {
        pthread_join(t->helpers[i].thread, NULL);
    }
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->mutex);
    free(t->helpers);
    free(t);
}

/* Spins, then lets others have the processor: whoever is waited for may need it. */
static void spin_or_yield(const yt_threads *t, int *spins)
{
    if (++*spins < t->spins) {
        pause_spin();
    } else {
        sched_yield();
    }
}

void yt_threads_run(yt_threads *t, yt_work work, void *argument)
{
    if (t->n_threads == 1) {
        work(argument, 0);
        return;
    }
    t->work = work;
    t->argument = argument;
    atomic_store(&t->running, t->n_threads - 1);
    start_job(t);
    work(argument, 0);
    int spins = 0;
    while (atomic_load_explicit(&t->running, memory_order_acquire) > 0) {
        spin_or_yield(t, &spins);
    }
}

void yt_threads_await(const yt_threads *t, const atomic_llong *counter, int64_t number)
{
    int spins = 0;
    while (atomic_load_explicit(counter, memory_order_acquire) < number) {
        spin_or_yield(t, &spins);
    }
}

void yt_threads_barrier(yt_threads *t)
{
    if (t->n_threads == 1) {
        return;
    }
    unsigned round = atomic_load(&t->barrier_round);
    if (atomic_fetch_add(&t->arrived, 1) == t->n_threads - 1) {
        atomic_store(&t->arrived, 0);
        atomic_fetch_add(&t->barrier_round, 1);
        return;
    }
    int spins = 0;
    while (atomic_load_explicit(&t->barrier_round, memory_order_acquire) == round) {
        spin_or_yield(t, &spins);
    }
}
