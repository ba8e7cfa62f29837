package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The named tensors of a model or of an adapter, memory-mapped read-only. Everything about sizes and offsets has been checked when an
 * instance exists: tensors lie inside their files and do not overlap. Thread-safe. Segments and rows that were handed out
 * are invalid after {@link #close()}; using them then throws {@link IllegalStateException}.
 */
public interface Checkpoint extends AutoCloseable {
    /** The file or directory that was opened, for messages. */
    Path path();

    /** All readable tensors in the order of the file (of the shards, one after the other). */
    Collection<TensorInfo> tensors();

    /**
     * Tensors whose place and size were checked but whose type this version cannot read. They do not make opening fail: many
     * checkpoints carry integer or double buffers that nobody needs.
     */
    default Collection<UnreadableTensor> unreadable() {
        return List.of();
    }

    /**
     * The tensor of this name, or null if the checkpoint has none.
     *
     * @throws dev.yangtuo.exception.CheckpointFormatException if the tensor exists but is {@linkplain #unreadable() unreadable}, so that
     *     it is never taken for an absent one (an output matrix of an unknown type is not a tied embedding)
     */
    @Nullable TensorInfo find(String name);

    /**
     * The tensor of this name.
     *
     * @throws dev.yangtuo.exception.CheckpointFormatException if the checkpoint has none, or if it is unreadable
     */
    default TensorInfo require(String name) {
        TensorInfo tensor = find(name);
        if (tensor == null) {
            throw new CheckpointFormatException(path(), ("tensor %s is missing; the checkpoint has %d other tensors. It is incomplete"
                    + " or belongs to another kind of model").formatted(Quoted.text(name), tensors().size() + unreadable().size()));
        }
        return tensor;
    }

    /**
     * The stored bytes of a tensor of this checkpoint, read-only, exactly {@code tensor.byteSize()} long. They are the file's own pages:
     * if the file shrinks while it is open, Java code that touches them gets an {@link InternalError}, and native code must not be
     * given them ({@link #rows} is safe: it copies and reports).
     *
     * @throws IllegalArgumentException if the tensor is not one of {@link #tensors()}, or does not {@linkplain #storesRows store its rows}
     */
    MemorySegment bytes(TensorInfo tensor);

    /** The same bytes, to be copied; throws as {@link #bytes} does. */
    default StoredBytes stored(TensorInfo tensor) {
        return new StoredBytes(tensor, bytes(tensor));
    }

    /**
     * Whether a tensor of this checkpoint is stored as its type says, row after row. Otherwise only {@link #rows} can read it: it may be
     * transposed, in parts, or in blocks of another kind.
     */
    default boolean storesRows(TensorInfo tensor) {
        return true;
    }

    /**
     * The tensor as float32 rows: the last (fastest) dimension is the columns, all others are flattened into rows; a vector is one row.
     *
     * @throws dev.yangtuo.exception.CheckpointFormatException if it has no elements or more than 2,147,483,647 columns
     * @throws IllegalArgumentException if the tensor is not one of {@link #tensors()}
     */
    FloatRows rows(TensorInfo tensor);

    /** The files that hold the tensors, whole, as they were when they were opened, in a fixed order. */
    SequencedMap<Path, MemorySegment> contents();

    /** Unmaps the files; closing twice is harmless. */
    @Override
    void close();
}
