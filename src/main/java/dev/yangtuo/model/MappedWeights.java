package dev.yangtuo.model;

import dev.yangtuo.cache.CacheFile;
import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.PackedFiles;
import dev.yangtuo.kernel.WeightMatrix;
import java.io.IOException;
import java.util.List;

/** Parameters mapped from a file of packed weights, whose parameters are known to be the model's, in the model's order. */
final class MappedWeights implements WeightSupplier {
    private final Backend backend;
    private final PackedFiles files;
    private final CacheFile file;
    private final List<CachedParameter> parameters;
    private final List<float[]> vectors;
    private final TypePlan plan;
    private final EncodeProgress progress;
    private int next;

    /** @throws IOException if the vectors cannot be read */
    MappedWeights(Backend backend, PackedFiles files, CacheFile file, TypePlan plan, EncodeProgress progress) throws IOException {
        this.backend = backend;
        this.files = files;
        this.file = file;
        this.parameters = file.parameters();
        this.vectors = file.vectors();
        this.plan = plan;
        this.progress = progress;
    }

    @Override
    public DeviceFloats vector(MergedParameter parameter) {
        float[] values = vectors.get(take(parameter));
        DeviceFloats vector = backend.createFloats(values.length);
        vector.upload(0, values, 0, values.length);
        return vector;
    }

    @Override
    public WeightMatrix matrix(MergedParameter parameter) {
        int index = take(parameter);
        CachedParameter cached = parameters.get(index);
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
