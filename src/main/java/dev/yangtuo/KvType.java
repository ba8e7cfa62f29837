package dev.yangtuo;

import dev.yangtuo.tensor.TensorType;

/** How keys and values of past tokens are kept. */
public enum KvType {
    /** IEEE 754 binary16: half the memory, and what models are usually run with. */
    F16(TensorType.F16),
    /** 32-bit floating point: no rounding. */
    F32(TensorType.F32),
    /** The upper half of 32-bit floating point: no faster than F16 and less exact; for models whose keys or values exceed 65,504. */
    BF16(TensorType.BF16),
    /** Eight bits and a scale for each 32 elements of a head: about half of F16's memory, about as accurate, and faster over long contexts. */
    Q8_0(TensorType.Q8_0),
    /** Four bits and a scale for each 32 elements of a head: about a quarter of F16's memory; the texts are other ones. */
    Q4_0(TensorType.Q4_0);

    /** For messages and usage texts. */
    private static final String NAMES = "f16, f32, bf16, q8_0, q4_0";

    private final TensorType tensorType;

    KvType(TensorType tensorType) {
        this.tensorType = tensorType;
    }

    TensorType tensorType() {
        return tensorType;
    }

    /**
     * The type of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static KvType of(String name) {
        for (KvType type : values()) {
            if (type.name().equalsIgnoreCase(name)) {
                return type;
            }
        }
        throw new IllegalArgumentException("'%s' is not a type for keys and values; there are %s".formatted(name, NAMES));
    }
}
