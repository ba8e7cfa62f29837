package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the headers of a checkpoint say, in their order; used while reading one.
 *
 * @param readable tensors by name
 * @param unreadable tensors of types that cannot be read, by name
 */
record TensorTable(Map<String, TensorInfo> readable, Map<String, UnreadableTensor> unreadable) {
    /** More tensors are taken for damage: the largest published models have a few ten thousand. */
    static final int MAX_TENSORS = 1_000_000;

    TensorTable() {
        this(new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    boolean contains(String name) {
        return readable.containsKey(name) || unreadable.containsKey(name);
    }

    int size() {
        return readable.size() + unreadable.size();
    }

    void add(TensorInfo tensor) {
        readable.put(tensor.name(), tensor);
    }

    void add(UnreadableTensor tensor) {
        unreadable.put(tensor.name(), tensor);
    }

    /** Adds the tensors of a further shard. */
    void addAll(TensorTable shard) {
        for (TensorInfo tensor : shard.readable.values()) {
            checkNew(tensor.name(), tensor.file());
            add(tensor);
        }
        for (UnreadableTensor tensor : shard.unreadable.values()) {
            checkNew(tensor.name(), tensor.file());
            add(tensor);
        }
    }

    private void checkNew(String name, Path file) {
        if (contains(name)) {
            TensorInfo earlier = readable.get(name);
            throw new CheckpointFormatException(file, "tensor %s is in %s as well; expected every tensor in one shard only".formatted(
                    Quoted.text(name), earlier != null ? earlier.file().getFileName() : unreadable.get(name).file().getFileName()));
        }
    }
}
