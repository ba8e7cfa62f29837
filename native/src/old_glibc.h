/*
 * To be included by files that use one of these functions: the library then runs with glibc 2.17, as JDKs do, whichever glibc it is linked with. glibc 2.32 to 2.34 moved
 * them from one library to another and gave them new versions; the old ones are still there and do the same. native/cmake/glibc.cmake checks the finished library.
 */
#ifndef YT_OLD_GLIBC_H
#define YT_OLD_GLIBC_H

#ifdef __linux__
#include <features.h>
#endif

#if defined(YT_OLD_GLIBC) && defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#include <sys/stat.h>

/* The first version of glibc for the processor, and what its fstat passed on as the version of struct stat. */
#ifdef __x86_64__
#define YT_FIRST_GLIBC "GLIBC_2.2.5"
enum { YT_STAT_VERSION = 1 };
#else
#define YT_FIRST_GLIBC "GLIBC_2.17"
enum { YT_STAT_VERSION = 0 };
#endif

__asm__(".symver pthread_create, pthread_create@" YT_FIRST_GLIBC);
__asm__(".symver pthread_join, pthread_join@" YT_FIRST_GLIBC);
__asm__(".symver pthread_sigmask, pthread_sigmask@" YT_FIRST_GLIBC);
__asm__(".symver dlopen, dlopen@" YT_FIRST_GLIBC);
__asm__(".symver dlsym, dlsym@" YT_FIRST_GLIBC);
__asm__(".symver dlclose, dlclose@" YT_FIRST_GLIBC);
__asm__(".symver dlerror, dlerror@" YT_FIRST_GLIBC);
__asm__(".symver __fxstat, __fxstat@" YT_FIRST_GLIBC);

/* What fstat was before glibc 2.33 made it a function. */
extern int __fxstat(int version, int file, struct stat *facts);
#define fstat(file, facts) __fxstat(YT_STAT_VERSION, file, facts)
#endif

#endif
