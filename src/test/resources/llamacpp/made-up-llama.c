/* A made-up llama.cpp for LlamaCppLibraryTest: it finds one module of the processor and none of a GPU, and has the structs of version 0.5.0, unless they are
   defined before. The functions that are missing here are appended by the test and do nothing. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifndef VERSION
#define VERSION "0.5.0"
#endif

typedef void (*log_callback)(int level, const char *text, void *data);

struct model_params {
    void *pointers[2];
    int32_t numbers[5];
    void *more_pointers[4];
    bool flags[6];
};

#ifndef CONTEXT_PARAMS
#define CONTEXT_PARAMS \
    uint32_t sizes[7]; \
    int32_t threads[2]; \
    int32_t types[5]; \
    float rope[6]; \
    uint32_t yarn_orig_ctx; \
    float defrag_thold; \
    void *eval[2]; \
    int32_t kv_types[2]; \
    void *abort[2]; \
    bool flags[6]; \
    void *samplers; \
    size_t n_samplers; \
    void *other;
#endif
struct context_params { CONTEXT_PARAMS };

struct batch {
    int32_t n_tokens;
    void *token;
    void *pointers[5];
};

static log_callback logger;
static void *logger_data;
static int devices;
static char folder[4096];

static void write_log(int level, const char *format, const char *argument) {
    char text[8192];
    snprintf(text, sizeof text, format, argument);
    logger(level, text, logger_data);
}

const char *llama_version(void) { return VERSION; }

void llama_log_set(log_callback callback, void *data) {
    logger = callback;
    logger_data = data;
}

struct model_params llama_model_default_params(void) {
    return (struct model_params){.numbers = {-1, 1, -1, 1, 0}, .flags = {false, false, true}};
}

struct context_params llama_context_default_params(void) {
    return (struct context_params){
        .sizes = {512, 2048, 512, 1, 0, 0, 1},
        .threads = {4, 4},
        .types = {0, -1, -1, -1, -1},
        .rope = {0, 0, -1, -1, -1, -1},
        .defrag_thold = -1,
        .kv_types = {1, 1},
        .flags = {false, true, true, true, true, false}};
}

struct batch llama_batch_get_one(void *token, int32_t n_tokens) {
    return (struct batch){.n_tokens = n_tokens, .token = token};
}

size_t ggml_backend_reg_count(void) { return (size_t)devices; }

void ggml_backend_load_all_from_path(const char *path) {
    snprintf(folder, sizeof folder, "%s", path);
    write_log(2, "loaded the processor's code from %s\n", path);
    devices = 1;
}

void *ggml_backend_load(const char *path) {
    write_log(4, "failed to load %s: ", path);
    write_log(5, "%s\n", "its driver is missing");
    return NULL;
}

size_t ggml_backend_dev_count(void) { return (size_t)devices; }
void *ggml_backend_dev_get(size_t index) { return folder + index; }
const char *ggml_backend_dev_name(void *device) { return device ? "CPU" : NULL; }
const char *ggml_backend_dev_description(void *device) { return device; }
int ggml_backend_dev_type(void *device) { return device ? 0 : 1; }
void *ggml_backend_dev_backend_reg(void *device) { return device; }
const char *ggml_backend_reg_name(void *reg) { return reg ? "CPU" : NULL; }

void ggml_backend_dev_memory(void *device, size_t *available, size_t *total) {
    *available = device ? 3 : 0;
    *total = device ? 4 : 0;
}
