package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.UnsupportedModelException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the formats have in common once their headers have been read: names, mapped files, one arena that owns the mappings. */
abstract sealed class MappedCheckpoint implements Checkpoint
        permits GgufCheckpoint, SafetensorsCheckpoint, Llama2cCheckpoint, PytorchCheckpoint {
    private final Path path;
    private final Arena arena;
    /** Whole files, by the path that {@link TensorInfo#file()} gives. */
    private final Map<Path, MemorySegment> files;
    private final TensorTable table;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * @param arena a shared arena with the files mapped; owned by this object from here on
     * @param table every tensor inside its file
     */
    MappedCheckpoint(Path path, Arena arena, Map<Path, MemorySegment> files, TensorTable table) {
        this.path = path;
        this.arena = arena;
        this.files = Map.copyOf(files);
        this.table = table;
    }

    /** Gives an arena that is closed again if opening fails. */
    static <T extends MappedCheckpoint> T opening(Function<Arena, T> opener) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            T checkpoint = opener.apply(arena);
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableCollection(table.readable().values());
    }

    @Override
    public Collection<UnreadableTensor> unreadable() {
        return Collections.unmodifiableCollection(table.unreadable().values());
    }

    @Override
    public @Nullable TensorInfo find(String name) {
        TensorInfo tensor = table.readable().get(name);
        if (tensor == null) {
            UnreadableTensor other = table.unreadable().get(name);
            if (other != null) {
                throw new UnsupportedModelException(other.file(), ("tensor %s at byte %d: its type %s is not supported by this version;"
                        + " supported: %s. Take or make a copy of the model in one of these types").formatted(
                                Quoted.text(name), other.byteOffset(), other.typeName(), Arrays.toString(TensorType.values())));
            }
        }
        return tensor;
    }

    @Override
    public MemorySegment bytes(TensorInfo tensor) {
        if (!storesRows(tensor)) {
            throw new IllegalArgumentException("tensor %s of %s is not stored row by row".formatted(Quoted.text(tensor.name()), tensor.file()));
        }
        return span(tensor);
    }

    /** The bytes from a tensor's first to its last, whatever their order. */
    final MemorySegment span(TensorInfo tensor) {
        if (!tensor.equals(table.readable().get(tensor.name()))) {
            throw new IllegalArgumentException(
                    "tensor %s of %s is not one of %s".formatted(Quoted.text(tensor.name()), tensor.file(), path));
        }
        return fileBytes(tensor.file()).asSlice(tensor.byteOffset(), tensor.byteSize());
    }

    /** All bytes of one of the files. */
    final MemorySegment fileBytes(Path file) {
        if (closed.get()) {
            throw new IllegalStateException("%s: the checkpoint has been closed".formatted(path));
        }
        return files.get(file);
    }

    @Override
    public SequencedMap<Path, MemorySegment> contents() {
        if (closed.get()) {
            throw new IllegalStateException("%s: the checkpoint has been closed".formatted(path));
        }
        return new TreeMap<>(files);
    }

    @Override
    public FloatRows rows(TensorInfo tensor) {
        return new StoredRows(tensor, bytes(tensor));
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            arena.close();
        }
    }
}
