/* What stages ask of their arguments before they touch anything. All return YT_OK or a status with a message that begins with the stage's name. */
#ifndef YT_CHECKS_H
#define YT_CHECKS_H

#include "context.h"
#include "memory.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns from the calling function with a status that is not YT_OK. */
#define YT_TRY(call) \
    do { \
        int32_t yt_try_status = (call); \
        if (yt_try_status != YT_OK) { \
            return yt_try_status; \
        } \
    } while (0)

/* What a check is made for: the stage's name, and the context that everything must belong to. */
typedef struct {
    const yt_context *context;
    const char *name;
} yt_stage;

/* Takes the context for a stage; complete: no argument is NULL. YT_ERR_BUSY if another thread is inside one. */
int32_t yt_enter(yt_context *context, bool complete, const char *stage);

/* Gives the context back; returns status. */
int32_t yt_leave(yt_context *context, int32_t status);

/* An object's context is the stage's. */
int32_t yt_check_owner(yt_stage stage, const char *name, const yt_context *owner);

/* The buffer holds a * b elements of four bytes. */
int32_t yt_check_buffer(yt_stage stage, const char *name, const yt_buffer *buffer, int64_t a, int64_t b);

/* The same for numbers that are looked at (yt_int_at): what a device has computed is downloaded. */
int32_t yt_check_ints(yt_stage stage, const char *name, const yt_buffer *buffer, int64_t a, int64_t b);

/* The matrix has exactly this shape. */
int32_t yt_check_matrix(yt_stage stage, const char *name, const yt_matrix *matrix, int64_t rows, int64_t columns);

/* What a stage writes must be none of what it reads: indices that change after they were checked would lead out of bounds. */
int32_t yt_check_output(yt_stage stage, const yt_buffer *out, const yt_buffer *norm, const yt_batch *batch);

/* The bias is NULL, or holds an element for each row and is not what the stage writes. */
int32_t yt_check_bias(yt_stage stage, const char *name, const yt_buffer *bias, int64_t rows, const yt_buffer *out);

/* The number of columns is possible. */
int32_t yt_check_columns(yt_stage stage, const yt_batch *batch);

/* The heads are possible. */
int32_t yt_check_heads(yt_stage stage, const yt_layer *layer);

/* The first position that a column sees. */
static inline int64_t yt_first_seen(const yt_layer *layer, int64_t position)
{
    return layer->window > 0 && position >= layer->window ? position - layer->window + 1 : 0;
}

/* Every position of every column has a page that exists: those that it sees for attention, its own alone when it is written. */
int32_t yt_check_pages(yt_stage stage, const yt_layer *layer, const yt_batch *batch, const yt_kv *kv, bool all_positions);

/* Element of a buffer of int32; yt_check_ints has found that it is there. */
static inline int32_t yt_int_at(const yt_buffer *buffer, int64_t index)
{
    return ((const int32_t *)buffer->data)[index];
}

static inline float *yt_floats(const yt_buffer *buffer)
{
    return (float *)buffer->data;
}

/* Elements of a bias; NULL if there is none. */
static inline const float *yt_bias(const yt_buffer *bias)
{
    return bias == NULL ? NULL : yt_floats(bias);
}

#endif
