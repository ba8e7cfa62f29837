/* The emulated runtime: it does things as late as CUDA may, refuses what CUDA refuses, counts what is alive, and fails where it is told to. */
#include <vector>

#include "checks.h"
#include "device.cuh"
#include "runtime.h"

/* values[i] = factor * values[i] + summand for 32 values: in which order two of them ran can be seen. */
struct step_parameters {
    int *values;
    int factor;
    int summand;
};

__global__ void step(YT_PARAMETER(step_parameters, p))
{
    p.values[threadIdx.x] = p.factor * p.values[threadIdx.x] + p.summand;
}

static const void *const step_kernel = (const void *)step;

static void register_step()
{
    yt_emulation_register(step_kernel, [](const void *k, const void *p) { ((void (*)(step_parameters))k)(*(const step_parameters *)p); },
        sizeof(step_parameters), "P = step_parameters]");
}

static cudaError_t launch(int *values, int factor, int summand, cudaStream_t stream, size_t shared_bytes = 0)
{
    step_parameters p = {values, factor, summand};
    void *arguments = &p;
    return cudaLaunchKernel(step_kernel, dim3(1), dim3(32), &arguments, shared_bytes, stream);
}

static int *new_values(int value, cudaStream_t stream)
{
    const std::vector<int> all(32, value);
    int *values = nullptr;
    CHECK(cudaMalloc(&values, 32 * sizeof(int)) == cudaSuccess);
    CHECK(cudaMemcpyAsync(values, all.data(), 32 * sizeof(int), cudaMemcpyHostToDevice, stream) == cudaSuccess);
    return values;
}

static cudaStream_t new_stream()
{
    cudaStream_t stream = nullptr;
    CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    return stream;
}

/* Nothing is left alive, and settings are the usual. */
static void check_clean()
{
    char names[256];
    if (yt_emulated_alive(names) != 0) {
        std::printf("FAILED left alive: %s\n", names);
        failures++;
    }
    yt_emulated_fail(0, 0, 0);
    yt_emulated_set_devices(1);
    yt_emulated_set_memory((int64_t)8 << 30);
    yt_emulated_set_capability(8, 0);
    yt_emulated_set_driver(13000);
    yt_emulated_set_deferred(1);
}

/* ---- streams ---------------------------------------------------------------------------------------------------------------------- */

static void test_work_is_late()
{
    const cudaStream_t stream = new_stream();
    int *values = new_values(1, stream);
    int *pinned = nullptr;
    CHECK(cudaHostAlloc(&pinned, 32 * sizeof(int), cudaHostAllocDefault) == cudaSuccess);
    CHECK(launch(values, 10, 2, stream) == cudaSuccess);
    CHECK(launch(values, 10, 3, stream) == cudaSuccess);
    pinned[0] = 7;
    CHECK(cudaMemcpyAsync(pinned, values, 32 * sizeof(int), cudaMemcpyDeviceToHost, stream) == cudaSuccess);
    CHECK(pinned[0] == -1); /* neither what was there, nor what will be */
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    CHECK(pinned[0] == 123 && pinned[31] == 123);

    /* Pinned memory is read when the copy is done, other memory before the call returns. */
    pinned[0] = 5;
    int other = 6;
    CHECK(cudaMemcpyAsync(values, pinned, sizeof(int), cudaMemcpyHostToDevice, stream) == cudaSuccess);
    CHECK(cudaMemcpyAsync(values + 1, &other, sizeof(int), cudaMemcpyHostToDevice, stream) == cudaSuccess);
    pinned[0] = 8;
    other = 9;
    int out[2];
    CHECK(cudaMemcpyAsync(out, values, sizeof out, cudaMemcpyDeviceToHost, stream) == cudaSuccess);
    CHECK(out[0] == 8 && out[1] == 6);

    CHECK(cudaMemsetAsync(values, 0, 32 * sizeof(int), stream) == cudaSuccess);
    CHECK(cudaMemcpyAsync(values + 8, values, 8 * sizeof(int), cudaMemcpyDeviceToDevice, stream) == cudaSuccess);
    CHECK(cudaStreamQuery(stream) == cudaErrorNotReady);
    while (cudaStreamQuery(stream) == cudaErrorNotReady) {
    }
    CHECK(cudaGetLastError() == cudaSuccess);
    CHECK(cudaFreeHost(pinned) == cudaSuccess && cudaFree(values) == cudaSuccess && cudaStreamDestroy(stream) == cudaSuccess);
}

static void test_work_at_once()
{
    yt_emulated_set_deferred(0);
    const cudaStream_t stream = new_stream();
    int *values = new_values(1, stream);
    CHECK(launch(values, 10, 2, stream) == cudaSuccess);
    CHECK(values[5] == 12);
    CHECK(cudaFree(values) == cudaSuccess && cudaStreamDestroy(stream) == cudaSuccess);
}

/* A stream that does not wait for another's event comes first, whatever was called first. */
static void test_events()
{
    const cudaStream_t first = new_stream();
    const cudaStream_t second = new_stream();
    cudaEvent_t event = nullptr;
    CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
    CHECK(cudaEventQuery(event) == cudaSuccess); /* never recorded */
    int *values = new_values(1, first);
    CHECK(cudaStreamSynchronize(first) == cudaSuccess);
    CHECK(launch(values, 10, 2, first) == cudaSuccess);
    CHECK(cudaEventRecord(event, first) == cudaSuccess);
    CHECK(launch(values, 10, 4, first) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(second, event, 0) == cudaSuccess);
    CHECK(launch(values, 10, 3, second) == cudaSuccess);
    CHECK(cudaStreamSynchronize(second) == cudaSuccess);
    CHECK(values[0] == 123);
    CHECK(cudaEventSynchronize(event) == cudaSuccess);
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
    CHECK(values[0] == 1234);
    CHECK(launch(values, 10, 2, first) == cudaSuccess);
    CHECK(launch(values, 1, 1, second) == cudaSuccess);
    CHECK(cudaStreamSynchronize(second) == cudaSuccess);
    CHECK(values[0] == 1235);
    CHECK(cudaEventDestroy(event) == cudaSuccess && cudaEventDestroy(event) == cudaErrorInvalidResourceHandle);
    CHECK(cudaFree(values) == cudaSuccess && cudaStreamDestroy(first) == cudaSuccess && cudaStreamDestroy(second) == cudaSuccess);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------------------------- */

static cudaGraphNode_t add_step(cudaGraph_t graph, const cudaGraphNode_t *before, step_parameters p)
{
    void *arguments = &p;
    cudaKernelNodeParams node = {};
    node.func = (void *)step_kernel;
    node.gridDim = dim3(1);
    node.blockDim = dim3(32);
    node.kernelParams = &arguments;
    cudaGraphNode_t added = nullptr;
    CHECK(cudaGraphAddKernelNode(&added, graph, before, before == nullptr ? 0 : 1, &node) == cudaSuccess);
    return added;
}

/* Two steps, the second of which depends on the first, or should. */
static int run_graph(bool depends)
{
    const cudaStream_t stream = new_stream();
    int *values = new_values(1, stream);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    CHECK(cudaGraphCreate(&graph, 0) == cudaSuccess);
    const cudaGraphNode_t first = add_step(graph, nullptr, {values, 10, 2});
    add_step(graph, depends ? &first : nullptr, {values, 10, 3});
    CHECK(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, stream) == cudaSuccess);
    step_parameters later = {values, 100, 50};
    void *arguments = &later;
    cudaKernelNodeParams node = {};
    node.func = (void *)step_kernel;
    node.gridDim = dim3(1);
    node.blockDim = dim3(32);
    node.kernelParams = &arguments;
    CHECK(cudaGraphExecKernelNodeSetParams(executable, first, &node) == cudaSuccess);
    CHECK(cudaGraphDestroy(graph) == cudaSuccess);
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    const int result = values[3];
    CHECK(cudaGraphLaunch(executable, stream) == cudaSuccess);
    CHECK(cudaGraphExecDestroy(executable) == cudaSuccess); /* what was launched still runs */
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    CHECK(values[3] == (depends ? 10 * (100 * result + 50) + 3 : 100 * (10 * result + 3) + 50));
    CHECK(cudaFree(values) == cudaSuccess && cudaStreamDestroy(stream) == cudaSuccess);
    return result;
}

static void test_graphs()
{
    const int64_t graphs = yt_emulated_graph_launches();
    CHECK(run_graph(true) == 123);
    CHECK(run_graph(false) == 132);
    CHECK(yt_emulated_graph_launches() == graphs + 4);
}

/* ---- what is refused -------------------------------------------------------------------------------------------------------------- */

static void test_memory()
{
    yt_emulated_set_memory(1000);
    void *first = nullptr;
    void *second = nullptr;
    size_t free_bytes;
    size_t total_bytes;
    CHECK(cudaMalloc(&first, 600) == cudaSuccess && (uintptr_t)first % 256 == 0);
    CHECK(*(float *)first != *(float *)first); /* nothing is zero by chance */
    CHECK(cudaMalloc(&second, 401) == cudaErrorMemoryAllocation && second == nullptr);
    CHECK(cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess && free_bytes == 400 && total_bytes == 1000);
    CHECK(yt_emulated_used() == 600 && yt_emulated_alive(nullptr) == 1);
    CHECK(cudaMalloc(&second, 400) == cudaSuccess);

    unsigned char host[700] = {};
    const cudaStream_t stream = new_stream();
    CHECK(cudaMemcpyAsync(first, host, 601, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
    CHECK(cudaMemcpyAsync(host, (unsigned char *)first + 1, 600, cudaMemcpyDeviceToHost, stream) == cudaErrorInvalidValue);
    CHECK(cudaMemcpyAsync(host, host + 300, 10, cudaMemcpyDeviceToHost, stream) == cudaErrorInvalidValue);
    CHECK(cudaMemcpyAsync(first, second, 400, cudaMemcpyDeviceToDevice, stream) == cudaSuccess);
    CHECK(cudaMemsetAsync(second, 0, 401, stream) == cudaErrorInvalidValue);
    CHECK(cudaFree((unsigned char *)first + 16) == cudaErrorInvalidValue);
    CHECK(cudaFreeHost(first) == cudaErrorInvalidValue);
    CHECK(cudaFree(first) == cudaSuccess && cudaFree(first) == cudaErrorInvalidValue && cudaFree(nullptr) == cudaSuccess);
    CHECK(cudaMemcpyAsync(first, host, 1, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
    CHECK(cudaFree(second) == cudaSuccess && cudaStreamDestroy(stream) == cudaSuccess && cudaStreamDestroy(stream) == cudaErrorInvalidResourceHandle);
    CHECK(cudaGetLastError() == cudaErrorInvalidResourceHandle && cudaGetLastError() == cudaSuccess);
}

static void test_shared_memory_limits()
{
    const struct {
        int major, minor, most;
    } devices[] = {{7, 5, 64}, {8, 0, 163}, {8, 6, 99}, {8, 9, 99}, {9, 0, 227}, {12, 0, 99}};
    const cudaStream_t stream = new_stream();
    int *values = new_values(0, stream);
    for (const auto &each : devices) {
        yt_emulated_set_capability(each.major, each.minor);
        const int most = each.most << 10;
        int value = 0;
        CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0) == cudaSuccess && value == most);
        CHECK(launch(values, 1, 1, stream, 48 << 10) == cudaSuccess);
        CHECK(launch(values, 1, 1, stream, (48 << 10) + 1) == cudaErrorInvalidValue);
        CHECK(cudaFuncSetAttribute(step_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most + 1) == cudaErrorInvalidValue);
        CHECK(cudaFuncSetAttribute(step_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most) == cudaSuccess);
        CHECK(launch(values, 1, 1, stream, (size_t)most) == cudaSuccess);
        CHECK(launch(values, 1, 1, stream, (size_t)most + 1) == cudaErrorInvalidValue);
    }
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess && values[0] == 12);
    CHECK(cudaFree(values) == cudaSuccess && cudaStreamDestroy(stream) == cudaSuccess);
}

static void test_launches_that_are_refused()
{
    step_parameters p = {};
    void *arguments = &p;
    CHECK(cudaLaunchKernel(step_kernel, dim3(0), dim3(32), &arguments, 0, nullptr) == cudaErrorInvalidConfiguration);
    CHECK(cudaLaunchKernel(step_kernel, dim3(1, 65536), dim3(32), &arguments, 0, nullptr) == cudaErrorInvalidConfiguration);
    CHECK(cudaLaunchKernel(step_kernel, dim3(1), dim3(1056), &arguments, 0, nullptr) == cudaErrorInvalidConfiguration);
    CHECK(cudaLaunchKernel((const void *)&failures, dim3(1), dim3(32), &arguments, 0, nullptr) == cudaErrorInvalidDeviceFunction);

    yt_emulated_set_devices(2);
    const cudaStream_t stream = new_stream();
    CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
    CHECK(cudaSetDevice(1) == cudaSuccess);
    CHECK(cudaLaunchKernel(step_kernel, dim3(1), dim3(32), &arguments, 0, stream) == cudaErrorInvalidResourceHandle); /* of the other device */
    CHECK(cudaSetDevice(0) == cudaSuccess);
    CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

static void test_drivers()
{
    int count = 7;
    int version = 7;
    yt_emulated_set_devices(0);
    CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice && count == 0);
    yt_emulated_set_devices(3);
    CHECK(cudaGetDeviceCount(&count) == cudaSuccess && count == 3);
    yt_emulated_set_driver(12000); /* an older minor release will do */
    CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
    for (int driver : {0, 11080}) {
        yt_emulated_set_driver(driver);
        CHECK(cudaDriverGetVersion(&version) == cudaSuccess && version == driver);
        CHECK(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver && count == 0);
        CHECK(cudaSetDevice(0) == cudaErrorInsufficientDriver);
    }
    CHECK(std::string(cudaGetErrorName(cudaErrorInsufficientDriver)) == "cudaErrorInsufficientDriver");
    CHECK(cudaGetLastError() == cudaErrorInsufficientDriver);
}

/* ---- failures --------------------------------------------------------------------------------------------------------------------- */

/* One after the other until something fails; everything is released in any case. Returns how many calls did what they should. */
static int use_all(cudaError_t *error)
{
    cudaStream_t stream = nullptr;
    cudaEvent_t event = nullptr;
    int *values = nullptr;
    int *pinned = nullptr;
    int good = 0;
    auto call = [&](cudaError_t result) {
        if (result != cudaSuccess) {
            *error = result;
        }
        good += *error == cudaSuccess;
        return *error == cudaSuccess;
    };
    *error = cudaSuccess;
    if (call(cudaSetDevice(0)) && call(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)) && call(cudaEventCreateWithFlags(&event, 0)) &&
        call(cudaMalloc(&values, 32 * sizeof(int))) && call(cudaHostAlloc(&pinned, 32 * sizeof(int), 0)) && call(cudaMemsetAsync(values, 0, 32 * sizeof(int), stream)) &&
        call(launch(values, 1, 4, stream)) && call(cudaMemcpyAsync(pinned, values, 32 * sizeof(int), cudaMemcpyDeviceToHost, stream)) &&
        call(cudaEventRecord(event, stream)) && call(cudaEventSynchronize(event)) && call(cudaStreamSynchronize(stream))) {
        CHECK(pinned[9] == 4);
    }
    call(cudaFree(values));
    call(cudaFreeHost(pinned));
    if (event != nullptr) {
        call(cudaEventDestroy(event));
    }
    if (stream != nullptr) {
        call(cudaStreamDestroy(stream));
    }
    return good;
}

static void test_failures()
{
    cudaError_t error;
    const int64_t before = yt_emulated_calls();
    const int n = use_all(&error);
    CHECK(error == cudaSuccess && yt_emulated_calls() == before + n && n == 15);
    for (int sticky = 0; sticky < 2; sticky++) {
        for (int i = 1; i <= n; i++) {
            yt_emulated_fail(i, cudaErrorIllegalAddress, sticky);
            CHECK(use_all(&error) == i - 1 && error == cudaErrorIllegalAddress);
            CHECK(yt_emulated_alive(nullptr) == 0);
            CHECK(cudaSetDevice(0) == (sticky ? cudaErrorIllegalAddress : cudaSuccess));
            CHECK(cudaGetLastError() == cudaErrorIllegalAddress);
            CHECK(cudaGetLastError() == (sticky ? cudaErrorIllegalAddress : cudaSuccess));
        }
    }
    yt_emulated_fail(0, 0, 0);
    CHECK(use_all(&error) == n && error == cudaSuccess);
}

int main()
{
    register_step();
    void (*const tests[])() = {test_work_is_late, test_work_at_once, test_events, test_graphs, test_memory, test_shared_memory_limits, test_launches_that_are_refused,
        test_drivers, test_failures};
    for (void (*test)() : tests) {
        test();
        check_clean();
    }
    std::printf("%d failures\n", failures);
    return failures != 0;
}
