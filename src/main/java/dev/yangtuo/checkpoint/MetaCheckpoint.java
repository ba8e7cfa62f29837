package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a directory as Meta publishes models: {@code consolidated.00.pth} and, for models that were trained on several devices,
 * {@code consolidated.01.pth} and so on, each with a part of every matrix. Which way a matrix was cut follows from its name, for the embedding
 * from its shape. A cut matrix is put together while it is read.
 */
public final class MetaCheckpoint implements Checkpoint {
    private static final int MAX_SHARDS = 64;
    private static final String EMBEDDING = "tok_embeddings.weight";
    private static final String NORM = "norm.weight";
    /** Cut along rows: what multiplies the same input to parts of the output. */
    private static final Set<String> BY_ROWS = Set.of("wq", "wk", "wv", "w1", "w3", "output");
    /** Cut along columns: what multiplies parts of the input. */
    private static final Set<String> BY_COLUMNS = Set.of("wo", "w2");

    /** How the parts of a tensor belong together. */
    private enum Cut {
        ROWS,
        COLUMNS,
        NONE
    }

    /** @param parts one for each shard, or one */
    private record Whole(TensorInfo tensor, Cut cut, List<TensorInfo> parts) {}

    private final Path directory;
    private final List<PytorchCheckpoint> shards;
    private final Map<String, Whole> tensors = new LinkedHashMap<>();

    private MetaCheckpoint(Path directory, List<PytorchCheckpoint> shards) {
        this.directory = directory;
        this.shards = shards;
        for (TensorInfo tensor : shards.getFirst().tensors()) {
            tensors.put(tensor.name(), whole(tensor.name()));
        }
        for (PytorchCheckpoint shard : shards) {
            for (TensorInfo tensor : shard.tensors()) {
                if (!tensors.containsKey(tensor.name())) {
                    throw missing(tensor.name(), shards.getFirst().path(), shard.path());
                }
            }
        }
    }

    /**
     * Opens a directory.
     *
     * @throws CheckpointFormatException if a shard is missing, damaged, or of another model
     */
    public static MetaCheckpoint openDirectory(Path directory) {
        List<PytorchCheckpoint> shards = new ArrayList<>();
        boolean opened = false;
        try {
            for (Path file : findFiles(directory)) {
                shards.add(PytorchCheckpoint.open(file));
            }
            MetaCheckpoint checkpoint = new MetaCheckpoint(directory, List.copyOf(shards));
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                shards.forEach(PytorchCheckpoint::close);
            }
        }
    }

    /** Whether a directory has such weights. */
    static boolean isIn(Path directory) {
        return !DirectoryContents.metaShards(directory).isEmpty();
    }

    /** The shards, numbered from 00 without a gap. */
    private static List<Path> findFiles(Path directory) {
        List<String> names = DirectoryContents.metaShards(directory);
        if (names.isEmpty() || names.size() > MAX_SHARDS) {
            throw new CheckpointFormatException(directory, "%d files consolidated.NN.pth are here; expected 1 to %d".formatted(names.size(), MAX_SHARDS));
        }
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String expected = "consolidated.%02d.pth".formatted(i);
            if (!names.get(i).equals(expected)) {
                throw new CheckpointFormatException(directory, "%s is missing, but %s is here. Download the missing file".formatted(
                        expected, names.getLast()));
            }
            files.add(directory.resolve(expected));
        }
        return files;
    }

    private Whole whole(String name) {
        List<TensorInfo> parts = new ArrayList<>();
        for (PytorchCheckpoint shard : shards) {
            TensorInfo part = shard.find(name);
            if (part == null) {
                throw missing(name, shard.path(), shards.getFirst().path());
            }
            parts.add(part);
        }
        TensorInfo first = parts.getFirst();
        if (parts.size() == 1) {
            return new Whole(first, Cut.NONE, parts);
        }
        for (TensorInfo part : parts) {
            if (!part.shape().equals(first.shape()) || part.type() != first.type()) {
                throw new CheckpointFormatException(part.file(), "tensor %s is %s of shape %s here and %s of shape %s in %s; the shards belong to different models"
                        .formatted(Quoted.text(name), part.type(), part.shape(), first.type(), first.shape(), first.file().getFileName()));
            }
        }
        Cut cut = first.shape().size() == 2 ? cut(name, first) : Cut.NONE;
        if (cut == Cut.NONE) {
            requireEqual(parts);
            return new Whole(first, cut, List.of(first));
        }
        long rows = first.shape().get(0) * (cut == Cut.ROWS ? parts.size() : 1);
        long columns = first.shape().get(1) * (cut == Cut.COLUMNS ? parts.size() : 1);
        long byteSize = parts.stream().mapToLong(TensorInfo::byteSize).sum();
        TensorInfo tensor = new TensorInfo(name, first.type(), List.of(rows, columns), first.file(), first.byteOffset(), byteSize);
        return new Whole(tensor, cut, parts);
    }

    private Cut cut(String name, TensorInfo part) {
        if (name.equals(EMBEDDING)) {
            // Older models cut it along columns, Llama 3 along rows; the norm is as wide as the whole.
            TensorInfo norm = shards.getFirst().require(NORM);
            return part.shape().get(1) == norm.elementCount() ? Cut.ROWS : Cut.COLUMNS;
        }
        String[] words = name.split("\\.");
        String matrix = words.length < 2 ? "" : words[words.length - 2];
        if (BY_ROWS.contains(matrix)) {
            return Cut.ROWS;
        }
        if (BY_COLUMNS.contains(matrix)) {
            return Cut.COLUMNS;
        }
        throw new CheckpointFormatException(part.file(), "tensor %s is not known, so it cannot be said how it was cut into %d shards".formatted(
                Quoted.text(name), shards.size()));
    }

    /** What is not cut is in every shard. */
    private void requireEqual(List<TensorInfo> parts) {
        for (int i = 1; i < parts.size(); i++) {
            TensorInfo part = parts.get(i);
            if (differ(i, part, parts.getFirst())) {
                throw new CheckpointFormatException(part.file(), "tensor %s has other values than in %s; the shards belong to different models"
                        .formatted(Quoted.text(part.name()), parts.getFirst().file().getFileName()));
            }
        }
    }

    private boolean differ(int shard, TensorInfo part, TensorInfo first) {
        try {
            return shards.get(shard).span(part).mismatch(shards.getFirst().span(first)) >= 0;
        } catch (InternalError e) {
            throw MappedFile.lostPages(part.file(), "tensor " + Quoted.text(part.name()), e);
        }
    }

    private static CheckpointFormatException missing(String name, Path file, Path other) {
        return new CheckpointFormatException(file, "tensor %s is missing, but %s has it; the shards belong to different models".formatted(
                Quoted.text(name), other.getFileName()));
    }

    /** The shards, in their order. */
    public List<Path> files() {
        return shards.stream().map(PytorchCheckpoint::path).toList();
    }

    @Override
    public Path path() {
        return directory;
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return tensors.values().stream().map(Whole::tensor).toList();
    }

    @Override
    public Collection<UnreadableTensor> unreadable() {
        return Collections.unmodifiableCollection(shards.getFirst().unreadable());
    }

    @Override
    public @Nullable TensorInfo find(String name) {
        Whole whole = tensors.get(name);
        return whole == null ? shards.getFirst().find(name) : whole.tensor;
    }

    private Whole own(TensorInfo tensor) {
        Whole whole = tensors.get(tensor.name());
        if (whole == null || !whole.tensor.equals(tensor)) {
            throw new IllegalArgumentException("tensor %s of %s is not one of %s".formatted(Quoted.text(tensor.name()), tensor.file(), directory));
        }
        return whole;
    }

    @Override
    public boolean storesRows(TensorInfo tensor) {
        Whole whole = own(tensor);
        return whole.cut == Cut.NONE && shards.getFirst().storesRows(tensor);
    }

    @Override
    public MemorySegment bytes(TensorInfo tensor) {
        if (own(tensor).cut != Cut.NONE) {
            throw new IllegalArgumentException("tensor %s of %s is in %d files".formatted(Quoted.text(tensor.name()), directory, shards.size()));
        }
        return shards.getFirst().bytes(tensor);
    }

    @Override
    public SequencedMap<Path, MemorySegment> contents() {
        SequencedMap<Path, MemorySegment> files = new LinkedHashMap<>();
        shards.forEach(shard -> files.putAll(shard.contents()));
        return files;
    }

    @Override
    public FloatRows rows(TensorInfo tensor) {
        Whole whole = own(tensor);
        List<FloatRows> parts = new ArrayList<>();
        for (int i = 0; i < whole.parts.size(); i++) {
            parts.add(shards.get(i).rows(whole.parts.get(i)));
        }
        return switch (whole.cut) {
            case NONE -> parts.getFirst();
            case ROWS -> FloatRows.stacked(parts);
            case COLUMNS -> FloatRows.sideBySide(parts);
        };
    }

    @Override
    public void close() {
        shards.forEach(PytorchCheckpoint::close);
    }
}
