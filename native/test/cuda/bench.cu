/*
 * How long kernels take, beside what a device needs for them at least (floors.h). On a GPU, compiled by nvcc; emulated only to see that it works.
 *   cuda_bench --floors                      tables of docs/cuda.md; needs no device
 *   cuda_bench [--smoke] [--shape 7b] [--type Q4_0]... [--json FILE]
 *
 * A kernel is launched again and again on copies of its weights, or of its keys and values, that together are larger than the caches; the fastest of some rounds counts.
 */
#include "direct_queue.h"
#include "floors.h"
#include "processor.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

static void must(cudaError_t status, const char *what)
{
    if (status != cudaSuccess) {
        std::fprintf(stderr, "cuda_bench: %s: %s\n", what, cudaGetErrorString(status));
        std::exit(1);
    }
}

#ifdef __CUDACC__
/* Launches follow each other without waiting. */
void yt_queue_add(yt_queue &queue, const void *kernel, dim3 grid, dim3 block, unsigned shared_bytes, const void *parameters, unsigned)
{
    queue.n_launches++;
    must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared_bytes), "cudaFuncSetAttribute");
    void *arguments[1] = {const_cast<void *>(parameters)};
    must(cudaLaunchKernel(kernel, grid, block, arguments, shared_bytes, nullptr), "cudaLaunchKernel");
}
#endif

/* ---- tables without a device ------------------------------------------------------------------------------------------------------------ */

/* Between two kernels of a graph, nothing runs for about so long: an assumption, neither measured nor read in a source that could be named. */
static const double GAP_SECONDS = 1e-6;

static void print_header(const char *first)
{
    std::printf("| %s |", first);
    for (int i = 0; i < TABLE_DEVICES; i++) {
        std::printf(" %s, us | bound |", KNOWN_DEVICES[i].name);
    }
    std::printf("\n| --- | ---: | ---: |");
    for (int i = 0; i < TABLE_DEVICES; i++) {
        std::printf(" ---: | --- |");
    }
    std::printf("\n");
}

static void print_kernels(const std::vector<kernel_cost> &costs)
{
    print_header("kernel | MB | M operations");
    for (const kernel_cost &cost : costs) {
        std::printf("| %s | %.3f | %.1f |", cost.kernel.c_str(), 1e-6 * cost.bytes, 1e-6 * (cost.int8 + cost.half + 8 * cost.dp4a + 2 * cost.floats));
        for (int i = 0; i < TABLE_DEVICES; i++) {
            const kernel_floor floor = floor_of(cost, KNOWN_DEVICES[i]);
            std::printf(" %.2f | %s |", 1e6 * floor.seconds, floor.bound);
        }
        std::printf("\n");
    }
    std::printf("\n");
}

static double seconds_of(const std::vector<kernel_cost> &costs, const device_limits &device)
{
    double seconds = 0;
    for (const kernel_cost &cost : costs) {
        seconds += floor_of(cost, device).seconds;
    }
    return seconds;
}

static const weight_type &output_type(const weight_type &type)
{
    return is_quantized(type) && type.type != YT_Q8_0 ? *find_weight_type("Q6_K") : type;
}

static void print_pass(const model_shape &m, const weight_type &type, double sequences, double columns, double start)
{
    const std::vector<kernel_cost> layer = layer_costs(m, type, sequences, columns, start, 2);
    const std::vector<kernel_cost> output = output_costs(m, output_type(type), sequences);
    std::printf("| %s %s | %.0f | %.0f |", m.name, type.name, sequences * columns, start);
    for (int i = 0; i < TABLE_DEVICES; i++) {
        const double seconds = m.n_layers * seconds_of(layer, KNOWN_DEVICES[i]) + seconds_of(output, KNOWN_DEVICES[i]);
        const double gaps = GAP_SECONDS * (m.n_layers * layer.size() + output.size());
        std::printf(" %.3f | %.0f | %.0f |", 1e3 * seconds, sequences * columns / seconds, sequences * columns / (seconds + gaps));
    }
    std::printf("\n");
}

static void print_floors()
{
    const model_shape &m = MODEL_SHAPES[0];
    std::printf("One layer of the 7B shape, Q4_0, keys and values F16.\n\n");
    std::printf("One column behind 512 positions:\n\n");
    print_kernels(layer_costs(m, *find_weight_type("Q4_0"), 1, 1, 512, 2));
    std::printf("One column of each of 8 sequences behind 512 positions:\n\n");
    print_kernels(layer_costs(m, *find_weight_type("Q4_0"), 8, 1, 512, 2));
    std::printf("A prompt of 512:\n\n");
    print_kernels(layer_costs(m, *find_weight_type("Q4_0"), 1, 512, 0, 2));
    std::printf("The output matrix in Q6_K, one column:\n\n");
    print_kernels(output_costs(m, *find_weight_type("Q6_K"), 1));
    std::printf("Attention of one column behind 4,096 positions, and of a prompt of 512 behind as many:\n\n");
    print_kernels({attention_cost({32, 32, 128, 2}, 1, 1, 4096), attention_cost({32, 32, 128, 34.0 / 32}, 1, 1, 4096), attention_cost({32, 32, 128, 2}, 1, 512, 4096)});
    std::printf("Whole passes: the sum of the floors, what that would be in tokens a second, and the same with %.0f us between kernels:\n\n", 1e6 * GAP_SECONDS);
    std::printf("| model | columns | behind |");
    for (int i = 0; i < TABLE_DEVICES; i++) {
        std::printf(" %s, ms | tokens/s | with gaps |", KNOWN_DEVICES[i].name);
    }
    std::printf("\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (const model_shape &shape : MODEL_SHAPES) {
        for (const char *type : {"Q4_0", "Q4_K", "Q8_0", "F16"}) {
            print_pass(shape, *find_weight_type(type), 1, 1, 512);
            print_pass(shape, *find_weight_type(type), 1, 1, 4096);
            print_pass(shape, *find_weight_type(type), 8, 1, 512);
            print_pass(shape, *find_weight_type(type), 1, 512, 0);
        }
    }
}

/* ---- measuring -------------------------------------------------------------------------------------------------------------------------- */

/* Rounds, and launches of a round. */
struct repeats {
    int rounds;
    int launches;
    double cache_bytes; /* copies are as many as exceed it */
};

struct result {
    std::string what;
    kernel_cost cost;
    double seconds;
};

struct session {
    device_limits device;
    bool has_limits;
    bool is_smoke;
    repeats counts;
    yt_context *host;
    std::vector<void *> allocations;
    std::vector<result> results;
};

/* Any bytes do: the time does not depend on them. */
static void *allocate(session &s, double bytes)
{
    void *memory = nullptr;
    must(cudaMalloc(&memory, (size_t)bytes + 256), "cudaMalloc");
    must(cudaMemset(memory, 0, (size_t)bytes + 256), "cudaMemset");
    s.allocations.push_back(memory);
    return memory;
}

static void release_all(session &s)
{
    for (void *memory : s.allocations) {
        must(cudaFree(memory), "cudaFree");
    }
    s.allocations.clear();
}

/* Copies of what a kernel reads, so that none is in a cache when its turn comes. */
static int copies_of(const session &s, double bytes)
{
    return s.is_smoke ? 1 : (int)std::min(64.0, std::max(1.0, s.counts.cache_bytes / bytes + 1));
}

/* launch(i): with copy i of the data. */
template <typename F>
static void measure(session &s, const std::string &what, const kernel_cost &cost, int n_copies, F launch)
{
    double best = INFINITY;
    int copy = 0;
    for (int round = 0; round <= s.counts.rounds; round++) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < s.counts.launches; i++) {
            launch(copy++ % n_copies);
        }
        must(cudaDeviceSynchronize(), what.c_str());
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / s.counts.launches;
        best = round == 0 ? best : std::min(best, seconds); /* the first warms up */
    }
    s.results.push_back({what, cost, best});
    std::fprintf(stderr, "cuda_bench: %s: %.2f us\n", what.c_str(), 1e6 * best);
}

/* A matrix of zeros, packed as the processor's. */
static yt_device_matrix matrix_of(session &s, const weight_type &type, int64_t rows, int64_t width)
{
    const std::vector<uint8_t> zeros((size_t)(16 * width / (int64_t)type.block_elements * (int64_t)type.block_bytes));
    yt_device_matrix view;
    yt_matrix *sample = processor_matrix(s.host, type.type, 16, width, zeros.data(), &view);
    yt_matrix_destroy(sample);
    view.rows = rows;
    view.n_groups = (rows + 15) / 16;
    view.data = (const uint8_t *)allocate(s, (double)view.n_groups * (double)view.group_bytes);
    return view;
}

static void measure_product(session &s, const weight_type &type, const char *name, yt_product_kind kind, int64_t rows, int64_t width, int64_t columns)
{
    const bool is_gated = kind == YT_PRODUCT_SWIGLU;
    const kernel_cost cost = is_gated ? sum_of(name, gate_up_costs(type, (double)rows, (double)width, (double)columns))
                                      : product_cost(name, type, (double)rows, (double)width, (double)columns, kind == YT_PRODUCT_RESIDUAL ? 8 : 4);
    const int n_copies = copies_of(s, cost.bytes);
    std::vector<yt_products> copies(n_copies);
    const yt_activations input = yt_activations_at(type.type, columns, width, allocate(s, (double)yt_activation_bytes(type.type, columns, width)));
    float *out = (float *)allocate(s, 4.0 * (double)rows * (double)columns);
    for (yt_products &p : copies) {
        p = {};
        p.matrices[0] = matrix_of(s, type, rows, width);
        if (is_gated) {
            p.matrices[1] = matrix_of(s, type, rows, width);
        }
        p.n_matrices = is_gated ? 2 : 1;
        p.kind = kind;
        p.input = input;
        p.out = out;
        p.out_stride = rows;
    }
    yt_queue queue;
    measure(s, std::string(type.name) + " " + name + " x" + std::to_string(columns), cost, n_copies, [&](int i) { yt_launch_products(queue, copies[i]); });
    release_all(s);
}

static void measure_prepare(session &s, const weight_type &type, int64_t width, int64_t columns)
{
    const kernel_cost cost = prepare_cost(type, (double)width, (double)columns, true);
    float *x = (float *)allocate(s, 4.0 * (double)width * (double)columns);
    float *norm = (float *)allocate(s, 4.0 * (double)width);
    const yt_activations out = yt_activations_at(type.type, columns, width, allocate(s, (double)yt_activation_bytes(type.type, columns, width)));
    yt_queue queue;
    measure(s, std::string(type.name) + " prepare x" + std::to_string(columns), cost, 1,
        [&](int) { yt_launch_prepare(queue, type.type, x, columns, width, nullptr, norm, 1e-5f, out); });
    release_all(s);
}

template <typename T>
static T *upload(session &s, const std::vector<T> &values)
{
    void *target = allocate(s, (double)(values.size() * sizeof(T)));
    must(cudaMemcpy(target, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy");
    return (T *)target;
}

static void measure_attention(session &s, const model_shape &m, int32_t kv_type, int64_t n_sequences, int64_t columns, int64_t start)
{
    const int64_t head_dim = (int64_t)(m.dim / m.n_heads);
    yt_kv_shape shape = {};
    shape.type = kv_type;
    shape.page_positions = 64;
    shape.n_layers = 1;
    shape.n_kv_heads = (int64_t)m.n_kv_heads;
    shape.head_dim = head_dim;
    shape.n_pages = 1;
    yt_device_kv kv;
    yt_kv_destroy(processor_kv(s.host, &shape, &kv));
    const int64_t pages = (start + columns + 63) / 64;
    const double bytes = (double)n_sequences * (double)pages * (double)kv.page_bytes;
    const int n_copies = copies_of(s, bytes);
    std::vector<int32_t> page_table, positions, sequences;
    for (int64_t i = 0; i < n_sequences * pages; i++) {
        page_table.push_back((int32_t)i);
    }
    for (int64_t i = 0; i < n_sequences * columns; i++) {
        sequences.push_back((int32_t)(i / columns));
        positions.push_back((int32_t)(start + i % columns));
    }
    yt_device_layer layer = {};
    layer.n_heads = (int64_t)m.n_heads;
    layer.n_kv_heads = (int64_t)m.n_kv_heads;
    layer.head_dim = head_dim;
    yt_device_batch batch = {};
    batch.n_columns = n_sequences * columns;
    batch.n_sequences = n_sequences;
    batch.max_pages = pages;
    batch.max_position = start + columns - 1;
    batch.positions = upload(s, positions);
    batch.sequences = upload(s, sequences);
    batch.page_table = upload(s, page_table);
    const double q_bytes = 4.0 * m.dim * (double)batch.n_columns;
    float *q = (float *)allocate(s, q_bytes);
    float *out = (float *)allocate(s, q_bytes);
    void *scratch = allocate(s, (double)yt_attention_scratch_bytes(layer, batch, kv));
    std::vector<yt_device_kv> copies(n_copies, kv);
    for (yt_device_kv &copy : copies) {
        copy.data = (uint8_t *)allocate(s, bytes);
    }
    const kernel_cost cost = attention_cost({m.n_heads, m.n_kv_heads, (double)head_dim, kv_type == YT_F16 ? 2 : 34.0 / 32}, (double)n_sequences, (double)columns, (double)start);
    yt_queue queue;
    measure(s, std::string(kv_type == YT_F16 ? "F16" : "Q8_0") + " attention " + std::to_string(n_sequences) + " x" + std::to_string(columns) + " @" + std::to_string(start),
        cost, n_copies, [&](int i) { yt_launch_attention(queue, layer, batch, q, copies[i], scratch, out); });
    release_all(s);
}

static void measure_shape(session &s, const model_shape &m, const std::vector<const weight_type *> &types)
{
    const int64_t dim = (int64_t)m.dim;
    const int64_t kv_dim = (int64_t)(m.dim / m.n_heads * m.n_kv_heads);
    const std::vector<int64_t> columns = s.is_smoke ? std::vector<int64_t>{1, 40} : std::vector<int64_t>{1, 8, 512};
    for (const weight_type *type : types) {
        for (int64_t n : columns) {
            measure_prepare(s, *type, dim, n);
            measure_product(s, *type, "q, k, v", YT_PRODUCT_STORE, dim + 2 * kv_dim, dim, n);
            measure_product(s, *type, "o", YT_PRODUCT_RESIDUAL, dim, dim, n);
            measure_product(s, *type, "gate, up", YT_PRODUCT_SWIGLU, (int64_t)m.hidden, dim, n);
            measure_product(s, *type, "down", YT_PRODUCT_RESIDUAL, dim, (int64_t)m.hidden, n);
        }
        measure_product(s, *type, "logits", YT_PRODUCT_STORE, (int64_t)m.vocab, dim, 1);
    }
    for (int32_t kv_type : {YT_F16, YT_Q8_0}) {
        for (int64_t start : s.is_smoke ? std::vector<int64_t>{70} : std::vector<int64_t>{511, 4095}) {
            measure_attention(s, m, kv_type, 1, 1, start);
            measure_attention(s, m, kv_type, 8, 1, start);
        }
        measure_attention(s, m, kv_type, 1, s.is_smoke ? 20 : 512, 0);
    }
}

/* ---- results ---------------------------------------------------------------------------------------------------------------------------- */

static void print_results(const session &s, const char *shape)
{
    std::printf("- device: %s%s\n- shape: %s\n\n", s.device.name, s.is_smoke ? " (smoke test: the times mean nothing)" : "", shape);
    std::printf("| kernel | us | GB/s | Top/s | floor, us | bound | of the floor |\n| --- | ---: | ---: | ---: | ---: | --- | ---: |\n");
    for (const result &r : s.results) {
        const double operations = r.cost.int8 + r.cost.half + 8 * r.cost.dp4a;
        std::printf("| %s | %.2f | %.1f | %.2f |", r.what.c_str(), 1e6 * r.seconds, 1e-9 * r.cost.bytes / r.seconds, 1e-12 * operations / r.seconds);
        if (s.has_limits) {
            const kernel_floor floor = floor_of(r.cost, s.device);
            std::printf(" %.2f | %s | %.0f %% |\n", 1e6 * floor.seconds, floor.bound, 100 * floor.seconds / r.seconds);
        } else {
            std::printf(" - | - | - |\n");
        }
    }
}

static void write_json(const session &s, const char *shape, const char *path)
{
    FILE *out = std::fopen(path, "w");
    if (out == nullptr) {
        std::fprintf(stderr, "cuda_bench: %s cannot be written\n", path);
        std::exit(1);
    }
    std::fprintf(out, "{\"device\": \"%s\", \"smoke\": %s, \"shape\": \"%s\", \"read_gbps\": ", s.device.name, s.is_smoke ? "true" : "false", shape);
    std::fprintf(out, s.has_limits ? "%.1f, \"int8_tops\": %.1f, \"half_tflops\": %.1f" : "null, \"int8_tops\": null, \"half_tflops\": null", 1e-9 * s.device.bandwidth,
        1e-12 * s.device.int8, 1e-12 * s.device.half);
    std::fprintf(out, ", \"kernels\": [");
    for (size_t i = 0; i < s.results.size(); i++) {
        const result &r = s.results[i];
        std::fprintf(out, "%s\n  {\"kernel\": \"%s\", \"seconds\": %.9f, \"bytes\": %.0f, \"int8_ops\": %.0f, \"half_ops\": %.0f, \"dp4a\": %.0f, \"floats\": %.0f, ",
            i == 0 ? "" : ",", r.what.c_str(), r.seconds, r.cost.bytes, r.cost.int8, r.cost.half, r.cost.dp4a, r.cost.floats);
        if (s.has_limits) {
            const kernel_floor floor = floor_of(r.cost, s.device);
            std::fprintf(out, "\"floor_seconds\": %.9f, \"bound\": \"%s\"}", floor.seconds, floor.bound);
        } else {
            std::fprintf(out, "\"floor_seconds\": null, \"bound\": null}");
        }
    }
    std::fprintf(out, "\n]}\n");
    if (std::fclose(out) != 0) {
        std::fprintf(stderr, "cuda_bench: %s cannot be written\n", path);
        std::exit(1);
    }
}

static const model_shape *find_shape(const char *name)
{
    for (const model_shape &shape : MODEL_SHAPES) {
        if (strcmp(shape.name, name) == 0) {
            return &shape;
        }
    }
    return nullptr;
}

static int usage(const char *problem, const char *value)
{
    std::fprintf(stderr, "cuda_bench: %s%s\nusage: cuda_bench --floors | [--smoke] [--shape 7b|1b] [--type Q4_0]... [--json FILE]\n", problem, value);
    return 2;
}

int main(int argc, char **argv)
{
    static char device_name[256];
    const model_shape *shape = &MODEL_SHAPES[0];
    std::vector<const weight_type *> types;
    const char *json = nullptr;
    session s = {};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--floors") == 0) {
            print_floors();
            return 0;
        } else if (strcmp(argv[i], "--smoke") == 0) {
            s.is_smoke = true;
        } else if (i + 1 == argc) {
            return usage("no value, or no option: ", argv[i]);
        } else if (strcmp(argv[i], "--shape") == 0) {
            shape = find_shape(argv[++i]);
            if (shape == nullptr) {
                return usage("there is no shape ", argv[i]);
            }
        } else if (strcmp(argv[i], "--type") == 0) {
            types.push_back(find_weight_type(argv[++i]));
            if (types.back() == nullptr) {
                return usage("there is no type ", argv[i]);
            }
        } else if (strcmp(argv[i], "--json") == 0) {
            json = argv[++i];
        } else {
            return usage("no option: ", argv[i]);
        }
    }
    static const model_shape smoke = {"smoke", 256, 512, 1, 4, 2, 100};
    if (s.is_smoke) {
        shape = &smoke;
    }
    if (types.empty()) {
        for (const char *name : {"Q4_0", "Q8_0", "Q4_K", "Q6_K", "F16", "BF16"}) {
            types.push_back(find_weight_type(name));
        }
    }
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
        std::fprintf(stderr, "cuda_bench: there is no device, so nothing was measured; --floors needs none\n");
        return 77;
    }
    cudaDeviceProp properties;
    must(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    std::snprintf(device_name, sizeof device_name, "%s", properties.name);
    s.device.name = device_name;
    for (const device_limits &known : KNOWN_DEVICES) {
        if (strstr(device_name, known.matches) != nullptr) {
            s.device = known;
            s.device.name = device_name;
            s.has_limits = true;
        }
    }
    s.counts = s.is_smoke ? repeats{1, 1, 0} : repeats{5, 50, 256e6};
    if (yt_context_create("portable", 1, &s.host) != YT_OK) {
        std::fprintf(stderr, "cuda_bench: %s\n", yt_last_error());
        return 1;
    }
    measure_shape(s, *shape, types);
    yt_context_destroy(s.host);
    print_results(s, shape->name);
    if (json != nullptr) {
        write_json(s, shape->name, json);
    }
    return 0;
}
