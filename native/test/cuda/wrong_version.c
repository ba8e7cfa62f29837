/* A library of kernels for a libyangtuo of another version, for device_test.c. */
#include "../../src/device.h"

#include <stddef.h>

__attribute__((visibility("default"))) const yt_device_table *yt_device_table_of(int32_t version, void (*set_error)(const char *message));

const yt_device_table *yt_device_table_of(int32_t version, void (*set_error)(const char *message))
{
    (void)version;
    (void)set_error;
    return NULL;
}
