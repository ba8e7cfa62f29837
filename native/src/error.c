#include "error.h"

#include "../include/yangtuo.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[512];

int32_t yt_fail(int32_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    return status;
}

const char *yt_last_error(void)
{
    return last_error;
}
