package dev.yangtuo.model;

import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.cache.PackedParameter;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Parameters read from the model's files, merged, rounded and packed. */
final class EncodedWeights implements WeightSupplier {
    private final ParameterEncoder encoder;
    private final TypePlan plan;
    private final EncodeProgress progress;
    private final List<PackedParameter> packed = new ArrayList<>();

    EncodedWeights(ParameterEncoder encoder, TypePlan plan, EncodeProgress progress) {
        this.encoder = encoder;
        this.plan = plan;
        this.progress = progress;
    }

    /** All that was asked for so far, in that order; readable until the matrices are closed. */
    List<PackedParameter> packed() {
        return packed;
    }

    @Override
    public DeviceFloats vector(MergedParameter parameter, Backend backend) {
        float[] values = encoder.vector(parameter);
        DeviceFloats vector = backend.createFloats(values.length);
        vector.upload(0, values, 0, values.length);
        packed.add(PackedParameter.vector(parameter.name(), values));
        progress.finished(parameter.name());
        return vector;
    }

    @Override
    public WeightMatrix matrix(MergedParameter parameter, Backend backend) {
        WeightMatrix matrix = matrixAgain(parameter, backend);
        packed.add(new PackedParameter(
                new CachedParameter(parameter.name(), matrix.type(), matrix.rows(), matrix.columns()), matrix.byteSize(), matrix::download));
        progress.finished(parameter.name());
        return matrix;
    }

    @Override
    public WeightMatrix matrixAgain(MergedParameter parameter, Backend backend) {
        TensorType type = plan.typeOf(parameter);
        FloatRows rows = parameter.rows();
        WeightMatrix matrix = backend.createMatrix(type, rows.rows(), rows.columns());
        try {
            encoder.encode(parameter, type, ParameterEncoder.Order.PAIRS, matrix::upload);
        } catch (RuntimeException | Error e) {
            matrix.close();
            throw e;
        }
        return matrix;
    }
}
