package dev.yangtuo.model;

import dev.yangtuo.tensor.TensorType;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which type each parameter of one model is kept as: vectors as F32, matrices as a mix says or else as the base stores them.
 *
 * @param mix null: as stored
 * @param config of the model that results
 */
record TypePlan(@Nullable TypeMix mix, ModelConfig config) {
    private static final Logger LOGGER = System.getLogger(TypePlan.class.getName());

    /** The type of a parameter. */
    TensorType typeOf(MergedParameter parameter) {
        if (parameter.isVector()) {
            return TensorType.F32;
        }
        int columns = parameter.rows().columns();
        if (mix == null) {
            return parameter.blocks() == null ? TypeMix.fitting(encodable(parameter.storedType()), columns) : parameter.storedType();
        }
        TensorType type = switch (parameter.name()) {
            case ModelSource.EMBEDDING -> mix.embedding(columns, config.tiedEmbeddings());
            case ModelSource.OUTPUT -> mix.output(columns);
            default -> mix.layer(Objects.requireNonNull(parameter.kind()), parameter.layer(), config, columns);
        };
        if (columns % mix.base().blockElements() != 0) {
            LOGGER.log(Level.DEBUG, "{0} is kept as {1}: its rows of {2} elements cannot be divided into the blocks of {3}",
                    parameter.name(), type, columns, mix.base());
        }
        return type;
    }

    /** Bytes of a parameter as it is kept. */
    long bytesOf(MergedParameter parameter) {
        long rowBytes = typeOf(parameter).rowBytes(parameter.rows().columns());
        return Math.multiplyExact(rowBytes, parameter.rows().rows());
    }

    /** What changed rows of a type become that can only be read: the next one with at least its bits. */
    private static TensorType encodable(TensorType type) {
        return switch (type) {
            case Q2_K, Q3_K, IQ4_XS -> TensorType.Q4_K;
            case IQ4_NL, MXFP4 -> TensorType.Q5_0;
            default -> type;
        };
    }
}
