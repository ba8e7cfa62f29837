package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import java.util.SequencedMap;

/** Tensors that a test made. */
final class MemoryCheckpoint implements Checkpoint {
    private final Path path;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final List<UnreadableTensor> unreadable = new ArrayList<>();
    boolean closed;

    MemoryCheckpoint(String path) {
        this.path = Path.of(path);
    }

    MemoryCheckpoint with(String name, List<Long> shape, float... data) {
        tensors.put(name, new TensorInfo(name, TensorType.F32, shape, path, 0, 4L * data.length));
        values.put(name, data);
        return this;
    }

    MemoryCheckpoint with(String name, long rows, long columns, float... data) {
        return with(name, List.of(rows, columns), data);
    }

    /** Normally distributed values. */
    MemoryCheckpoint random(String name, int rows, int columns, Random random) {
        return with(name, rows, columns, randomValues(rows * columns, random));
    }

    static float[] randomValues(int count, Random random) {
        float[] data = new float[count];
        for (int i = 0; i < count; i++) {
            data[i] = (float) random.nextGaussian();
        }
        return data;
    }

    MemoryCheckpoint withUnreadable(String name, String type) {
        unreadable.add(new UnreadableTensor(name, type, List.of(2L, 2L), path, 0, 32));
        return this;
    }

    float[] values(String name) {
        return values.get(name);
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return tensors.values();
    }

    @Override
    public Collection<UnreadableTensor> unreadable() {
        return unreadable;
    }

    @Override
    public @Nullable TensorInfo find(String name) {
        return tensors.get(name);
    }

    @Override
    public MemorySegment bytes(TensorInfo tensor) {
        return MemorySegment.ofArray(values.get(tensor.name())).asReadOnly();
    }

    @Override
    public FloatRows rows(TensorInfo tensor) {
        return FloatRows.of(values.get(tensor.name()), tensor.shape().isEmpty() ? 1 : Math.toIntExact(tensor.shape().getLast()));
    }

    @Override
    public SequencedMap<Path, MemorySegment> contents() {
        return new LinkedHashMap<>();
    }

    @Override
    public void close() {
        closed = true;
    }
}
