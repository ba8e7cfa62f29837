/* The table of functions that libyangtuo gets (../src/device.h), and what there is to know of devices before one is opened. */
#include "context.cuh"

#include <cstdio>

/* The oldest that has what the kernels use: integer products by tensor cores. */
enum { LEAST_CAPABILITY = 75 };

static int32_t major_of(int32_t version)
{
    return version / 1000;
}

static int32_t minor_of(int32_t version)
{
    return version % 1000 / 10;
}

static int32_t versions(int32_t *driver, int32_t *runtime)
{
    int driver_version = 0;
    int runtime_version = 0;
    cudaError_t error = cudaDriverGetVersion(&driver_version);
    if (error == cudaSuccess) {
        error = cudaRuntimeGetVersion(&runtime_version);
    }
    if (error != cudaSuccess) {
        cudaGetLastError();
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: the version of the driver is not known: %s", cudaGetErrorString(error));
    }
    *driver = driver_version;
    *runtime = runtime_version;
    return YT_OK;
}

static int32_t count_devices(int32_t *count)
{
    int32_t driver = 0;
    int32_t runtime = 0;
    int n = 0;
    const int32_t status = versions(&driver, &runtime);
    if (status != YT_OK) {
        return status;
    }
    if (driver == 0) {
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: there is no NVIDIA driver on this machine; install one for CUDA %d.%d or newer", major_of(runtime), minor_of(runtime));
    }
    const cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaSuccess) {
        *count = n;
        return YT_OK;
    }
    cudaGetLastError();
    switch (error) {
    case cudaErrorInsufficientDriver:
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: the NVIDIA driver is for CUDA %d.%d, which is too old for the runtime of CUDA %d.%d; install a newer driver",
            major_of(driver), minor_of(driver), major_of(runtime), minor_of(runtime));
    case cudaErrorNoDevice:
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: the NVIDIA driver (CUDA %d.%d) shows no device; is there one, and does CUDA_VISIBLE_DEVICES allow it?",
            major_of(driver), minor_of(driver));
    default:
        return yt_report(YT_ERR_UNSUPPORTED, "CUDA: the NVIDIA driver (CUDA %d.%d) cannot be used: %s", major_of(driver), minor_of(driver), cudaGetErrorString(error));
    }
}

/* A call that failed makes a device unusable. */
static bool set_problem(yt_device_info *info, cudaError_t error, const char *what)
{
    if (error == cudaSuccess) {
        return false;
    }
    cudaGetLastError();
    snprintf(info->problem, sizeof info->problem, "%s: %s", what, cudaGetErrorString(error));
    return true;
}

/* Whether the device can be used; its capability is known. */
static bool find_problem(int32_t device, yt_device_info *info)
{
    if (info->compute_capability < LEAST_CAPABILITY) {
        snprintf(info->problem, sizeof info->problem, "its compute capability %d.%d is too old; %d.%d or newer is needed", info->compute_capability / 10,
            info->compute_capability % 10, LEAST_CAPABILITY / 10, LEAST_CAPABILITY % 10);
        return true;
    }
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    if (set_problem(info, cudaSetDevice(device), "it cannot be chosen") || set_problem(info, cudaMemGetInfo(&free_bytes, &total_bytes), "its memory is not known")) {
        return true;
    }
    info->free_bytes = (int64_t)free_bytes;
    return set_problem(info, yt_try_kernel(), "the library's kernels do not run on it");
}

int32_t yt_describe_device(int32_t device, yt_device_info *out)
{
    cudaDeviceProp properties;
    yt_device_info info = {};
    int32_t count;
    const int32_t status = count_devices(&count);
    if (status != YT_OK) {
        return status;
    }
    if (device < 0 || device >= count) {
        return yt_report(YT_ERR_ARGUMENT, "CUDA: there is no device %d; there are %d, the first being 0", device, count);
    }
    if (!set_problem(&info, cudaGetDeviceProperties(&properties, device), "its properties are not known")) {
        snprintf(info.name, sizeof info.name, "%.127s", properties.name);
        info.total_bytes = (int64_t)properties.totalGlobalMem;
        info.compute_capability = 10 * properties.major + properties.minor;
        info.multiprocessors = properties.multiProcessorCount;
        info.is_usable = !find_problem(device, &info);
    }
    *out = info;
    return YT_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------------------------------- */

static const yt_device_table TABLE = {
    .version = YT_DEVICE_VERSION,
    .versions = versions,
    .count = count_devices,
    .info = yt_describe_device,
    .open = yt_context_open,
    .close = yt_context_close,
    .allocate = yt_memory_allocate,
    .release = yt_memory_release,
    .upload = yt_memory_upload,
    .download = yt_memory_download,
    .copy = yt_memory_copy,
    .check_matrix = yt_check_matrix_type,
    .check_kv = yt_check_kv_type,
    .embed = yt_stage_embed,
    .qkv = yt_stage_qkv,
    .attention = yt_stage_attention,
    .add_product = yt_stage_add_product,
    .gate_up = yt_stage_gate_up,
    .logits = yt_stage_logits,
};

extern "C" __attribute__((visibility("default"))) const yt_device_table *yt_device_table_of(int32_t version, void (*set_error)(const char *message))
{
    if (version != YT_DEVICE_VERSION) {
        return nullptr;
    }
    yt_set_error = set_error;
    return &TABLE;
}
