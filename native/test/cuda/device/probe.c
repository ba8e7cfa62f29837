/* Says which devices a library of kernels finds: probe LIBRARY. Exits with 0 if one of them can be used, with 77 and a reason if none can. */
#include "../../../include/yangtuo.h"

#include <stdio.h>

enum { SKIPPED = 77 };

static int skip(const char *reason)
{
    printf("SKIPPED: no GPU: %s\n", reason);
    return SKIPPED;
}

int main(int argc, char **argv)
{
    int32_t count = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: probe LIBRARY\n");
        return 1;
    }
    if (yt_device_library_open(argv[1]) != YT_OK) {
        fprintf(stderr, "FAILED %s\n", yt_last_error());
        return 1;
    }
    if (yt_device_count(&count) != YT_OK) {
        return skip(yt_last_error());
    }
    int n_usable = 0;
    yt_device_info info;
    for (int32_t i = 0; i < count; i++) {
        if (yt_device_describe(i, &info) != YT_OK) {
            fprintf(stderr, "FAILED device %d: %s\n", i, yt_last_error());
            return 1;
        }
        printf("device %d: %s, compute capability %d.%d, %d multiprocessors, %.1f of %.1f GB are free%s%s\n", i, info.name, info.compute_capability / 10,
            info.compute_capability % 10, info.multiprocessors, 1e-9 * (double)info.free_bytes, 1e-9 * (double)info.total_bytes, info.is_usable ? "" : "; not used: ",
            info.problem);
        n_usable += info.is_usable;
    }
    return n_usable > 0 ? 0 : skip(count == 0 ? "the driver finds none" : info.problem);
}
