package dev.yangtuo;

import dev.yangtuo.tensor.TensorType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How weights are kept in memory. */
public enum WeightType {
    /** 32-bit floating point, 4 bytes per weight. */
    F32(TensorType.F32),
    /** IEEE 754 binary16, 2 bytes per weight. */
    F16(TensorType.F16),
    /** bfloat16, 2 bytes per weight. */
    BF16(TensorType.BF16),
    /** Blocks of 32 signed bytes with one scale, 1.06 bytes per weight. */
    Q8_0(TensorType.Q8_0),
    /** Blocks of 32 four-bit integers with one scale, 0.56 bytes per weight; the output matrix is kept as {@link #Q8_0}. */
    Q4_0(TensorType.Q4_0);

    private final TensorType tensorType;

    WeightType(TensorType tensorType) {
        this.tensorType = tensorType;
    }

    TensorType tensorType() {
        return tensorType;
    }

    /**
     * The type of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static WeightType of(String name) {
        for (WeightType type : values()) {
            if (type.name().equalsIgnoreCase(name)) {
                return type;
            }
        }
        throw new IllegalArgumentException("'%s' is not a weight type; there are %s"
                .formatted(name, Arrays.stream(values()).map(type -> type.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "))));
    }
}
