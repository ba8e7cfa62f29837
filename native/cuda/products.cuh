/* What the kernels of products share (products.cu, products_mma.cu, products_float.cu). */
#ifndef YT_PRODUCTS_CUH
#define YT_PRODUCTS_CUH

#include "families.cuh"
#include "quants.cuh"

/* Rows that a warp takes at a time where it uses tensor cores, and columns of a tile that warps share. */
enum { YT_WARP_ROWS = 32, YT_TILE_COLUMNS = 64 };

/* What becomes of a product: yt_product_kind, but that SWIGLU in two launches has its gate in out already. */
enum yt_epilogue { YT_EPILOGUE_STORE, YT_EPILOGUE_RESIDUAL, YT_EPILOGUE_GATED, YT_EPILOGUE_SWIGLU };

/* Parameters of all kernels: matrices of one type and width. */
struct yt_product_launch {
    struct {
        const uint8_t *data;
        const float *bias;
        int64_t group_bytes;
        int64_t rows;
        int64_t first_row; /* in a column of out */
        int32_t n_groups;
        int32_t n_tiles; /* of as many rows as a block takes */
    } matrices[3];
    int32_t n_matrices;
    int32_t epilogue;
    int32_t width;
    int32_t n_columns;
    int32_t n_column_tiles; /* blocks that follow each other have the same rows, if there are several */
    int32_t column_warps;   /* of a block that divide its columns among them, 1, 2 or 4; the others take other rows */
    yt_activations input;
    float *out;
    int64_t out_stride;
};

/* Which tile of which matrix a block computes. */
struct yt_product_tile {
    int matrix;
    int row_tile;
    int column_tile;
};

YT_DEVICE yt_product_tile yt_find_tile(const yt_product_launch &launch)
{
    yt_product_tile tile = {0, (int)(blockIdx.x / (unsigned)launch.n_column_tiles), (int)(blockIdx.x % (unsigned)launch.n_column_tiles)};
    while (tile.matrix + 1 < launch.n_matrices && tile.row_tile >= launch.matrices[tile.matrix].n_tiles) {
        tile.row_tile -= launch.matrices[tile.matrix].n_tiles;
        tile.matrix++;
    }
    return tile;
}

YT_DEVICE float yt_biased(const yt_product_launch &launch, int matrix, int64_t row, float product)
{
    const float *bias = launch.matrices[matrix].bias;
    return bias == nullptr ? product : product + bias[row];
}

/* docs/kernels.md, "SwiGLU". */
YT_DEVICE float yt_swiglu(float gate, float up)
{
    return gate / (1.0f + yt_exp(-gate)) * up;
}

/* The product of a row with a column; rows and columns that are not there are left alone. */
YT_DEVICE void yt_finish_product(const yt_product_launch &launch, int matrix, int64_t row, int64_t column, float product)
{
    if (row >= launch.matrices[matrix].rows || column >= launch.n_columns) {
        return;
    }
    float *out = launch.out + column * launch.out_stride + launch.matrices[matrix].first_row + row;
    const float value = yt_biased(launch, matrix, row, product);
    if (launch.epilogue == YT_EPILOGUE_RESIDUAL) {
        *out = *out + value;
    } else if (launch.epilogue == YT_EPILOGUE_GATED) {
        *out = yt_swiglu(*out, value);
    } else {
        *out = value;
    }
}

/*
 * Sums of a warp's tile of 32 rows in shared memory, [slot][lane] as lanes have them: where that of a row and a column is. A lane for each row then writes what lies side by
 * side in memory; lanes that wrote their own would write four bytes in every 32.
 */
YT_DEVICE int yt_sum_at(int row, int column)
{
    return (column / 8 * 8 + row % 4 * 2 + column % 2) * 32 + row / 4 * 4 + column % 8 / 2;
}

/* The quantized types, for a list of cases. */
#define YT_QUANTIZED_TYPES(CASE) \
    CASE(YT_Q4_0) CASE(YT_Q4_1) CASE(YT_Q5_0) CASE(YT_Q5_1) CASE(YT_Q8_0) CASE(YT_Q2_K) CASE(YT_Q3_K) CASE(YT_Q4_K) CASE(YT_Q5_K) CASE(YT_Q6_K) \
        CASE(YT_IQ4_NL) CASE(YT_IQ4_XS) CASE(YT_MXFP4)

/* Bits of 1.5 * 2^23: an integer of less than 2^22 either way, added to them, makes the bits of that number plus the integer. */
#define YT_FLOAT_START 0x4B400000
#define YT_FLOAT_OFFSET 12582912.0f

/* The division of work among blocks: tile_rows rows times tile_columns columns each. Returns the number of blocks. */
int64_t yt_divide_products(yt_product_launch &launch, int64_t tile_rows, int64_t tile_columns);

/* Each launches matrices of one type, which it has kernels for; dp4a alone has an epilogue for SWIGLU in one launch. */
void yt_launch_dp4a_products(yt_queue &queue, int32_t type, yt_product_launch &launch);
void yt_launch_mma_products(yt_queue &queue, int32_t type, yt_product_launch &launch);
void yt_launch_float_products(yt_queue &queue, int32_t type, yt_product_launch &launch);

#endif
