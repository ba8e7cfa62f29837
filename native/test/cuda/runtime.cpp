/*
 * The runtime: what is alive, streams, faults. One lock guards all of it, but is not held while a stream's work is done, so that streams of several threads run at the
 * same time.
 */
#include "runtime.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "emulation.h"

namespace {

/* A stream's work in order. Number i of it is done when `done` is more than i. */
struct stream {
    int device;
    bool waits_for_default; /* and the default stream for it */
    std::deque<std::function<void()>> work;
    uint64_t n_added = 0;
    std::atomic<uint64_t> done{0};
    std::mutex doing;
};

/* A place in a stream. */
struct mark {
    std::shared_ptr<stream> of;
    uint64_t count = 0;
};

struct launch {
    const void *kernel;
    dim3 grid;
    dim3 block;
    size_t shared_bytes;
    std::vector<unsigned char> parameter;
};

struct allocation {
    size_t bytes;
    int device; /* PINNED: the host's */
};

const int PINNED = -1;
/* As a float NaN, as an index out of every range. */
const int UNDEFINED = 0xFF;

int64_t setting(const char *name, int64_t otherwise)
{
    const char *text = std::getenv(name);
    return text == nullptr || *text == 0 ? otherwise : std::strtoll(text, nullptr, 10);
}

} // namespace

struct CUstream_st {
    std::shared_ptr<stream> of;
};

struct CUevent_st {
    mark at;
    int device;
    std::shared_ptr<std::atomic<int64_t>> nanos; /* when it was reached */
};

struct CUgraphNode_st {
    launch what;
    std::vector<cudaGraphNode_t> dependencies;
};

struct CUgraph_st {
    std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
    std::vector<cudaGraphNode_t> order; /* of the graph, which may be gone: compared alone */
    std::shared_ptr<const std::vector<launch>> launches;
};

namespace {

struct runtime_state {
    std::mutex lock;
    int devices = (int)setting("YANGTUO_EMULATED_DEVICES", 1);
    int64_t memory = setting("YANGTUO_EMULATED_MEMORY", (int64_t)8 << 30);
    int driver = (int)setting("YANGTUO_EMULATED_DRIVER", 13000);
    bool deferred = setting("YANGTUO_EMULATED_DEFERRED", 1) != 0;
    int major = 8;
    int minor = 0;

    int64_t calls = 0;
    int64_t fails_at = 0;
    cudaError_t failure = cudaSuccess;
    bool failure_is_sticky = false;
    std::atomic<cudaError_t> gone{cudaSuccess};

    std::map<uintptr_t, allocation> allocations;
    std::map<CUstream_st *, std::unique_ptr<CUstream_st>> streams;
    std::map<CUevent_st *, std::unique_ptr<CUevent_st>> events;
    std::map<CUgraph_st *, std::unique_ptr<CUgraph_st>> graphs;
    std::map<CUgraphExec_st *, std::unique_ptr<CUgraphExec_st>> executables;
    std::map<int, std::shared_ptr<stream>> defaults;
    std::map<std::pair<const void *, int>, int> shared_limits;
    int64_t kernel_launches = 0;
    int64_t graph_launches = 0;

    runtime_state()
    {
        if (const char *text = std::getenv("YANGTUO_EMULATED_CAPABILITY")) {
            std::sscanf(text, "%d.%d", &major, &minor);
        }
        if (const char *text = std::getenv("YANGTUO_EMULATED_FAILURE")) {
            char *end;
            fails_at = std::strtoll(text, &end, 10);
            failure = *end == ':' ? (cudaError_t)std::strtol(end + 1, &end, 10) : cudaErrorUnknown;
            failure_is_sticky = std::strcmp(end, ":sticky") == 0;
        }
    }
};

/* Never destroyed: at the end of a process another thread may still use it. */
runtime_state &state = *new runtime_state();

typedef std::unique_lock<std::mutex> guard;

YT_EMULATION_LOCAL cudaError_t last_error;
YT_EMULATION_LOCAL int current_device;

/* ---- calls ------------------------------------------------------------------------------------------------------------------------ */

cudaError_t remember(cudaError_t error)
{
    if (error != cudaSuccess && error != cudaErrorNotReady) {
        last_error = error;
    }
    return error;
}

/* Counts the call; the error that it was told to have. */
cudaError_t injected()
{
    state.calls++;
    if (state.gone != cudaSuccess) {
        return state.gone;
    }
    if (state.fails_at == 0 || state.calls != state.fails_at) {
        return cudaSuccess;
    }
    if (state.failure_is_sticky) {
        state.gone = state.failure;
    }
    return state.failure;
}

cudaError_t check_device()
{
    /* A release of the driver runs what was built for any minor release of its major one. */
    if (state.driver < CUDART_VERSION / 1000 * 1000) {
        return cudaErrorInsufficientDriver;
    }
    return state.devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

/* A call that needs a device; body is called with the lock held, and may let go of it. */
template <typename F>
cudaError_t call(F body)
{
    guard held(state.lock);
    cudaError_t error = injected();
    if (error == cudaSuccess) {
        error = check_device();
    }
    return remember(error == cudaSuccess ? body(held) : error);
}

/* A call that releases something, which it does even when it fails: a device that is gone has taken it along. */
template <typename F>
cudaError_t release(F body)
{
    guard held(state.lock);
    const cudaError_t error = injected();
    const cudaError_t own = body(held);
    return remember(error != cudaSuccess ? error : own);
}

/* ---- streams ---------------------------------------------------------------------------------------------------------------------- */

/* Does a stream's work until so much of it is done. The lock is not held. */
void do_until(stream &s, uint64_t count)
{
    while (s.done < count) {
        std::lock_guard<std::mutex> one(s.doing);
        if (s.done >= count) {
            return;
        }
        std::function<void()> work;
        {
            guard held(state.lock);
            work.swap(s.work.front());
            s.work.pop_front();
        }
        if (state.gone == cudaSuccess) {
            work();
        }
        s.done++;
    }
}

void do_until(guard &held, const mark &at)
{
    held.unlock();
    do_until(*at.of, at.count);
    held.lock();
}

mark end_of(const std::shared_ptr<stream> &s)
{
    return {s, s->n_added};
}

/* All that is in a device's streams so far. */
void do_all(guard &held, int device, bool default_and_its_own_only)
{
    std::vector<mark> ends;
    for (auto &each : state.streams) {
        if (each.first->of->device == device && (each.first->of->waits_for_default || !default_and_its_own_only)) {
            ends.push_back(end_of(each.first->of));
        }
    }
    if (state.defaults[device] != nullptr) {
        ends.push_back(end_of(state.defaults[device]));
    }
    for (const mark &end : ends) {
        do_until(held, end);
    }
}

/* The stream of a handle; NULL: there is none. */
std::shared_ptr<stream> stream_of(cudaStream_t handle)
{
    if (handle != nullptr) {
        auto found = state.streams.find(handle);
        return found == state.streams.end() ? nullptr : found->second->of;
    }
    std::shared_ptr<stream> &s = state.defaults[current_device];
    if (s == nullptr) {
        s = std::make_shared<stream>();
        s->device = current_device;
        s->waits_for_default = true;
    }
    return s;
}

/* Adds work; what is in the default stream, or waits for it, is done in its place among the others'. */
void add(guard &held, cudaStream_t handle, const std::shared_ptr<stream> &s, std::function<void()> work)
{
    if (handle == nullptr) {
        do_all(held, s->device, true);
    }
    s->work.push_back(std::move(work));
    s->n_added++;
    if (handle == nullptr || !state.deferred) {
        do_until(held, end_of(s));
    }
}

cudaError_t synchronize(guard &held, const mark &at)
{
    do_until(held, at);
    return state.gone;
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

/* The allocation that a pointer points into, or one behind. */
const allocation *allocation_of(const void *p, size_t &offset)
{
    auto after = state.allocations.upper_bound((uintptr_t)p);
    if (after == state.allocations.begin()) {
        return nullptr;
    }
    --after;
    offset = (uintptr_t)p - after->first;
    return offset < after->second.bytes ? &after->second : nullptr;
}

bool is_device(const void *p)
{
    size_t offset;
    const allocation *a = allocation_of(p, offset);
    return a != nullptr && a->device != PINNED;
}

bool is_pinned(const void *p, size_t bytes)
{
    size_t offset;
    const allocation *a = allocation_of(p, offset);
    return a != nullptr && a->device == PINNED && bytes <= a->bytes - offset;
}

/* Whether a range is in one allocation of device memory, where it should be, or in none, where not. */
bool lies_well(const void *p, size_t bytes, bool on_device)
{
    size_t offset;
    const allocation *a = allocation_of(p, offset);
    if (!on_device) {
        return p != nullptr && (a == nullptr || (a->device == PINNED && bytes <= a->bytes - offset));
    }
    return a != nullptr && a->device != PINNED && bytes <= a->bytes - offset;
}

int64_t used(int device)
{
    int64_t bytes = 0;
    for (const auto &each : state.allocations) {
        bytes += each.second.device == device ? (int64_t)each.second.bytes : 0;
    }
    return bytes;
}

cudaError_t allocate(void **memory, size_t bytes, int device)
{
    if (memory == nullptr) {
        return cudaErrorInvalidValue;
    }
    *memory = nullptr;
    if (bytes == 0) {
        return cudaSuccess;
    }
    if (bytes > (size_t)1 << 46 || (device != PINNED && (int64_t)bytes > state.memory - used(device))) {
        return cudaErrorMemoryAllocation;
    }
    if (posix_memalign(memory, 256, bytes) != 0) {
        *memory = nullptr;
        return cudaErrorMemoryAllocation;
    }
    std::memset(*memory, UNDEFINED, bytes);
    state.allocations[(uintptr_t)*memory] = {bytes, device};
    return cudaSuccess;
}

/* Waits for the device, as the runtime does. */
cudaError_t free_memory(guard &held, void *memory, bool pinned)
{
    if (memory == nullptr) {
        return cudaSuccess;
    }
    auto found = state.allocations.find((uintptr_t)memory);
    if (found == state.allocations.end() || (found->second.device == PINNED) != pinned) {
        return cudaErrorInvalidValue;
    }
    for (int device = 0; device < state.devices; device++) {
        if (pinned || device == found->second.device) {
            do_all(held, device, false);
        }
    }
    state.allocations.erase((uintptr_t)memory);
    std::free(memory);
    return cudaSuccess;
}

/*
 * Pinned memory is read and written when the copy is done, as it is by a device. Other memory is read at once, and written before the call returns.
 */
cudaError_t copy(guard &held, void *target, const void *source, size_t bytes, cudaMemcpyKind kind, cudaStream_t handle)
{
    const std::shared_ptr<stream> s = stream_of(handle);
    if (s == nullptr) {
        return cudaErrorInvalidResourceHandle;
    }
    if (bytes == 0) {
        return cudaSuccess;
    }
    const bool to_device = kind == cudaMemcpyDefault ? is_device(target) : kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDefault ? is_device(source) : kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (!lies_well(target, bytes, to_device) || !lies_well(source, bytes, from_device)) {
        return cudaErrorInvalidValue;
    }
    if (!from_device && !is_pinned(source, bytes)) {
        const unsigned char *begin = (const unsigned char *)source;
        auto kept = std::make_shared<std::vector<unsigned char>>(begin, begin + bytes);
        add(held, handle, s, [=] { std::memcpy(target, kept->data(), bytes); });
        return cudaSuccess;
    }
    if (!to_device && state.deferred) {
        std::memset(target, UNDEFINED, bytes);
    }
    add(held, handle, s, [=] { std::memmove(target, source, bytes); });
    return to_device || is_pinned(target, bytes) ? cudaSuccess : synchronize(held, end_of(s));
}

cudaError_t set(guard &held, void *target, int value, size_t bytes, cudaStream_t handle)
{
    const std::shared_ptr<stream> s = stream_of(handle);
    if (s == nullptr) {
        return cudaErrorInvalidResourceHandle;
    }
    if (bytes > 0 && !lies_well(target, bytes, true)) {
        return cudaErrorInvalidValue;
    }
    if (bytes > 0) {
        add(held, handle, s, [=] { std::memset(target, value, bytes); });
    }
    return cudaSuccess;
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------------------- */

/* Bytes of shared memory of a multiprocessor and, after an opt-in, of a block; CUDA programming guide, "Technical Specifications per Compute Capability". */
int shared_of_multiprocessor()
{
    switch (state.major * 10 + state.minor) {
    case 75:
        return 64 << 10;
    case 80:
    case 87:
        return 164 << 10;
    case 86:
    case 89:
    case 120:
    case 121:
        return 100 << 10;
    default:
        return 228 << 10;
    }
}

/* Of later ones than 7.5 the system keeps 1 KB. */
int reserved_shared()
{
    return state.major >= 8 ? 1 << 10 : 0;
}

int largest_shared()
{
    return shared_of_multiprocessor() - reserved_shared();
}

const int USUAL_SHARED = 48 << 10;

cudaError_t make_launch(const void *kernel, dim3 grid, dim3 block, size_t shared_bytes, void **arguments, launch &out)
{
    const size_t parameter_bytes = yt_emulation_parameter_bytes(kernel);
    if (parameter_bytes == 0) {
        return cudaErrorInvalidDeviceFunction;
    }
    if (grid.x - 1 > 0x7FFFFFFEu || grid.y - 1 > 65534 || grid.z - 1 > 65534 || block.x - 1 > 1023 || block.y - 1 > 1023 || block.z - 1 > 63 ||
        (uint64_t)block.x * block.y * block.z > 1024) {
        return cudaErrorInvalidConfiguration;
    }
    auto limit = state.shared_limits.find({kernel, current_device});
    if (shared_bytes > (size_t)(limit == state.shared_limits.end() ? USUAL_SHARED : std::max(limit->second, USUAL_SHARED)) || arguments == nullptr) {
        return cudaErrorInvalidValue;
    }
    const unsigned char *parameter = (const unsigned char *)arguments[0];
    out = {kernel, grid, block, shared_bytes, {parameter, parameter + parameter_bytes}};
    return cudaSuccess;
}

void run(const launch &what)
{
    yt_emulation_launch(what.kernel, what.grid, what.block, what.shared_bytes, what.parameter.data());
}

cudaError_t make_node(const cudaKernelNodeParams *p, launch &out)
{
    if (p == nullptr || p->extra != nullptr) {
        return cudaErrorInvalidValue;
    }
    return make_launch(p->func, p->gridDim, p->blockDim, p->sharedMemBytes, p->kernelParams, out);
}

/* Nodes after those on which they depend; of several that could be next the one that was added last, so that a missing dependency shows. */
std::vector<cudaGraphNode_t> order_of(const CUgraph_st &graph)
{
    std::vector<cudaGraphNode_t> order;
    std::vector<bool> placed(graph.nodes.size());
    auto is_placed = [&](cudaGraphNode_t node) { return std::find(order.begin(), order.end(), node) != order.end(); };
    while (order.size() < graph.nodes.size()) {
        size_t i = graph.nodes.size() - 1;
        while (placed[i] || !std::all_of(graph.nodes[i]->dependencies.begin(), graph.nodes[i]->dependencies.end(), is_placed)) {
            i--; /* a node depends on earlier ones only, so there is one */
        }
        placed[i] = true;
        order.push_back(graph.nodes[i].get());
    }
    return order;
}

template <typename T>
cudaError_t destroy(std::map<T *, std::unique_ptr<T>> &alive, T *handle)
{
    return alive.erase(handle) == 1 ? cudaSuccess : cudaErrorInvalidResourceHandle;
}

template <typename T>
T *keep(std::map<T *, std::unique_ptr<T>> &alive, std::unique_ptr<T> made)
{
    T *handle = made.get();
    alive[handle] = std::move(made);
    return handle;
}

template <typename T>
bool lives(const std::map<T *, std::unique_ptr<T>> &alive, T *handle)
{
    return alive.find(handle) != alive.end();
}

} // namespace

/* ---- errors ----------------------------------------------------------------------------------------------------------------------- */

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
#define NAME(name, number) \
    case name: \
        return #name;
        YT_EMULATED_ERRORS(NAME)
#undef NAME
    }
    return "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error)
{
    return cudaGetErrorName(error);
}

cudaError_t cudaGetLastError()
{
    guard held(state.lock);
    const cudaError_t error = injected();
    const cudaError_t last = last_error;
    last_error = cudaSuccess;
    return error != cudaSuccess ? error : last;
}

cudaError_t cudaPeekAtLastError()
{
    guard held(state.lock);
    const cudaError_t error = injected();
    return error != cudaSuccess ? error : last_error;
}

/* ---- devices ---------------------------------------------------------------------------------------------------------------------- */

cudaError_t cudaDriverGetVersion(int *version)
{
    guard held(state.lock);
    *version = state.driver;
    return remember(injected());
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    guard held(state.lock);
    *version = CUDART_VERSION;
    return remember(injected());
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 0;
    return call([&](guard &) {
        *count = state.devices;
        return cudaSuccess;
    });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    return call([&](guard &) {
        if (device < 0 || device >= state.devices) {
            return cudaErrorInvalidDevice;
        }
        *properties = {};
        std::snprintf(properties->name, sizeof properties->name, "Emulated device %d", device);
        std::memcpy(properties->uuid.bytes, &device, sizeof device);
        properties->totalGlobalMem = (size_t)state.memory;
        properties->sharedMemPerBlock = USUAL_SHARED;
        properties->regsPerBlock = 65536;
        properties->warpSize = 32;
        properties->maxThreadsPerBlock = 1024;
        properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
        properties->maxThreadsDim[2] = 64;
        properties->maxGridSize[0] = 0x7FFFFFFF;
        properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
        properties->totalConstMem = 64 << 10;
        properties->major = state.major;
        properties->minor = state.minor;
        properties->multiProcessorCount = 4;
        properties->canMapHostMemory = 1;
        properties->concurrentKernels = 1;
        properties->pciBusID = device + 1;
        properties->asyncEngineCount = 2;
        properties->unifiedAddressing = 1;
        properties->memoryBusWidth = 256;
        properties->l2CacheSize = 4 << 20;
        properties->maxThreadsPerMultiProcessor = state.major == 7 ? 1024 : 1536;
        properties->sharedMemPerMultiprocessor = (size_t)shared_of_multiprocessor();
        properties->regsPerMultiprocessor = 65536;
        properties->sharedMemPerBlockOptin = (size_t)largest_shared();
        properties->maxBlocksPerMultiProcessor = 16;
        properties->reservedSharedMemPerBlock = (size_t)reserved_shared();
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device)
{
    return call([&](guard &) {
        if (device < 0 || device >= state.devices) {
            return cudaErrorInvalidDevice;
        }
        switch (attribute) {
        case cudaDevAttrMaxThreadsPerBlock:
            *value = 1024;
            break;
        case cudaDevAttrMaxSharedMemoryPerBlock:
            *value = USUAL_SHARED;
            break;
        case cudaDevAttrWarpSize:
            *value = 32;
            break;
        case cudaDevAttrMultiProcessorCount:
            *value = 4;
            break;
        case cudaDevAttrIntegrated:
        case cudaDevAttrComputeMode:
            *value = 0;
            break;
        case cudaDevAttrGlobalMemoryBusWidth:
            *value = 256;
            break;
        case cudaDevAttrL2CacheSize:
            *value = 4 << 20;
            break;
        case cudaDevAttrMaxThreadsPerMultiProcessor:
            *value = state.major == 7 ? 1024 : 1536;
            break;
        case cudaDevAttrUnifiedAddressing:
            *value = 1;
            break;
        case cudaDevAttrComputeCapabilityMajor:
            *value = state.major;
            break;
        case cudaDevAttrComputeCapabilityMinor:
            *value = state.minor;
            break;
        case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
            *value = shared_of_multiprocessor();
            break;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin:
            *value = largest_shared();
            break;
        default:
            return cudaErrorInvalidValue;
        }
        return cudaSuccess;
    });
}

cudaError_t cudaSetDevice(int device)
{
    return call([&](guard &) {
        if (device < 0 || device >= state.devices) {
            return cudaErrorInvalidDevice;
        }
        current_device = device;
        return cudaSuccess;
    });
}

cudaError_t cudaGetDevice(int *device)
{
    return call([&](guard &) {
        *device = current_device;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceSynchronize()
{
    return call([](guard &held) {
        do_all(held, current_device, false);
        return state.gone.load();
    });
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------------- */

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    return call([&](guard &) { return allocate(memory, bytes, current_device); });
}

cudaError_t cudaFree(void *memory)
{
    return release([&](guard &held) { return free_memory(held, memory, false); });
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    return call([&](guard &) {
        *total = (size_t)state.memory;
        *free = (size_t)std::max<int64_t>(0, state.memory - used(current_device));
        return cudaSuccess;
    });
}

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned)
{
    return call([&](guard &) { return allocate(memory, bytes, PINNED); });
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *memory)
{
    return release([&](guard &held) { return free_memory(held, memory, true); });
}

cudaError_t cudaMemcpyAsync(void *target, const void *source, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    return call([&](guard &held) { return copy(held, target, source, bytes, kind, stream); });
}

cudaError_t cudaMemcpy(void *target, const void *source, size_t bytes, cudaMemcpyKind kind)
{
    return cudaMemcpyAsync(target, source, bytes, kind, nullptr);
}

cudaError_t cudaMemsetAsync(void *target, int value, size_t bytes, cudaStream_t stream)
{
    return call([&](guard &held) { return set(held, target, value, bytes, stream); });
}

cudaError_t cudaMemset(void *target, int value, size_t bytes)
{
    return cudaMemsetAsync(target, value, bytes, nullptr);
}

/* ---- streams and events ----------------------------------------------------------------------------------------------------------- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
    return call([&](guard &) {
        std::unique_ptr<CUstream_st> made(new CUstream_st{std::make_shared<stream>()});
        made->of->device = current_device;
        made->of->waits_for_default = (flags & cudaStreamNonBlocking) == 0;
        *out = keep(state.streams, std::move(made));
        return cudaSuccess;
    });
}

cudaError_t cudaStreamCreate(cudaStream_t *out)
{
    return cudaStreamCreateWithFlags(out, cudaStreamDefault);
}

/* What is in it is still done. */
cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    return release([&](guard &held) {
        if (handle == nullptr || !lives(state.streams, handle)) {
            return cudaErrorInvalidResourceHandle;
        }
        do_until(held, end_of(handle->of));
        return destroy(state.streams, handle);
    });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle)
{
    return call([&](guard &held) {
        const std::shared_ptr<stream> s = stream_of(handle);
        return s == nullptr ? cudaErrorInvalidResourceHandle : synchronize(held, end_of(s));
    });
}

/* Not ready once for each piece of work, so that a loop of queries ends. */
static cudaError_t query(guard &held, const mark &at)
{
    const uint64_t done = at.of->done;
    if (done >= at.count) {
        return cudaSuccess;
    }
    do_until(held, {at.of, done + 1});
    return state.gone != cudaSuccess ? state.gone.load() : cudaErrorNotReady;
}

cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    return call([&](guard &held) {
        const std::shared_ptr<stream> s = stream_of(handle);
        return s == nullptr ? cudaErrorInvalidResourceHandle : query(held, end_of(s));
    });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned)
{
    return call([&](guard &held) {
        const std::shared_ptr<stream> s = stream_of(handle);
        if (s == nullptr || !lives(state.events, event)) {
            return cudaErrorInvalidResourceHandle;
        }
        const mark at = event->at;
        if (at.of != nullptr && at.of != s) {
            add(held, handle, s, [at] { do_until(*at.of, at.count); });
        }
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    return call([&](guard &) {
        std::unique_ptr<CUevent_st> made(new CUevent_st{{}, current_device, std::make_shared<std::atomic<int64_t>>(0)});
        *event = keep(state.events, std::move(made));
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    return release([&](guard &) { return destroy(state.events, event); });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    return call([&](guard &held) {
        const std::shared_ptr<stream> s = stream_of(handle);
        if (s == nullptr || !lives(state.events, event) || event->device != s->device) {
            return cudaErrorInvalidResourceHandle;
        }
        event->nanos = std::make_shared<std::atomic<int64_t>>(0);
        event->at = {s, s->n_added + 1};
        add(held, handle, s, [nanos = event->nanos] {
            *nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
        });
        return cudaSuccess;
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    return call([&](guard &held) {
        if (!lives(state.events, event)) {
            return cudaErrorInvalidResourceHandle;
        }
        const mark at = event->at;
        return at.of == nullptr ? cudaSuccess : synchronize(held, at);
    });
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    return call([&](guard &held) {
        if (!lives(state.events, event)) {
            return cudaErrorInvalidResourceHandle;
        }
        const mark at = event->at;
        return at.of == nullptr ? cudaSuccess : query(held, at);
    });
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end)
{
    return call([&](guard &) {
        if (!lives(state.events, begin) || !lives(state.events, end) || begin->at.of == nullptr || end->at.of == nullptr) {
            return cudaErrorInvalidResourceHandle;
        }
        if (*begin->nanos == 0 || *end->nanos == 0) {
            return cudaErrorNotReady;
        }
        *milliseconds = (float)(*end->nanos - *begin->nanos) * 1e-6f;
        return cudaSuccess;
    });
}

/* ---- kernels and graphs ----------------------------------------------------------------------------------------------------------- */

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value)
{
    return call([&](guard &) {
        if (yt_emulation_parameter_bytes(kernel) == 0) {
            return cudaErrorInvalidDeviceFunction;
        }
        if (value < 0 || (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize && value > largest_shared())) {
            return cudaErrorInvalidValue;
        }
        if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
            state.shared_limits[{kernel, current_device}] = value;
        }
        return cudaSuccess;
    });
}

cudaError_t cudaLaunchKernel(const void *kernel, dim3 grid, dim3 block, void **arguments, size_t shared_bytes, cudaStream_t handle)
{
    return call([&](guard &held) {
        const std::shared_ptr<stream> s = stream_of(handle);
        if (s == nullptr || s->device != current_device) {
            return cudaErrorInvalidResourceHandle;
        }
        auto what = std::make_shared<launch>();
        const cudaError_t error = make_launch(kernel, grid, block, shared_bytes, arguments, *what);
        if (error == cudaSuccess) {
            state.kernel_launches++;
            add(held, handle, s, [what] { run(*what); });
        }
        return error;
    });
}

cudaError_t cudaGraphCreate(cudaGraph_t *graph, unsigned)
{
    return call([&](guard &) {
        *graph = keep(state.graphs, std::unique_ptr<CUgraph_st>(new CUgraph_st()));
        return cudaSuccess;
    });
}

cudaError_t cudaGraphAddKernelNode(
    cudaGraphNode_t *node, cudaGraph_t graph, const cudaGraphNode_t *dependencies, size_t n_dependencies, const cudaKernelNodeParams *parameters)
{
    return call([&](guard &) {
        if (!lives(state.graphs, graph)) {
            return cudaErrorInvalidValue;
        }
        std::unique_ptr<CUgraphNode_st> made(new CUgraphNode_st());
        for (size_t i = 0; i < n_dependencies; i++) {
            auto is_it = [&](const std::unique_ptr<CUgraphNode_st> &each) { return each.get() == dependencies[i]; };
            if (std::none_of(graph->nodes.begin(), graph->nodes.end(), is_it)) {
                return cudaErrorInvalidValue;
            }
            made->dependencies.push_back(dependencies[i]);
        }
        const cudaError_t error = make_node(parameters, made->what);
        if (error == cudaSuccess) {
            *node = made.get();
            graph->nodes.push_back(std::move(made));
        }
        return error;
    });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long)
{
    return call([&](guard &) {
        if (!lives(state.graphs, graph)) {
            return cudaErrorInvalidValue;
        }
        std::unique_ptr<CUgraphExec_st> made(new CUgraphExec_st());
        made->order = order_of(*graph);
        std::vector<launch> launches;
        for (cudaGraphNode_t node : made->order) {
            launches.push_back(node->what);
        }
        made->launches = std::make_shared<const std::vector<launch>>(std::move(launches));
        *executable = keep(state.executables, std::move(made));
        return cudaSuccess;
    });
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long flags)
{
    return cudaGraphInstantiate(executable, graph, flags);
}

/* Holds for later launches; those that are in a stream keep what they had. */
cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node, const cudaKernelNodeParams *parameters)
{
    return call([&](guard &) {
        if (!lives(state.executables, executable)) {
            return cudaErrorInvalidValue;
        }
        const auto found = std::find(executable->order.begin(), executable->order.end(), node);
        launch what;
        const cudaError_t error = make_node(parameters, what);
        if (error != cudaSuccess || found == executable->order.end()) {
            return error != cudaSuccess ? error : cudaErrorInvalidValue;
        }
        std::vector<launch> launches = *executable->launches;
        launches[(size_t)(found - executable->order.begin())] = what;
        executable->launches = std::make_shared<const std::vector<launch>>(std::move(launches));
        return cudaSuccess;
    });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t handle)
{
    return call([&](guard &) { return lives(state.executables, executable) && stream_of(handle) != nullptr ? cudaSuccess : cudaErrorInvalidValue; });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle)
{
    return call([&](guard &held) {
        const std::shared_ptr<stream> s = stream_of(handle);
        if (s == nullptr || !lives(state.executables, executable)) {
            return cudaErrorInvalidValue;
        }
        state.graph_launches++;
        add(held, handle, s, [launches = executable->launches] { std::for_each(launches->begin(), launches->end(), run); });
        return cudaSuccess;
    });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    return release([&](guard &) { return destroy(state.executables, executable); });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    return release([&](guard &) { return destroy(state.graphs, graph); });
}

/* ---- settings --------------------------------------------------------------------------------------------------------------------- */

void yt_emulated_set_devices(int32_t count)
{
    guard held(state.lock);
    state.devices = count;
}

void yt_emulated_set_memory(int64_t bytes)
{
    guard held(state.lock);
    state.memory = bytes;
}

void yt_emulated_set_capability(int32_t major, int32_t minor)
{
    guard held(state.lock);
    state.major = major;
    state.minor = minor;
    state.shared_limits.clear();
}

void yt_emulated_set_driver(int32_t version)
{
    guard held(state.lock);
    state.driver = version;
}

void yt_emulated_set_deferred(int32_t deferred)
{
    guard held(state.lock);
    state.deferred = deferred != 0;
}

void yt_emulated_fail(int64_t call, int32_t error, int32_t sticky)
{
    guard held(state.lock);
    state.fails_at = call == 0 ? 0 : state.calls + call;
    state.failure = (cudaError_t)error;
    state.failure_is_sticky = sticky != 0;
    state.gone = cudaSuccess;
    last_error = cudaSuccess;
}

int64_t yt_emulated_calls(void)
{
    guard held(state.lock);
    return state.calls;
}

int64_t yt_emulated_alive(char *names)
{
    guard held(state.lock);
    size_t pinned = 0;
    for (const auto &each : state.allocations) {
        pinned += each.second.device == PINNED;
    }
    const size_t memory = state.allocations.size() - pinned;
    if (names != nullptr) {
        std::snprintf(names, 256, "%zu allocations of device memory, %zu of pinned memory, %zu streams, %zu events, %zu graphs, %zu executable graphs", memory, pinned,
            state.streams.size(), state.events.size(), state.graphs.size(), state.executables.size());
    }
    return (int64_t)(state.allocations.size() + state.streams.size() + state.events.size() + state.graphs.size() + state.executables.size());
}

int64_t yt_emulated_used(void)
{
    guard held(state.lock);
    int64_t bytes = 0;
    for (const auto &each : state.allocations) {
        bytes += each.second.device == PINNED ? 0 : (int64_t)each.second.bytes;
    }
    return bytes;
}

int64_t yt_emulated_kernel_launches(void)
{
    guard held(state.lock);
    return state.kernel_launches;
}

int64_t yt_emulated_graph_launches(void)
{
    guard held(state.lock);
    return state.graph_launches;
}

void yt_emulated_set_order(int32_t order, uint64_t seed)
{
    yt_emulation_set_order((yt_emulation_order)order, seed);
}
