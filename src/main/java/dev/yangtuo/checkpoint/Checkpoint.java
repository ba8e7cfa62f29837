package dev.yangtuo.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * The named tensors of a model or of an adapter, memory-mapped read-only. Everything about sizes and offsets has been checked when an
 * instance exists: tensors lie inside their files and do not overlap. Thread-safe. Segments and rows that were handed out
 * are invalid after {@link #close()}; using them then throws {@link IllegalStateException}.
 */
public interface Checkpoint extends AutoCloseable {
    /** The file or directory that was opened, for messages. */
    Path path();

    /** All tensors in the order of the file (of the shards, one after the other). */
    Collection<TensorInfo> tensors();

    /** The tensor of this name, or null. */
    @Nullable TensorInfo find(String name);

    /** The stored bytes of a tensor of this checkpoint, read-only, exactly {@code tensor.byteSize()} long. */
    MemorySegment bytes(TensorInfo tensor);

    /**
     * The tensor as float32 rows: the last (fastest) dimension is the columns, all others are flattened into rows; a vector is one row.
     *
     * @throws dev.yangtuo.exception.CheckpointFormatException if its type cannot be read as float32
     */
    FloatRows rows(TensorInfo tensor);

    /** Unmaps the files; closing twice is harmless. */
    @Override
    void close();
}
