/*
 * Makes the golden files of this folder with llama.cpp's own functions; see README.md for the command.
 * TYPE.blocks: blocks, extremes first; TYPE.f32: what dequantize_row_TYPE makes of them.
 * TYPE.encoded: what quantize_row_TYPE_ref makes of values.f32, which must be there (values.py).
 */
#include "ggml-quants.c"

#include <inttypes.h>

static uint64_t state = 20250101;

static uint32_t next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static void save(const char *type, const char *suffix, const void *data, size_t bytes)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", type, suffix);
    FILE *file = fopen(name, "wb");
    if (file == NULL || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0) {
        perror(name);
        exit(1);
    }
}

enum { MAX_BLOCKS = 24, MAX_BLOCK_BYTES = 256 };

/* Random blocks; the first have extreme scales. half_offset: of the binary16 scales, n_halves of them; 0 if the scale is byte 0 alone. */
static void make_blocks(uint8_t *blocks, int n, int block_bytes, int half_offset, int n_halves)
{
    static const uint16_t extremes[] = {0x0000, 0x7bff, 0x0001, 0x8000, 0xfbff, 0x03ff, 0x7c00, 0x7e00};
    static const uint8_t powers[] = {0, 1, 2, 3, 127, 252, 254, 255};
    for (int i = 0; i < n; i++) {
        uint8_t *block = blocks + i * block_bytes;
        for (int j = 0; j < block_bytes; j++) {
            block[j] = i == 1 ? 0xff : i == 2 ? 0 : (uint8_t)(next_random() >> 8);
        }
        for (int h = 0; h < n_halves; h++) {
            /* Random: either sign, 2^-12 to 2^3. */
            uint16_t scale = (uint16_t)(next_random() & 0x8000) | (uint16_t)((3 + next_random() % 15) << 10) | (uint16_t)(next_random() >> 22);
            scale = i < 8 ? extremes[(i + 3 * h) % 8] : scale;
            memcpy(block + half_offset + 2 * h, &scale, 2);
        }
        if (n_halves == 0) {
            block[0] = i < 8 ? powers[i] : (uint8_t)(110 + next_random() % 20);
        }
    }
}

#define DECODE(type, name, elements, half_offset, n_halves)                                        \
    do {                                                                                          \
        static uint8_t blocks[MAX_BLOCKS * MAX_BLOCK_BYTES];                                      \
        static float values[MAX_BLOCKS * 256];                                                    \
        int n = (elements) == 256 ? 11 : MAX_BLOCKS;                                              \
        make_blocks(blocks, n, (int)sizeof(block_##type), half_offset, n_halves);                 \
        dequantize_row_##type((const block_##type *)blocks, values, (int64_t)n * (elements));     \
        save(name, "blocks", blocks, n * sizeof(block_##type));                                   \
        save(name, "f32", values, sizeof(float) * n * (elements));                                \
    } while (0)

static float *load_values(int64_t *n)
{
    FILE *file = fopen("values.f32", "rb");
    static float values[1 << 16];
    if (file == NULL) {
        perror("values.f32");
        exit(1);
    }
    *n = (int64_t)fread(values, sizeof(float), 1 << 16, file);
    fclose(file);
    return values;
}

#define ENCODE(type, name, elements)                                                              \
    do {                                                                                          \
        static uint8_t blocks[1 << 17];                                                           \
        quantize_row_##type##_ref(values, (block_##type *)blocks, n);                             \
        save(name, "encoded", blocks, n / (elements) * sizeof(block_##type));                     \
    } while (0)

int main(void)
{
    DECODE(q4_0, "Q4_0", 32, 0, 1);
    DECODE(q4_1, "Q4_1", 32, 0, 2);
    DECODE(q5_0, "Q5_0", 32, 0, 1);
    DECODE(q5_1, "Q5_1", 32, 0, 2);
    DECODE(q8_0, "Q8_0", 32, 0, 1);
    DECODE(q2_K, "Q2_K", 256, 80, 2);
    DECODE(q3_K, "Q3_K", 256, 108, 1);
    DECODE(q4_K, "Q4_K", 256, 0, 2);
    DECODE(q5_K, "Q5_K", 256, 0, 2);
    DECODE(q6_K, "Q6_K", 256, 208, 1);
    DECODE(iq4_nl, "IQ4_NL", 32, 0, 1);
    DECODE(iq4_xs, "IQ4_XS", 256, 0, 1);
    DECODE(mxfp4, "MXFP4", 32, 0, 0);

    int64_t n;
    const float *values = load_values(&n);
    ENCODE(q4_0, "Q4_0", 32);
    ENCODE(q4_1, "Q4_1", 32);
    ENCODE(q5_0, "Q5_0", 32);
    ENCODE(q5_1, "Q5_1", 32);
    ENCODE(q8_0, "Q8_0", 32);
    ENCODE(q4_K, "Q4_K", 256);
    ENCODE(q5_K, "Q5_K", 256);
    ENCODE(q6_K, "Q6_K", 256);
    return 0;
}
