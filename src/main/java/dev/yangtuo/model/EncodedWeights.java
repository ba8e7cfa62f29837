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
    private final Backend backend;
    private final ParameterEncoder encoder;
    private final TypePlan plan;
    private final EncodeProgress progress;
    private final List<PackedParameter> packed = new ArrayList<>();

    EncodedWeights(Backend backend, ParameterEncoder encoder, TypePlan plan, EncodeProgress progress) {
        this.backend = backend;
        this.encoder = encoder;
        this.plan = plan;
        this.progress = progress;
    }

    /** All that was asked for so far, in that order; readable until the matrices are closed. */
    List<PackedParameter> packed() {
        return packed;
    }

    @Override
    public DeviceFloats vector(MergedParameter parameter) {
        float[] values = encoder.vector(parameter);
        DeviceFloats vector = backend.createFloats(values.length);
        vector.upload(0, values, 0, values.length);
        packed.add(PackedParameter.vector(parameter.name(), values));
        progress.finished(parameter.name());
        return vector;
    }

    @Override
    public WeightMatrix matrix(MergedParameter parameter) {
        TensorType type = plan.typeOf(parameter);
        FloatRows rows = parameter.rows();
        WeightMatrix matrix = backend.createMatrix(type, rows.rows(), rows.columns());
        try {
            encoder.encode(parameter, type, ParameterEncoder.Order.PAIRS, matrix::upload);
        } catch (RuntimeException | Error e) {
            matrix.close();
            throw e;
        }
        packed.add(new PackedParameter(new CachedParameter(parameter.name(), type, rows.rows(), rows.columns()), matrix.byteSize(), matrix::download));
        progress.finished(parameter.name());
        return matrix;
    }
}
