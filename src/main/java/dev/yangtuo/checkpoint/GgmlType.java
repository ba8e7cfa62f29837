package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.TensorType;
import org.jspecify.annotations.Nullable;

/** GGML's tensor types as GGUF numbers them ({@code enum ggml_type} in {@code ggml.h}), with the sizes of their blocks. */
enum GgmlType {
    F32(0, TensorType.F32),
    F16(1, TensorType.F16),
    Q4_0(2, TensorType.Q4_0),
    Q4_1(3, TensorType.Q4_1),
    Q5_0(6, TensorType.Q5_0),
    Q5_1(7, TensorType.Q5_1),
    Q8_0(8, TensorType.Q8_0),
    Q8_1(9, 32, 36),
    Q2_K(10, TensorType.Q2_K),
    Q3_K(11, TensorType.Q3_K),
    Q4_K(12, TensorType.Q4_K),
    Q5_K(13, TensorType.Q5_K),
    Q6_K(14, TensorType.Q6_K),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, TensorType.IQ4_NL),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, TensorType.IQ4_XS),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, TensorType.BF16),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    MXFP4(39, TensorType.MXFP4),
    NVFP4(40, 64, 36),
    Q1_0(41, 128, 18),
    Q2_0(42, 64, 18);

    final int id;
    final int blockElements;
    final int blockBytes;
    /** How it is read, or null if it cannot be. */
    final @Nullable TensorType readAs;

    GgmlType(int id, TensorType readAs) {
        this.id = id;
        this.blockElements = readAs.blockElements();
        this.blockBytes = readAs.blockBytes();
        this.readAs = readAs;
    }

    GgmlType(int id, int blockElements, int blockBytes) {
        this.id = id;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
        this.readAs = null;
    }

    /** The type of this number, or null: unknown, or one of those that GGML has removed (4, 5, 31 to 33, 36 to 38). */
    static @Nullable GgmlType ofId(int id) {
        for (GgmlType type : values()) {
            if (type.id == id) {
                return type;
            }
        }
        return null;
    }
}
