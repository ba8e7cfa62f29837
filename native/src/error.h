/* The text of the last error of a thread. */
#ifndef YT_ERROR_H
#define YT_ERROR_H

#include <stdint.h>

/* Remembers a message for yt_last_error and returns status. */
int32_t yt_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
