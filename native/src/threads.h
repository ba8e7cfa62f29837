/*
 * The threads of a context. The caller is worker 0; the others wait for work, first spinning, then asleep. They take no signals, so that those of
 * the process (a JVM's) go where they belong.
 */
#ifndef YT_THREADS_H
#define YT_THREADS_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct yt_threads yt_threads;

typedef void (*yt_work)(void *argument, int32_t worker);

/* NULL if threads or memory cannot be had. */
yt_threads *yt_threads_create(int32_t n_threads);
void yt_threads_destroy(yt_threads *threads);

/* Runs work on every worker and returns when all are done. */
void yt_threads_run(yt_threads *threads, yt_work work, void *argument);

/* Inside work: waits until every worker is here. */
void yt_threads_barrier(yt_threads *threads);

/* Inside work: waits until another worker's counter has reached a number, and sees what was written before that. */
void yt_threads_await(const yt_threads *threads, const atomic_llong *counter, int64_t number);

#endif
