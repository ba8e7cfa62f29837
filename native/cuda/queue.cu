/*
 * The queue of launches. A pass of generation is the same list of launches each time: kernels, shapes and parameters, byte by byte, since what changes is read from memory
 * by the kernels. A list that comes for the second time becomes a graph, which the device starts as a whole; one that does not come again is launched one by one.
 */
#include "context.cuh"

void yt_queue_add(yt_queue &queue, const void *kernel, dim3 grid, dim3 block, unsigned shared_bytes, const void *parameters, unsigned parameter_bytes)
{
    static const unsigned char zeros[16] = {};
    yt_launch_list &list = queue.list;
    const yt_queued launch = {kernel, grid, block, shared_bytes, parameter_bytes, list.parameters.n};
    const unsigned padding = -parameter_bytes % 16;
    if (queue.is_incomplete || !yt_array_reserve(list.launches, 1) || !yt_array_reserve(list.parameters, parameter_bytes + padding)) {
        queue.is_incomplete = true;
        return;
    }
    yt_array_append(list.launches, &launch, 1);
    yt_array_append(list.parameters, (const unsigned char *)parameters, parameter_bytes);
    yt_array_append(list.parameters, zeros, padding);
}

/* ---- lists ------------------------------------------------------------------------------------------------------------------------ */

static void free_list(yt_launch_list &list)
{
    yt_array_free(list.launches);
    yt_array_free(list.parameters);
}

static bool is_same(const yt_launch_list &a, const yt_launch_list &b)
{
    return a.launches.n == b.launches.n && a.parameters.n == b.parameters.n
        && memcmp((const void *)a.launches.items, (const void *)b.launches.items, (size_t)a.launches.n * sizeof(yt_queued)) == 0
        && memcmp(a.parameters.items, b.parameters.items, (size_t)a.parameters.n) == 0;
}

static yt_known_list *find(yt_known_list *lists, int n, const yt_launch_list &list)
{
    for (int i = 0; i < n; i++) {
        if (is_same(lists[i].list, list)) {
            return &lists[i];
        }
    }
    return nullptr;
}

static void forget(yt_known_list &known)
{
    if (known.graph != nullptr) {
        cudaGraphExecDestroy(known.graph); /* one that still runs ends first */
    }
    free_list(known.list);
    known = {};
}

/* The place of the one that was not used for longest, emptied. */
static yt_known_list *take_place(yt_known_list *lists, int n)
{
    yt_known_list *oldest = lists;
    for (int i = 1; i < n; i++) {
        oldest = lists[i].last_use < oldest->last_use ? &lists[i] : oldest;
    }
    forget(*oldest);
    return oldest;
}

void yt_queue_forget(yt_queue &queue)
{
    for (yt_known_list &known : queue.seen) {
        forget(known);
    }
    for (yt_known_list &known : queue.graphs) {
        forget(known);
    }
}

void yt_queue_free(yt_queue &queue)
{
    yt_queue_forget(queue);
    free_list(queue.list);
    yt_array_free(queue.large_kernels);
}

/* ---- computing -------------------------------------------------------------------------------------------------------------------- */

static void *parameters_of(const yt_launch_list &list, const yt_queued &launch)
{
    return list.parameters.items + launch.parameter_offset;
}

/* Kernels are allowed 48 KB of shared memory unless more is asked for, once. */
static cudaError_t allow_shared_memory(yt_queue &queue, const yt_queued &launch)
{
    enum { ALWAYS_ALLOWED = 48 << 10 };
    if (launch.shared_bytes <= ALWAYS_ALLOWED) {
        return cudaSuccess;
    }
    yt_large_kernel *found = nullptr;
    for (int64_t i = 0; i < queue.large_kernels.n; i++) {
        if (queue.large_kernels.items[i].kernel == launch.kernel) {
            found = &queue.large_kernels.items[i];
        }
    }
    if (found != nullptr && launch.shared_bytes <= found->shared_bytes) {
        return cudaSuccess;
    }
    const cudaError_t error = cudaFuncSetAttribute(launch.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)launch.shared_bytes);
    if (error == cudaSuccess && found != nullptr) {
        found->shared_bytes = launch.shared_bytes;
    } else if (error == cudaSuccess) {
        const yt_large_kernel allowed = {launch.kernel, launch.shared_bytes};
        yt_array_append(queue.large_kernels, &allowed, 1); /* if it cannot be kept, it is allowed again */
    }
    return error;
}

static cudaError_t launch_all(const yt_launch_list &list, cudaStream_t stream)
{
    for (int64_t i = 0; i < list.launches.n; i++) {
        const yt_queued &launch = list.launches.items[i];
        void *parameters = parameters_of(list, launch);
        const cudaError_t error = cudaLaunchKernel(launch.kernel, launch.grid, launch.block, &parameters, launch.shared_bytes, stream);
        if (error != cudaSuccess) {
            return error;
        }
    }
    return cudaSuccess;
}

/* One after the other. */
static cudaError_t add_nodes(cudaGraph_t graph, const yt_launch_list &list)
{
    cudaGraphNode_t before = nullptr;
    for (int64_t i = 0; i < list.launches.n; i++) {
        const yt_queued &launch = list.launches.items[i];
        void *parameters = parameters_of(list, launch);
        cudaKernelNodeParams node = {};
        node.func = (void *)launch.kernel;
        node.gridDim = launch.grid;
        node.blockDim = launch.block;
        node.sharedMemBytes = launch.shared_bytes;
        node.kernelParams = &parameters;
        cudaGraphNode_t added;
        const cudaError_t error = cudaGraphAddKernelNode(&added, graph, &before, i == 0 ? 0 : 1, &node);
        if (error != cudaSuccess) {
            return error;
        }
        before = added;
    }
    return cudaSuccess;
}

static cudaError_t make_graph(const yt_launch_list &list, cudaGraphExec_t *out)
{
    cudaGraph_t graph;
    cudaError_t error = cudaGraphCreate(&graph, 0);
    if (error != cudaSuccess) {
        return error;
    }
    error = add_nodes(graph, list);
    if (error == cudaSuccess) {
        error = cudaGraphInstantiate(out, graph, 0);
    }
    const cudaError_t destroyed = cudaGraphDestroy(graph);
    if (error == cudaSuccess && destroyed != cudaSuccess) {
        cudaGraphExecDestroy(*out);
    }
    return error != cudaSuccess ? error : destroyed;
}

/* A list that was seen once: its graph is started. Without memory for one it is launched as before. */
static cudaError_t start_as_graph(yt_queue &queue, yt_known_list &seen, cudaStream_t stream)
{
    cudaGraphExec_t graph;
    cudaError_t error = make_graph(seen.list, &graph);
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError(); /* it is dealt with */
        return launch_all(queue.list, stream);
    }
    if (error != cudaSuccess) {
        return error;
    }
    yt_known_list *place = take_place(queue.graphs, YT_GRAPHS);
    *place = seen;
    seen = {};
    place->graph = graph;
    place->last_use = queue.clock;
    return cudaGraphLaunch(graph, stream);
}

/* Keeps a list that was not there before, if there is memory for it. */
static void remember(yt_queue &queue)
{
    yt_known_list *place = take_place(queue.seen, YT_SEEN_LISTS);
    const yt_launch_list &list = queue.list;
    if (yt_array_append(place->list.launches, list.launches.items, list.launches.n)
        && yt_array_append(place->list.parameters, list.parameters.items, list.parameters.n)) {
        place->last_use = queue.clock;
    } else {
        forget(*place);
    }
}

static cudaError_t start(yt_queue &queue, cudaStream_t stream)
{
    for (int64_t i = 0; i < queue.list.launches.n; i++) {
        const cudaError_t error = allow_shared_memory(queue, queue.list.launches.items[i]);
        if (error != cudaSuccess) {
            return error;
        }
    }
    if (queue.list.launches.n > YT_GRAPH_LAUNCHES) {
        return launch_all(queue.list, stream);
    }
    queue.clock++;
    yt_known_list *known = find(queue.graphs, YT_GRAPHS, queue.list);
    if (known != nullptr) {
        known->last_use = queue.clock;
        return cudaGraphLaunch(known->graph, stream);
    }
    known = find(queue.seen, YT_SEEN_LISTS, queue.list);
    if (known != nullptr) {
        return start_as_graph(queue, *known, stream);
    }
    remember(queue);
    return launch_all(queue.list, stream);
}

cudaError_t yt_queue_flush(yt_queue &queue, cudaStream_t stream, const char **what)
{
    cudaError_t error = cudaSuccess;
    if (queue.is_incomplete) {
        *what = "keeping launches, for which there is no memory";
        error = cudaErrorMemoryAllocation;
    } else if (queue.list.launches.n > 0) {
        *what = "starting kernels";
        error = start(queue, stream);
    }
    queue.list.launches.n = 0;
    queue.list.parameters.n = 0;
    queue.is_incomplete = false;
    return error;
}
