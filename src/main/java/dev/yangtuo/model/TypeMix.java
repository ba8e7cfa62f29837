package dev.yangtuo.model;

import dev.yangtuo.tensor.TensorType;

/**
 * Which type each matrix is kept as. Mixes spend more bits where they matter most, by the rules of llama.cpp
 * ({@code llama_tensor_get_type} in {@code llama-quant.cpp}, without an importance matrix), so that an exported file has the types that its users expect.
 *
 * @param base the type of most matrices
 * @param size which mix of a K type; ignored for others
 * @param pure every matrix is of the base type, the output, too
 */
public record TypeMix(TensorType base, Size size, boolean pure) {
    /** From here on the model is one of those that llama.cpp knows as 70B, if its heads are grouped. */
    private static final int LAYERS_OF_70B = 80;

    /** How much more than the base type's bits a mix spends. */
    public enum Size {
        /** The first layers only. */
        SMALL,
        /** More layers, by a higher type. */
        MEDIUM
    }

    /** Every matrix of one type, but the output as llama.cpp keeps it. */
    public static TypeMix of(TensorType type) {
        return new TypeMix(type, Size.MEDIUM, false);
    }

    /**
     * The type of the embedding.
     *
     * @param tied it is the output matrix, too
     */
    TensorType embedding(int columns, boolean tied) {
        return tied ? output(columns) : fitting(base, columns);
    }

    /** The type of the output matrix: Q6_K below every quantized type but Q8_0. */
    TensorType output(int columns) {
        if (pure || !base.isQuantized()) {
            return fitting(base, columns);
        }
        boolean eight = base == TensorType.Q8_0 || columns % base.blockElements() != 0;
        return fitting(eight ? TensorType.Q8_0 : TensorType.Q6_K, columns);
    }

    /** The type of a matrix of a layer. */
    TensorType layer(LayerParameter parameter, int layer, ModelConfig config, int columns) {
        TensorType type = base;
        if (!pure && (base == TensorType.Q4_K || base == TensorType.Q5_K)) {
            type = switch (parameter) {
                case V -> value(layer, config);
                case DOWN -> down(layer, config.nLayers());
                default -> base;
            };
        }
        return fitting(type, columns);
    }

    private TensorType value(int layer, ModelConfig config) {
        TensorType type = base;
        if (size == Size.MEDIUM && hasMoreBits(layer, config.nLayers())) {
            type = TensorType.Q6_K;
        } else if (size == Size.SMALL && base == TensorType.Q4_K && layer < 4) {
            type = TensorType.Q5_K;
        }
        boolean is70B = config.nLayers() == LAYERS_OF_70B && config.nHeads() != config.nKvHeads();
        return is70B && type == TensorType.Q4_K ? TensorType.Q5_K : type;
    }

    private TensorType down(int layer, int layers) {
        if (size == Size.MEDIUM) {
            return hasMoreBits(layer, layers) ? TensorType.Q6_K : base;
        }
        return base == TensorType.Q4_K && layer < layers / 8 ? TensorType.Q5_K : base;
    }

    /** The first and the last eighth of the layers, and every third between them. */
    private static boolean hasMoreBits(int layer, int layers) {
        return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
    }

    /** A type whose blocks divide the rows: a smaller block of about as many bits, else F16. */
    static TensorType fitting(TensorType type, int columns) {
        TensorType smaller = type;
        if (columns % type.blockElements() != 0) {
            smaller = switch (type) {
                case Q4_K -> TensorType.Q5_0;
                case Q5_K -> TensorType.Q5_1;
                case Q6_K -> TensorType.Q8_0;
                default -> type;
            };
        }
        return columns % smaller.blockElements() == 0 ? smaller : TensorType.F16;
    }
}
