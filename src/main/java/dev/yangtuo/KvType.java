package dev.yangtuo;

import dev.yangtuo.tensor.TensorType;

/** How keys and values of past tokens are kept. */
public enum KvType {
    /** IEEE 754 binary16: half the memory, and what models are usually run with. */
    F16(TensorType.F16),
    /** 32-bit floating point: no rounding. */
    F32(TensorType.F32);

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
        throw new IllegalArgumentException("'%s' is not a type for keys and values; there are f16, f32".formatted(name));
    }
}
