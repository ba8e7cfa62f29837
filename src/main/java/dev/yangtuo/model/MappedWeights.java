package dev.yangtuo.model;

import dev.yangtuo.cache.CacheFile;
import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.PackedFiles;
import dev.yangtuo.kernel.WeightMatrix;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** Parameters mapped from a file of packed weights, whose parameters are known to be the model's, in the model's order. */
final class MappedWeights implements WeightSupplier {
    private final CacheFile file;
    private final List<CachedParameter> parameters;
    private final List<float[]> vectors;
    private final TypePlan plan;
    private final EncodeProgress progress;
    private int next;

    /** @throws IOException if the vectors cannot be read */
    MappedWeights(CacheFile file, TypePlan plan, EncodeProgress progress) throws IOException {
        this.file = file;
        this.parameters = file.parameters();
        this.vectors = file.vectors();
        this.plan = plan;
        this.progress = progress;
    }

    @Override
    public DeviceFloats vector(MergedParameter parameter, Backend backend) {
        float[] values = vectors.get(take(parameter));
        DeviceFloats vector = backend.createFloats(values.length);
        vector.upload(0, values, 0, values.length);
        return vector;
    }

    @Override
    public WeightMatrix matrix(MergedParameter parameter, Backend backend) {
        return map(take(parameter), backend);
    }

    @Override
    public WeightMatrix matrixAgain(MergedParameter parameter, Backend backend) {
        for (int index = 0; index < next; index++) {
            if (parameters.get(index).name().equals(parameter.name())) {
                progress.bytes(plan.bytesOf(parameter));
                return map(index, backend);
            }
        }
        throw new IllegalArgumentException("%s was not asked for before".formatted(parameter.name()));
    }

    private WeightMatrix map(int index, Backend backend) {
        CachedParameter cached = parameters.get(index);
        PackedFiles files = Objects.requireNonNull(backend.packedFiles(), "a backend without packed files has no cache");
        WeightMatrix matrix = files.map(cached.type(), cached.rows(), cached.columns(), file.path(), file.byteOffset(index));
        if (matrix.byteSize() != file.byteSize(index)) {
            long expected = matrix.byteSize();
            matrix.close();
            throw new IllegalArgumentException("%s has %d bytes, packed it takes %d".formatted(cached.name(), file.byteSize(index), expected));
        }
        return matrix;
    }

    private int take(MergedParameter parameter) {
        String name = parameters.get(next).name();
        if (!name.equals(parameter.name())) {
            throw new IllegalArgumentException("%s was asked for in the place of %s".formatted(parameter.name(), name));
        }
        progress.bytes(plan.bytesOf(parameter));
        progress.finished(parameter.name());
        return next++;
    }
}
