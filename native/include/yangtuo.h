/*
 * Yangtuo's native boundary: the one header that Java binds to (jextract's input) and that every backend fills.
 *
 * Rules
 *  - Every call that can fail returns a yt_status; yt_last_error() then tells the calling thread what was wrong.
 *  - Nothing here prints, aborts, exits or keeps a pointer that the caller owns past the call. The only exception are the handles inside
 *    yt_layer, yt_output and yt_batch, which must stay alive for the call they are passed to, and no longer.
 *  - Handles are opaque. Destroying NULL is allowed. A buffer, matrix or KV pool must be destroyed before its context. A stage takes those of its own context alone
 *    (YT_ERR_ARGUMENT).
 *  - What a stage writes must be none of what it reads, except x where a stage adds to it.
 *  - Memory of a device is reached by upload and download alone, so that the same calls can stand on a GPU.
 *  - A context runs one stage at a time; a second thread that enters one meanwhile gets YT_ERR_BUSY. Uploads into different rows of a
 *    matrix, or different bytes of a buffer, may run concurrently with each other but not with a stage that uses them.
 *
 * Words
 *  - column: one token of the batch. Activations are float32 [n_columns][width], row-major, so that one column is contiguous.
 *  - dim: width of the residual stream; hidden_dim: width of the feed-forward part; q_dim = n_heads * head_dim;
 *    kv_dim = n_kv_heads * head_dim.
 *  - The arithmetic of every stage, down to the order of operations, is defined in docs/kernels.md: every kernel on every instruction set
 *    gives the same bits, alone or in a batch, whatever the number of threads.
 */
#ifndef YANGTUO_H
#define YANGTUO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define YT_API __declspec(dllexport)
#else
#define YT_API __attribute__((visibility("default")))
#endif

/* Changes whenever a struct, a signature or a meaning below changes; Java refuses a library of another version. */
#define YT_ABI_VERSION 8

/*
 * Changes whenever the bytes of a packed matrix of any type change (matrix.c, kernels.h), and nothing else: files of packed matrices belong to one version.
 * native/test/packing_test.c holds the bytes of each type against it.
 */
#define YT_LAYOUT_VERSION 2

enum yt_status {
    YT_OK = 0,
    YT_ERR_ARGUMENT = 1,    /* NULL, or a value out of range */
    YT_ERR_SHAPE = 2,       /* sizes that do not fit each other */
    YT_ERR_MEMORY = 3,      /* out of memory; the message names the bytes asked for */
    YT_ERR_UNSUPPORTED = 4, /* a kernel or type that this library or processor does not have */
    YT_ERR_BUSY = 5,        /* another thread is inside a stage of the same context */
    YT_ERR_SYSTEM = 6,      /* the operating system refused (threads, files) */
    YT_ERR_DEVICE = 7       /* a device failed or disappeared; its context can only be closed */
};

/* Element types; the numbers are GGML's. */
enum yt_type {
    YT_F32 = 0,
    YT_F16 = 1,
    YT_Q4_0 = 2,
    YT_Q4_1 = 3,
    YT_Q5_0 = 6,
    YT_Q5_1 = 7,
    YT_Q8_0 = 8,
    YT_Q2_K = 10,
    YT_Q3_K = 11,
    YT_Q4_K = 12,
    YT_Q5_K = 13,
    YT_Q6_K = 14,
    YT_IQ4_NL = 20,
    YT_IQ4_XS = 23,
    YT_BF16 = 30,
    YT_MXFP4 = 39
};

/* ---- the library ------------------------------------------------------------------------------------------------------------------ */

/* YT_ABI_VERSION of the library itself. */
YT_API int32_t yt_abi_version(void);

/* YT_LAYOUT_VERSION of the library itself. */
YT_API int32_t yt_layout_version(void);

/* The user whose rights the process has now (geteuid), so that files of other users can be told from its own. */
YT_API int64_t yt_user_id(void);

/* Text of the last error of the calling thread, "" if none yet. Valid until the thread's next call. Never NULL. */
YT_API const char *yt_last_error(void);

/* Names of the kernels compiled in, best last, separated by spaces: "portable avx2 avx512 avx512-vnni avx512-bf16". Static. */
YT_API const char *yt_kernel_names(void);

/* 1 if the processor and the operating system can run the named kernels, 0 if not or if the name is unknown. */
YT_API int32_t yt_kernel_supported(const char *name);

/* How often a matrix kernel of this name has run in this process; shows that a forced kernel really ran. 0 for an unknown name. */
YT_API int64_t yt_kernel_calls(const char *name);

/* Processor features found that kernels care about, separated by spaces. Valid until the calling thread ends. */
YT_API const char *yt_cpu_features(void);

/* Size and field offsets of every struct below, one line each, as compiled: "yt_layer 112 index:0 n_heads:8 ...\n". Valid
   until the calling thread ends. */
YT_API const char *yt_struct_layouts(void);

/* ---- context: kernels, threads, scratch memory ------------------------------------------------------------------------------------ */

typedef struct yt_context yt_context;

/*
 * kernel_name: one of yt_kernel_names(); NULL takes the environment variable YANGTUO_KERNEL, or, if that is unset or empty, the best that the
 * machine supports. An unknown or unsupported name is YT_ERR_UNSUPPORTED, never a silent other choice.
 * n_threads: 1 to 256, the calling thread included.
 */
YT_API int32_t yt_context_create(const char *kernel_name, int32_t n_threads, yt_context **out);
YT_API void yt_context_destroy(yt_context *context);

/* Name of the kernels that this context runs; "cuda" on a device. Static. */
YT_API const char *yt_context_kernel(const yt_context *context);

/* ---- devices beside the processor -------------------------------------------------------------------------------------------------- */

/* A device that a library of kernels, such as libyangtuo-cuda, can compute on. */
typedef struct yt_device_info {
    int64_t total_bytes;        /* of its memory */
    int64_t free_bytes;         /* of it, now */
    int32_t compute_capability; /* 10 * major + minor: 89 */
    int32_t multiprocessors;
    int32_t is_usable;          /* 1, or 0 with the reason in problem */
    int32_t reserved;
    char name[128];
    char problem[256];          /* why it cannot be used; "" */
} yt_device_info;

/*
 * Opens the library of a device, an absolute path, once for the process; a second call with the same path does nothing. Its functions are those of this header, with contexts
 * that yt_device_context_create makes. YT_ERR_SYSTEM if it cannot be opened, YT_ERR_UNSUPPORTED if it is of another version, or if another one is open. Any thread.
 */
YT_API int32_t yt_device_library_open(const char *path);

/* Versions, 1000 * major + 10 * minor, of the driver (0: there is none) and of the runtime that the library was built with. */
YT_API int32_t yt_device_versions(int32_t *driver, int32_t *runtime);

/*
 * YT_ERR_UNSUPPORTED, with the reason, if no library is open, or the driver is missing or too old; YT_ERR_ARGUMENT if there is no device of that number, the first being 0.
 */
YT_API int32_t yt_device_count(int32_t *count);
YT_API int32_t yt_device_describe(int32_t device, yt_device_info *out);

/*
 * A context whose matrices, buffers and pools lie in the memory of a device, and whose stages it computes, on the calling thread's account: a stage may return before it
 * is computed, a download waits. The arithmetic is that of docs/cuda.md. YT_ERR_UNSUPPORTED if the device cannot be used. Encoding of rows stays on the processor.
 */
YT_API int32_t yt_device_context_create(int32_t device, yt_context **out);

/*
 * What the machine can do at most with the threads of a context, for benchmarks. Both keep all of them busy for the time of the measurement.
 * Bytes: each thread reads its own part of byte_size bytes of fresh memory, passes times; the fastest pass counts, in 10^9 bytes a second. byte_size: 2 MB
 * and more for each thread, and far more than all caches.
 * Peak: multiplications and additions, each counted as one, of the widest instruction that the processor has, with nothing but registers, in 10^12 a second;
 * the fastest of some runs that take about `seconds` (more than 0, at most 60) together. instruction: its name, static.
 */
YT_API int32_t yt_measure_read(yt_context *context, int64_t byte_size, int32_t passes, double *gigabytes_per_second);

enum yt_peak {
    YT_PEAK_INT8 = 0, /* products of bytes, added to 32-bit integers */
    YT_PEAK_FMA = 1   /* float32 */
};

YT_API int32_t yt_measure_peak(yt_context *context, int32_t kind, double seconds, double *tera_per_second, const char **instruction);

/* ---- device memory ---------------------------------------------------------------------------------------------------------------- */

typedef struct yt_buffer yt_buffer;

/* byte_size: at least 1. The contents are zero. */
YT_API int32_t yt_buffer_create(yt_context *context, int64_t byte_size, yt_buffer **out);
YT_API void yt_buffer_destroy(yt_buffer *buffer);
YT_API int32_t yt_buffer_upload(yt_buffer *buffer, int64_t byte_offset, const void *source, int64_t byte_size);
YT_API int32_t yt_buffer_download(const yt_buffer *buffer, int64_t byte_offset, void *target, int64_t byte_size);

/* A weight matrix, packed for the kernels. */
typedef struct yt_matrix yt_matrix;

/* rows, columns: at least 1; columns is a multiple of the type's block: 32 or, for the K types and IQ4_XS, 256. The contents are zero bytes. */
YT_API int32_t yt_matrix_create(yt_context *context, int32_t type, int64_t rows, int64_t columns, yt_matrix **out);
YT_API void yt_matrix_destroy(yt_matrix *matrix);

/* Packs whole rows, given as GGML stores them (row after row, blocks in order). byte_size must be exactly n_rows times the row's bytes. */
YT_API int32_t yt_matrix_upload(yt_matrix *matrix, int64_t first_row, int64_t n_rows, const void *source, int64_t byte_size);

/* Bytes of memory that the packed matrix takes. 0 for NULL. */
YT_API int64_t yt_matrix_bytes(const yt_matrix *matrix);

/* The packed bytes, byte_size of them from byte_offset on, as yt_matrix_map takes them. */
YT_API int32_t yt_matrix_download(const yt_matrix *matrix, int64_t byte_offset, void *target, int64_t byte_size);

/*
 * A matrix whose packed bytes, all yt_matrix_bytes() of them, stand in a file of the same YT_LAYOUT_VERSION from byte_offset on, a multiple of 65536. They are
 * mapped, not copied: read-only, private, until the matrix is destroyed, and no upload into it is possible. All sizes are held against the file's own. A file
 * that is truncated while it is mapped ends the process: take only files that nobody else can write and that are replaced, never changed, by their owner.
 * YT_ERR_SYSTEM if it cannot be opened or mapped; YT_ERR_SHAPE if it is too short.
 */
YT_API int32_t yt_matrix_map(
    yt_context *context, int32_t type, int64_t rows, int64_t columns, const char *path, int64_t byte_offset, yt_matrix **out);

/*
 * Stores float32 values [rows][columns], all finite, as rows of a type in GGML's layout; the arithmetic is defined in docs/kernels.md. It works on the
 * calling thread alone, in no memory of the context but its choice of kernels, so that any number of threads may do so at the same time, and during a stage.
 * rows: 0 or more; columns: a multiple of the type's block; out_bytes must be exactly what the rows take. YT_ERR_UNSUPPORTED for types that are only
 * read: Q2_K, Q3_K, IQ4_NL, IQ4_XS, MXFP4.
 */
YT_API int32_t yt_encode_rows(
    const yt_context *context, int32_t type, const float *values, int64_t rows, int64_t columns, void *out, int64_t out_bytes);

/*
 * Finds damage in stored rows: the number of the first block, or of the first value of a type that has none, that is or can only give NaN or infinite values; -1 if there
 * is none. byte_size: whole blocks. Any number of threads may look at the same time.
 */
YT_API int32_t yt_first_not_finite(int32_t type, const void *source, int64_t byte_size, int64_t *block);

/* The pool of key/value pages that all sequences share. */
typedef struct yt_kv yt_kv;

typedef struct yt_kv_shape {
    int32_t type;           /* YT_F32, YT_F16, YT_BF16, YT_Q8_0 or YT_Q4_0 */
    int32_t page_positions; /* positions of a page, a multiple of 16 */
    int64_t n_pages;        /* at least 1 */
    int64_t n_layers;
    int64_t n_kv_heads;
    int64_t head_dim;       /* even, at least 2, at most 1024 */
} yt_kv_shape;

/* The memory is reserved at once and used page by page as positions are written. */
YT_API int32_t yt_kv_create(yt_context *context, const yt_kv_shape *shape, yt_kv **out);
YT_API void yt_kv_destroy(yt_kv *kv);

/*
 * Pages as a whole. Their bytes, yt_kv_page_bytes() of each (0 for NULL), are those of the same shape and the same YT_ABI_VERSION, and any bytes are valid: what they
 * mean is only how the keys and values come out. No stage may use the pages meanwhile.
 */
YT_API int64_t yt_kv_page_bytes(const yt_kv *kv);
YT_API int32_t yt_kv_copy_page(yt_kv *kv, int64_t from, int64_t to);
YT_API int32_t yt_kv_download_page(const yt_kv *kv, int64_t page, void *target, int64_t byte_size);
YT_API int32_t yt_kv_upload_page(yt_kv *kv, int64_t page, const void *source, int64_t byte_size);

/* ---- what a forward pass works on ------------------------------------------------------------------------------------------------- */

/*
 * The columns of one forward pass. Columns of one sequence stand in ascending order of position. Position p of sequence s lives
 * in page page_table[s][p / page_positions]. A column sees the positions 0 to its own of its own sequence, or the last of them (yt_layer).
 */
typedef struct yt_batch {
    int64_t n_columns;           /* at least 1 */
    int64_t n_sequences;         /* at least 1 */
    int64_t max_pages;           /* length of a row of the page table */
    const yt_buffer *tokens;     /* int32 [n_columns] */
    const yt_buffer *positions;  /* int32 [n_columns], 0 or more */
    const yt_buffer *sequences;  /* int32 [n_columns], row of the page table */
    const yt_buffer *page_table; /* int32 [n_sequences][max_pages]; entries that no column needs may be anything: those before its window, too */
    const yt_buffer *rope;       /* float32 [n_columns][head_dim / 2][2]: cosine and sine of each pair's angle */
} yt_batch;

/*
 * One transformer layer. Rows of wq and wk, and elements of their biases, are in pairs: rows 2j and 2j + 1 of a head are rotated together. A bias is added to
 * its finished product before anything else is done with it; NULL means that there is none.
 */
typedef struct yt_layer {
    int64_t index;                   /* 0 to n_layers - 1: where its keys and values live */
    int64_t n_heads;                 /* a multiple of n_kv_heads */
    int64_t n_kv_heads;
    int64_t head_dim;
    float norm_eps;
    const yt_buffer *attention_norm; /* float32 [dim] */
    const yt_matrix *wq;             /* [q_dim][dim] */
    const yt_matrix *wk;             /* [kv_dim][dim] */
    const yt_matrix *wv;             /* [kv_dim][dim] */
    const yt_matrix *wo;             /* [dim][q_dim] */
    const yt_buffer *ffn_norm;       /* float32 [dim] */
    const yt_matrix *w_gate;         /* [hidden_dim][dim] */
    const yt_matrix *w_up;           /* [hidden_dim][dim] */
    const yt_matrix *w_down;         /* [dim][hidden_dim] */
    const yt_buffer *q_bias;         /* float32 [q_dim] or NULL */
    const yt_buffer *k_bias;         /* float32 [kv_dim] or NULL */
    const yt_buffer *v_bias;         /* float32 [kv_dim] or NULL */
    const yt_buffer *o_bias;         /* float32 [dim] or NULL */
    const yt_buffer *gate_bias;      /* float32 [hidden_dim] or NULL */
    const yt_buffer *up_bias;        /* float32 [hidden_dim] or NULL */
    const yt_buffer *down_bias;      /* float32 [dim] or NULL */
    int64_t window;                  /* how many positions a column sees, its own the last; 0: all */
} yt_layer;

/* The end of the model. */
typedef struct yt_output {
    const yt_buffer *norm;   /* float32 [dim] */
    const yt_matrix *matrix; /* [vocab_size][dim] */
    float norm_eps;
} yt_output;

/* A change of one logit before candidates are chosen: l becomes (l > 0 ? l / divisor : l * divisor) + addend, in float32. */
typedef struct yt_edit {
    int32_t id;
    float divisor;
    float addend;
} yt_edit;

enum { YT_MAX_CANDIDATES = 1024 };

/*
 * What to choose of the logits of each output: the `count` largest after its edits, the largest first, of equal ones that with the smaller id; a NaN counts as larger
 * than everything. (0 and -0 are equal.) What is written must be none of what the stage reads.
 */
typedef struct yt_candidates {
    int64_t count;              /* 1 to YT_MAX_CANDIDATES, at most n_choices */
    int64_t n_choices;          /* only ids below this are chosen: rows beyond may be padding; 1 to vocab_size */
    yt_buffer *ids;             /* int32 [n_outputs][count] */
    yt_buffer *values;          /* float32 [n_outputs][count]: their logits */
    const yt_buffer *edits;     /* yt_edit, those of the first output first; may be NULL if there are none */
    const yt_buffer *edit_ends; /* int32 [n_outputs]: how many edits there are up to the end of each output's; NULL if there are none */
} yt_candidates;

/* ---- stages, in the order of the model -------------------------------------------------------------------------------------------- */

/* x[c] = row tokens[c] of table, as float32. table: [vocab_size][dim]; x: float32 [n_columns][dim]. */
YT_API int32_t yt_embed(yt_context *context, const yt_matrix *table, const yt_batch *batch, yt_buffer *x);

/*
 * With n = rms_norm(x): q = rope(wq n + q_bias); the batch's keys rope(wk n + k_bias) and values wv n + v_bias go into kv.
 * q: float32 [n_columns][q_dim].
 */
YT_API int32_t yt_qkv(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q);

/*
 * out = softmax(q k / sqrt(head_dim)) v per head, over positions 0 to the column's own, or those of them in the layer's window. q, out: float32 [n_columns][q_dim].
 */
YT_API int32_t yt_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *q, const yt_kv *kv, yt_buffer *out);

/*
 * yt_qkv and yt_attention in one, for a forward pass: the same q and out. Few columns need no waiting for all threads between the two where each can have KV heads of
 * its own.
 */
YT_API int32_t yt_qkv_attention(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_kv *kv, yt_buffer *q, yt_buffer *out);

/* x = x + (wo attention + o_bias). attention: float32 [n_columns][q_dim]; x: float32 [n_columns][dim]. */
YT_API int32_t yt_attention_output(
    yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *attention, yt_buffer *x);

/* hidden = silu(w_gate n + gate_bias) * (w_up n + up_bias) with n = rms_norm(x). hidden: float32 [n_columns][hidden_dim]. */
YT_API int32_t yt_gate_up(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *x, yt_buffer *hidden);

/* x = x + (w_down hidden + down_bias). */
YT_API int32_t yt_down(yt_context *context, const yt_layer *layer, const yt_batch *batch, const yt_buffer *hidden, yt_buffer *x);

/*
 * logits[i] = matrix rms_norm(x[columns[i]]). columns: int32 [n_outputs]; logits: float32 [n_outputs][vocab_size]. candidates: NULL if they are not wanted; with
 * them, logits are as edited.
 */
YT_API int32_t yt_logits(yt_context *context, const yt_output *output, const yt_buffer *x, int64_t n_outputs, const yt_buffer *columns, yt_buffer *logits,
    const yt_candidates *candidates);

#ifdef __cplusplus
}
#endif

#endif
