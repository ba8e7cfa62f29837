package dev.yangtuo;

import dev.yangtuo.model.TypeMix;
import dev.yangtuo.model.TypeMix.Size;
import dev.yangtuo.tensor.TensorType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How weights are kept. The quantized ones are llama.cpp's mixes of the same names: most matrices are of the type that gives the name, the output
 * matrix is kept as Q6_K (or Q8_0 where its rows do not divide into blocks of 256), and the {@code K} mixes spend more bits on some layers.
 * {@link LoadOptions#quantizePure} keeps every matrix as the one type. Norms and biases are always float32.
 */
public enum WeightType {
    /** 32-bit floating point, 4 bytes per weight. */
    F32(TensorType.F32),
    /** IEEE 754 binary16, 2 bytes per weight. */
    F16(TensorType.F16),
    /** bfloat16, 2 bytes per weight. */
    BF16(TensorType.BF16),
    /** Blocks of 32 signed bytes with one scale, 8.5 bits per weight, the output, too. */
    Q8_0(TensorType.Q8_0),
    /** Blocks of 32 four-bit integers with a scale, 4.5 bits per weight. */
    Q4_0(TensorType.Q4_0),
    /** Blocks of 32 four-bit integers with a scale and a minimum, 5 bits per weight. */
    Q4_1(TensorType.Q4_1),
    /** Blocks of 32 five-bit integers with a scale, 5.5 bits per weight. */
    Q5_0(TensorType.Q5_0),
    /** Blocks of 32 five-bit integers with a scale and a minimum, 6 bits per weight. */
    Q5_1(TensorType.Q5_1),
    /** Four bits with six-bit scales and minimums, 4.5 bits per weight; V and down of the first layers as Q5_K. */
    Q4_K_S(TensorType.Q4_K, Size.SMALL),
    /** The same; V and down of half of the layers as Q6_K. Also called {@code q4_k}. */
    Q4_K_M(TensorType.Q4_K, Size.MEDIUM),
    /** Five bits with six-bit scales and minimums, 5.5 bits per weight. */
    Q5_K_S(TensorType.Q5_K, Size.SMALL),
    /** The same; V and down of half of the layers as Q6_K. Also called {@code q5_k}. */
    Q5_K_M(TensorType.Q5_K, Size.MEDIUM),
    /** Six bits with eight-bit scales, 6.56 bits per weight. */
    Q6_K(TensorType.Q6_K);

    private final TensorType tensorType;
    private final Size size;

    WeightType(TensorType tensorType) {
        this(tensorType, Size.MEDIUM);
    }

    WeightType(TensorType tensorType, Size size) {
        this.tensorType = tensorType;
        this.size = size;
    }

    TypeMix mix(boolean pure) {
        return new TypeMix(tensorType, size, pure);
    }

    /**
     * The type of this name, in any case; {@code q4_k} and {@code q5_k} are the medium mixes.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static WeightType of(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        for (WeightType type : values()) {
            if (type.name().equals(upper) || type.name().equals(upper + "_M")) {
                return type;
            }
        }
        throw new IllegalArgumentException("'%s' is not a weight type; there are %s"
                .formatted(name, Arrays.stream(values()).map(type -> type.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "))));
    }
}
